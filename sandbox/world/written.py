"""Things of the world as JSON and back: dataclasses by name, TL objects as bytes, some by reference."""

import base64
import dataclasses
from collections.abc import Callable, Iterable
from enum import Enum
from pathlib import Path
from typing import Any

from telethon.tl.tlobject import TLObject

from sandbox import tl


class Writer:
    """Makes rows. What has a row of its own is written as a reference inside of another's."""

    def __init__(self, folder: Path) -> None:
        """`folder`: paths are written as from there."""
        self._folder = folder

    def row(self, thing: Any) -> Any:
        """A thing in full."""
        return self._fields(thing) if dataclasses.is_dataclass(thing) else self._value(thing)

    def _fields(self, thing: Any) -> dict[str, Any]:
        kept = [field.name for field in dataclasses.fields(thing) if field.metadata.get("kept", True)]
        return {"is": type(thing).__name__, **{name: self._value(getattr(thing, name)) for name in kept}}

    def _value(self, value: Any) -> Any:
        match value:
            case Enum():
                return {"is": type(value).__name__, "value": value.value}
            case None | bool() | int() | float() | str():
                return value
            case bytes():
                return {"bytes": _text(value)}
            case TLObject():
                return {"tl": _text(bytes(value))}
            case Path():
                return {"path": str(value.relative_to(self._folder))}
            case dict():
                return {"dict": [[self._value(key), self._value(item)] for key, item in value.items()]}
            case set() | frozenset() | tuple():
                return {type(value).__name__: [self._value(item) for item in value]}
            case list():
                return [self._value(item) for item in value]
        if hasattr(value, "kind"):
            return {"row": [value.kind, value.key]}
        return self._fields(value)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


class Reader:
    """Makes things of rows. `find` gives what a reference means, by kind and key; None if it is no more."""

    def __init__(self, classes: Iterable[type], folder: Path, find: Callable[[str, str], Any]) -> None:
        self._classes = {known.__name__: known for known in classes}
        self._folder = folder
        self._find = find

    def thing(self, row: Any) -> Any:
        """What a row says. Raises KeyError for what no version of this program wrote."""
        if isinstance(row, list):
            return self._things(row)
        return self._made(row) if isinstance(row, dict) else row

    def _things(self, rows: list[Any]) -> list[Any]:
        return list(map(self.thing, rows))

    def _made(self, row: dict[str, Any]) -> Any:
        if "is" in row:
            made = self._classes[row.pop("is")]
            return made(**{name: self.thing(value) for name, value in row.items()})
        ((form, value),) = row.items()
        match form:
            case "bytes" | "tl":
                data = base64.b64decode(value)
                return data if form == "bytes" else tl.read(data)
            case "path":
                return self._folder / value
            case "dict":
                return dict(map(self._things, value))
            case "row":
                return self._find(*value)
        collection = {"set": set, "frozenset": frozenset, "tuple": tuple}[form]
        return collection(self._things(value))
