"""What Telegram may answer is known to the sandbox before the engine handles it."""

import ast
from pathlib import Path
from typing import Final

from tests.sandbox.test_errors import ERRORS, TROUBLES, WAITS

ROOM = Path(__file__).parents[2] / "uploader" / "telegram"
#: Telethon's own bundle of several, and the transport's -404, which is provoked beside those of the tables.
NOT_IN_THE_TABLES: Final = {"MultiError", "AuthKeyNotFound"}


def test_errors_when_the_engine_handles_them_are_provoked_in_the_sandbox() -> None:
    """Whoever teaches the engine another error adds it to the tables, and sees there what a client sees."""
    kinds = [*(kind for *_, kind in [*ERRORS, *TROUBLES]), *(kind for _, _, kind, _ in WAITS)]
    provoked = {each.__name__ for kind in kinds for each in kind.__mro__}
    named = {
        name
        for path in ROOM.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in _errors_in(node)
    }
    assert len(named) > 20
    assert set() == named - provoked - NOT_IN_THE_TABLES


def _errors_in(node: ast.AST) -> list[str]:
    """Telethon's classes that a node names: `errors.X`, or by import."""
    match node:
        case ast.Attribute(value=ast.Name(id="errors"), attr=name):
            return [name]
        case ast.ImportFrom(module="telethon.errors", names=names):
            return [alias.name for alias in names]
    return []
