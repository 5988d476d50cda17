#!/usr/bin/env python3
"""How deep the stack of a Cortex-M image can become, computed from the linked ELF alone.

  depth(f)   = bytes that f itself takes + the largest depth of what it calls
  worst case = depth(Reset) + sum over all exception handlers of (what the core stacks + depth(handler))

Proven, when the exit code is 0:
- No run of the image takes more stack than the worst case: every path through the call graph counts, whatever the data,
  and every handler of the vector table may interrupt while all others run, each once.
- The worst case fits the stack's region, from _stack_end to _stack_start, and the budget if one is given.
- No static variable lies below the stack, so that an overflow leaves the memory, which faults, instead of overwriting
  them. (flip-link, which arranges that, does nothing and says nothing where it does not understand a memory.x.)
- It is no less than `--measured`, what a run of the very image was seen to take: a test of this program.

NOT PROVEN, and exit code 1: recursion, a call through a pointer, a stack pointer set from a register (alloca), and whatever
is not understood. So the image must be free of formatted text, whose arguments are formatted through pointers.

What this cannot know, and takes for granted: functions are compiled code or code like it, that leaves the stack pointer
where it was and runs on into no other function; the vector table in the image is the one in use; what the core stacks is a
frame with the registers of the float unit, 104 bytes and 4 to align it (no state of a second security world).
"""

import argparse
import os
import re
import sys

from elf import readable, run, sections, symbol_table

EXCEPTION = 108
REGISTER = {"r": 4, "s": 4, "d": 8, "q": 16}


class Function:
    def __init__(self, name):
        self.name = name
        self.own = 0
        self.callees = set()
        self.doubts = []
        self.code = []


def registers(operands):
    """Bytes of the registers in a list like {r4, r5-r7, lr}."""
    total = 0
    for name in re.search(r"\{(.*)\}", operands)[1].split(","):
        ends = re.findall(r"[rsdq](\d+)", name)
        count = int(ends[1]) - int(ends[0]) + 1 if len(ends) == 2 else 1
        total += count * REGISTER.get(name.strip()[0] if ends else "r", 4)
    return total


def number(text):
    return int(text, 0)


def take(function, operation, operands):
    """Adds what an instruction takes from the stack to the function's own bytes."""
    base = operation.split(".")[0]
    pre_decrement = re.search(r"\[sp, #-(0x[0-9a-f]+|\d+)\]!", operands)
    less = re.fullmatch(r"sp, (?:sp, )?#(0x[0-9a-f]+|\d+)", operands)
    if base in ("push", "vpush") or (base in ("stmdb", "vstmdb") and operands.startswith("sp!")):
        function.own += registers(operands)
    elif pre_decrement:
        function.own += number(pre_decrement[1])
    elif base in ("sub", "subw") and less:
        function.own += number(less[1])
    elif re.match(r"sp\b(?!!)", operands) and not (base in ("add", "addw") and less) and not re.match("v?st|cmp|cmn|tst", base):
        function.doubts.append(f"the stack pointer is set by `{operation} {operands}`")
    elif re.match("msr", base) and re.match("msp|psp", operands, re.I):
        function.doubts.append(f"the stack pointer is set by `{operation} {operands}`")


def go(function, operation, operands, start, end):
    """Notes where an instruction goes to, if that is another function."""
    base = operation.split(".")[0]
    target = re.search(r"\b0x([0-9a-f]+) <", operands)
    if target:
        target = int(target[1], 16)
        if not start <= target < end or (base == "bl" and target == start):
            function.callees.add(target)
    elif re.match("blx|bx", base) and operands != "lr":
        function.doubts.append(f"a call through a pointer, `{operation} {operands}`")
    elif re.match(r"pc\b", operands) and not (base == "ldr" and "[sp], " in operands) and not table(function, base):
        function.doubts.append(f"a jump through a pointer, `{operation} {operands}`")


def table(function, base):
    """Whether this `mov pc` jumps into a table of branches behind it, whose address was taken a few instructions before."""
    return base == "mov" and any(operation.startswith("adr") for operation, _ in function.code[-8:])


