"""What the workloads are: the formula of each, in float64, tap by tap. `peers.py --check` compares with it."""

import numpy as np


def reference(task, x):
    """What a stream that begins with `x`, (channel, time, row, column), becomes."""
    x, w = x.astype(np.float64), task.weight.astype(np.float64)
    match task.kind:
        case "low_pass":
            return low_passes(x, 1, task.gain)
        case "delay":
            return delayed(x, np.full_like(task.delays, task.delay))
        case "variable_delay":
            return delayed(x, task.delays)
        case "smooth_conv":
            return convolve(w, low_passes(x, w.shape[1], task.gain))
        case "cascade":
            field = np.ones((1, w.shape[0], task.pool, *x.shape[2:]))
            return convolve(field / field.size, convolve(w, x), border=False)
    return convolve(w, x, border=task.kind != "field")


def low_passes(x, stages, gain):
    """y[i] += gain (y[i-1] - y[i]), with y[-1] = x: every stage is a channel."""
    out, state = np.empty((stages, *x.shape[1:])), np.zeros((stages, *x.shape[2:]))
    for t, y in enumerate(x[0]):
        for i in range(stages):
            y = state[i] = out[i, t] = state[i] + gain * (y - state[i])
    return out


def delayed(x, delays):
    """x[t - delays[r,c], r, c]"""
    t = np.arange(x.shape[1])[:, None, None] - delays
    return np.where(t >= 0, x[0, np.maximum(t, 0), *np.indices(delays.shape)], 0)[None]


def convolve(w, x, border=True):
    """y[o,t,r,c] = sum w[o,i,a,b,e] x[i, t-a, r+m-b, c+m-e], m = (k-1)//2; without a border only where all taps lie
    within the frame."""
    kt, kh, kw = w.shape[2:]
    x = np.pad(x, ((0, 0), (kt - 1, 0), (0, 0), (0, 0)))
    x = np.pad(x, ((0, 0), (0, 0), *edges(w)), mode="edge") if border else x
    frames, rows, cols = (n - k + 1 for n, k in zip(x.shape[1:], (kt, kh, kw)))
    out = np.zeros((w.shape[0], frames, rows, cols))
    for a, b, e in np.ndindex(kt, kh, kw):
        seen = x[:, kt - 1 - a :, kh - 1 - b :, kw - 1 - e :][:, :frames, :rows, :cols]
        out += np.tensordot(w[:, :, a, b, e], seen, 1)
    return out


def edges(w):
    """Pixels to add before and after the rows, and the columns."""
    return [(k // 2, (k - 1) // 2) for k in w.shape[3:]]
