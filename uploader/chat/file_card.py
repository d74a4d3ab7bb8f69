"""The card of a file that a person sent: what it will be, and what its buttons mean when they come back."""

import re
from dataclasses import dataclass
from typing import Final, Literal, get_args

from uploader import limits
from uploader.model import Job
from uploader.names import one_line
from uploader.quoting import quoted
from uploader.telegram.gateway import Button, Keyboard
from uploader.texts import Texts
from uploader.wishes import Offer

#: So much of the words under a file is shown on its card.
CAPTION_CHARACTERS: Final = 300
#: And of each name in an album.
NAME_CHARACTERS: Final = 60

#: Send it; show it as a file, as a film or a song, or as it was; with no words under it, or as it was.
Verb = Literal["send", "doc", "play", "same", "bare", "words"]
_PRESSED: Final = re.compile(rb"file:([0-9]{1,18}):(%s)\Z" % b"|".join(map(str.encode, get_args(Verb))))


@dataclass(frozen=True, slots=True)
class FilePressed:
    """A button of the card of a job's file."""

    job_id: int
    verb: str  # one of Verb


def pressed(data: bytes) -> FilePressed | None:
    """What a pressed button asks for; None: it is none of a file's card."""
    match = _PRESSED.match(data)
    return FilePressed(int(match[1]), match[2].decode()) if match else None


class FileCard:
    """The card of one file."""

    def __init__(self, texts: Texts, job: Job, offer: Offer) -> None:
        self._texts = texts
        self._job = job
        self._offer = offer

    def text(self) -> str:
        """The file as it will be, and what can be done."""
        wish, lines = self._job.wish, list[str]()
        is_album = len(self._offer.files) > 1
        name = wish.name or self._offer.title
        size = self._texts.size(self._job.language, self._offer.size_bytes or 0)
        if is_album:
            lines += [quoted(one_line(each.name)[:NAME_CHARACTERS]) for each in self._offer.files]
        if wish.caption is not None:
            shown = " ".join(wish.caption.split())
            cut = shown[:CAPTION_CHARACTERS] + ("…" if len(shown) > CAPTION_CHARACTERS else "")
            key = "album-caption" if is_album else "file-caption"
            lines.append(self._get(key, caption=cut) if cut else self._get("file-bare"))
        if wish.as_document is not None:
            lines.append(self._get("file-as-file" if wish.as_document else "file-as-media"))
        wait = self._texts.duration(self._job.language, limits.WAITING_CHOICE_S)
        if is_album:
            first, how = self._get("album-card", count=len(self._offer.files), size=size), "album-how"
        else:
            first, how = self._get("file-card", name=name, size=size), "file-how"
        head = "\n".join([first, *lines])
        return f"{head}\n\n{self._get(how, wait=wait)}"

    def keyboard(self) -> Keyboard:
        """Send it, what can be changed, and the way out."""
        wish, now = self._job.wish, self._offer.as_document
        change = [self._words()]
        if wish.as_document is not None:
            change.append(self._button("button-file-same", "same"))
        elif now is not None:
            change.append(
                self._button("button-as-media", "play") if now else self._button("button-as-file", "doc")
            )
        cancel = Button(text=self._get("button-cancel"), data=b"cancel:%d" % self._job.id)
        links = [Button(text=self._get("button-file-link"), data=b"list:%d:0" % self._job.id)]
        offered = [links] if self._offer.entries else []
        return [[self._button("button-file-send", "send")], *offered, change, [cancel]]

    def _words(self) -> Button:
        if self._job.wish.caption == "":
            return self._button("button-file-words", "words")
        return self._button("button-file-bare", "bare")

    def _button(self, key: str, verb: Verb) -> Button:
        return Button(text=self._get(key), data=b"file:%d:%s" % (self._job.id, verb.encode()))

    def _get(self, key: str, /, **arguments: str | int) -> str:
        return self._texts.get(self._job.language, key, **arguments)
