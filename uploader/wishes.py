"""What a person may wish of a link, and what is offered to them. Pure."""

from dataclasses import dataclass
from typing import Final, Literal

from uploader.errors import PeykError

#: Values of `Wish.format` besides "v<height>": a film of at most that height.
ASK: Final = ""
BEST: Final = "best"
ORIGINAL: Final = "original"
SOUNDS: Final = ("m4a", "mp3", "opus")


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """How somebody wants the file of a link. Without arguments: ask them, if there is something to choose."""

    format: str = ASK  # BEST is what fits best; ORIGINAL as the source has it, untouched; one of SOUNDS alone
    subtitles: str = ""  # a language, as the source names it
    start_s: float = 0.0
    stop_s: float | None = None  # None: to the end
    name: str = ""  # what the file shall be called; "": as its source says
    caption: str | None = None  # None: as the operator set it
    as_document: bool | None = None  # None: as its kind is shown best


UNDECIDED: Final = Wish()


@dataclass(frozen=True, kw_only=True, slots=True)
class Option:
    """One of the formats that can be chosen."""

    key: str  # a value of `Wish.format`
    height: int | None = None  # of the picture; None: sound alone, or not known
    fps: float | None = None
    size_bytes: int | None = None
    is_about: bool = False  # `size_bytes` is the site's estimate
    is_over_cap: bool = False  # too large for one message


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One entry of a list, as its site tells it: whether its link can be used is not known yet."""

    link: str
    title: str = ""
    duration_s: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """What can be chosen of a link."""

    kind: Literal["film", "list", "file"]
    title: str
    duration_s: float | None = None
    options: tuple[Option, ...] = ()
    subtitles: tuple[str, ...] = ()
    count: int | None = None  # of a list's entries; None: more than were looked at
    entries: tuple[Entry, ...] = ()  # of a list: those that were looked at
    size_bytes: int | None = None  # of a file
    as_document: bool | None = None  # how a file is shown now; None: in the only way that there is


class ChoiceNeeded(PeykError):
    """The link leads to more than one thing, and its person has to say which.

    `is_private`: found with an account of the operator's, so that nobody else is shown it.
    """

    def __init__(self, offer: Offer, *, is_private: bool = False) -> None:
        super().__init__(f"{offer.kind} with {len(offer.options)} options")
        self.offer = offer
        self.is_private = is_private
