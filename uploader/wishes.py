"""What a person may wish of a link, and what is offered to them. Pure."""

from dataclasses import dataclass, replace
from typing import Final, Literal

from uploader.errors import PeykError

#: Values of `Wish.format` besides "v<height>": a film of at most that height.
ASK: Final = ""
BEST: Final = "best"
ORIGINAL: Final = "original"
SOUNDS: Final = ("m4a", "mp3", "opus")
#: https://core.telegram.org/method/messages.sendMultiMedia
ALBUM_FILES: Final = 10
#: So many of the links under a file, or an album, can be had as well.
FILE_LINKS: Final = 10


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
class AlbumFile:
    """One file of an album, in a message of its own."""

    message_id: int
    name: str
    size_bytes: int | None
    as_document: bool | None  # see `Offer`


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
    album_id: int = 0  # of the album that a file belongs to; 0: to none
    files: tuple[AlbumFile, ...] = ()  # of the album, as far as they have come


def belong(album: Offer, more: Offer) -> bool:
    """Whether files are of one album, which takes no more than Telegram lets through: the rest is another."""
    files = {each.message_id for each in (*album.files, *more.files)}
    return album.album_id == more.album_id and len(files) <= ALBUM_FILES


def joined(album: Offer, more: Offer) -> Offer:
    """An album with what came of it later: other files, or other words with links under one that it has.

    See `belong`.
    """
    files = {each.message_id: each for each in (*more.files, *album.files)}
    in_order = tuple(files[number] for number in sorted(files))
    links = {each.link: each for each in (*album.entries, *more.entries)}
    shown = {each.as_document for each in in_order} - {None}
    return replace(
        album,
        title=in_order[0].name,
        size_bytes=sum(each.size_bytes or 0 for each in in_order),
        as_document=shown.pop() if len(shown) == 1 else None,
        files=in_order,
        entries=tuple(links.values())[:FILE_LINKS],
    )


class ChoiceNeeded(PeykError):
    """The link leads to more than one thing, and its person has to say which.

    `is_private`: found with an account of the operator's, so that nobody else is shown it.
    """

    def __init__(self, offer: Offer, *, is_private: bool = False) -> None:
        super().__init__(f"{offer.kind} with {len(offer.options)} options")
        self.offer = offer
        self.is_private = is_private
