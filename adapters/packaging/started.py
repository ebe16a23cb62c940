"""Run by checking.py in an interpreter of its own, with an unpacked archive and the standard library alone."""

import importlib
import json
import sys


def main() -> None:
    """Import all that the archive may import, and its handler."""
    asked = json.load(sys.stdin)
    sys.path[:0] = asked["path"]
    module, _, name = asked["handler"].rpartition(".")
    handler = getattr(importlib.import_module(module), name)
    if handler is None:
        raise SystemExit(f"{asked['handler']} is nothing")
    module, _, name = asked["entry"].partition(":")
    getattr(importlib.import_module(module), name)
    for each in asked["modules"]:
        importlib.import_module(each)


if __name__ == "__main__":
    main()
