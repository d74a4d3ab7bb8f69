"""The TL codec: Telethon's classes behind a reader that is safe to feed with anything."""

import inspect
import struct
import zlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, get_args, get_origin

from telethon.errors import TypeNotFoundError
from telethon.extensions import BinaryReader
from telethon.tl.alltlobjects import tlobjects

BOOL_TRUE: Final = 0x997275B5
BOOL_FALSE: Final = 0xBC799737
VECTOR: Final = 0x1CB5C415
GZIP_PACKED: Final = 0x3072CFA1

#: What all that is packed in one message may come to.
MOST_UNPACKED_BYTES: Final = 1024 * 1024 + 4096

#: Reads the fields of one constructor.
Read = Callable[[Any], Any]
_NOTHING_FOREIGN: Final[Mapping[int, Read]] = MappingProxyType({})


class Malformed(Exception):
    """The bytes are no TL object of the schema. The message names the constructor where that is known."""


class _Reader(BinaryReader):
    """Telethon's reader without its core objects: its gzip unpacks without bound.

    `foreign` reads constructors that Telethon does not know, by id. What is packed inside may come to
    `unpacked_bytes`: clients pack a call inside invokeWithLayer and the like.
    """

    def __init__(self, body: bytes, foreign: Mapping[int, Read], unpacked_bytes: int) -> None:
        super().__init__(body)
        self._foreign = foreign
        self._unpacked_bytes = unpacked_bytes

    def tgread_object(self) -> Any:
        constructor_id = self.read_int(signed=False)
        found = tlobjects.get(constructor_id)
        if found is not None:
            return found.from_reader(self)
        if constructor_id in (BOOL_TRUE, BOOL_FALSE):
            return constructor_id == BOOL_TRUE
        if constructor_id in self._foreign:
            return self._foreign[constructor_id](self)
        if constructor_id == GZIP_PACKED and self._unpacked_bytes:
            return self._unpacked()
        raise TypeNotFoundError(constructor_id, b"")

    def _unpacked(self) -> Any:
        """The object that is packed here; in what was packed, nothing may be again."""
        body = unzip(self.tgread_bytes(), self._unpacked_bytes)
        self._unpacked_bytes -= len(body)
        reader = _Reader(body, self._foreign, unpacked_bytes=0)
        unpacked = reader.tgread_object()
        if reader.tell_position() != len(body):
            raise Malformed("trailing bytes")
        return unpacked


def unzip(packed: bytes | memoryview, most_bytes: int = MOST_UNPACKED_BYTES) -> bytes:
    """What was packed by gzip or zlib. Raises Malformed, also when it is more than may be."""
    unzip = zlib.decompressobj(wbits=47)
    try:
        body = unzip.decompress(packed, most_bytes)
    except zlib.error as error:
        raise Malformed("gzip") from error
    if not unzip.eof:
        raise Malformed("gzip")
    return body


def read_first(body: bytes, foreign: Mapping[int, Read] = _NOTHING_FOREIGN) -> tuple[Any, int]:
    """Read the TL object at the start: the object and its length. Raises Malformed.

    `foreign` reads constructors of other layers, by id (see sandbox.layers).
    """
    reader = _Reader(body, foreign, MOST_UNPACKED_BYTES)
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
