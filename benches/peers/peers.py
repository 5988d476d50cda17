#!/usr/bin/env python3
"""The workloads of foveola's benchmarks in PyTorch, SciPy and OpenCV: seconds a frame, as a JSON list.

Every peer filters a stream in chunks: `step(chunk)` gives as many frames as it takes and keeps what the next call
needs. Arrays are float32, (channel, time, row, column); PyTorch has a batch axis of 1 before them. Weights are impulse
responses; pixels beyond a border repeat the last one, frames before the first are 0: see `formula.py`.
"""

import argparse
import os
import statistics
import sys
import time
from dataclasses import dataclass
from functools import partial
from typing import Callable

import numpy as np

from common import optional, say, write
from formula import edges, reference

CHUNK = 64  # frames in a call
GAIN = float(1 - np.exp(-1 / (0.010 * 1000)))  # of a low-pass: 10 ms at 1000 frames a second
SIGMA, RADIUS = 3.0, 10  # of the Gaussian
DELAY, LONGEST, POOL = 100, 20, 10  # frames: of `delay`, at most of `variable_delay`, under the field of `cascade`

torch, cv2, scipy = optional("torch"), optional("cv2"), optional("scipy")
ndimage, signal = (scipy and optional(f"scipy.{part}") for part in ("ndimage", "signal"))
LIBRARIES = {"PyTorch": torch, "SciPy": scipy if ndimage and signal else None, "OpenCV": cv2}

# Workloads: what it is; the weight (out, in, time, rows, columns; 0: all of the frame); pixels of a side
WORKLOADS = {
    "conv3d_10x10x10": ("conv", (1, 1, 10, 10, 10), 128),
    "conv3d_5x5x5": ("conv", (1, 1, 5, 5, 5), 128),
    "conv3d_1x10x10_1to5": ("conv", (5, 1, 1, 10, 10), 128),
    "conv3d_3x3x3_8to8": ("conv", (8, 8, 3, 3, 3), 128),
    **{f"conv2d_{k}x{k}": ("conv", (1, 1, 1, k, k), 128) for k in (3, 9, 21, 31, 63)},
    "conv2d_63x63_256": ("conv", (1, 1, 1, 63, 63), 256),
    "gaussian_21x21": ("gaussian", (1, 1, 1, 21, 21), 128),
    "conv1d_100": ("conv", (1, 1, 100, 1, 1), 64),
    "smooth_conv_n6_10x10": ("smooth_conv", (1, 6, 1, 10, 10), 128),
    "low_pass": ("low_pass", (1, 1, 1, 1, 1), 128),
    "delay_100": ("delay", (1, 1, 1, 1, 1), 128),
    "variable_delay": ("variable_delay", (1, 1, 1, 1, 1), 64),
    "rf_128x128x10_5ch": ("field", (5, 1, 10, 0, 0), 128),
    "cascade_conv_rf": ("cascade", (5, 1, 1, 10, 10), 128),
}


class Task:
    """A workload with numbers in it, for frames of (rows, columns)."""

    gain, delay, pool = GAIN, DELAY, POOL

    def __init__(self, name, size=None, chunk=CHUNK):
        self.kind, shape, side = WORKLOADS[name]
        self.size, self.chunk, self.rng = size or (side, side), chunk, np.random.default_rng(1)
        shape = shape if shape[-1] else shape[:-2] + self.size
        self.channels = 1 if self.kind == "smooth_conv" else shape[1]
        self.weight = (self.rng.uniform(-1, 1, shape) / np.prod(shape[1:])).astype(np.float32)
        self.delays = self.rng.integers(0, LONGEST + 1, self.size)
        if self.kind == "gaussian":
            g = np.exp(-0.5 * (np.arange(-RADIUS, RADIUS + 1) / SIGMA) ** 2)
            self.g = (g / g.sum()).astype(np.float32)
            self.weight[0, 0, 0] = np.outer(self.g, self.g)

    def frames(self, count):
        return self.rng.uniform(-0.5, 0.5, (self.channels, count, *self.size)).astype(np.float32)


