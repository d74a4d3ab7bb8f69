"""Hostile bytes: requests that are nearly right, and noise behind beginnings that are."""

import contextlib
import inspect
import random
import struct
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from types import NoneType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from telethon.tl import types
from telethon.tl.alltlobjects import tlobjects

from sandbox import tl
from sandbox.mtproto.messages import CONTAINER
from sandbox.rpc.dispatch import TABLE

#: What Telethon raises for a number that does not fit its field, or a field that cannot be without another.
_UNWRITABLE: Final = (
    struct.error,
    AttributeError,
    TypeError,
    ValueError,
    OverflowError,
    AssertionError,
    NameError,
)
_CONSTRUCTORS: Final = sorted(tlobjects)
#: Numbers at which readers of lengths, counts and flags stumble.
_EDGES: Final = (0, 1, 0xFE, 0xFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, tl.VECTOR, CONTAINER, tl.GZIP_PACKED)


class Sampler:
    """Makes TL objects by what their fields are declared to be: well-formed, and mostly nonsense.

    `numbers` are ids and access hashes that mean something in the world.
    """

    def __init__(self, seed: int, numbers: Sequence[int]) -> None:
        self.dice = random.Random(seed)
        self._numbers = [
            *numbers,
            *numbers,
            *numbers,
            *numbers,
            *(0, 1, 2, 3, -1, 100, 2**31 - 1, -(2**31), 2**63 - 1),
        ]
        self._fields: dict[Any, dict[str, Any]] = {}
        self._kinds: dict[str, Any] = {}
        for module in [types, *vars(types).values()]:
            if inspect.ismodule(module):
                self._kinds |= {name: kind for name, kind in vars(module).items() if name.startswith("Type")}

    def requests(self, count: int) -> list[bytes]:
        """Requests of methods that the data centre answers."""
        methods = [entry.request for entry in TABLE.values()]
        return [self._bytes(self.dice.choice(methods)) for _ in range(count)]

    def _bytes(self, constructor: Any) -> bytes:
        for _ in range(10):
            with contextlib.suppress(*_UNWRITABLE):
                return bytes(self._object(constructor, 0))
        return struct.pack("<I", constructor.CONSTRUCTOR_ID)

    def _object(self, constructor: Any, depth: int) -> Any:
        if constructor not in self._fields:
            self._fields[constructor] = get_type_hints(constructor.__init__, localns=self._kinds)
        fields = self._fields[constructor]
        return constructor(**{name: self._value(kind, depth + 1) for name, kind in fields.items()})

    def _value(self, kind: Any, depth: int) -> Any:
        dice, options = self.dice, [option for option in get_args(kind) if option is not NoneType]
        if get_origin(kind) is Union:
            if NoneType in get_args(kind) and (depth > 4 or dice.random() < 0.6):
                return None
            return self._value(dice.choice(options), depth)
        if get_origin(kind) is list:
            return [self._value(options[0], depth) for _ in range(dice.choice([0, 1, 1, 2, 5]))]
        if kind is int:
            return dice.choice(self._numbers)
        if kind is str:
            return dice.choice(["", "text", "peyk_bot", "/start", "ی" * 50, "x" * 5000, "https://t.me/+a"])
        if kind is bytes:
            return dice.randbytes(dice.choice([0, 1, 64, 256]))
        if kind is datetime:
            return dice.choice([None, datetime(2030, 1, 1, tzinfo=UTC)])
        return bool(dice.randrange(2)) if kind is bool else self._object(kind, depth)


class Mutator:
    """Changes good bytes for the worse, the same way in each run."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)

    def body(self, good: list[bytes]) -> bytes:
        """A message's body: whole words, as the envelope demands."""
        dice = self.dice
        data = bytearray(dice.choice(good))
        for _ in range(dice.choice([0, 0, 0, 1, 2, 4])):
            at = dice.randrange(0, len(data) + 1, 4) if data else 0
            match dice.randrange(6):
                case 0:
                    data[at : at + 4] = struct.pack("<I", dice.choice(_EDGES))
                case 1:
                    data[at:at] = struct.pack("<I", dice.choice(_CONSTRUCTORS))
                case 2:
                    del data[at : at + 4 * dice.randrange(1, 8)]
                case 3:
                    data[at:at] = dice.randbytes(4 * dice.randrange(1, 16))
                case 4:
                    data[at:at] = dice.choice(good)
                case 5:
                    data[at:at] = data[: 4 * dice.randrange(8)]
        data = data[: 64 * 1024]
        return bytes(data + bytes(-len(data) % 4)) or bytes(4)

    def wrapped(self, body: bytes) -> bytes:
        """Sometimes within a container or gzip that may lie about what it holds."""
        dice = self.dice
        match dice.randrange(8):
            case 0:
                count = dice.choice([1, 1, 2, 1021, -1, dice.choice(_EDGES) - 2**31])
                length = dice.choice([len(body), len(body), len(body) + 4, -4, 2**31 - 1])
                inner = struct.pack("<qii", dice.randrange(2**63), dice.randrange(9), length) + body
                return struct.pack("<Ii", CONTAINER, count) + inner
            case 1:
                packed = bytearray(zlib.compress(body * dice.choice([1, 1, 300]), wbits=31))
                if dice.random() < 0.3:
                    packed[dice.randrange(len(packed))] ^= 1 << dice.randrange(8)
                head, padding = tl.write_bytes(bytes(packed))
                return struct.pack("<I", tl.GZIP_PACKED) + head + packed + padding
        return body

    def stream(self) -> bytes:
        """What a connection may begin with: noise, or noise behind a beginning that is right."""
        dice = self.dice
        noise = dice.randbytes(dice.randrange(1, 400))
        plain = struct.pack("<qqi", 0, dice.randrange(2**61) * 4, len(noise) // 4 * 4) + noise
        head = struct.pack("<ii", len(plain) + 12, 0) + plain
        return dice.choice(
            [
                noise,
                dice.choice(
                    [b"\xef", b"\xee" * 4, b"\xdd" * 4, b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02"]
                )
                + noise,
                b"\xee" * 4 + struct.pack("<i", len(plain)) + plain,
                b"\xdd" * 4 + struct.pack("<I", dice.choice([len(plain), 0xFFFFFFFF, 3])) + plain,
                b"\xef" + bytes([len(plain) // 4 & 0x7F]) + plain,
                head + struct.pack("<I", zlib.crc32(head)),
            ]
        )
