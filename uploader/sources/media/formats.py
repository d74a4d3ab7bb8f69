"""Which of a film's formats are brought: as wished, as Telegram takes it, the cheapest of equals. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from uploader.errors import Reason, SourceError
from uploader.sources.media.messages import Film, Format
from uploader.wishes import BEST, ORIGINAL, SOUNDS

#: Streamed by our own hands, chunk by chunk; nothing of them is on disk.
PLAIN: Final = frozenset({"http", "https"})
#: Lists of segments, which yt-dlp fetches and ffmpeg joins.
_SEGMENTS: Final = frozenset({"m3u8", "m3u8_native", "http_dash_segments"})
#: Codecs that have a place in MP4, which plays while it is fetched.
_IN_MP4: Final = ("avc", "h264", "hvc", "hev", "h265", "av01", "av1", "vp9", "vp09", "mp4v")
_AUDIO_CONTAINERS: Final = (("mp3", "mp3"), ("opus", "ogg"), ("vorbis", "ogg"), ("flac", "flac"))
#: The codecs that go into a sound as they are.
_AS_IT_IS: Final = {"m4a": r"(?:mp4a(?:\.40.*)?|aac.*)", "mp3": r"(?:mp3|mp4a\.6b|mp4a\.69)", "opus": r"opus"}
#: Plain files whose suffix tells what they are.
_BY_SUFFIX: Final = {
    **{"mp4": "mp4", "m4v": "mp4", "mov": "mov", "webm": "webm", "mkv": "mkv", "flv": "mkv", "avi": "mkv"},
    **{"mp3": "mp3", "m4a": "m4a", "ogg": "ogg", "oga": "ogg", "opus": "opus", "flac": "flac", "wav": "wav"},
}
_HEIGHT: Final = re.compile(r"v([0-9]{1,5})")
_MOST_LINES: Final = 99_999
#: A picture of so many lines has a sound that is worth to be taken out of it.
_DECENT_LINES: Final = 360


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """What to bring: one format, or a picture and a sound to be joined."""

    numbers: tuple[int, ...]  # in the film's list
    formats: tuple[Format, ...]
    container: str | None  # what the parts are joined into; None: one plain file, streamed as it is
    expected_bytes: int | None


def choose(film: Film, cap_bytes: int, *, wish: str = BEST, most_bytes: int = 0) -> Choice:
    """What of `film` is brought for a `wish` (see `Wish.format`).

    The best is one that is not known to be over the cap. A picture of the height that is wished for, or the
    best if all are over the cap, may have `most_bytes`, if that is more.

    Raises:
        SourceError: TOO_LARGE, DRM, NO_MEDIA, or NO_SOUND.
    """
    usable = usable_formats(film)
    if wish in SOUNDS:
        choices = [choice_of(film, (_sound_for(wish, usable),), wish)]
    elif wish == ORIGINAL:
        choices = [original(film, usable)]
    else:
        choices = [choice_of(film, numbers) for numbers in _from_the_best(usable)]
        if lines := _HEIGHT.fullmatch(wish):
            choices = _of_height(choices, int(lines[1]))
    return _affordable(choices, cap_bytes, most_bytes)


def usable_formats(film: Film) -> dict[int, Format]:
    """The formats that can be fetched, by their number.

    Raises:
        SourceError: DRM or NO_MEDIA: there are none.
    """
    usable = {number: each for number, each in enumerate(film.formats) if _is_usable(each)}
    if not usable:
        protected = any(each.has_drm for each in film.formats)
        raise SourceError(Reason.DRM if protected else Reason.NO_MEDIA, "no format that can be fetched")
    return usable


def heights(usable: Mapping[int, Format]) -> list[int]:
    """The heights that there are, from the largest."""
    known = {int(each.height) for each in usable.values() if each.video != "" and each.height}
    return sorted((each for each in known if each <= _MOST_LINES), reverse=True)


def original(film: Film, usable: Mapping[int, Format]) -> Choice:
    """The best that the source has, whatever its codecs: in its own container."""
    pictures = [number for number in usable if usable[number].video != ""]
    sounds = [number for number in usable if usable[number].video == ""]
    best = max(pictures or sounds, key=lambda number: (*_rank(usable[number]), number))
    numbers: tuple[int, ...] = (best,)
    if usable[best].audio == "" and sounds:
        language = usable[max(sounds)].language
        spoken = [number for number in sounds if usable[number].language == language]
        numbers = (best, max(spoken, key=lambda number: (*_rank(usable[number]), number)))
    return choice_of(film, numbers, _own_container([usable[number] for number in numbers]))


def choice_of(film: Film, numbers: tuple[int, ...], container: str | None = None) -> Choice:
    """The choice of these formats, in a `container` if it is not for us to say."""
    formats = tuple(film.formats[number] for number in numbers)
    known = [size for size in map(size_of, formats) if size is not None]
    plain = len(formats) == 1 and formats[0].protocol in PLAIN and container not in SOUNDS
    return Choice(
        numbers=numbers,
        formats=formats,
        container=None if plain else container or _container(formats),
        # a part of unknown size adds to what is known: the known part alone can be too large
        expected_bytes=sum(known) if known else None,
    )


def container_of(choice: Choice) -> str:
    """The suffix of what it is, or becomes."""
    if choice.container is not None:
        return choice.container
    return _BY_SUFFIX.get(choice.formats[0].ext) or _container(choice.formats)


def size_of(given: Format) -> int | None:
    """How many bytes it has, as far as its site says."""
    size = given.size_bytes or given.about_bytes
    return None if size is None else int(size)


def has_codec(given: Format, sound: str) -> bool:
    """Whether its sound goes into a file of the kind `sound` as it is, as far as that is known."""
    return re.fullmatch(_AS_IT_IS[sound], given.audio or "", re.IGNORECASE) is not None


def _affordable(choices: Sequence[Choice], cap_bytes: int, most_bytes: int) -> Choice:
    """The first that fits, or its equal that can be streamed; if none does, the one that is least over it."""
    fitting = [each for each in choices if (each.expected_bytes or 0) <= cap_bytes]
    if fitting:
        best = fitting[0]
        equals = [each for each in fitting if each.container is None and _picture(each) >= _picture(best)]
        return equals[0] if equals else best
    least = min(choices, key=lambda each: each.expected_bytes or 0)
    if (least.expected_bytes or 0) > most_bytes:
        raise SourceError(Reason.TOO_LARGE, f"{len(choices)} formats, all of them over the cap")
    return least


def _is_usable(given: Format) -> bool:
    known = given.protocol in PLAIN | _SEGMENTS
    return known and bool(given.url) and not given.has_drm and (given.video, given.audio) != ("", "")


def _from_the_best(usable: Mapping[int, Format]) -> Iterator[tuple[int, ...]]:
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


def _few(sounds: Sequence[int], usable: Mapping[int, Format]) -> tuple[int, ...]:
    """The best sound, and the smallest, should the best be what makes a film too large."""
    smallest = min(sounds, key=lambda number: size_of(usable[number]) or float("inf"))
    return (sounds[0],) if smallest == sounds[0] else (sounds[0], smallest)


def _of_height(choices: Sequence[Choice], lines: int) -> list[Choice]:
    """Those with the largest picture of at most so many lines; if all have more, with the smallest."""
    known = {each.formats[0].height for each in choices} - {None}
    if not known:
        return list(choices)
    height = max((each for each in known if each and each <= lines), default=min(filter(None, known)))
    return [each for each in choices if each.formats[0].height == height]


def _sound_for(wish: str, usable: Mapping[int, Format]) -> int:
    """The format that a sound is made of: one that need not be encoded anew, or else the best."""
    alone = [number for number in sorted(usable, reverse=True) if usable[number].video == ""]
    within = [number for number in sorted(usable) if usable[number].audio != ""]
    if not within:
        raise SourceError(Reason.NO_SOUND, "no format with a sound")
    decent = [number for number in within if (usable[number].height or _DECENT_LINES) >= _DECENT_LINES]
    among = alone or decent or within[-1:]
    return next((number for number in among if has_codec(usable[number], wish)), among[0])


def _own_container(formats: Sequence[Format]) -> str | None:
    """The container that the parts come in already; None: they are no pair of files."""
    if len(formats) == 1:
        return None
    kinds = {each.ext for each in formats}
    return "mp4" if kinds <= {"mp4", "m4a", "m4v"} else "webm" if kinds == {"webm"} else "mkv"


def _container(formats: tuple[Format, ...]) -> str:
    video, audio = formats[0].video, formats[-1].audio
    if video == "":
        return next((name for codec, name in _AUDIO_CONTAINERS if (audio or "").startswith(codec)), "m4a")
    return "mp4" if video is None or video.lower().startswith(_IN_MP4) else "mkv"


def _rank(given: Format) -> tuple[float, ...]:
    return (given.quality or 0, given.height or 0, given.fps or 0, given.kbps or 0)


def _picture(choice: Choice) -> tuple[float, float]:
    first = choice.formats[0]
    return first.height or 0, first.fps or 0


def sizes(formats: Iterable[Format]) -> tuple[int | None, bool]:
    """How many bytes formats have together (None: not known of all), and whether that is an estimate."""
    listed = list(formats)
    known = [size for size in map(size_of, listed) if size is not None]
    return (sum(known) if len(known) == len(listed) else None), any(not each.size_bytes for each in listed)
