"""What ffmpeg is to make of a film: the sound alone, a span of it, subtitles in it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from uploader.errors import Reason, SourceError
from uploader.model import RemoteFile
from uploader.names import one_line, safe_name
from uploader.sources.media.formats import Choice, container_of, has_codec
from uploader.sources.media.messages import Film
from uploader.wishes import SOUNDS, Wish

#: What is made of a span of a file, by its type: files of the same kind, or of one that takes all codecs.
_CONTAINERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "video/mp4": "mp4",
        "video/quicktime": "mov",
        "video/x-m4v": "mp4",
        "video/x-matroska": "mkv",
        "video/webm": "webm",
        "video/mp2t": "mp4",
        "video/x-flv": "mkv",
        "video/x-msvideo": "mkv",
        "audio/mpeg": "mp3",
        "audio/mp4": "m4a",
        "audio/x-m4a": "m4a",
        "audio/aac": "m4a",
        "audio/ogg": "ogg",
        "audio/opus": "opus",
        "audio/flac": "flac",
        "audio/x-flac": "flac",
        "audio/wav": "wav",
        "audio/x-wav": "wav",
    }
)


#: How subtitles are written in the containers that have a place for them.
SUBTITLED: Final[Mapping[str, str]] = MappingProxyType(
    {"mp4": "mov_text", "mov": "mov_text", "mkv": "subrip", "webm": "webvtt"}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """What to make of one file, or of a picture and a sound."""

    container: str  # a suffix
    sound: str = ""  # one of SOUNDS, alone; "": the pictures as well, as they are
    copies: bool | None = None  # the sound goes as it is; None: if its codec allows it
    start_s: float = 0.0
    stop_s: float | None = None
    duration_s: float | None = None  # of the whole, as far as it is known
    keeps: bool = False  # all tracks and tags
    tags: tuple[tuple[str, str], ...] = ()
    language: str = ""  # of the subtitles that go in, in three letters; "": none do

    @property
    def is_span(self) -> bool:
        """Whether only a part of it is wished for."""
        return self.start_s > 0 or self.stop_s is not None


def recipe_of_film(film: Film, choice: Choice, wish: Wish) -> Recipe | None:
    """What is to be made of the formats that were chosen; None: nothing but to join them."""
    code = next((each.code for each in film.subtitles if each.language == wish.subtitles), "")
    given, length = choice.formats[0], film.duration_s
    recipe = Recipe(
        container=container_of(choice), start_s=wish.start_s, stop_s=wish.stop_s, duration_s=length
    )
    if wish.format in SOUNDS:
        copies = has_codec(given, wish.format) if given.audio else None
        return replace(recipe, sound=wish.format, copies=copies, tags=_tags(film))
    recipe = replace(recipe, language=code if recipe.container in SUBTITLED else "")
    return recipe if recipe.is_span or recipe.language else None


def recipe_of_file(remote: RemoteFile, wish: Wish) -> Recipe | None:
    """What is to be made of a plain file; None: it goes as it is.

    Of a film the sound alone is made, if that is wished; a song stays what it is.
    """
    container = _CONTAINERS.get(remote.mime_type)
    is_film = remote.mime_type.startswith("video/")
    sound = wish.format if is_film and wish.format in SOUNDS else ""
    if container is None or not (sound or wish.start_s > 0 or wish.stop_s is not None):
        return None
    return Recipe(
        container=sound or container, sound=sound, start_s=wish.start_s, stop_s=wish.stop_s, keeps=True
    )


def name_of_file(remote: RemoteFile, recipe: Recipe) -> str:
    """What a plain file is called after the `recipe`."""
    return safe_name(f"{Path(remote.name).stem}.{recipe.container}", fallback=remote.name, mime_type=None)


def check_span(recipe: Recipe) -> None:
    """Raises SourceError (OUT_OF_RANGE): what is wished for is not in the film."""
    if recipe.stop_s is not None and recipe.stop_s <= recipe.start_s:
        raise SourceError(Reason.OUT_OF_RANGE, f"from {recipe.start_s} to {recipe.stop_s}")
    if recipe.duration_s is not None and recipe.start_s >= recipe.duration_s:
        raise SourceError(Reason.OUT_OF_RANGE, f"from {recipe.start_s} of {recipe.duration_s}")


def span_s(recipe: Recipe) -> float | None:
    """How long what is made will be; None: not known."""
    stop_s = min((each for each in (recipe.stop_s, recipe.duration_s) if each is not None), default=None)
    return None if stop_s is None else max(0.0, stop_s - recipe.start_s)


def _tags(film: Film) -> tuple[tuple[str, str], ...]:
    date = film.date if film.date and len(film.date) == 8 and film.date.isdecimal() else None
    day = f"{date[:4]}-{date[4:6]}-{date[6:]}" if date else None
    given = {"title": film.title, "artist": film.uploader, "date": day}
    return tuple((name, one_line(value)) for name, value in given.items() if value)
