"""Whatever the data centre answers, it can say in the layer of each client that may ask for it."""

import ast
import inspect
import re
import zlib
from datetime import datetime
from functools import reduce
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

import pytest
from telethon.tl import types

from sandbox import rpc as room
from sandbox import tl
from sandbox.layers import Layer
from sandbox.rpc.dispatch import TABLE
from sandbox.rpc.registry import Rpc

pytestmark = [pytest.mark.interop, pytest.mark.timeout(360)]

_METHOD: Final = re.compile(r"^([\w.]+)#[0-9a-f]+ .*= ([^=]+);$", re.MULTILINE)
_PLAIN: Final = MappingProxyType({int: 7, str: "words", bytes: b"bytes", bool: True, datetime: 7, float: 1.0})


def _used() -> frozenset[Any]:
    """The constructors that the handlers name."""
    found = set()
    for module in Path(room.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and ast.unparse(node).startswith("types."):
                found.add(reduce(getattr, ast.unparse(node).split(".")[1:], types))
    return frozenset(known for known in found if inspect.isclass(known))


USED: Final = _used()
_NAMESPACES: Final = tuple(name for name, value in vars(types).items() if inspect.ismodule(value))


def _plain_first(kind: Any) -> tuple[int, str]:
    """Fields seldom hold what has a namespace of its own."""
    name = tl.name_of(kind)
    return name.count("."), name


class _Names(dict[str, Any]):
    """What a type of Telethon's annotations is: those of its constructors that handlers name."""

    def __missing__(self, name: str) -> Any:
        if not name.startswith("Type"):
            raise KeyError(name)
        names = [name[4:], *(f"{space}.{name[4:]}" for space in _NAMESPACES)]
        numbers = {zlib.crc32(each.encode()) for each in names}
        kinds = tuple(sorted((kind for kind in USED if kind.SUBCLASS_OF_ID in numbers), key=_plain_first))
        return Union[kinds] if kinds else type(None)  # noqa: UP007 - there may be any number of them


def _made(kind: Any, deep: int) -> Any:
    """An object of a class with all that it requires, and, so `deep`, with what handlers put in besides."""
    hints = get_type_hints(kind.__init__, localns=_Names())
    parameters = inspect.signature(kind).parameters.items()
    required = [name for name, one in parameters if deep or one.default is inspect.Parameter.empty]
    return kind(**{name: _value(hints.get(name, bool), max(0, deep - 1)) for name in required})


def _value(hint: Any, deep: int) -> Any:
    """What a field may hold: of several constructors each where it is a list, else the first."""
    kinds = get_args(hint) if get_origin(hint) is Union else (hint,)
    for kind in kinds:
        if kind in _PLAIN:
            return _PLAIN[kind]
        if get_origin(kind) is list:
            (inner,) = get_args(kind)
            many = get_args(inner) if get_origin(inner) is Union else (inner,)
            return [_value(one, deep) for one in many if deep and (one in USED or one in _PLAIN)]
        if kind in USED:
            return _made(kind, deep)
    return None


def _answers(rpc: Rpc) -> list[Any]:
    return [kind for kind in USED if kind.SUBCLASS_OF_ID == rpc.request.SUBCLASS_OF_ID]


@pytest.mark.parametrize("deep", [0, 3])
@pytest.mark.parametrize("texts", ["schemas", "elder_schemas"])
def test_answer_when_a_client_of_a_layer_may_ask_for_it_can_be_said_in_that_layer(
    request: pytest.FixtureRequest, texts: str, deep: int
) -> None:
    """Of each method that the layer has, each constructor that answers it, with whatever is in it.

    What is said in another layer never reaches its caller, who waits for ever: LonamiWebs/Telethon#1429.
    """
    made = {kind: _made(kind, deep) for rpc in TABLE.values() for kind in _answers(rpc)}
    for text in request.getfixturevalue(texts):
        layer, methods = Layer.parse(text), dict(_METHOD.findall(text))
        askable = [rpc for rpc in TABLE.values() if rpc.name in methods]
        assert len(askable) > 60
        for rpc in askable:
            for kind in _answers(rpc):
                assert layer.write(made[kind]), rpc.name