class History:
    """The last `depth` frames of earlier calls before those of this one, for arrays of NumPy and PyTorch."""

    def __init__(self, depth):
        self.depth, self.past = depth, None

    def __call__(self, x):
        if self.depth == 0:
            return x
        join = np.concatenate if isinstance(x, np.ndarray) else torch.cat
        if self.past is None:
            self.past = join([x[..., :1, :, :] * 0] * self.depth, -3)
        stack = join([self.past, x], -3)
        self.past = stack[..., -self.depth :, :, :]
        return stack


# PyTorch: (1, channel, time, row, column)


def strided(x, last):
    """In memory as asked, channels first or last. One channel is the same bytes either way, but PyTorch picks its
    algorithm by the strides, so these are set."""
    form = (torch.channels_last if x.dim() == 4 else torch.channels_last_3d) if last else torch.contiguous_format
    x = x.contiguous(memory_format=form)
    return x.as_strided(x.shape, (x.stride(0), 1, *x.stride()[2:])) if last and x.shape[1] == 1 else x


def flipped(w):
    return torch.from_numpy(w).flip(2, 3, 4)


def padded(x, w):
    rows, cols = edges(w)
    return torch.nn.functional.pad(x, (*cols, *rows, 0, 0)[: 2 * x.dim() - 4], "replicate") if any(rows + cols) else x


def torch_conv3d(w, last=False, border=True):
    kernel, history = strided(flipped(w), last), History(w.shape[2] - 1)
    pad = (lambda x: padded(x, w)) if border else (lambda x: x)
    return lambda x: torch.nn.functional.conv3d(strided(history(pad(x)), last), kernel)


def torch_conv2d(w, last=False):
    kernel = strided(flipped(w)[:, :, 0], last)
    batch = lambda x: strided(padded(x[0].transpose(0, 1), w), last)
    return lambda x: torch.nn.functional.conv2d(batch(x), kernel).transpose(0, 1)[None]


def torch_depthwise(w, chunk):
    """One depthwise conv2d, with frames as its channels, for every pair of channels and tap in time."""
    outs, ins, kt = w.shape[:3]
    planes, history = flipped(w)[:, :, :, None, None].repeat(1, 1, 1, chunk, 1, 1, 1), History(kt - 1)
    first, *others = [(i, a) for i in range(ins) for a in range(kt)]

    def step(x):
        x = history(padded(x, w))
        conv = lambda o, i, a: torch.nn.functional.conv2d(x[:, i, a : a + chunk], planes[o, i, a], groups=chunk)
        sums = [conv(o, *first) for o in range(outs)]
        for o, tap in ((o, tap) for o in range(outs) for tap in others):
            sums[o] += conv(o, *tap)
        return torch.stack(sums, 1) if outs > 1 else sums[0][:, None]

    return step


def torch_gaussian(task):
    rows, cols = (torch_depthwise(task.g.reshape(shape), task.chunk) for shape in ((1, 1, 1, -1, 1), (1, 1, 1, 1, -1)))
    return lambda x: rows(cols(x))


def torch_band(task):
    """A convolution in time as a product with a banded matrix."""
    taps = flipped(task.weight).ravel()
    band, history = torch.zeros(task.chunk, task.chunk + len(taps) - 1), History(len(taps) - 1)
    for t, row in enumerate(band):
        row[t : t + len(taps)] = taps
    return lambda x: (band @ history(x).view(band.shape[1], -1)).view(x.shape)


def torch_products(task):
    """Every frame times every plane of a weight as large as the frame, then sums along time."""
    outs, _, kt = task.weight.shape[:3]
    planes, history = flipped(task.weight).view(outs * kt, -1).T.contiguous(), History(kt - 1)

    def step(x):
        products = history((x.view(x.shape[2], -1) @ planes).view(-1, outs, kt))
        return sum(products[a:][: x.shape[2], :, a] for a in range(kt)).T[None, :, :, None, None]

    return step


