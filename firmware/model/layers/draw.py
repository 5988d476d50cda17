#!/usr/bin/env python3
"""Draws random layers, one model file: ./draw.py SEED COUNT [FORM...] > NAME.toml

Each layer reads the input or a piece of it, so the file has no shape but that of its input, 64 x 64.
"""
import random
import sys

seed, count = int(sys.argv[1]), int(sys.argv[2])
draw = random.Random(seed)

print(f"# Random layers, written by ./draw.py {' '.join(sys.argv[1:])}: instructions of each are in measured.tsv.")
print("version = 1\n\n[input]\nrows = 64\ncols = 64\nchannels = 1")


def layer(name, kind, source, *keys):
    print(f'\n[[layer]]\nname = "{name}"\nkind = "{kind}"\nfrom = {source}')
    for key in keys:
        print(key)


def noise(size):
    return f"weight = {{ noise = {{ seed = {draw.randrange(1000)}, std = 0.1, size = {size} }} }}"


# Pieces of the input: a piece of each size, then channels. Names say channels, rows and columns.
pieces = {}
for rows, cols in [(64, 64)] + [(draw.randint(8, 44), draw.randint(8, 63)) for _ in range(5)] + [(16, 16), (32, 40)]:
    if (1, rows, cols) in pieces:
        continue
    name = f"piece_1_{rows}_{cols}"
    keys = ["autopad = false", 'algorithm = "direct"', noise([65 - rows, 1])]
    layer(name + "_tall", "Conv2d", '"input"', *keys)
    keys = ["autopad = false", 'algorithm = "direct"', noise([1, 65 - cols])]
    layer(name, "Conv2d", f'"{name}_tall"', *keys)
    pieces[1, rows, cols] = name
for (_, rows, cols), name in list(pieces.items()):
    channels = 2 if rows == 64 else draw.choice([2, 3, 4, 6])
    wide = f"piece_{channels}_{rows}_{cols}"
    layer(wide, "Conv2d", f'"{name}"', noise([channels, 1, 1, 1]))
    pieces[channels, rows, cols] = wide

borders = ["replicate", "reflect", "zeros", "circular"]


