"""What the answers to sends tell: the message, and the file that Telegram holds."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from telethon import errors
from telethon.tl import types

from uploader.errors import PartsLost, Reason, TransferError
from uploader.model import Delivered, Document
from uploader.telegram.refusals import GONE


@contextmanager
def parts_needed() -> Iterator[None]:
    """Around sending a file that was just uploaded: what Telegram says when it does not have all of it.

    Raises:
        PartsLost, TransferError
    """
    try:
        yield
    except errors.FilePart0MissingError:
        raise PartsLost(Reason.UPLOAD_FAILED, "part 0", part=0) from None
    except errors.FilePartMissingError as error:
        raise PartsLost(Reason.UPLOAD_FAILED, f"part {error.which}", part=error.which) from None
    except GONE as error:
        raise TransferError(Reason.UPLOAD_FAILED, type(error).__name__) from None


def delivered_by(result: Any, random_id: int) -> Delivered:
    """What the answer to a send tells of the message and of the file that Telegram holds."""
    size_bytes = name = held = None
    for update in getattr(result, "updates", ()):
        message = getattr(update, "message", None)
        if isinstance(document := getattr(getattr(message, "media", None), "document", None), types.Document):
            size_bytes = int(document.size)
            names = [each.file_name for each in document.attributes if hasattr(each, "file_name")]
            name, held = names[0] if names else None, document_of(message)
    message_id = message_id_of(result, random_id)
    return Delivered(message_id=message_id, size_bytes=size_bytes, name=name, document=held)


def document_of(message: Any) -> Document | None:
    """The file of a message."""
    document = getattr(getattr(message, "media", None), "document", None)
    if not isinstance(document, types.Document):
        return None
    return Document(id=document.id, access_hash=document.access_hash, file_reference=document.file_reference)


def message_id_of(result: Any, random_id: int) -> int | None:
    """The id of the message that a send made, from whichever form of answer the data centre chose."""
    if isinstance(result, types.UpdateShortSentMessage):
        return int(result.id)
    updates = getattr(result, "updates", ())
    named = [u.id for u in updates if isinstance(u, types.UpdateMessageID) and u.random_id == random_id]
    new = [u.message.id for u in updates if isinstance(u, types.UpdateNewMessage)]
    return next(iter(named + new), None)
