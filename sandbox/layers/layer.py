"""One API layer: its bytes become Telethon's objects, and Telethon's objects its bytes.

Constructors are matched by name, and fields by name. A field that one side does not know is left out.
"""

import struct
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from telethon.extensions import BinaryReader
from telethon.tl import TLObject
from telethon.tl.alltlobjects import tlobjects

from sandbox import tl
from sandbox.layers import buttons
from sandbox.layers.schema import Definition, Field, Schema

_OURS: Final = MappingProxyType({tl.name_of(known): known for known in tlobjects.values()})


def _int(value: Any) -> bytes:
    """Dates are ints; Telethon's objects may hold a datetime for one."""
    written: bytes = (
        struct.pack("<i", value) if isinstance(value, int) else TLObject.serialize_datetime(value)
    )
    return written


_READ: Final[Mapping[str, Callable[[Any], Any]]] = MappingProxyType(
    {
        "int": BinaryReader.read_int,
        "long": BinaryReader.read_long,
        "double": BinaryReader.read_double,
        "string": BinaryReader.tgread_string,
        "bytes": BinaryReader.tgread_bytes,
        "Bool": BinaryReader.tgread_bool,
    }
)
_WRITE: Final[Mapping[str, Callable[[Any], bytes]]] = MappingProxyType(
    {
        "int": _int,
        "long": struct.Struct("<q").pack,
        "double": struct.Struct("<d").pack,
        "string": TLObject.serialize_bytes,
        "bytes": TLObject.serialize_bytes,
        "Bool": tl.write,
    }
)

#: What later layers wrap an answer in, and the field that is all of the answer in those before.
_WRAPPERS: Final = MappingProxyType(
    {"messages.chatInviteJoinResultOk": "updates", "messages.dialogFilters": "filters"}
)


class Unsayable(Exception):
    """The layer has no constructor of this name, or a field that it requires is unknown."""


class Layer:
    """A layer, by its schema."""

    def __init__(self, schema: Schema) -> None:
        self.number = schema.layer
        self._by_name = {definition.name: definition for definition in schema.definitions}
        self._old_buttons = buttons.NEW_SHAPE not in self._by_name
        #: what reads those constructors that Telethon's classes do not, by id
        self.foreign: Mapping[int, tl.Read] = MappingProxyType(
            {
                definition.id: self._reader_of(definition)
                for definition in schema.definitions
                if definition.id not in tlobjects
            }
        )

    @classmethod
    def parse(cls, text: str) -> "Layer":
        """The layer of a TL text that says `// LAYER n`. Raises ValueError."""
        return cls(Schema.parse(text))

    def write(self, value: Any) -> bytes:
        """Serialize a TL object, a boolean or a list, boxed. Raises Unsayable."""
        if isinstance(value, bool):
            return tl.write(value)
        if isinstance(value, list):
            return self._vector("Object", value)
        name, fields = self._named(value)
        definition = self._by_name.get(name)
        if definition is None and name in _WRAPPERS:
            return self.write(fields[_WRAPPERS[name]])
        if definition is None:
            raise Unsayable(name)
        return struct.pack("<I", definition.id) + self._body(definition, fields)

    def _named(self, value: Any) -> tuple[str, dict[str, Any]]:
        """A constructor's name in this layer, and its fields."""
        fields = vars(value)
        if "is_self" in fields:
            fields = fields | {"self": fields["is_self"]}
        older = buttons.older(value) if self._old_buttons else None
        return older or (tl.name_of(type(value)), fields)

    def _body(self, definition: Definition, fields: Mapping[str, Any]) -> bytes:
        said = {field: self._said(field, fields.get(field.name)) for field in definition.fields}
        bits: dict[str, int] = {}
        for field, part in said.items():
            if field.flags is not None and part is not None:
                bits[field.flags] = bits.get(field.flags, 0) | 1 << field.bit
            elif part is None and field.flags is None and field.kind != "#":
                raise Unsayable(f"{definition.name}.{field.name}")
        return b"".join(
            struct.pack("<I", bits.get(field.name, 0)) if field.kind == "#" else part or b""
            for field, part in said.items()
        )

    def _said(self, field: Field, value: Any) -> bytes | None:
        """The bytes of a field; None: it is not there."""
        if value is None or (value is False and field.kind != "Bool"):
            return None
        if field.kind == "true":
            return b""
        try:
            return self._value(field.kind, value)
        except Unsayable:
            if field.flags is None:
                raise
            return None

    def _value(self, kind: str, value: Any) -> bytes:
        if kind in _WRITE:
            return _WRITE[kind](value)
        return self._vector(kind[7:-1], value) if kind.startswith("Vector<") else self.write(value)

    def _vector(self, kind: str, values: list[Any]) -> bytes:
        """What this layer cannot say, updates of a later one say, is not in the list."""
        said = []
        for value in values:
            try:
                said.append(self._value(kind, value))
            except Unsayable:
                continue
        return struct.pack("<Ii", tl.VECTOR, len(said)) + b"".join(said)

    def _reader_of(self, definition: Definition) -> tl.Read:
        def read(reader: Any) -> Any:
            return self._ours(definition.name, _read_fields(reader, definition))

        return read

    def _ours(self, name: str, fields: dict[str, Any]) -> Any:
        """Telethon's object of this name. Raises tl.Malformed."""
        newer = buttons.newer(name, fields) if self._old_buttons else None
        if newer is not None:
            return newer
        if name not in _OURS:
            raise tl.Malformed(name)
        return tl.filled(_OURS[name], **fields)


def _read_fields(reader: Any, definition: Definition) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    flags: dict[str, int] = {}
    for field in definition.fields:
        if field.kind == "#":
            flags[field.name] = reader.read_int()
        elif field.flags is None or flags[field.flags] >> field.bit & 1:
            fields[field.name] = _read(reader, field.kind)
    return fields


def _read(reader: Any, kind: str) -> Any:
    if kind in _READ:
        return _READ[kind](reader)
    if kind == "true":
        return True
    if not kind.startswith("Vector<"):
        return reader.tgread_object()
    if reader.read_int(signed=False) != tl.VECTOR:
        raise tl.Malformed("vector")
    return [_read(reader, kind[7:-1]) for _ in range(reader.read_int())]
