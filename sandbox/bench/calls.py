"""What a message asks for, read from its first bytes: all that a data centre needs that keeps nothing. Pure.

Layouts: https://core.telegram.org/schema
"""

import struct
from dataclasses import dataclass
from typing import Final

INVOKE_WITH_LAYER: Final = 0xDA9B0D0D
INVOKE_WITHOUT_UPDATES: Final = 0xBF9459B7
INIT_CONNECTION: Final = 0xC1CD5EA9
SAVE_FILE_PART: Final = 0xB304A621
SAVE_BIG_FILE_PART: Final = 0xDE7B673D

#: Strings of initConnection: device, system, application, system's language, pack, language.
_INTRODUCTION_STRINGS: Final = 6

#: What reading beyond the end, or something else than a call, raises here.
UNREADABLE: Final = (struct.error, IndexError, ValueError)


@dataclass(frozen=True, slots=True)
class Call:
    """A request without its wrappers: its constructor, and where its fields begin in the body."""

    constructor: int
    fields_at: int


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a file on its way in. The bytes themselves are not looked at."""

    file_id: int
    number: int
    size_bytes: int


def unwrapped(body: memoryview) -> Call:
    """The request in `body`, out of what clients wrap it in. Raises one of UNREADABLE."""
    at = 0
    while True:
        constructor = _word(body, at)
        at += 4
        if constructor == INVOKE_WITH_LAYER:
            at += 4
        elif constructor == INIT_CONNECTION:
            at = _introduced(body, at)
        elif constructor != INVOKE_WITHOUT_UPDATES:
            return Call(constructor, at)


def read_part(body: memoryview, call: Call) -> Part | None:
    """The part that this call saves; None: it saves none. Raises one of UNREADABLE."""
    if call.constructor not in (SAVE_FILE_PART, SAVE_BIG_FILE_PART):
        return None
    file_id, number = struct.unpack_from("<qi", body, call.fields_at)
    data_at = call.fields_at + (16 if call.constructor == SAVE_BIG_FILE_PART else 12)
    return Part(file_id, number, _string(body, data_at)[1])


def _introduced(body: memoryview, at: int) -> int:
    """Past the fields of initConnection, from behind its constructor on."""
    if _word(body, at):
        raise ValueError("a proxy or parameters, which none of the measured clients sends")
    at += 8
    for _ in range(_INTRODUCTION_STRINGS):
        start, size_bytes = _string(body, at)
        at = start + size_bytes + -(start + size_bytes - at) % 4
    return at


def _string(body: memoryview, at: int) -> tuple[int, int]:
    """Where the bytes of a TL string begin, and how many they are."""
    if body[at] == 254:
        return at + 4, _word(body, at) >> 8
    return at + 1, body[at]


def _word(body: memoryview, at: int) -> int:
    value: int = struct.unpack_from("<I", body, at)[0]
    return value
