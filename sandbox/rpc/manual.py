"""The table of RPCs in docs/SANDBOX.md, made from the code: `python -m sandbox --manual docs/SANDBOX.md`."""

import inspect
from pathlib import Path
from typing import Final

from sandbox.rpc.dispatch import TABLE
from sandbox.rpc.registry import Rpc

BEGIN: Final = "<!-- made by `python -m sandbox --manual docs/SANDBOX.md` -->\n"
END: Final = "<!-- end of what is made -->\n"


def table() -> str:
    """All RPCs in the order of their names, who may call them, and what there is to know of each."""
    rows = sorted(map(_row, TABLE.values()))
    return "".join(["| method | for | |\n", "|---|---|---|\n", *rows])


def _row(rpc: Rpc) -> str:
    callers = "all" if rpc.bots and rpc.users else "bots" if rpc.bots else "people"
    if rpc.anonymous:
        callers = "anybody"
    note = (inspect.getdoc(rpc.handler) or "").replace("\n", " ")
    return f"| [`{rpc.name}`](https://core.telegram.org/method/{rpc.name}) | {callers} | {note} |\n"


def write(manual: Path) -> None:
    """Put the table where the manual has its place for it. Raises ValueError when there is none."""
    text = manual.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{manual} has no place for the table")
    manual.write_text(before + begin + table() + end + after, encoding="utf-8")
