#!/usr/bin/env python3
"""Recordings read by faery, expelliarmus and tonic, and their noise filters: events a second, as a JSON list.

`events.py FOLDER`: the folder holds one recording in many formats, as `events.sh` writes it, and `digests.json`: what
`foveola info --digest --json` says of it. A peer that reads other events than these says so and gets no row.
"""

import argparse
import hashlib
import importlib.metadata
import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np

from common import optional, say

faery, expelliarmus, tonic = optional("faery"), optional("expelliarmus"), optional("tonic")
SENSOR = (640, 480)  # columns, rows
TAU = 5000  # microseconds, of the noise filter


def faery_read(path):
    return np.concatenate(list(faery.events_stream_from_file(str(path), dimensions_fallback=SENSOR)))


def expelliarmus_read(path):
    return expelliarmus.Wizard(encoding=path.stem[-4:] if path.suffix == ".raw" else path.suffix[1:]).read(str(path))


def tonic_read(path):
    return tonic.io.read_mnist_file(str(path), dtype=tonic.io.events_struct)


def tonic_denoise(events):
    return tonic.transforms.Denoise(filter_time=TAU)(events)


# Peers: its module, what it does, the workload it stands beside, the file, the function
READERS = [
    ("faery", faery, "read evt2", "scene_evt2.raw", faery_read),
    ("faery", faery, "read evt3", "scene_evt3.raw", faery_read),
    ("faery", faery, "read dat", "scene.dat", faery_read),
    ("faery", faery, "read es", "scene.es", faery_read),
    ("faery", faery, "read csv", "scene.csv", faery_read),
    ("faery", faery, "read aedat4", "scene.aedat4", faery_read),
    ("expelliarmus", expelliarmus, "read evt2", "scene_evt2.raw", expelliarmus_read),
    ("expelliarmus", expelliarmus, "read evt3", "scene_evt3.raw", expelliarmus_read),
    ("expelliarmus", expelliarmus, "read dat", "scene.dat", expelliarmus_read),
    ("tonic", tonic, "read nmnist", "scene.nmnist", tonic_read),
]


def digest(events):
    """As `foveola info --digest` does it: SHA3-224 of each column."""
    names = events.dtype.names
    on = "on" if "on" in names else "p"
    columns = {"t": (events["t"], "<u8"), "x": (events["x"], "<u2"), "y": (events["y"], "<u2"), "on": (events[on], "u1")}
    return {name: hashlib.sha3_224(column.astype(kind).tobytes()).hexdigest() for name, (column, kind) in columns.items()}


def measure(call, seconds):
    """Median seconds of a call, over as many as take `seconds`, three at least."""
    times = []
    while len(times) < 3 or sum(times) < seconds:
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=1.0, help="time for each")
    args = parser.parse_args()
    digests = json.loads((args.folder / "digests.json").read_text())
    rows = []

    def row(name, workload, events, call):
        rate = events / measure(call, args.seconds)
        label = f"{name} {importlib.metadata.version(name)}"
        say(f"{workload:14} {label:22} {rate * 1e-6:8.2f} million events/s")
        rows.append({"peer": label, "workload": workload, "events_per_second": rate})

    for name, module, workload, file, read in READERS:
        path = args.folder / file
        if module is None or not path.exists():
            continue
        try:
            events = read(path)
        except Exception as error:
            say(f"{workload}: {name} fails: {type(error).__name__}: {str(error)[:200]}")
            continue
        if digest(events) != digests[file]["digest"]:
            expected = digests[file]
            say(f"{workload}: {name} reads other events: {len(events)}, {events['t'][0]} to {events['t'][-1]} us; "
                f"expected {expected['n']}, {expected['t'][0]} to {expected['t'][1]} us")
            continue
        row(name, workload, len(events), lambda: read(path))
    if tonic and faery:
        events = faery_read(args.folder / "scene_evt2.raw")[:100_000]
        events = np.array(list(zip(events["x"], events["y"], events["t"].astype(np.int64), events["on"])), tonic.io.events_struct)
        row("tonic", "noise filter, k = 1", len(events), lambda: tonic_denoise(events))
    json.dump(rows, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
