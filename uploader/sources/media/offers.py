"""What can be chosen of a film: heights, the sound alone, the original, subtitles. Pure."""

from collections.abc import Mapping
from typing import Final

from uploader.names import one_line
from uploader.sources.media.formats import (
    Choice,
    choose,
    has_codec,
    heights,
    original,
    sizes,
    usable_formats,
)
from uploader.sources.media.messages import Film, Format
from uploader.wishes import BEST, ORIGINAL, SOUNDS, Offer, Option

#: Of a film in more heights than this the largest are offered.
_HEIGHTS: Final = 12
_SMOOTH_FPS: Final = 30
#: A size that no film has.
_ANY: Final = 1 << 60
#: What encoders of sound make of a second; `render` asks them for it.
SOUND_KBPS: Final[Mapping[str, int]] = {"m4a": 160, "mp3": 190, "opus": 128}


def offer_of(film: Film, cap_bytes: int) -> Offer:
    """All that there is to choose. A film in one format alone has no options.

    Raises:
        SourceError: DRM or NO_MEDIA.
    """
    usable = usable_formats(film)
    options = _options(film, usable, cap_bytes) if len(usable) > 1 else []
    return Offer(
        kind="film",
        title=one_line(film.title or ""),
        duration_s=film.duration_s,
        options=tuple(options) if len(options) > 1 else (),
        subtitles=tuple(each.language for each in film.subtitles),
    )


def _options(film: Film, usable: Mapping[int, Format], cap_bytes: int) -> list[Option]:
    best = choose(film, cap_bytes, most_bytes=_ANY)
    options = [_of_height(film, height, cap_bytes) for height in heights(usable)[:_HEIGHTS]]
    if not options and best.formats[0].video != "":
        options.append(_film_option(BEST, best, cap_bytes))
    if any(each.audio != "" for each in usable.values()):
        options += [_sound_option(film, kind, cap_bytes) for kind in SOUNDS]
    first = original(film, usable)
    if (first.numbers, first.container) != (best.numbers, best.container) or best.formats[0].video == "":
        options.append(_film_option(ORIGINAL, first, cap_bytes))
    return options


def _of_height(film: Film, height: int, cap_bytes: int) -> Option:
    key = f"v{height}"
    return _film_option(key, choose(film, cap_bytes, wish=key, most_bytes=_ANY), cap_bytes)


def _film_option(key: str, choice: Choice, cap_bytes: int) -> Option:
    first = choice.formats[0]
    size_bytes, is_about = sizes(choice.formats)
    return Option(
        key=key,
        height=None if first.height is None else int(first.height),
        fps=first.fps if (first.fps or 0) > _SMOOTH_FPS else None,
        size_bytes=size_bytes,
        is_about=size_bytes is not None and is_about,
        is_over_cap=(choice.expected_bytes or 0) > cap_bytes,
    )


def _sound_option(film: Film, kind: str, cap_bytes: int) -> Option:
    """Of a sound that is copied its site tells the size; of one that is encoded its length."""
    given = choose(film, cap_bytes, wish=kind, most_bytes=_ANY).formats[0]
    if given.video == "" and has_codec(given, kind):
        size_bytes, _ = sizes([given])
    else:
        size_bytes = None if film.duration_s is None else int(film.duration_s * SOUND_KBPS[kind] * 125)
    return Option(
        key=kind,
        size_bytes=size_bytes,
        is_about=size_bytes is not None,
        is_over_cap=(size_bytes or 0) > cap_bytes,
    )