def disassemble(elf, known):
    """All functions, by their addresses; `known`: names and sizes."""
    functions, function, start, end = {}, None, 0, 0
    # The Cortex-M55 has the instructions of all others; what an ELF says of its core leaves out the float unit.
    for line in run("llvm-objdump", "-dC", "--no-show-raw-insn", "--mcpu=cortex-m55", elf).splitlines():
        label = re.match(r"([0-9a-f]+) <(.+)>:$", line)
        if label and not label[2].startswith("$"):
            start = int(label[1], 16)
            name, size = known.get(start, (label[2], 0))
            end = start + (size or 1 << 32)
            function = functions.setdefault(start, Function(readable(label[2] if name.startswith("_") else name)))
            continue
        code = re.match(r"\s*([0-9a-f]+):\s+([a-z]\S*|<unknown>)(?:\s+(.*?))?(?:\s+@.*)?$", line)
        if not code or function is None or not start <= int(code[1], 16) < end:
            continue  # data, or what fills the space up to the next function
        operation, operands = code[2], code[3] or ""
        if operation == "<unknown>":
            function.doubts.append("an instruction that is not known")
        take(function, operation, operands)
        go(function, operation, operands, start, end)
        function.code.append((operation, operands))
    return functions


class Walk:
    """Depths through the call graph, and what keeps them from being proven."""

    def __init__(self, functions):
        self.functions, self.known, self.doubts = functions, {}, []

    def depth(self, address, above=()):
        """(bytes, chain of names and bytes) below the function at `address`."""
        function = self.functions.get(address)
        if function is None:
            inside = max((a for a in self.functions if a < address), default=None)
            name = self.functions[inside].name if inside is not None else "nothing"
            self.doubts.append(f"a jump to {address:#x}, into the middle of {name}")
            return 0, []
        if address in above:
            chain = [self.functions[a].name for a in above[above.index(address):]] + [function.name]
            self.doubts.append("recursion: " + " > ".join(chain))
            return 0, []
        if address not in self.known:
            self.doubts += sorted({f"{function.name}: {doubt}" for doubt in function.doubts})
            below = [self.depth(callee, (*above, address)) for callee in sorted(function.callees)]
            most, chain = max(below, key=lambda found: found[0], default=(0, []))
            self.known[address] = function.own + most, [(function.name, function.own), *chain]
        return self.known[address]


def vectors(elf):
    """Words of the vector table: the stack's start, Reset, the handlers."""
    words = []
    for line in run("llvm-objdump", "-s", "-j", ".vector_table", elf).splitlines():
        row = re.match(r" ?[0-9a-f]+ ((?:[0-9a-f]{8} ?)+)", line)
        words += [int.from_bytes(bytes.fromhex(word), "little") for word in row[1].split()] if row else []
    return words


def check_region(elf, symbols, top, total, measured, budget):
    """What is wrong with the stack's region, if the stack needs `total` bytes."""
    start, end = symbols.get("_stack_start"), symbols.get("_stack_end")
    if start is None or end is None or start < end or top != start:
        return ["no stack from _stack_end up to _stack_start, with which the vector table begins"]
    faults = []
    if total > start - end:
        faults.append(f"the stack may need {total} bytes, but its region has {start - end}")
    if total > (budget or total):
        faults.append(f"the stack may need {total} bytes, but {budget} are the budget")
    for name, address, size, flags in sections(elf):
        if {"W", "A"} <= set(flags) and size and address < start:
            faults.append(f"an overflow would overwrite {name} at {address:#x}, below _stack_start {start:#x}")
    if measured > total:
        faults.append(f"{measured} bytes were measured, but no more than {total} are possible: this program is wrong")
    print(f"{total:8}  in the worst case; {measured or 'not'} measured; {start - end} in the region")
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("elf")
    parser.add_argument("--measured", type=number, default=0, metavar="BYTES")
    parser.add_argument("--budget", type=number, default=0, metavar="BYTES")
    arguments = parser.parse_args()
    elf = arguments.elf
    sys.setrecursionlimit(10_000)

    symbols, known = {}, {}
    for name, address, size, kind in symbol_table(elf):
        symbols[name] = address
        if kind == "FUNC":
            first = known.get(address & ~1, (name, 0)) # further names of one function may have no size
            known[address & ~1] = first[0], max(first[1], size)
    walk = Walk(disassemble(elf, known))
    top, reset, *handlers = vectors(elf)

    print(os.path.basename(elf), "  bytes of stack", sep="\n")
    total, chain = walk.depth(reset & ~1)
    for name, own in chain:
        print(f"{own:8}  {name}")
    for handler in sorted({handler & ~1 for handler in handlers if handler}):
        depth, chain = walk.depth(handler)
        total += EXCEPTION + depth
        names = " > ".join(name for name, _ in chain)
        print(f"{EXCEPTION + depth:8}  exception {names}")
    faults = check_region(elf, symbols, top, total, arguments.measured, arguments.budget)
    for doubt in walk.doubts:
        print(f"NOT PROVEN: {doubt}")
    for fault in faults:
        print(f"FAILED: {fault}")
    sys.exit(bool(walk.doubts or faults))


if __name__ == "__main__":
    main()
