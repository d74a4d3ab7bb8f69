"""What the yt-dlp child says, checked: it read hostile pages, so each field has its type and its bound."""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from uploader import limits, wishes
from uploader.errors import NotSignedIn, Reason, SiteFails, SourceError, SourceTemporary
from uploader.wishes import Offer

_Text = Annotated[str, Field(max_length=500)]
_Count = Annotated[float, Field(gt=0, lt=1e15)]


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Format(_Message):
    """One way to have the film. A codec is "" where the format has no such track, None where unknown."""

    id: _Text
    url: Annotated[str, Field(max_length=8000)]
    protocol: _Text
    ext: _Text
    video: _Text | None
    audio: _Text | None
    width: _Count | None
    height: _Count | None
    fps: _Count | None
    language: _Text | None
    size_bytes: _Count | None
    about_bytes: _Count | None  # an estimate
    chunk_bytes: _Count | None  # the site slows down those who ask for more at once
    quality: _Count | None = None  # the extractor's preference of this format
    kbps: _Count | None = None
    available_at: _Count | None = (
        None  # seconds since the epoch; the site refuses it before (yt-dlp/yt-dlp#14646)
    )
    has_drm: bool
    headers: Annotated[dict[_Text, Annotated[str, Field(max_length=4000)]], Field(max_length=50)]
    cookie: Annotated[str, Field(max_length=8000)] | None = Field(repr=False)


class Subtitles(_Message):
    """Subtitles in one language, in a form that ffmpeg reads."""

    language: Annotated[str, Field(min_length=1, max_length=40)]  # as the site names it
    code: Annotated[str, Field(pattern=r"^[a-z]{3}$")]  # ISO 639-2, as containers do


class Film(_Message):
    """What a look at a link found; `formats` from the worst to the best."""

    event: Literal["found"]
    title: _Text | None
    uploader: _Text | None
    duration_s: _Count | None
    live_status: _Text | None
    thumbnail: Annotated[str, Field(max_length=8000)] | None
    extractor: _Text | None
    date: _Text | None = None  # of its publication: YYYYMMDD
    subtitles: Annotated[list[Subtitles], Field(max_length=40)] = []
    formats: Annotated[list[Format], Field(max_length=1000)]


class Entry(_Message):
    """One entry of a list, as the site says."""

    link: Annotated[str, Field(max_length=2048)]
    title: _Text
    duration_s: _Count | None


class Listed(_Message):
    """A look at a link found a list."""

    event: Literal["listed"]
    title: _Text | None
    is_whole: bool  # there are no more entries
    entries: Annotated[list[Entry], Field(min_length=2, max_length=500)]

    def as_offer(self, host: str) -> Offer:
        """The list as its person is asked about it."""
        return Offer(
            kind="list",
            title=self.title or host,
            count=len(self.entries) if self.is_whole else None,
            entries=tuple(
                wishes.Entry(link=each.link, title=each.title, duration_s=each.duration_s)
                for each in self.entries
            ),
        )


class Progress(_Message):
    """A fetch goes on."""

    event: Literal["progress"]
    done_bytes: Annotated[int, Field(ge=0)]


class Fetched(_Message):
    """All that was ordered is in its files."""

    event: Literal["fetched"]


class Failed(_Message):
    """The order could not be carried out."""

    event: Literal["failed"]
    kind: _Text
    detail: _Text

    def as_error(self, host: str) -> SourceError:
        """The failure in our terms; `detail` is for logs."""
        # what an extractor does not understand says nothing of the site's other films
        detail = f"{host}: {self.kind} ({self.detail})"
        if self.kind in _RESTS:
            reason, wait_s = _RESTS[self.kind]
            return SiteFails(reason, detail, wait_s=wait_s)
        reason, make = _KINDS.get(self.kind, (Reason.SITE_BROKEN, SourceTemporary))
        return make(reason, detail)


class Warned(_Message):
    """yt-dlp goes on, but something is not as it should be."""

    event: Literal["warned"]
    words: _Text


class Runtimes(_Message):
    """What runs the JavaScript of sites here, the best first: names with versions."""

    event: Literal["runtimes"]
    found: Annotated[list[_Text], Field(max_length=10)]


Message = Film | Listed | Progress | Fetched | Failed | Runtimes | Warned

_ADAPTER: Final[TypeAdapter[Message]] = TypeAdapter(Annotated[Message, Field(discriminator="event")])

#: The kinds of failure that the child tells apart, and what each is.
_KINDS: Final[dict[str, tuple[Reason, type[SourceError]]]] = {
    "no-media": (Reason.NO_MEDIA, SourceError),
    "playlist": (Reason.PLAYLIST, SourceError),
    "live": (Reason.LIVE, SourceError),
    "upcoming": (Reason.UPCOMING, SourceError),
    "not-live": (Reason.NOT_LIVE, SourceError),
    "paid": (Reason.PAID, SourceError),
    "set-up": (Reason.SET_UP, SourceError),
    "refused": (Reason.FORBIDDEN, SourceError),
    "session": (Reason.NEEDS_LOGIN, NotSignedIn),
    "drm": (Reason.DRM, SourceError),
    "login": (Reason.NEEDS_LOGIN, SourceError),
    "geo": (Reason.GEO_BLOCKED, SourceError),
    "gone": (Reason.NOT_FOUND, SourceError),
    "forbidden": (Reason.FORBIDDEN, SourceError),
    "too-large": (Reason.TOO_LARGE, SourceError),
    "busy": (Reason.SITE_BUSY, SiteFails),
    "unreachable": (Reason.UNREACHABLE, SiteFails),
    "down": (Reason.SITE_BROKEN, SiteFails),
}
#: Those after which the site is to be left alone, and for how many seconds.
_RESTS: Final[dict[str, tuple[Reason, float]]] = {
    "robot": (Reason.ROBOT, limits.ROBOT_REST_S),
    "limited": (Reason.SITE_BUSY, limits.LIMITED_REST_S),
}
#: Every kind that `Failed` knows; any other is an extractor that broke.
KINDS: Final = frozenset({*_KINDS, *_RESTS})


def read(raw: Any) -> Message:
    """The message that `raw`, the JSON of a line, is.

    Raises:
        SourceTemporary: INTERNAL: it is none.
    """
    try:
        return _ADAPTER.validate_python(raw)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise SourceTemporary(Reason.INTERNAL, f"the child said nonsense: {first['loc']}") from None
