"""The buttons of a batch's card. What comes back proves nothing: see `keyboards`."""

import re
from dataclasses import dataclass
from typing import Literal

from uploader.telegram.gateway import Button, Keyboard
from uploader.texts import Texts

_OF_BATCH = re.compile(rb"batch:(cancel|again):([0-9]{1,18})\Z")


@dataclass(frozen=True, slots=True)
class BatchPressed:
    """A button of a batch."""

    wish: Literal["cancel", "again"]
    batch_id: int


def pressed(data: bytes) -> BatchPressed | None:
    """What a pressed button asks for; None: it is none of a batch."""
    match = _OF_BATCH.match(data)
    return match and BatchPressed("cancel" if match[1] == b"cancel" else "again", int(match[2]))


def of_batch(batch_id: int) -> tuple[bytes, ...]:
    """The data of buttons that only messages of this batch have."""
    return b"batch:cancel:%d" % batch_id, b"batch:again:%d" % batch_id


def cancel(texts: Texts, language: str, batch_id: int) -> Keyboard:
    """The one button of a batch that is under way."""
    return [[Button(text=texts.get(language, "button-cancel-all"), data=b"batch:cancel:%d" % batch_id)]]


def again(texts: Texts, language: str, batch_id: int) -> Keyboard:
    """The one button of a batch of which something failed."""
    return [[Button(text=texts.get(language, "button-again-failed"), data=b"batch:again:%d" % batch_id)]]
