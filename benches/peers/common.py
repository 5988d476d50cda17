"""What the peers' programs share."""

import importlib
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
