"""The buttons of a message, whose shape changed with layer 228.

Before it, each kind of button was a constructor of its own, and inline keyboards had rows like all others.
Since then a button has a text, a style, and a type.
"""

import re
from types import MappingProxyType
from typing import Any, Final

from telethon.tl import types
from telethon.tl.alltlobjects import tlobjects

from sandbox import tl

#: A layer that defines this has the new shape.
NEW_SHAPE: Final = "keyboardInlineButton"
_TYPES: Final = {types.ButtonTypeDefault.SUBCLASS_OF_ID, types.InlineButtonTypeBuy.SUBCLASS_OF_ID}


def _older_name(button_type: Any) -> str:
    """`keyboardButtonUrl` for InlineButtonTypeUrl, `keyboardButton` for ButtonTypeDefault."""
    name = re.sub(r"(Inline)?ButtonType(Default)?", "KeyboardButton", button_type.__name__, count=1)
    return name[0].lower() + name[1:]


_TYPE_OF: Final = MappingProxyType(
    {_older_name(known): known for known in tlobjects.values() if known.SUBCLASS_OF_ID in _TYPES}
)


def older(value: Any) -> tuple[str, dict[str, Any]] | None:
    """Name and fields of a button or a row in the shape before; None: it is neither."""
    match value:
        case types.KeyboardButton() | types.KeyboardInlineButton():
            fields = {"text": value.text, "style": value.style}
            return _older_name(type(value.type)), fields | vars(value.type)
        case types.KeyboardInlineButtonRow():
            return "keyboardButtonRow", vars(value)
    return None


def newer(name: str, fields: dict[str, Any]) -> Any:
    """What an older button or inline keyboard is now; None: it is neither. Raises tl.Malformed."""
    if name in _TYPE_OF:
        text, style = fields.pop("text"), fields.pop("style", None)
        return types.KeyboardButton(text, tl.filled(_TYPE_OF[name], **fields), style)
    if name == "replyInlineMarkup":
        return types.ReplyInlineMarkup([_inline_row(row) for row in fields["rows"]])
    return None


def _inline_row(row: Any) -> Any:
    if not isinstance(row, types.KeyboardButtonRow):
        raise tl.Malformed("replyInlineMarkup")
    if not all(isinstance(button, types.KeyboardButton) for button in row.buttons):
        raise tl.Malformed("keyboardButtonRow")
    return types.KeyboardInlineButtonRow(
        [types.KeyboardInlineButton(button.text, button.type, button.style) for button in row.buttons]
    )
