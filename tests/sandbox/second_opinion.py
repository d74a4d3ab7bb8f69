"""A second opinion on what the data centre says: Kurigram's classes, which others made of Telegram's schema.

The sandbox writes by Telethon's classes, so Telethon alone could not tell what is wrong in them.
"""

import struct
from collections import Counter
from datetime import datetime
from io import BytesIO
from typing import Any

from pyrogram.raw.core import TLObject
from pyrogram.raw.core.primitives import Vector

from sandbox import tl
from sandbox.mtproto.messages import RPC_RESULT


class Opinion:
    """Reads every message as Kurigram does. `objections` says where the two differ."""

    def __init__(self) -> None:
        self.heard: Counter[str] = Counter()
        self.objections: list[str] = []

    def hear(self, body: bytes) -> None:
        """Read one message of the server."""
        if struct.unpack_from("<I", body) == (RPC_RESULT,):
            self.heard["rpcResult"] += 1
            body = body[12:]
        try:
            self._compare(body)
        except Exception as error:  # noqa: BLE001 - whatever goes wrong in reading is what is looked for
            self.objections.append(f"{body[:64].hex()}: {error!r}")

    def _compare(self, body: bytes) -> None:
        reader = BytesIO(body)
        read = TLObject.read(reader)
        theirs = read if isinstance(read, list) else [read]
        if rest := reader.read():
            raise ValueError(f"{len(rest)} bytes behind {theirs}")
        if (written := _write(theirs, body)) != body:
            raise ValueError(f"{theirs} would be {written.hex()}, not {body.hex()}")
        for ours, other in zip(_our_objects(body), theirs, strict=True):
            self._same(ours, other)

    def _same(self, ours: Any, theirs: Any) -> None:
        """Raise ValueError where a name or a value differs, however deep."""
        if not isinstance(theirs, TLObject):
            if ours != theirs:
                raise ValueError(f"{ours!r} is {theirs!r}")
            return
        name = tl.name_of(type(ours))
        self.heard[name] += 1
        if name != _name(theirs):
            raise ValueError(f"{name} is {_name(theirs)}")
        for field in theirs.__slots__:
            mine, other = _plain(getattr(ours, field)), _plain(getattr(theirs, field))
            if isinstance(mine, list) and isinstance(other, list):
                for pair in zip(mine, other, strict=True):
                    self._same(*pair)
            else:
                self._same(mine, other)


def read_object(reader: BytesIO, _size: float) -> Any:
    """An item of a vector. Kurigram would take an object of 8 bytes at the end of a message for a number."""
    return TLObject.read(reader)


def _write(objects: list[Any], body: bytes) -> bytes:
    if struct.unpack_from("<I", body) == (tl.VECTOR,):
        return bytes(Vector(objects))
    (value,) = objects
    return tl.write(value) if isinstance(value, bool) else bytes(value.write())


def _our_objects(body: bytes) -> list[Any]:
    if struct.unpack_from("<I", body) != (tl.VECTOR,):
        return [tl.read(body)]
    objects, at = [], 8
    while at < len(body):
        found, length = tl.read_first(body[at:])
        objects.append(found)
        at += length
    return objects


def _name(theirs: Any) -> str:
    """`updates.state` for types.updates.State."""
    *namespace, name = theirs.QUALNAME.removeprefix("types.").split(".")
    return ".".join([*namespace, name[0].lower() + name[1:]])


def _plain(value: Any) -> Any:
    """The value without what the two write differently: dates, flags and lists that are not there."""
    if isinstance(value, datetime):
        return int(value.timestamp())
    return None if value is False or (isinstance(value, list) and not value) else value