def conv(name):
    (channels, rows, cols), source = draw.choice(list(pieces.items()))
    keys = []
    form = draw.choice(["3", "5", "3", "5", "any", "any", "any", "row", "column", "separable", "separable"])
    size = {
        "3": [3, 3],
        "5": [5, 5],
        "any": [draw.randint(1, 7), draw.randint(2, 9)],
        "row": [1, draw.randint(2, 9)],
        "column": [draw.randint(2, 15), 1],
        "separable": [draw.randint(3, 13), draw.randint(3, 13)],
    }[form]
    groups = draw.choice([1, 1, channels])
    outs = groups * draw.choice([1, 1, 2, 4])
    ins = channels // groups
    frames = draw.choice([1, 1, 1, 1, 2, 3, 5])
    while frames * ins * outs * size[0] * size[1] * rows * cols > 600_000:
        size = [max(1, length // 2) for length in size]
        frames, outs = 1, groups
    if groups > 1:
        keys.append(f"groups = {groups}")
    if draw.random() < 0.3:
        keys.append(f'autopad_mode = "{draw.choice(borders)}"')
    if draw.random() < 0.3 and size[0] < rows and size[1] < cols:
        keys.append("autopad = false")
    if form in ("any", "row", "3", "5") and draw.random() < 0.25:
        keys.append(f"stride = [1, {draw.choice([1, 2, 3])}, {draw.choice([1, 2, 2, 3])}]")
    elif form in ("any", "row") and draw.random() < 0.8 and 3 * size[1] < cols and 3 * size[0] < rows and "autopad = false" not in keys:
        keys.append(f"dilation = [1, {draw.choice([1, 2])}, {draw.choice([2, 2, 3])}]")
    elif frames > 1 and draw.random() < 0.3:
        keys.append("stride = [2, 1, 1]")
    if draw.random() < 0.3:
        keys.append(f"bias = {[0.5] * outs}")
    if form == "separable":
        keys.append('algorithm = "separable"')
        keys.append(f"weight = {{ gaussian = {{ sigma = \"1.5px\", size = {size} }} }}")
        keys = [key for key in keys if not key.startswith("bias")]
        if channels > 1:
            source, channels = next((s, c) for (c, _, _), s in pieces.items() if c == 1)
            keys = [key for key in keys if not key.startswith("groups")]
        layer(name, "Conv2d", f'"{source}"', *keys)
        return
    keys.append('algorithm = "direct"')
    if frames > 1:
        layer(name, "Conv3d", f'"{source}"', noise([outs, ins, frames, *size]), *keys)
    else:
        layer(name, "Conv2d", f'"{source}"', noise([outs, ins, *size]), *keys)


def in_time(name):
    (channels, *_), source = draw.choice(list(pieces.items()))
    groups = draw.choice([1, channels])
    outs = groups * draw.choice([1, 2])
    frames = draw.choice([1, 2, 4, 7, 12, 18])
    keys = [f"groups = {groups}"] if groups > 1 else []
    layer(name, "Conv1d", f'"{source}"', noise([outs, channels // groups, frames]), *keys)


def smooth(name):
    _, source = draw.choice([piece for piece in pieces.items() if piece[0][0] < 4])
    stages = draw.randint(1, 4)
    size = draw.choice([[3, 3], [5, 5], [5, 5], [draw.randint(1, 9), draw.randint(1, 9)]])
    taus = [draw.choice(["5ms", "10ms", "20ms", "50ms", "5ms", "2500ms"]) for _ in range(stages)]
    if draw.random() < 0.6:
        taus = [tau.replace("2500", "25") for tau in taus]
    keys = [f"tau = {taus}".replace("'", '"'), f"n = {stages}", 'algorithm = "direct"', noise([stages, *size])]
    if draw.random() < 0.3:
        keys[2:] = [f'algorithm = "separable"', f'weight = {{ gaussian = {{ sigma = "1px", size = {[n | 1 for n in size]} }} }}']
        if size[0] < 3 or size[1] < 3:
            keys[-1] = 'weight = { gaussian = { sigma = "1px", size = [7, 7] } }'
    if draw.random() < 0.3:
        keys.append("components = true")
    layer(name, "SmoothConv", f'"{source}"', *keys)


def chain(name):
    """A chain of exponentials whose kernels have one pixel, as behind a blur."""
    _, source = draw.choice([piece for piece in pieces.items() if piece[0][0] < 4])
    stages = draw.randint(1, 6)
    taus = f"tau = {[draw.choice(['5ms', '10ms', '25ms', '50ms']) for _ in range(stages)]}".replace("'", '"')
    layer(name, "SmoothConv", f'"{source}"', taus, f"n = {stages}", noise([stages, 1, 1]))


def field(name):
    (channels, rows, cols), source = draw.choice(list(pieces.items()))
    frames = draw.choice([1, 2, 4])
    if draw.random() < 0.3:
        layer(name, "RF", f'"{source}"', f"in_channels = {channels}", f'frames = "{frames} frames"')
        return
    width = draw.choice([cols, draw.randint(4, cols), 8 * draw.randint(1, cols // 8)])
    size = [rows if draw.random() < 0.5 else draw.randint(4, rows), width]
    layer(name, "RF", f'"{source}"', noise([draw.choice([1, 2]), channels, frames, *size]))


def small(name):
    (_, rows, cols), source = draw.choice(list(pieces.items()))
    kind = draw.choice(["LowPass", "LowPass", "HighPass", "HighPass", "Diff", "Delay", "Sum", "Sum", "VariableDelay"])
    keys = {
        "LowPass": [f'tau = "{draw.choice(["3ms", "10ms", "100ms", "3000ms"])}"'],
        "HighPass": [f'tau = "{draw.choice(["3ms", "10ms", "100ms", "3000ms"])}"', "k = 0.9"],
        "Delay": [f'delay = "{draw.randint(1, 9)} frames"'],
        "Sum": [f'axis = "{draw.choice(["channel", "row", "col"])}"'],
        "VariableDelay": [f"delays = {[[draw.randrange(4) for _ in range(cols)] for _ in range(rows)]}"],
        "Diff": [],
    }[kind]
    layer(name, kind, f'"{source}"', *keys)


def pointwise(name):
    _, source = draw.choice(list(pieces.items()))
    kind = draw.choice(["NLRectify", "NLRectifyScale", "NLSquare", "NLRectifySquare"])
    layer(name, kind, f'"{source}"', *([] if kind == "NLRectify" else ["scale = 2", "bias = 0.1"]))


def exponential(name):
    _, source = draw.choice(list(pieces.items()))
    layer(name, draw.choice(["NLExponential", "NLSoftplus", "NLLogistic"]), f'"{source}"', "scale = 0.5", "bias = 0.1")


def joined(name):
    _, source = draw.choice([piece for piece in pieces.items() if piece[0][0] * piece[0][1] < 500])
    kind = draw.choice(["Identity", "Product", "Concat"])
    others = [other for other in pieces.values() if other.split("_")[2:] == source.split("_")[2:]]
    if kind == "Identity":
        layer(name, kind, f'["{source}", "-0.5 * {source}"]')
    elif kind == "Product":
        layer(name, kind, f'["{source}", "{source}"]')
    else:
        layer(name, kind, str(others).replace("'", '"') if len(others) > 1 else f'["{source}", "{source}"]')


forms = [globals()[form] for form in sys.argv[3:]] or [conv] * 12 + [in_time] * 3 + [smooth] * 5 + [field] * 3 + [small] * 5 + [pointwise] * 2 + [joined] * 2
names = []
for number in range(count):
    form = forms[number % len(forms)] if number < len(forms) else draw.choice(forms)
    name = f"{form.__name__}_{number}"
    form(name)
    names.append(name)

print("\n[outputs]")
for name in names:
    print(f'{name} = "{name}"')
