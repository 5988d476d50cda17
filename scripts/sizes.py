#!/usr/bin/env python3
"""Flash and RAM of every firmware image, against the budget of its machine.

A line of the table names a machine, its target, its images and what they may take, in bytes:

  flash   the vector table, code, constants, and the first values of static variables
  RAM     static variables and the stack's region

Exit code 1: an image takes more, or was not built. `sizes.py --image ELF` prints the bytes of one image: flash, static variables,
the stack's region.
"""

import argparse
import os
import sys

from elf import sections, symbol_table


def sizes(elf):
    """Bytes of flash, of static variables, of the stack's region."""
    flash = ram = 0
    for _, _, size, flags in sections(elf):
        if "A" in flags:
            flash += size if "N" not in flags else 0
            ram += size if "W" in flags else 0
    symbols = {name: address for name, address, _, _ in symbol_table(elf)}
    return flash, ram, symbols.get("_stack_start", 0) - symbols.get("_stack_end", 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", nargs="?", help="firmware/budget.tsv")
    parser.add_argument("targets", nargs="?", help="the folder with the targets' folders: firmware/target")
    parser.add_argument("--image", metavar="ELF", help="only this image")
    arguments = parser.parse_args()
    if arguments.image:
        print(*sizes(arguments.image))
        return
    if not arguments.targets:
        parser.error("a table and a folder, or --image ELF")
    failed = False
    print(f"{'machine':10} {'image':12} {'flash':>9} {'static':>9} {'stack':>9}")
    with open(arguments.table, encoding="utf-8") as table:
        next(table)
        for line in table:
            machine, target, images, *budget = line.split()
            most_flash, most_ram = map(int, budget)
            for image in images.split(","):
                elf = os.path.join(arguments.targets, target, "release", image)
                if not os.path.exists(elf):
                    print(f"{machine:10} {image:12} FAILED: not built")
                    failed = True
                    continue
                flash, ram, stack = sizes(elf)
                print(f"{machine:10} {image:12} {flash:9} {ram:9} {stack:9}")
                for what, bytes_, most in [("flash", flash, most_flash), ("RAM", ram + stack, most_ram)]:
                    if bytes_ > most:
                        print(f"{'':10} FAILED: {bytes_} bytes of {what}, but {most} are the budget")
                        failed = True
            print(f"{machine:10} {'budget':12} {most_flash:9} {most_ram:19}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
