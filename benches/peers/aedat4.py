#!/usr/bin/env python3
"""Writes events of a .npy file as AEDAT 4, packed by LZ4, with the libraries of others: `aedat4.py EVENTS.npy FILE COLS ROWS`."""

import struct
import sys

import flatbuffers
import lz4.frame
import numpy as np

PACKET = 10_000  # events
EVENT = np.dtype({"names": ["t", "x", "y", "on"], "formats": ["<i8", "<i2", "<i2", "u1"], "offsets": [0, 8, 10, 12], "itemsize": 16})
XML = """<dv version="2.0"><node name="outInfo" path="/"><node name="0" path="/0/">
<attr key="typeIdentifier" type="string">EVTS</attr><node name="info" path="/0/info/">
<attr key="sizeX" type="int">{}</attr><attr key="sizeY" type="int">{}</attr></node></node></node></dv>"""


def header(cols, rows):
    builder = flatbuffers.Builder(0)
    text = builder.CreateString(XML.format(cols, rows))
    builder.StartObject(3)
    builder.PrependUOffsetTRelativeSlot(2, text, 0)
    builder.PrependInt64Slot(1, -1, 0)  # no table at the end
    builder.PrependInt32Slot(0, 1, 0)  # LZ4
    builder.FinishSizePrefixed(builder.EndObject(), file_identifier=b"IOHE")
    return bytes(builder.Output())


def packet(events):
    """A table with one vector, put together by hand: the builder takes events one by one."""
    head = bytes.fromhex("10000000") + b"EVTS" + struct.pack("<HHHHiii", 6, 8, 4, 0, 8, 4, len(events))
    body = head + events.tobytes()
    return struct.pack("<I", len(body)) + body


def main():
    source, target, cols, rows = sys.argv[1:]
    array = np.load(source)
    events = np.zeros(len(array), EVENT)
    for name, column in zip(EVENT.names, ("t", "x", "y", "p" if "p" in array.dtype.names else "on")):
        events[name] = array[column]
    with open(target, "wb") as file:
        file.write(b"#!AER-DAT4.0\r\n" + header(int(cols), int(rows)))
        for at in range(0, len(events), PACKET):
            payload = lz4.frame.compress(packet(events[at : at + PACKET]))
            file.write(struct.pack("<ii", 0, len(payload)) + payload)


if __name__ == "__main__":
    main()
