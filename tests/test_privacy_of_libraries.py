"""Nothing private of a library is used: Telethon's minor version can move without touching a room of ours.

Ruff sees private attributes. Names that are imported, spelled out as text or mangled it does not see.
"""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.test_house import SOURCES, TESTS

OURS = ("uploader", "tui", "sandbox", "tests", "run")
BY_NAME = {"getattr", "setattr", "hasattr", "delattr", "attrgetter", "methodcaller", "patch", "import_module"}
#: A tool that measures, and has no public door: asyncio calls each callback by `Handle._run`.
MEASURES = {"probed.py"}
#: What a private attribute becomes outside its class: _Session__salt.
MANGLED = re.compile(r"_[A-Za-z][A-Za-z0-9]*__[a-z]\w*")


def _is_private(name: str) -> bool:
    return any(word.startswith("_") and not word.endswith("__") for word in name.split("."))


def _imported(node: ast.AST) -> list[str]:
    """The dotted names that a statement imports from others' modules."""
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom) and not node.level:
        names = [f"{node.module}.{alias.name}" for alias in node.names]
    else:
        names = []
    return [name for name in names if name.split(".")[0] not in OURS]


def private_uses(tree: ast.Module) -> Iterator[str]:
    """Imports, spelled-out names and mangled ones that reach into a library."""
    for node in ast.walk(tree):
        yield from filter(_is_private, _imported(node))
        if isinstance(node, ast.Attribute) and MANGLED.fullmatch(node.attr):
            yield node.attr
        if isinstance(node, ast.Attribute) and node.attr == "__dict__" and not _is_own(node.value):
            yield ast.unparse(node)
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in BY_NAME:
            texts = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
            yield from (text for text in texts if isinstance(text, str) and _is_foreign(text))


def _is_foreign(text: str) -> bool:
    return _is_private(text) and text.split(".")[0] not in OURS


def _is_own(value: ast.expr) -> bool:
    return isinstance(value, ast.Name) and value.id in {"self", "cls"}


def test_libraries_when_used_then_only_by_their_public_names() -> None:
    """In the engine, the dashboard, the sandbox and the tests."""
    uses = {
        path.name: found
        for path in SOURCES + TESTS
        if path.name not in MEASURES
        if (found := list(private_uses(ast.parse(path.read_text(encoding="utf-8")))))
    }
    assert {} == uses


def test_private_attributes_when_linted_then_no_line_is_excused() -> None:
    """Ruff's rule is on, and nobody turns it off."""
    excused = {path.name for path in SOURCES + TESTS if "SLF" + "001" in path.read_text(encoding="utf-8")}
    assert excused == MEASURES


@pytest.mark.parametrize(
    "line",
    [
        "from telethon import _updates",
        "import telethon._updates.entitycache",
        "from telethon.network.mtprotosender import _SomeState",
        "getattr(client, '_sender')",
        "setattr(client.session, '_salt', 0)",
        "operator.attrgetter('_sender._state')(client)",
        "client._TelegramClient__sender",
        "vars_of = client.__dict__",
    ],
)
def test_private_use_when_planted_then_is_seen(line: str) -> None:
    """Each way in is known."""
    assert list(private_uses(ast.parse(line)))


@pytest.mark.parametrize(
    "line", ["getattr(event, 'which', 0)", "from uploader import __version__", "self._x"]
)
def test_public_use_when_planted_then_is_let_pass(line: str) -> None:
    """Ours, and what everybody may call."""
    assert [] == list(private_uses(ast.parse(line)))