def torch_smooth(stages, conv=lambda frames: frames):
    """A chain of low-passes, whose frames are channels for `conv`."""
    state = None

    def step(x):
        nonlocal state
        state = state or [torch.zeros_like(x[:, 0, 0])] * stages
        frames = torch.empty(1, stages, *x.shape[2:])
        for t in range(x.shape[2]):
            y = x[:, 0, t]
            for i in range(stages):
                y = state[i] = torch.lerp(state[i], y, GAIN, out=frames[:, i, t])
        return conv(frames)

    return step


def torch_cascade(conv):
    history = History(POOL - 1)
    return lambda x: history(conv(x).mean((1, 3, 4), keepdim=True)).unfold(2, POOL, 1).mean(-1)


def torch_delay(task):
    history = History(DELAY)
    return lambda x: history(x)[:, :, : x.shape[2]]


def torch_variable_delay(task):
    index = torch.from_numpy(np.arange(task.chunk)[:, None, None] + LONGEST - task.delays)[None, None]
    history = History(LONGEST)
    return lambda x: torch.gather(history(x), 2, index)


# SciPy


def scipy_ndimage(task):
    w, (kt, kh, kw) = task.weight.astype(np.float64), task.weight.shape[2:]
    history, first = History(kt - 1), kt - 1 - kt // 2  # the first frame of the stack whose taps are all there
    conv = partial(ndimage.convolve, mode="nearest", origin=(0, kh % 2 - 1, kw % 2 - 1))

    def step(x):
        x = history(x)
        return np.stack([sum(map(conv, x, kernels))[first:][: task.chunk] for kernels in w])

    return step


def scipy_oaconvolve(task):
    w, axes = task.weight[0, 0], [axis for axis, k in enumerate(task.weight.shape[2:]) if k > 1]
    history, border = History(len(w) - 1), ((0, 0), *edges(task.weight))
    pad = (lambda x: np.pad(x, border, mode="edge")) if 1 in axes else (lambda x: x)
    return lambda x: signal.oaconvolve(history(pad(x[0])), w, mode="valid", axes=axes)[None]


def scipy_convolve1d(task):
    along = lambda x, axis: ndimage.convolve1d(x, task.g, axis=axis, mode="nearest")
    return lambda x: along(along(x, -2), -1)


def scipy_gaussian(_):
    return lambda x: ndimage.gaussian_filter(x, SIGMA, mode="nearest", radius=RADIUS, axes=(-2, -1))


def scipy_lfilter(task):
    b, a = np.array([GAIN], np.float32), np.array([1, GAIN - 1], np.float32)
    state = np.zeros((1, 1, *task.size), np.float32)

    def step(x):
        nonlocal state
        out, state = signal.lfilter(b, a, x, axis=1, zi=state)
        return out

    return step


# OpenCV


def opencv(call):
    """`call(frame, into, border)` for every frame of the chunk."""

    def step(x):
        out = np.empty_like(x)
        for frame, into in zip(x[0], out[0]):
            call(frame, into, cv2.BORDER_REPLICATE)
        return out

    return step


def opencv_filter2d(task):
    kernel = np.ascontiguousarray(task.weight[0, 0, 0, ::-1, ::-1])
    return opencv(lambda frame, into, border: cv2.filter2D(frame, -1, kernel, dst=into, borderType=border))


def opencv_separable(task):
    return opencv(lambda frame, into, border: cv2.sepFilter2D(frame, -1, task.g, task.g, dst=into, borderType=border))


def opencv_gaussian(_):
    size = (2 * RADIUS + 1,) * 2
    return opencv(lambda frame, into, border: cv2.GaussianBlur(frame, size, SIGMA, dst=into, borderType=border))


# Peers: the library, what of it, the workloads, `build(task)` to get `step(chunk)`, what to know about the numbers
@dataclass(frozen=True)
class Peer:
    library: str
    name: str
    workloads: tuple
    build: Callable
    note: str = ""
    last: bool = False  # channels last in memory, of the chunk that is handed over


