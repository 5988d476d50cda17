"""What LLVM's tools tell of a linked image, for the programs beside this one."""

import re
import shutil
import subprocess
import sys

OLDEST = 14  # the first to know the instructions of the Cortex-M55


def run(tool, *arguments):
    """The output of the newest `tool` that is installed."""
    for name in [f"{tool}-{version}" for version in range(14, OLDEST - 1, -1)] + [tool]:
        if shutil.which(name):
            return subprocess.run([name, *arguments], check=True, capture_output=True, text=True).stdout
    sys.exit(f"{tool} is missing (Debian, Ubuntu: apt-get install llvm-{OLDEST}, or any newer one)")


def sections(elf):
    """(name, address, size, flags) of all sections; `N` among the flags: it takes no space in flash."""
    pattern = r"\s*\[\s*\d+\] (\S+)\s+([A-Z_]+)\s+([0-9a-f]{8}) [0-9a-f]+ ([0-9a-f]+) \d+ +([A-Z]*) "
    for line in run("llvm-readelf", "-SW", elf).splitlines():
        found = re.match(pattern, line)
        if found:
            name, kind, address, size, flags = found.groups()
            yield name, int(address, 16), int(size, 16), flags + ("N" if kind == "NOBITS" else "")


def symbol_table(elf):
    """(name, address, size, type) of all symbols."""
    for line in run("llvm-readelf", "-sW", elf).splitlines():
        found = re.match(r"\s*\d+: ([0-9a-f]+)\s+(\d+) (\w+)\s+\w+\s+\w+\s+\S+ (\S+)", line)
        if found:
            yield found[4], int(found[1], 16), int(found[2]), found[3]


def readable(name):
    """A demangled Rust name without hash and escapes."""
    name = re.sub(r"::h[0-9a-f]{16}$", "", name)
    escapes = {"$LT$": "<", "$GT$": ">", "$u20$": " ", "$RF$": "&", "$C$": ",", "$LP$": "(", "$RP$": ")", "..": "::"}
    for escape, meaning in escapes.items():
        name = name.replace(escape, meaning)
    return name.replace("::__", "::")
