"""Which of a film's formats are brought: the best that Telegram takes, the cheapest of equals. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from uploader.errors import Reason, SourceError
from uploader.sources.media.messages import Film, Format

#: Streamed by our own hands, chunk by chunk; nothing of them is on disk.
_PLAIN: Final = frozenset({"http", "https"})
#: Lists of segments, which yt-dlp fetches and ffmpeg joins.
_SEGMENTS: Final = frozenset({"m3u8", "m3u8_native", "http_dash_segments"})
#: Codecs that have a place in MP4, which plays while it is fetched.
_IN_MP4: Final = ("avc", "h264", "hvc", "hev", "h265", "av01", "av1", "vp9", "vp09", "mp4v")
_AUDIO_CONTAINERS: Final = (("mp3", "mp3"), ("opus", "ogg"), ("vorbis", "ogg"), ("flac", "flac"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """What to bring: one format, or a picture and a sound to be joined."""

    numbers: tuple[int, ...]  # in the film's list
    formats: tuple[Format, ...]
    container: str | None  # what the parts are joined into; None: one plain file, streamed as it is
    expected_bytes: int | None


def choose(film: Film, cap_bytes: int) -> Choice:
    """The best of `film` that is not known to be over the cap.

    Raises:
        SourceError: TOO_LARGE, DRM, or NO_MEDIA.
    """
    usable = {number: each for number, each in enumerate(film.formats) if _is_usable(each)}
    if not usable:
        protected = any(each.has_drm for each in film.formats)
        raise SourceError(Reason.DRM if protected else Reason.NO_MEDIA, "no format that can be fetched")
    choices = [_choice(film, numbers) for numbers in _from_the_best(usable)]
    fitting = [each for each in choices if (each.expected_bytes or 0) <= cap_bytes]
    if not fitting:
        raise SourceError(Reason.TOO_LARGE, f"{len(choices)} formats, all of them over the cap")
    best = fitting[0]
    equals = [each for each in fitting if each.container is None and _picture(each) >= _picture(best)]
    return equals[0] if equals else best


def _is_usable(given: Format) -> bool:
    known = given.protocol in _PLAIN | _SEGMENTS
    return known and bool(given.url) and not given.has_drm and (given.video, given.audio) != ("", "")


def _from_the_best(usable: dict[int, Format]) -> Iterator[tuple[int, ...]]:
    """Formats with a picture, each with the best sound if it has none; then sounds alone."""
    from_best = sorted(usable, reverse=True)
    sounds = [number for number in from_best if usable[number].video == ""]
    pictures = [number for number in from_best if usable[number].video != ""]
    for number in pictures:
        if usable[number].audio != "":
            yield (number,)
        elif sounds:
            yield from ((number, sound) for sound in _few(sounds, usable))
    yield from ((number,) for number in pictures if usable[number].audio == "" and not sounds)
    if not pictures:
        yield from ((number,) for number in sounds)


def _few(sounds: Sequence[int], usable: dict[int, Format]) -> tuple[int, ...]:
    """The best sound, and the smallest, should the best be what makes a film too large."""
    smallest = min(sounds, key=lambda number: _size(usable[number]) or float("inf"))
    return (sounds[0],) if smallest == sounds[0] else (sounds[0], smallest)


def _choice(film: Film, numbers: tuple[int, ...]) -> Choice:
    formats = tuple(film.formats[number] for number in numbers)
    sizes = [_size(each) for each in formats]
    known = [size for size in sizes if size is not None]
    plain = len(formats) == 1 and formats[0].protocol in _PLAIN
    return Choice(
        numbers=numbers,
        formats=formats,
        container=None if plain else _container(formats),
        # a part of unknown size adds to what is known: the known part alone can be too large
        expected_bytes=sum(known) if known else None,
    )


def _container(formats: tuple[Format, ...]) -> str:
    video, audio = formats[0].video, formats[-1].audio
    if video == "":
        return next((name for codec, name in _AUDIO_CONTAINERS if (audio or "").startswith(codec)), "m4a")
    return "mp4" if video is None or video.lower().startswith(_IN_MP4) else "mkv"


def _size(given: Format) -> int | None:
    size = given.size_bytes or given.about_bytes
    return None if size is None else int(size)


def _picture(choice: Choice) -> tuple[float, float]:
    first = choice.formats[0]
    return first.height or 0, first.fps or 0