def named(*starts):
    return tuple(name for name in WORKLOADS if name.startswith(starts))


CONV1D, CONV3D, LARGE = ("conv1d_100",), named("conv3d"), ("conv2d_63x63_256",)
CONV2D = tuple(name for name in named("conv2d") if name not in LARGE)
GAUSSIAN, SMOOTH = ("gaussian_21x21",), ("smooth_conv_n6_10x10",)
FIELD, CASCADE = ("rf_128x128x10_5ch",), ("cascade_conv_rf",)
OVERLAP_ADD = ("conv3d_10x10x10", "conv2d_31x31", "conv2d_63x63", *LARGE, *CONV1D)
BATCH, CHANNELS = "frames are a batch", "frames are the channels"
LOOP = f"a loop over {CHUNK} frames"
SUM = LOOP + ", then one conv2d of 6 channels to 1"

depthwise = lambda task: torch_depthwise(task.weight, task.chunk)
smooth = lambda task, conv: torch_smooth(task.weight.shape[1], conv)

PEERS = [
    Peer("PyTorch", "conv3d, channels first", CONV3D + CONV1D, lambda t: torch_conv3d(t.weight)),
    Peer("PyTorch", "conv3d, channels last", CONV3D + CONV1D, lambda t: torch_conv3d(t.weight, True), last=True),
    Peer("PyTorch", "conv2d, channels first", CONV2D, lambda t: torch_conv2d(t.weight), BATCH),
    Peer("PyTorch", "conv2d, channels last", CONV2D, lambda t: torch_conv2d(t.weight, True), BATCH, True),
    Peer("PyTorch", "depthwise conv2d", CONV2D + LARGE + CONV3D, depthwise, CHANNELS),
    Peer("PyTorch", "depthwise conv2d, twice", GAUSSIAN, torch_gaussian, CHANNELS),
    Peer("PyTorch", "matmul", CONV1D, torch_band, "with a banded matrix"),
    Peer("PyTorch", "lerp, conv2d, channels first", SMOOTH, lambda t: smooth(t, torch_conv2d(t.weight)), SUM),
    Peer("PyTorch", "lerp, conv2d, channels last", SMOOTH, lambda t: smooth(t, torch_conv2d(t.weight, True)), SUM),
    Peer("PyTorch", "lerp, depthwise conv2d", SMOOTH, lambda t: smooth(t, depthwise(t)), LOOP + ", then 6 conv2d"),
    Peer("PyTorch", "lerp", ("low_pass",), lambda _: torch_smooth(1), LOOP),
    Peer("PyTorch", "cat, slice", ("delay_100",), torch_delay, "the output is a view"),
    Peer("PyTorch", "cat, gather", ("variable_delay",), torch_variable_delay, f"delays of 0 to {LONGEST} frames"),
    Peer("PyTorch", "conv3d", FIELD, lambda t: torch_conv3d(t.weight, border=False)),
    Peer("PyTorch", "matmul, sums", FIELD, torch_products),
    Peer("PyTorch", "conv3d, means", CASCADE, lambda t: torch_cascade(torch_conv3d(t.weight))),
    Peer("PyTorch", "depthwise conv2d, means", CASCADE, lambda t: torch_cascade(depthwise(t))),
    Peer("SciPy", "ndimage.convolve", CONV2D + CONV3D, scipy_ndimage, "sums in float64; convolves the history again"),
    Peer("SciPy", "signal.oaconvolve", OVERLAP_ADD, scipy_oaconvolve, "FFT"),
    Peer("SciPy", "ndimage.gaussian_filter", GAUSSIAN, scipy_gaussian, "sums in float64"),
    Peer("SciPy", "ndimage.convolve1d, twice", GAUSSIAN, scipy_convolve1d, "sums in float64"),
    Peer("SciPy", "signal.lfilter", ("low_pass",), scipy_lfilter),
    Peer("OpenCV", "filter2D", CONV2D + LARGE, opencv_filter2d, LOOP + "; large kernels by FFT"),
    Peer("OpenCV", "sepFilter2D", GAUSSIAN, opencv_separable, LOOP),
    Peer("OpenCV", "GaussianBlur", GAUSSIAN, opencv_gaussian, LOOP),
]


