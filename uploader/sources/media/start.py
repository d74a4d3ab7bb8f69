"""Starts a program of several files beside it: `python -I start.py NAME [FOLDER]`.

Its files know each other by their full names, as they do in the house, but the rooms that they lie in are not
opened: what these import, no child needs. Modules in FOLDER come before those that are installed.
"""

import runpy
import sys
from pathlib import Path
from types import ModuleType
from typing import Final

_HERE: Final = Path(__file__).parent
_PACKAGE: Final = "uploader.sources.media"


def main() -> None:
    """Become the program."""
    name, *folders = sys.argv[1:]
    sys.path[:0] = folders
    parts = _PACKAGE.split(".")
    for depth in range(len(parts)):
        package = ModuleType(".".join(parts[: depth + 1]))
        package.__path__ = [str(_HERE.parents[len(parts) - 2 - depth])] if depth < 2 else [str(_HERE)]
        sys.modules[package.__name__] = package
    runpy.run_module(f"{_PACKAGE}.{name}", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
