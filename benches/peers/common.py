"""What the peers' programs share."""

import importlib
import json
import sys


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def optional(module):
    """The module, or None and a word about it: what is not installed, or does not load, has no rows."""
    try:
        return importlib.import_module(module)
    except Exception as error:  # PyTorch without its libraries raises ValueError or OSError
        say(f"no {module} ({type(error).__name__}: {str(error)[:100]}): its rows are left out")
        return None


def write(rows, out):
    """Rows as JSON to the file `out`, or to standard output."""
    text = json.dumps(rows, indent=1) + "\n"
    if out:
        with open(out, "w", encoding="utf-8") as file:
            file.write(text)
    else:
        sys.stdout.write(text)
