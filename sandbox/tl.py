"""The TL codec: Telethon's classes behind a reader that is safe to feed with anything."""

import inspect
import struct
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, get_args, get_origin

from telethon.errors import TypeNotFoundError
from telethon.extensions import BinaryReader
from telethon.tl.alltlobjects import tlobjects

BOOL_TRUE: Final = 0x997275B5
BOOL_FALSE: Final = 0xBC799737
VECTOR: Final = 0x1CB5C415

#: Reads the fields of one constructor.
Read = Callable[[Any], Any]
_NOTHING_FOREIGN: Final[Mapping[int, Read]] = MappingProxyType({})


class Malformed(Exception):
    """The bytes are no TL object of the schema. The message names the constructor where that is known."""


class _Reader(BinaryReader):
    """Telethon's reader without its core objects: a gzip inside an object would unpack without bound.

    `foreign` reads constructors that Telethon does not know, by id.
    """

    def __init__(self, body: bytes, foreign: Mapping[int, Read]) -> None:
        super().__init__(body)
        self._foreign = foreign

    def tgread_object(self) -> Any:
        constructor_id = self.read_int(signed=False)
        found = tlobjects.get(constructor_id)
        if found is not None:
            return found.from_reader(self)
        if constructor_id in (BOOL_TRUE, BOOL_FALSE):
            return constructor_id == BOOL_TRUE
        if constructor_id in self._foreign:
            return self._foreign[constructor_id](self)
        raise TypeNotFoundError(constructor_id, b"")


def read_first(body: bytes, foreign: Mapping[int, Read] = _NOTHING_FOREIGN) -> tuple[Any, int]:
    """Read the TL object at the start: the object and its length. Raises Malformed.

    `foreign` reads constructors of other layers, by id (see sandbox.layers).
    """
    reader = _Reader(body, foreign)
    try:
        parsed = reader.tgread_object()
    except TypeNotFoundError as error:
        raise Malformed(f"{error.invalid_constructor_id:08X}") from error
    except (struct.error, BufferError, RuntimeError, ValueError, OverflowError, TypeError) as error:
        raise Malformed(type(error).__name__) from error
    return parsed, reader.tell_position()


def read(body: bytes, foreign: Mapping[int, Read] = _NOTHING_FOREIGN) -> Any:
    """Read one TL object that fills the bytes exactly. Raises Malformed."""
    parsed, length = read_first(body, foreign)
    if length != len(body):
        raise Malformed("trailing bytes")
    return parsed


def write(value: Any) -> bytes:
    """Serialize a TL object, a boolean or a vector of TL objects, boxed as an RPC answer is."""
    if isinstance(value, bool):
        return struct.pack("<I", BOOL_TRUE if value else BOOL_FALSE)
    if isinstance(value, list):
        return struct.pack("<Ii", VECTOR, len(value)) + b"".join(map(write, value))
    return bytes(value)


def write_bytes(data: bytes) -> tuple[bytes, bytes]:
    """The length before and the padding after a TL byte string."""
    if len(data) < 254:
        return bytes([len(data)]), bytes(-(len(data) + 1) % 4)
    return b"\xfe" + len(data).to_bytes(3, "little"), bytes(-len(data) % 4)


def read_bytes(view: memoryview, at: int) -> memoryview:
    """The TL byte string at offset `at`, not copied. Raises Malformed when the view ends before it."""
    if at >= len(view):
        raise Malformed("bytes")
    start, length = at + 1, view[at]
    if length == 254:
        start, length = at + 4, int.from_bytes(view[at + 1 : at + 4], "little")
    if start + length > len(view):
        raise Malformed("bytes")
    return view[start : start + length]


def name_of(known: Any) -> str:
    """The name in the schema of one of Telethon's classes.

    `messages.sendMedia` for functions.messages.SendMediaRequest, `ping` for functions.PingRequest,
    `updates.state` for types.updates.State.
    """
    parts = known.__module__.split(".")
    # telethon.tl.functions, telethon.tl.types or telethon.tl.patched; then the namespace
    name: str = known.__name__.removesuffix("Request") if parts[2] == "functions" else known.__name__
    return ".".join([*parts[3:], name[0].lower() + name[1:]])


def filled(constructor: Any, **known: Any) -> Any:
    """Build a TL object of which only some fields matter: the other required ones are 0, "" or []."""
    for name, parameter in inspect.signature(constructor).parameters.items():
        if name not in known and parameter.default is inspect.Parameter.empty:
            kind = get_origin(parameter.annotation) or parameter.annotation
            known[name] = [] if kind is list else None if get_args(parameter.annotation) else kind()
    return constructor(**known)
