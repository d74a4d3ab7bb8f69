"""Which command a message is."""

from typing import Final

from uploader.marks import without_marks

#: The words under a file.
CAPTION: Final = "caption"


def command_of(text: str, username: str) -> str | None:
    """The command that a message to the bot of this name starts with, in lower case and without its slash.

    "": it is for another bot; None: there is none. Marks that come with copied text mean nothing.
    """
    first = without_marks(next(iter(text.split(maxsplit=1)), ""))
    word, _, bot = first.removeprefix("/").partition("@")
    if not first.startswith("/") or not word:
        return None
    return word.lower() if bot.lower() in {"", username.lower()} else ""
