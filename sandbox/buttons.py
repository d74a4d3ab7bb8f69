"""The buttons of a message, and where their links lead."""

import re
from typing import Any

from telethon.tl import types


def buttons_of(message: Any) -> list[list[Any]]:
    """The inline buttons of a message, row by row."""
    markup = message.reply_markup
    return [row.buttons for row in markup.rows] if isinstance(markup, types.ReplyInlineMarkup) else []


def find_button(message: Any, wanted: str | bytes | int) -> Any:
    """A button by its label, its data, or its number through all rows. Raises LookupError."""
    buttons = [button for row in buttons_of(message) for button in row]
    for number, button in enumerate(buttons):
        data = getattr(button.type, "data", None)
        if wanted in (button.text, data) if not isinstance(wanted, int) else wanted == number:
            return button
    raise LookupError(f"no button {wanted!r} among {[button.text for button in buttons]}")


def channel_of_link(url: str) -> str | None:
    """The username in a t.me link."""
    found = re.fullmatch(r"(?:https?://)?t\.me/([A-Za-z]\w{2,31})/?", url)
    return found[1] if found else None


def invite_of_link(url: str) -> str | None:
    """What stands behind the plus of an invite link."""
    found = re.fullmatch(r"(?:https?://)?t\.me/(?:\+|joinchat/)([\w-]{8,64})/?", url)
    return found[1] if found else None
