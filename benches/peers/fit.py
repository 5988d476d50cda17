#!/usr/bin/env python3
"""The fits of foveola's benchmarks by NumPy and SciPy, RFEst, nemos and PyTorch, as a JSON list of rows.

`fit.py FOLDER`: the folder has the data, as `fit --data FOLDER` of the benchmarks writes them. Each task runs in a process of its own,
so that its memory can be told. Weights are impulse responses with frame 0 the present one, flipped in space, as foveola has them.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time

import numpy as np

from common import optional, say, write

REPEATS = 5


def median(run, repeats=REPEATS):
    """The median time of a call, after one that is not counted."""
    run()
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        run()
        times.append(time.perf_counter() - begin)
    return float(np.median(times))


def lagged(stimulus, taps, window=None):
    """The design matrix, a row for each frame from `taps - 1` on: (time, tap * row * col), tap 0 the present frame."""
    frames = len(stimulus)
    x = stimulus.reshape(frames, -1) if window is None else stimulus[(slice(None), *window)].reshape(frames, -1)
    return np.concatenate([x[taps - 1 - k : frames - k] for k in range(taps)], axis=1)


class Rows(list):
    def __init__(self, task, peer):
        self.task, self.peer = task, peer

    def add(self, quantity, value, unit="", **more):
        self.append({"task": self.task, "peer": self.peer, "quantity": quantity, "value": value, "unit": unit, **more})


def hidden_kernel(load):
    """Least squares with a design matrix of all pixels and frames, by L-BFGS-B."""
    from scipy.optimize import minimize

    taps, side = 12, 7
    stimulus, target, hidden = load("hidden_kernel_stimulus"), load("hidden_kernel_measured"), load("hidden_kernel")
    rows, begin = Rows("hidden_kernel", "NumPy and SciPy"), time.perf_counter()
    half = side // 2
    # Mirrored past frames, as foveola begins: their outputs are left out here.
    padded = np.pad(stimulus, ((0, 0), (half, half), (half, half)), "edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (taps, side, side))[..., ::-1, ::-1, ::-1]
    y = target[taps - 1 :].reshape(-1)
    x = np.ascontiguousarray(windows).reshape(len(y), -1)
    rows.add("time to build the matrix", time.perf_counter() - begin, "s")
    rows.add("size of the matrix", x.nbytes / 1e6, "MB")
    count = len(y)

    def value(w):
        error = x @ w.astype(np.float32) - y
        return float(error @ error) / count, (x.T @ error * (2 / count)).astype(float)

    start, begin = np.full(x.shape[1], 0.01), time.perf_counter()
    first, _ = value(start)
    found = minimize(value, start, jac=True, method="L-BFGS-B", options={"maxiter": 1000, "ftol": 1e-15, "gtol": 1e-12})
    rows.add("time", time.perf_counter() - begin, "s", note="without the time to build the matrix")
    rows.add("evaluations", found.nfev + 1)
    rows.add("loss, of that at the start", found.fun / first)
    kernel = np.zeros((taps, side, side))
    kernel[:10, 1:6, 1:6] = hidden
    rows.add("largest error of the kernel", float(np.abs(found.x.reshape(kernel.shape) - kernel).max()))
    return rows


def sta(load):
    """A product of the spikes and a design matrix that is there already."""
    rows = Rows("sta", "NumPy")
    stimulus, spikes = load("hidden_kernel_stimulus"), load("sta_spikes").ravel()
    for told, window in [("whole frame", None), ("window of 7 x 7", (slice(7, 14), slice(7, 14)))]:
        begin = time.perf_counter()
        x, y = lagged(stimulus, 12, window), spikes[11:]
        rows.add(f"time to build the matrix, {told}", 1e3 * (time.perf_counter() - begin), "ms")
        rows.add(f"time, {told}", 1e3 * median(lambda: y @ x / y.sum() - x.mean(0), 20), "ms")
    return rows


def rfest(load):
    """A Poisson GLM with splines, as the documentation of RFEst fits it."""
    from rfest import GLM

    rows = Rows("rfest", "RFEst")
    stimulus, counts, field = load("rfest_stimulus"), load("rfest_counts").ravel(), load("rfest_field")
    dims, train = list(field.shape), int(0.8 * len(counts))
    x = stimulus.reshape(len(counts), -1)

    def fit():
        lnp = GLM(distr="poisson", output_nonlinearity="exponential")
        lnp.add_design_matrix(x[:train], dims=dims, df=[max(4, n - 2) for n in dims], smooth="cr", name="stimulus")
        lnp.add_design_matrix(x[train:], dims=dims, name="stimulus", kind="dev")
        lnp.initialize(num_subunits=1, dt=1.0, method="random", random_seed=1)
        y = {"train": counts[:train], "dev": counts[train:]}
        lnp.fit(y=y, num_iters=300, verbose=0, step_size=0.1, beta=0.01)
        return lnp

    begin = time.perf_counter()
    lnp = fit()
    rows.add("time, with compilation", time.perf_counter() - begin, "s")
    begin = time.perf_counter()
    lnp = fit()
    rows.add("time", time.perf_counter() - begin, "s")
    found = np.asarray(lnp.w["opt"]["stimulus"]).reshape(field.shape)
    # The documentation does not say which frame comes first: the order that fits better counts.
    orders = [np.corrcoef(w.ravel(), field.ravel())[0, 1] for w in (found, found[::-1])]
    rows.add("correlation with the field", float(max(orders)))
    return rows


def poisson_glm(load):
    """Poisson regression by nemos, in float64."""
    import jax

    jax.config.update("jax_enable_x64", True)
    import nemos
    from scipy.special import gammaln

    rows = Rows("poisson_glm", "nemos")
    stimulus, counts = load("poisson_glm_stimulus"), load("poisson_glm_counts").ravel().astype(float)
    taps = 8
    begin = time.perf_counter()
    x, y = lagged(stimulus, taps).astype(float), counts[taps - 1 :]
    rows.add("time to build the matrix", time.perf_counter() - begin, "s")

    def fit():
        model = nemos.glm.GLM(regularizer="UnRegularized", solver_name="LBFGS", solver_kwargs={"tol": 1e-10, "maxiter": 1000})
        return model.fit(x, y)

    begin = time.perf_counter()
    fit()
    rows.add("time, with compilation", time.perf_counter() - begin, "s")
    times = []
    for _ in range(3):
        begin = time.perf_counter()
        model = fit()
        times.append(time.perf_counter() - begin)
    rows.add("time", float(np.median(times)), "s")
    predicted = x @ np.asarray(model.coef_).ravel() + float(np.asarray(model.intercept_).ravel()[0])
    rows.add("loss", float(np.mean(np.exp(predicted) - y * predicted + gammaln(y + 1))))
    return rows


def gradient(name):
    """Value and gradient by PyTorch's autograd: the convolution with its border and its past, then half a sum of squares."""

    def run(load):
        import torch


        rows = Rows(f"gradient {name}", "PyTorch")
        x = torch.from_numpy(load(f"gradient_{name}"))[None, None]
        model = autograd_models(torch, name)
        for threads in (1, 2):
            torch.set_num_threads(threads)
            told = "1 thread" if threads == 1 else "2 threads"

            def forward():
                with torch.no_grad():
                    return model(x)

            def both():
                for p in model.parameters():
                    p.grad = None
                (model(x) ** 2).sum().mul(0.5).backward()

            rows.add(f"forward pass, {told}", 1e3 * median(forward), "ms")
            rows.add(f"value and gradient, {told}", 1e3 * median(both), "ms")
            rows.add(f"ratio, {told}", rows[-1]["value"] / rows[-2]["value"])
        return rows

    return run


