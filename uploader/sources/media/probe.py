"""PyAV, alone in a process: `python -I probe.py FILE BYTES` says what a film or song is in a line of JSON.

The first BYTES of the file are there, and perhaps its end or its index; what lies between is a hole.
"""

import base64
import io
import json
import math
import sys
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any, Final

import av
from av.stream import Disposition
from av.video.frame import VideoFrame

#: https://core.telegram.org/api/files#uploading-files and Telethon's own advice for thumbnails
THUMBNAIL_PIXELS: Final = 320
THUMBNAIL_BYTES: Final = 20_000
#: Pictures that are looked at for one that is not black.
_PICTURES: Final = 100
#: How much the brightness differs, at least, in a picture with something to be seen.
_LIVELY: Final = 20.0
_QUALITIES: Final = (3, 5, 8, 12, 18, 26, 31)
_FORMATS: Final = "mov,mp4,matroska,webm,mpegts,mpeg,avi,flv,asf,ogg,mp3,flac,wav,aac"
_MATROSKA: Final = b"\x1a\x45\xdf\xa3"
_TEXT_CHARACTERS: Final = 200


def main() -> None:
    """Look at the file, and say what it is: null for a file that is neither film nor song."""
    path, known_bytes = Path(sys.argv[1]), int(sys.argv[2])
    whole = known_bytes >= path.stat().st_size
    with path.open("rb") as file:
        head = b"" if whole else file.read(known_bytes)
    # the index of an MP4 says where everything lies; other readers would search through the hole
    indexed = whole or head[4:8] == b"ftyp"
    told: Any = str(path) if indexed or not head.startswith(_MATROSKA) else io.BytesIO(head)
    with _opened(told) as film:
        facts, picture = _facts(film)
        if facts is None or picture is None:
            frame = None
        elif indexed:
            frame = _best(_frames(film, picture, whole, known_bytes))
        else:
            with _opened(io.BytesIO(head)) as beginning:
                frame = _best(_frames(beginning, beginning.streams[picture.index], False, known_bytes))
        if facts is not None and frame is not None:
            if facts["kind"] == "video" and frame.rotation % 180:  # taken upright, and lies in its file
                facts["width"], facts["height"] = facts["height"], facts["width"]
            facts["thumbnail"] = base64.b64encode(_jpeg(frame, _ratio(picture))).decode() or None
    sys.stdout.write(json.dumps(facts) + "\n")


def _opened(what: Any) -> Any:
    limits = {"protocol_whitelist": "file", "format_whitelist": _FORMATS}
    return av.open(what, "r", options=limits, metadata_errors="replace")


def _facts(film: Any) -> tuple[dict[str, Any] | None, Any]:
    """What the heads say, and the stream to take a picture from."""
    covers = [stream for stream in film.streams.video if stream.disposition & Disposition.attached_pic]
    pictures = [stream for stream in film.streams.video if stream not in covers]
    sounds = film.streams.audio
    if not pictures and not sounds:
        return None, None
    # of a song in Ogg, the tags are its sound's
    tagged = {**(sounds[0].metadata if sounds else {}), **film.metadata}
    tags = {name.lower(): value[:_TEXT_CHARACTERS] for name, value in tagged.items()}
    width, height = _size(pictures[0]) if pictures else (0, 0)
    facts = {
        "kind": "video" if pictures else "audio",
        "duration_s": _duration_s(film, [*pictures, *sounds]),
        "width": width,
        "height": height,
        "silent": not sounds,
        "audio_codec": sounds[0].codec_context.codec.canonical_name[:_TEXT_CHARACTERS] if sounds else None,
        "title": tags.get("title"),
        "performer": tags.get("artist") or tags.get("album_artist"),
        "thumbnail": None,
    }
    return facts, next(iter(pictures + covers), None)


def _duration_s(film: Any, streams: list[Any]) -> float:
    if film.duration:
        return float(film.duration / av.time_base)
    lengths = [float(stream.duration * stream.time_base) for stream in streams if stream.duration]
    return max(lengths, default=0.0)


def _size(stream: Any) -> tuple[int, int]:
    """Width and height of what is seen: pixels need not be square."""
    return round(stream.width * _ratio(stream)), stream.height


def _ratio(stream: Any) -> float:
    """How much wider than high a pixel is."""
    return float(stream.sample_aspect_ratio or 1)


def _frames(film: Any, stream: Any, whole: bool, known_bytes: int) -> Iterator[VideoFrame]:
    """The first pictures that can be read; of a whole film, first some from further on."""
    stream.thread_type = "NONE"
    if whole and film.duration:
        with suppress(av.error.FFmpegError):
            film.seek(int(film.duration * 0.1))
            yield from islice(_readable(film, stream, known_bytes), 3)
        with suppress(av.error.FFmpegError):
            film.seek(0)
    yield from islice(_readable(film, stream, known_bytes), _PICTURES)


def _readable(film: Any, stream: Any, known_bytes: int) -> Iterator[VideoFrame]:
    with suppress(av.error.FFmpegError):
        for packet in film.demux(stream):
            if packet.pos is not None and packet.pos + packet.size > known_bytes:
                return
            with suppress(av.error.FFmpegError):
                yield from (frame for frame in packet.decode() if not frame.is_corrupt)


def _best(frames: Iterator[VideoFrame]) -> VideoFrame | None:
    """The first picture with something to be seen, or the liveliest of those that there are."""
    best, most = None, -1.0
    for frame in frames:
        lively = _liveliness(frame)
        if lively > most:
            best, most = frame, lively
        if most >= _LIVELY:
            break
    return best


def _liveliness(frame: VideoFrame) -> float:
    """The standard deviation of the brightness of a few pixels."""
    small = frame.reformat(width=16, height=16, format="gray")
    plane = small.planes[0]
    data = bytes(plane)
    shades = [
        shade for row in range(16) for shade in data[row * plane.line_size : row * plane.line_size + 16]
    ]
    mean = sum(shades) / len(shades)
    return math.sqrt(sum((shade - mean) ** 2 for shade in shades) / len(shades))


def _jpeg(frame: VideoFrame, ratio: float) -> bytes:
    """The picture upright, in square pixels, small, and in few bytes; b"" if that cannot be."""
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=frame.width,
        height=frame.height,
        format=frame.format,
        time_base=frame.time_base or Fraction(1, 1000),
    )
    wide, high = frame.width * ratio, float(frame.height)
    shrink = min(1.0, THUMBNAIL_PIXELS / max(wide, high))
    size = f"{max(1, round(wide * shrink))}:{max(1, round(high * shrink))}:out_range=full"
    turns = {90: ("2",), 180: ("2", "2"), 270: ("1",)}.get(frame.rotation % 360, ())
    steps = [graph.add("scale", size), *(graph.add("transpose", turn) for turn in turns)]
    graph.link_nodes(source, *steps, graph.add("format", "yuvj420p"), graph.add("buffersink")).configure()
    graph.push(frame)
    small = graph.pull()
    sizes = (_encoded(small, quality) for quality in _QUALITIES)
    return next((data for data in sizes if len(data) <= THUMBNAIL_BYTES), b"")


def _encoded(frame: Any, quality: int) -> bytes:
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, "yuvj420p"
    encoder.time_base = Fraction(1, 25)
    encoder.sample_aspect_ratio = Fraction(1)
    encoder.qmin = encoder.qmax = quality
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


if __name__ == "__main__":
    main()
