"""The card of a film: what can be had of it, and what its buttons mean when they come back."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from uploader import limits, spans
from uploader.model import Job, OverCap
from uploader.names import one_line
from uploader.quoting import Said, quoted
from uploader.spans import Span
from uploader.telegram.gateway import Button, Keyboard
from uploader.texts import Texts
from uploader.wishes import ASK, BEST, ORIGINAL, SOUNDS, Offer, Option, Wish

#: A film in more ways than this has some of no interest. With the others they are fewer than 100 buttons:
#: https://docs.python-telegram-bot.org/en/stable/telegram.constants.html#telegram.constants.InlineKeyboardMarkupLimit
MOST_OPTIONS: Final = 24
TITLE_CHARACTERS: Final = 200
LANGUAGES_A_PAGE: Final = 24
LANGUAGES_A_ROW: Final = 3
#: Usual films need not say how many pictures a second they have.
USUAL_FPS: Final = 30

_PRESSED: Final = re.compile(
    rb"(?:(?P<pick>pick):(?P<a>[0-9]{1,18}):(?P<key>v[1-9][0-9]{0,4}|[a-z0-9]{1,12})"
    rb"|(?P<numbered>page|sub):(?P<b>[0-9]{1,18}):(?P<number>[0-9]{1,4})"
    rb"|(?P<plain>card|cut|whole|always):(?P<c>[0-9]{1,18}))\Z"
)


@dataclass(frozen=True, slots=True)
class Picked:
    """One of the formats."""

    job_id: int
    key: str


@dataclass(frozen=True, slots=True)
class PageAsked:
    """Show the languages of subtitles, from this page on; from 0."""

    job_id: int
    page: int


@dataclass(frozen=True, slots=True)
class SubtitleChosen:
    """One of the subtitles, from 1; 0: none."""

    job_id: int
    number: int


@dataclass(frozen=True, slots=True)
class CardAsked:
    """Back from the languages to the formats."""

    job_id: int


@dataclass(frozen=True, slots=True)
class CutAsked:
    """How does one say which part of the film is wanted?"""

    job_id: int


@dataclass(frozen=True, slots=True)
class WholeWanted:
    """The whole film after all."""

    job_id: int


@dataclass(frozen=True, slots=True)
class AlwaysWanted:
    """All films in the format of this job from now on."""

    job_id: int


_PLAIN: Final[Mapping[bytes, type[CardAsked | CutAsked | WholeWanted | AlwaysWanted]]] = MappingProxyType(
    {b"card": CardAsked, b"cut": CutAsked, b"whole": WholeWanted, b"always": AlwaysWanted}
)
Press = Picked | PageAsked | SubtitleChosen | CardAsked | CutAsked | WholeWanted | AlwaysWanted


def pressed(data: bytes) -> Press | None:
    """What a pressed button of a card asks for; None: it is none of them."""
    match = _PRESSED.match(data)
    if match is None:
        return None
    if match["pick"]:
        return Picked(int(match["a"]), match["key"].decode())
    if match["numbered"]:
        numbered = PageAsked if match["numbered"] == b"page" else SubtitleChosen
        return numbered(int(match["b"]), int(match["number"]))
    return _PLAIN[match["plain"]](int(match["c"]))


def format_name(texts: Texts, language: str, wanted: str) -> Said:
    """A value of `Wish.format` in the person's words."""
    if wanted in SOUNDS:
        return texts.get(language, "format-sound", kind=Said(wanted))
    if wanted in (ASK, BEST, ORIGINAL):
        return texts.get(language, f"format-{wanted or 'ask'}")
    return texts.get(language, "format-film", quality=Said(f"{wanted.removeprefix('v')}p"))


def always(texts: Texts, job: Job) -> Keyboard:
    """Offers what was chosen for this job for all films."""
    label = texts.get(job.language, "button-always", format=format_name(texts, job.language, job.wish.format))
    return [[Button(text=label, data=b"always:%d" % job.id)]]


