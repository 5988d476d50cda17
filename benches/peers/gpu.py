#!/usr/bin/env python3
"""The convolutions of benches/gpu in PyTorch (cuDNN) on the same card: seconds a frame, as a JSON list.

A stream in chunks that stay on the card, as in peers.py: pixels beyond a border repeat the last one, and the last frames are
kept for the next call, which is part of the time. Between two CUDA events; medians. Each workload with float32 products, and with
TF32, whose products have 10 bits: other numbers than float32, listed because it is what many run.
"""

import argparse
import statistics
import sys
import time

from common import optional, say, write

# Weight (out, in, time, rows, columns), and rows and columns of a frame.
WORKLOADS = {
    "conv3d_10x10x10": ((1, 1, 10, 10, 10), (128, 128)),
    "conv3d_5x5x5": ((1, 1, 5, 5, 5), (128, 128)),
    "conv3d_3x3x3_8to8": ((8, 8, 3, 3, 3), (128, 128)),
    "conv3d_10x10x10@512x512": ((1, 1, 10, 10, 10), (512, 512)),
    "conv3d_16x16x16@512x512": ((1, 1, 16, 16, 16), (512, 512)),
    "conv3d_3x3x3_8to8@512x512": ((8, 8, 3, 3, 3), (512, 512)),
    "conv3d_3x3x3_16to16@512x512": ((16, 16, 3, 3, 3), (512, 512)),
}
BYTES, FRAMES = 256 << 20, 1024  # of a chunk, at most: as in benches/gpu
LAYOUTS = {"channels first": False, "channels last": True}


def stream(torch, shape, size, chunk, last):
    """A function that convolves one chunk after another, and the chunk."""
    outs, ins, kt, kh, kw = shape
    form = torch.channels_last_3d if last else torch.contiguous_format
    weight = (torch.randn(shape, device="cuda") / (ins * kt * kh * kw)).contiguous(memory_format=form)
    frames = torch.randn(1, ins, chunk, *size, device="cuda").contiguous(memory_format=form)
    border = (kw // 2, kw - 1 - kw // 2, kh // 2, kh - 1 - kh // 2, 0, 0)
    past = torch.nn.functional.pad(frames[:, :, : kt - 1], border, "replicate")

    def step():
        nonlocal past
        stack = torch.cat([past, torch.nn.functional.pad(frames, border, "replicate")], 2)
        past = stack[:, :, chunk:].clone()
        return torch.nn.functional.conv3d(stack.contiguous(memory_format=form), weight)

    return step


def seconds_per_call(torch, step, seconds):
    """The median of calls after a warm-up, in which cuDNN chooses its algorithm; between two events on the card."""
    for _ in range(3):
        step()
    torch.cuda.synchronize()
    times, began = [], time.perf_counter()
    while len(times) < 3 or (time.perf_counter() - began < seconds and len(times) < 100):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        step()
        end.record()
        torch.cuda.synchronize()
        times.append(begin.elapsed_time(end) * 1e-3)
    return statistics.median(times)


def measured(torch, only, seconds):
    version = torch.__version__.split("+")[0]
    say(f"{torch.cuda.get_device_name()}, PyTorch {version}, CUDA {torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}")
    torch.backends.cudnn.benchmark = True
    names = [name for name in WORKLOADS if only in name]
    for name in names:
        shape, size = WORKLOADS[name]
        chunk = max(1, min(FRAMES, BYTES // (4 * max(shape[:2]) * size[0] * size[1])))
        for tf32 in (False, True):
            torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = tf32
            best = None
            for layout, last in LAYOUTS.items():
                try:
                    step = stream(torch, shape, size, chunk, last)
                    value = seconds_per_call(torch, step, seconds / (4 * len(names))) / chunk
                except RuntimeError as error:  # memory, or no algorithm
                    say(f"{name}, {layout}: {str(error).splitlines()[0][:100]}")
                    torch.cuda.empty_cache()
                    continue
                say(f"{name:28} {'TF32' if tf32 else 'FP32'} {layout:14} {value * 1e6:10.2f} us a frame")
                if best is None or value < best[0]:
                    best = value, layout
            if best:
                title = f"PyTorch {version} {'TF32' if tf32 else 'FP32'}, {best[1]}"
                yield {"peer": title, "workload": name, "threads": 1, "seconds_per_frame": float(f"{best[0]:.4g}")}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30.0, help="for everything, about (default 30)")
    parser.add_argument("--only", default="", metavar="SUBSTRING", help="of the workload")
    parser.add_argument("--out", metavar="FILE", help="for the JSON, instead of standard output")
    options = parser.parse_args()
    torch = optional("torch")
    if not torch or not torch.cuda.is_available():
        say("no PyTorch with CUDA here: nothing is measured")
        return 1
    with torch.no_grad():
        write(list(measured(torch, options.only, options.seconds)), options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
