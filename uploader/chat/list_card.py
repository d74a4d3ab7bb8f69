"""The card of a list: what is in it, how much of it is wanted and as what."""

import re
from dataclasses import dataclass
from typing import Final

from uploader import limits
from uploader.chat.choice import TITLE_CHARACTERS, format_name
from uploader.model import Job
from uploader.names import one_line
from uploader.quoting import quoted
from uploader.telegram.gateway import Button, Keyboard
from uploader.texts import Texts
from uploader.wishes import BEST, Entry, Offer

#: The formats that all of a list can be had in; of each film it is what comes next to it.
FORMATS: Final = (BEST, "v720", "m4a", "mp3")
FIRST: Final = (5, 10, 25)
SHOWN_ENTRIES: Final = 10
_NAME_CHARACTERS: Final = 80

_PRESSED: Final = re.compile(rb"list:([0-9]{1,18}):(?:([0-9]{1,3})|([a-z0-9]{1,6}))\Z")


@dataclass(frozen=True, slots=True)
class ListPressed:
    """A button of the card: so many of the first entries (0: all), or everything in this format."""

    job_id: int
    first: int | None = None
    wanted: str = ""


def pressed(data: bytes) -> ListPressed | None:
    """What a pressed button of a list asks for; None: it is none of them."""
    match = _PRESSED.match(data)
    if match is None:
        return None
    if match[2] is not None:
        return ListPressed(int(match[1]), first=int(match[2]))
    wanted = match[3].decode()
    return ListPressed(int(match[1]), wanted=wanted) if wanted in FORMATS else None


def card(texts: Texts, job: Job, offer: Offer) -> tuple[str, Keyboard]:
    """The text of the card and its buttons."""
    return _text(texts, job, offer), _keyboard(texts, job, offer)


def _text(texts: Texts, job: Job, offer: Offer) -> str:
    language, looked_at = job.language, len(offer.entries)
    count = texts.get(language, "list-count" if offer.count else "list-more", count=looked_at)
    lines = [_line(texts, language, at, entry) for at, entry in enumerate(offer.entries[:SHOWN_ENTRIES], 1)]
    if looked_at > SHOWN_ENTRIES:
        lines.append(texts.get(language, "batch-more", count=looked_at - SHOWN_ENTRIES))
    wait = texts.duration(language, limits.WAITING_CHOICE_S)
    question = texts.get(language, "list-question", last=looked_at, wait=wait)
    title = quoted(one_line(offer.title)[:TITLE_CHARACTERS])
    return "\n\n".join([f"{title}\n{quoted(job.link.host)} · {count}", "\n".join(lines), question])


def _line(texts: Texts, language: str, number: int, entry: Entry) -> str:
    name = one_line(entry.title)[:_NAME_CHARACTERS] or "…"
    if entry.duration_s is None:
        return texts.get(language, "list-line", number=number, name=name)
    length = texts.clock(language, entry.duration_s)
    return texts.get(language, "list-line-length", number=number, name=name, length=length)


def _keyboard(texts: Texts, job: Job, offer: Offer) -> Keyboard:
    looked_at = len(offer.entries)
    chosen = job.wish.format or BEST
    formats = [_format(texts, job, wanted, is_chosen=wanted == chosen) for wanted in FORMATS]
    if chosen not in FORMATS:  # what this person always wants
        formats.insert(0, _format(texts, job, chosen, is_chosen=True))
    counts = [
        Button(
            text=texts.get(job.language, "button-first", count=count), data=b"list:%d:%d" % (job.id, count)
        )
        for count in FIRST
        if count < looked_at
    ]
    whole = Button(text=texts.get(job.language, "button-all", count=looked_at), data=b"list:%d:0" % job.id)
    cancel = Button(text=texts.get(job.language, "button-cancel"), data=b"cancel:%d" % job.id)
    return (
        [counts, [whole], formats[:2], formats[2:], [cancel]]
        if counts
        else [
            [whole],
            formats[:2],
            formats[2:],
            [cancel],
        ]
    )


def _format(texts: Texts, job: Job, wanted: str, *, is_chosen: bool) -> Button:
    label = format_name(texts, job.language, wanted)
    if is_chosen:
        label = texts.get(job.language, "button-chosen", label=label)
    return Button(text=label, data=b"list:%d:%s" % (job.id, wanted.encode()))