def hand_over(peer, x):
    return strided(torch.from_numpy(x)[None], peer.last) if peer.library == "PyTorch" else x


def use_threads(peer, threads):
    """False for a number that the library does not have."""
    if peer.library == "SciPy":
        return threads == 1
    (torch.set_num_threads if peer.library == "PyTorch" else cv2.setNumThreads)(threads)
    return True


def seconds_per_frame(step, x, seconds):
    """The median of calls after a warm-up: for `seconds`, and at least three."""

    def calls(least, total):
        times = []
        while len(times) < least or sum(times) < total:
            start = time.perf_counter()
            step(x)
            times.append(time.perf_counter() - start)
        return times

    calls(1, seconds / 5)
    return statistics.median(calls(3, seconds)) / CHUNK


def measured(rows, threads, seconds):
    for name, peer in rows:
        task = Task(name)
        x = hand_over(peer, task.frames(CHUNK))
        title = f"{peer.library} {LIBRARIES[peer.library].__version__.split('+')[0]} {peer.name}"
        for n in threads:
            if not use_threads(peer, n):
                continue
            value = float(f"{seconds_per_frame(peer.build(task), x, seconds):.4g}")
            say(f"{name:22} {n} thread(s) {value * 1e3:10.4f} ms a frame  {title}")
            yield {"peer": title, "workload": name, "threads": n, "seconds_per_frame": value, "note": peer.note}


def checked(rows, threads):
    """Each peer on two chunks of small frames beside the formula; how many differ."""
    results, wanted = [], {}
    for name, peer in rows:
        task = Task(name, (14, 17), 60 if name in ("delay_100", *CONV1D) else 12)
        x = task.frames(2 * task.chunk)
        if name not in wanted:
            wanted[name] = reference(task, x)
        for n in threads:
            if not use_threads(peer, n):
                continue
            step = peer.build(task)
            parts = [step(hand_over(peer, np.ascontiguousarray(half))) for half in np.split(x, 2, axis=1)]
            got = np.concatenate([part[0].numpy() if peer.library == "PyTorch" else part for part in parts], axis=1)
            same = got.shape == wanted[name].shape and got.dtype == np.float32
            error = np.abs(got - wanted[name]).max() / np.abs(wanted[name]).max() if same else np.inf
            results.append(error < 1e-5)
            verdict = "ok" if results[-1] else "WRONG"
            say(f"{verdict:5} {error:.1e}  {name:22} {n} thread(s)  {peer.library} {peer.name}")
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return len(results) - sum(results)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", default="1,2", help="numbers of threads (default 1,2); SciPy has 1 only")
    parser.add_argument("--seconds", type=float, default=1.0, help="of each measurement (default 1)")
    parser.add_argument("--only", default="", metavar="SUBSTRING", help="of the workload or the peer")
    parser.add_argument("--out", metavar="FILE", help="for the JSON, instead of standard output")
    parser.add_argument("--check", action="store_true", help="compare small cases with the formula; no timing")
    options = parser.parse_args()
    threads = [int(n) for n in options.threads.split(",")]
    rows = [(name, peer) for name in WORKLOADS for peer in PEERS if LIBRARIES[peer.library]
            and name in peer.workloads and options.only in f"{name} {peer.library} {peer.name}"]
    if not rows:
        parser.error("no such workload or peer, or its library is missing")
    if 1 not in threads:
        say("SciPy has one thread only: its rows are left out")
    if (load := os.getloadavg()[0]) > 0.5:
        say(f"the load of this machine is {load:.1f} already: timings will be too long, most of all of two threads")
    if torch:
        torch.set_grad_enabled(False)
    if options.check:
        return 1 if checked(rows, threads) else 0
    write(list(measured(rows, threads, options.seconds)), options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
