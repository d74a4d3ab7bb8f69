"""The table of RPCs in docs/SANDBOX.md is what the code makes; each of them is easy to copy."""

import inspect
from pathlib import Path

import pytest

from sandbox.rpc import manual
from sandbox.rpc.dispatch import TABLE

#: A newcomer adds an RPC by copying a neighbour, and neighbours are shorter than this.
HANDLER_LINES = 15
COMMITTED = Path(__file__).parents[2] / "docs" / "SANDBOX.md"


def test_manual_when_made_anew_is_what_is_committed(tmp_path: Path) -> None:
    """Whoever adds an RPC runs `python -m sandbox --manual docs/SANDBOX.md`."""
    made = tmp_path / "SANDBOX.md"
    made.write_text(COMMITTED.read_text(encoding="utf-8"), encoding="utf-8")
    manual.write(made)
    assert made.read_text(encoding="utf-8") == COMMITTED.read_text(encoding="utf-8")


def test_manual_when_it_has_no_place_for_the_table_is_refused(tmp_path: Path) -> None:
    """Nothing is written over by mistake."""
    other = tmp_path / "README.md"
    other.write_text("# Something else\n", encoding="utf-8")
    with pytest.raises(ValueError, match="no place"):
        manual.write(other)
    assert "# Something else\n" == other.read_text(encoding="utf-8")


def test_handlers_when_measured_are_short_enough_to_copy() -> None:
    """With their decorator; what one needs beside that is a function of its own."""
    lines = {rpc.name: len(inspect.getsource(rpc.handler).splitlines()) for rpc in TABLE.values()}
    assert {} == {name: count for name, count in lines.items() if count >= HANDLER_LINES}
