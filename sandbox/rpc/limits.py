"""What a message may hold (https://core.telegram.org/api/config; the buttons' bounds are not documented)."""

from collections.abc import Sequence
from typing import Any, Final

from telethon.tl import types

from sandbox.rpc.registry import RpcError

MAX_TEXT: Final = 4096
MAX_CAPTION: Final = 1024
MAX_CAPTION_PREMIUM: Final = 4096
MAX_CALLBACK_BYTES: Final = 64
MAX_CALLBACK_ANSWER: Final = 200
MAX_BUTTONS: Final = 100
MAX_BUTTONS_IN_ROW: Final = 8
#: Names lose what is over about 60 characters, their ending stays (tginfo/Telegram-Limits#154, tdl#1136).
MAX_NAME: Final = 60


def length(text: str) -> int:
    """The length of a text as Telegram counts it, in UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def check_text(text: str) -> None:
    """Raises RpcError for a message that is empty or too long."""
    if not text.strip():
        raise RpcError(400, "MESSAGE_EMPTY")
    if length(text) > MAX_TEXT:
        raise RpcError(400, "MESSAGE_TOO_LONG")


def check_caption(text: str, *, premium: bool) -> None:
    """Raises RpcError for a caption that is too long."""
    if length(text) > (MAX_CAPTION_PREMIUM if premium else MAX_CAPTION):
        raise RpcError(400, "MEDIA_CAPTION_TOO_LONG")


def cut_name(name: str) -> str:
    """A file name as Telegram keeps it."""
    stem, dot, ending = name.rpartition(".")
    if len(name) <= MAX_NAME:
        return name
    return (
        name[:MAX_NAME] if len(ending) > MAX_NAME // 2 else stem[: MAX_NAME - len(ending) - 1] + dot + ending
    )


def is_a(sample: Any, value: Any) -> bool:
    """Whether a TL object is of the same TL type as the sample class."""
    return getattr(value, "SUBCLASS_OF_ID", None) == sample.SUBCLASS_OF_ID


def check_entities(entities: Sequence[Any]) -> None:
    """Raises RpcError for what is no formatting."""
    for entity in entities:
        if not is_a(types.MessageEntityBold, entity) or isinstance(
            entity, types.InputMessageEntityMentionName
        ):
            raise RpcError(400, "ENTITY_BOUNDS_INVALID")


def check_markup(markup: Any) -> None:
    """Raises RpcError for buttons that Telegram would not show."""
    if markup is not None and not is_a(types.ReplyInlineMarkup, markup):
        raise RpcError(400, "REPLY_MARKUP_INVALID")
    if not isinstance(markup, types.ReplyInlineMarkup):
        return
    if any(len(row.buttons) > MAX_BUTTONS_IN_ROW for row in markup.rows):
        raise RpcError(400, "REPLY_MARKUP_TOO_LONG")
    buttons = [button for row in markup.rows for button in row.buttons]
    if not buttons or len(buttons) > MAX_BUTTONS:
        raise RpcError(400, "REPLY_MARKUP_INVALID")
    for button in buttons:
        _check_button(button)


def _check_button(button: Any) -> None:
    if not button.text.strip():
        raise RpcError(400, "BUTTON_TEXT_INVALID")
    match button.type:
        case types.InlineButtonTypeCallback(data=data):
            if not 1 <= len(data) <= MAX_CALLBACK_BYTES:
                raise RpcError(400, "BUTTON_DATA_INVALID")
        case types.InlineButtonTypeUrl(url=url):
            if not url.startswith(("http://", "https://", "tg://")) or " " in url:
                raise RpcError(400, "BUTTON_URL_INVALID")
        case _:
            raise RpcError(400, "BUTTON_TYPE_INVALID")