def autograd_models(torch, name):
    """The workload as a module: all weights and time constants are parameters."""
    nn, F = torch.nn, torch.nn.functional

    class Cascade(nn.Module):
        """Five kernels of 10 x 10, then a field of 10 frames over all channels and pixels."""

        def __init__(self):
            super().__init__()
            self.kernel = nn.Parameter(torch.rand(5, 1, 10, 10) - 0.5)
            self.field = nn.Parameter(torch.full((10, 5, 128, 128), 1 / (10 * 5 * 128 * 128)))

        def forward(self, x):
            frames = x[0].transpose(0, 1)  # (time, 1, row, col)
            y = F.conv2d(F.pad(frames, (5, 4, 5, 4), "replicate"), self.kernel)
            products = y.flatten(1) @ self.field.flatten(1).T  # (time, tap)
            products = F.pad(products, (0, 0, 9, 0))
            count = x.shape[2]
            return sum(products[9 - k : 9 - k + count, k] for k in range(10))

    class SmoothConv(nn.Module):
        """Six low-passes in a chain, each through its own kernel of 10 x 10."""

        def __init__(self):
            super().__init__()
            self.tau = nn.Parameter(torch.full((6,), 5.0))  # ms
            self.kernel = nn.Parameter((torch.rand(1, 6, 10, 10) - 0.5) / 600)

        def forward(self, x):
            gain = 1 - torch.exp(-1 / self.tau)
            state = [torch.zeros_like(x[0, 0, 0])] * 6
            frames = []
            for t in range(x.shape[2]):
                y = x[0, 0, t]
                for i in range(6):
                    y = state[i] = torch.lerp(state[i], y, gain[i])
                frames.append(torch.stack(state))
            return F.conv2d(F.pad(torch.stack(frames), (5, 4, 5, 4), "replicate"), self.kernel)

    return Cascade() if name.startswith("cascade") else SmoothConv()


TASKS = {
    "hidden_kernel": (hidden_kernel, "NumPy and SciPy"),
    "sta": (sta, "NumPy"),
    "rfest": (rfest, "RFEst"),
    "poisson_glm": (poisson_glm, "nemos"),
    "gradient cascade_conv_rf": (gradient("cascade_conv_rf"), "PyTorch"),
    "gradient smooth_conv_n6_10x10": (gradient("smooth_conv_n6_10x10"), "PyTorch"),
}


def run(name, folder):
    """The rows of a task; one with the reason, if the peer is missing or fails."""
    task, peer = TASKS[name]
    load = lambda array: np.load(os.path.join(folder, f"{array}.npy"))
    try:
        rows = task(load)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
        rows.add("peak memory", peak, "MB")
        return rows
    except Exception as error:  # a peer that is missing, or does not do what its documentation says
        reason = f"{type(error).__name__}: {str(error).strip().splitlines()[0][:120] if str(error) else ''}"
        say(f"{name}: {reason}")
        rows = Rows(name, peer)
        rows.add("time", None, note=reason)
        return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--only", default="", help="only the tasks whose names contain this")
    parser.add_argument("--out", help="a file for the rows")
    parser.add_argument("--task", choices=TASKS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.task:
        write(run(args.task, args.folder), None)
        return
    rows = []
    for name in TASKS:
        if args.only in name:
            say(name)
            command = [sys.executable, __file__, args.folder, "--task", name]
            done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
            # Warnings of a library may come before the list.
            text = done.stdout.decode()
            rows += json.loads(text[text.index("[\n") :]) if "[\n" in text else []
    write(rows, args.out)


if __name__ == "__main__":
    main()