class Card:
    """The card of one film for one person, who wants `over_cap` of files that do not fit into one message."""

    def __init__(self, texts: Texts, job: Job, offer: Offer, over_cap: OverCap) -> None:
        self._texts = texts
        self._job = job
        self._offer = offer
        options = offer.options[:MOST_OPTIONS]
        if job.wish.subtitles or span_of(job.wish):
            options = tuple(option for option in options if option.key != ORIGINAL)  # untouched it stays
        self._left_out = [each for each in options if self._is_over(each) and over_cap is OverCap.REFUSE]
        self._options = [each for each in options if each not in self._left_out]

    def text(self) -> str:
        """The film, what was composed so far, and the question."""
        title = quoted(one_line(self._offer.title)[:TITLE_CHARACTERS])
        about: list[str] = [quoted(self._job.link.host)]
        if self._offer.duration_s:
            about.insert(0, self._texts.clock(self._job.language, self._offer.duration_s))
        wish, lines = self._job.wish, []
        if (span := span_of(wish)) is not None:
            written = self._texts.digits(self._job.language, spans.written(span))
            lines.append(self._get("choice-cut", span=written))
        if wish.subtitles:
            lines.append(self._get("choice-subtitles", language=self._language(wish.subtitles)))
        if any(map(self._is_over, self._options)):
            lines.append(self._get("choice-parts", cap=self._texts.cap(self._job.language)))
        if self._left_out:
            labels = Said(", ".join(self._name(option) for option in self._left_out))
            lines.append(self._get("choice-left-out", cap=self._texts.cap(self._job.language), labels=labels))
        wait = self._texts.duration(self._job.language, limits.WAITING_CHOICE_S)
        blocks = [title, " · ".join(about)], lines, [self._get("choice", wait=wait)]
        return "\n\n".join("\n".join(filter(None, block)) for block in blocks if block)

    def keyboard(self) -> Keyboard:
        """Pictures, sounds, what can be composed, and the way out."""
        pictures = [self._pick(each) for each in self._options if each.key not in (*SOUNDS, ORIGINAL)]
        sounds = [self._pick(each) for each in self._options if each.key in SOUNDS]
        original = [self._pick(each) for each in self._options if each.key == ORIGINAL]
        compose = [self._button("button-cut", b"cut")]
        if span_of(self._job.wish) is not None:
            compose = [self._button("button-whole", b"whole")]
        if self._offer.subtitles:
            chosen = self._job.wish.subtitles
            language = self._language(chosen) if chosen else "–"
            compose.append(self._button("button-subtitles", b"page", b":0", language=language))
        cancel = self._button("button-cancel", b"cancel")
        return [*_rows(pictures, 2), *_rows(sounds, 2), *_rows(original, 1), compose, [cancel]]

    def languages(self, page: int) -> tuple[str, Keyboard]:
        """The subtitles that there are, a page at a time: text and buttons."""
        first = page * LANGUAGES_A_PAGE
        subtitles = self._offer.subtitles
        buttons = [
            self._chosen_or_not(self._language(tag), tag, number)
            for number, tag in enumerate(subtitles[first : first + LANGUAGES_A_PAGE], first + 1)
        ]
        none = [self._chosen_or_not(self._get("button-no-subtitles"), "", 0)]
        pages = [
            self._button("button-page", b"page", b":%d" % other, number=other + 1)
            for other in (page - 1, page + 1)
            if 0 <= other * LANGUAGES_A_PAGE < len(subtitles)
        ]
        back = self._button("button-back", b"card")
        title = quoted(one_line(self._offer.title)[:TITLE_CHARACTERS])
        text = "\n\n".join(filter(None, [title, self._get("choice-languages")]))
        return text, [none, *_rows(buttons, LANGUAGES_A_ROW), *([pages] if pages else []), [back]]

    def _pick(self, option: Option) -> Button:
        label = self._name(option)
        size_bytes, is_about = self._size(option)
        if size_bytes is not None:
            size = self._texts.size(self._job.language, size_bytes)
            size = self._get("about", size=size) if is_about else size
            label = self._get("button-option", label=label, size=size)
        if self._is_over(option):
            label = self._get("button-option-over", label=label)
        return Button(text=label, data=b"pick:%d:%s" % (self._job.id, option.key.encode()))

    def _name(self, option: Option) -> str:
        if option.key in SOUNDS:
            return self._get("button-sound", kind=option.key)
        if option.key in (BEST, ORIGINAL):
            return self._get(f"button-{option.key}")
        fps = f"{option.fps:.0f}" if option.fps and round(option.fps) > USUAL_FPS else ""
        return f"{option.height or option.key.removeprefix('v')}p{fps}"

    def _size(self, option: Option) -> tuple[int | None, bool]:
        """What the file will weigh, and whether that is an estimate; a part weighs its share."""
        span, duration_s = span_of(self._job.wish), self._offer.duration_s
        if option.size_bytes is None or span is None:
            return option.size_bytes, option.is_about
        if not duration_s:
            return None, True
        length_s = (duration_s if span.stop_s is None else min(span.stop_s, duration_s)) - span.start_s
        return max(1, round(option.size_bytes * max(0.0, length_s) / duration_s)), True

    def _is_over(self, option: Option) -> bool:
        size_bytes, _ = self._size(option)
        if span_of(self._job.wish) is None or size_bytes is None:
            return option.is_over_cap
        return size_bytes > self._texts.cap_bytes

    def _language(self, tag: str) -> Said:
        tag = one_line(tag)[:24]
        return self._get("language-name", tag=Said(tag) if tag.isalpha() else tag)

    def _chosen_or_not(self, label: str, tag: str, number: int) -> Button:
        label = self._get("button-chosen", label=label) if tag == self._job.wish.subtitles else label
        return Button(text=label, data=b"sub:%d:%d" % (self._job.id, number))

    def _button(self, key: str, verb: bytes, more: bytes = b"", **arguments: str | int) -> Button:
        return Button(text=self._get(key, **arguments), data=b"%s:%d%s" % (verb, self._job.id, more))

    def _get(self, key: str, /, **arguments: str | int) -> Said:
        return self._texts.get(self._job.language, key, **arguments)


def span_of(wish: Wish) -> Span | None:
    """The part of the film that is wished; None: the whole."""
    if wish.start_s == 0.0 and wish.stop_s is None:
        return None
    return Span(start_s=wish.start_s, stop_s=wish.stop_s)


def _rows(buttons: Sequence[Button], width: int) -> list[Sequence[Button]]:
    return [buttons[at : at + width] for at in range(0, len(buttons), width)]
