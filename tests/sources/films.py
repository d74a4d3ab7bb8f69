"""A small web of films, on loopback: made by a real ffmpeg, served by real sockets."""

import asyncio
import re
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from tests.sources.sites import Answer, Asked, Site, head, ranged, reply, site
from uploader.sources.media.ffmpeg import program

SECONDS: Final = 3
WIDTH: Final = 320
HEIGHT: Final = 180

_PICTURE: Final = ("-f", "lavfi", "-i", f"testsrc2=size={WIDTH}x{HEIGHT}:rate=25:duration={SECONDS}")
_TONE: Final = ("-f", "lavfi", "-i", f"sine=frequency=440:duration={SECONDS}")
_H264: Final = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-pix_fmt", "yuv420p")
_AAC: Final = ("-c:a", "aac", "-b:a", "64k")
_HLS: Final = ("-f", "hls", "-hls_time", "1", "-hls_playlist_type", "vod")

TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".mpd": "application/dash+xml",
    ".mp4": "video/mp4",
    ".m4s": "video/mp4",
    ".ts": "video/mp2t",
    ".m4a": "audio/mp4",
    ".mp3": "audio/mpeg",
    ".jpg": "image/jpeg",
}


def ffmpeg(*arguments: str, cwd: Path) -> None:
    """Run ffmpeg; fails the test with what it said."""
    ran = subprocess.run(
        [program(), "-nostdin", "-loglevel", "error", "-y", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert 0 == ran.returncode, ran.stderr


def make_films(folder: Path) -> None:
    """Everything that the web serves, as files below `folder`."""
    ffmpeg(*_PICTURE, *_TONE, *_H264, *_AAC, "-shortest", "late.mp4", cwd=folder)
    copy = ("-i", "late.mp4", "-c", "copy")
    ffmpeg(*copy, "-movflags", "+faststart", "film.mp4", cwd=folder)
    ffmpeg(*copy, "-an", "-movflags", "+faststart", "picture.mp4", cwd=folder)
    ffmpeg(*copy, "-vn", "tone.m4a", cwd=folder)
    tags = ("-metadata", "title=A Tone", "-metadata", "artist=Anna")
    ffmpeg(*copy, "-vn", "-c:a", "libmp3lame", *tags, "tone.mp3", cwd=folder)
    ffmpeg(*copy, "film.mkv", cwd=folder)
    ffmpeg("-i", "film.mp4", "-frames:v", "1", "cover.jpg", cwd=folder)
    _make_lists(folder, copy)
    (folder / "page.html").write_text(PAGE)
    (folder / "empty.html").write_text("<html><title>Nothing</title><body>no film here</body></html>")


def _make_lists(folder: Path, copy: tuple[str, ...]) -> None:
    for name, more in (
        ("hls", ()),
        ("fmp4", ("-hls_segment_type", "fmp4")),
        ("aes", ("-hls_key_info_file", "key.info")),
    ):
        (folder / name).mkdir()
        (folder / name / "key.bin").write_bytes(bytes(range(16)))
        (folder / name / "key.info").write_text("key.bin\nkey.bin\n")
        ffmpeg("-i", "../late.mp4", "-c", "copy", *_HLS, *more, "list.m3u8", cwd=folder / name)
    whole = (folder / "hls" / "list.m3u8").read_text()
    lines = whole.splitlines()
    first = next(at for at, line in enumerate(lines) if line.startswith("#EXTINF"))
    again = ["#EXT-X-DISCONTINUITY", *lines[first:]]
    (folder / "hls" / "joined.m3u8").write_text("\n".join([*lines[:-1], *again, ""]))
    (folder / "hls" / "live.m3u8").write_text(
        "\n".join(line for line in lines if line not in {"#EXT-X-ENDLIST", "#EXT-X-PLAYLIST-TYPE:VOD"})
    )
    (folder / "dash").mkdir()
    apart = ("-adaptation_sets", "id=0,streams=v id=1,streams=a", "-seg_duration", "1")
    ffmpeg("-i", "../late.mp4", "-c", "copy", *apart, "-f", "dash", "list.mpd", cwd=folder / "dash")


PAGE: Final = """<!DOCTYPE html>
<html><head>
<title>The Tone: a Film</title>
<meta property="og:title" content="The Tone: a Film">
<meta property="og:type" content="video.other">
<meta property="og:image" content="/cover.jpg">
</head><body><video src="/film.mp4" poster="/cover.jpg" controls></video></body></html>
"""


def served(folder: Path, answers: Mapping[str, Answer]) -> Answer:
    """The files below `folder`; `answers` speak for the paths that they are named after, as in `a_b_mp4`."""

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        path = asked.path.partition("?")[0].lstrip("/")
        special = answers.get(re.sub(r"[/.-]", "_", path))
        if special is not None:
            await special(asked, writer)
            return
        file = folder / path
        if not file.is_file():
            await reply(404)(asked, writer)
            return
        kind = TYPES.get(file.suffix, "application/octet-stream")
        await ranged(file.read_bytes(), f"Content-Type: {kind}", f'ETag: "{path}"')(asked, writer)

    return answer


async def endless(asked: Asked, writer: asyncio.StreamWriter) -> None:
    """A live list: each look at it finds a few segments more, and never an end."""
    writer.write(head(200, "Content-Type: application/vnd.apple.mpegurl"))
    lines = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:1", "#EXT-X-MEDIA-SEQUENCE:0"]
    lines += [line for n in range(3) for line in ("#EXTINF:1.0,", f"/hls/list{n}.ts")]
    writer.write("\n".join([*lines, ""]).encode())


@asynccontextmanager
async def web(
    folder: Path, answers: Mapping[str, Answer] | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[Site]:
    """The web of films, listening."""
    async with site(served(folder, answers or {}), host) as listening:
        yield listening
