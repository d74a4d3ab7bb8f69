"""What `run.py bench sources` measures: how fast links become bytes, beside yt-dlp and aria2c alone.

A site of its own process serves a film: as a plain file, also one of which each connection gets little, on a
page, and in segments (HLS), and as picture and sound apart (DASH).
It is fetched in rounds, each way and program in turn, so that whatever slows the machine slows all; medians
count. What is fetched is counted and thrown away; what is put together lies on the disk, and its peak is
measured.
"""

import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from ipaddress import ip_network
from pathlib import Path
from statistics import median
from typing import Final

from aiohttp import web

from uploader.errors import PeykError
from uploader.limits import MIB
from uploader.links import parse
from uploader.sources import Sources
from uploader.sources.media import ffmpeg
from uploader.wishes import BEST, Wish

_PICTURE: Final = "picture.mp4"
_SOUND: Final = "sound.m4a"
_FILM: Final = "film.mp4"
_PAGE: Final = (
    "<!DOCTYPE html><html><head><title>Film</title></head><body><video src='/film.mp4'></video></body></html>"
)
_LIST: Final = """<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"
 mediaPresentationDuration="PT{seconds}S"><Period>
<AdaptationSet mimeType="video/mp4"><Representation id="v" codecs="avc1.42c028" width="1920" height="1080"
 bandwidth="1000000"><BaseURL>picture.mp4</BaseURL></Representation></AdaptationSet>
<AdaptationSet mimeType="audio/mp4"><Representation id="a" codecs="mp4a.40.2" bandwidth="64000">
<BaseURL>sound.m4a</BaseURL></Representation></AdaptationSet></Period></MPD>"""
_WAYS: Final = (
    ("plain file", _FILM),
    ("capped file", f"capped/{_FILM}"),
    ("on a page", "page.html"),
    ("HLS segments", "hls/list.m3u8"),
    ("DASH pair", "list.mpd"),
)
#: Of these the whole way counts, for what is brought is there only when all was fetched.
_JOINED: Final = frozenset({"HLS segments", "DASH pair"})
#: What a connection gets of the capped file, in a second, and in one go.
_CAP_BYTES_S: Final = 10_000_000
_SIP_BYTES: Final = 1 << 17
_SECONDS: Final = 2
_PEER_S: Final = 600.0
_LOOK_S: Final = 0.02


class BenchError(PeykError):
    """Something that was to be measured did not work; the message says what."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One thing fetched by one program. Seconds are from the link to the last byte; all are medians."""

    program: str
    what: str
    size_bytes: int
    seconds: float
    stream_s: float | None  # of these, without the look at a page: from the first byte to the last
    disk_ratio: float  # the most that lay on disk, of the size

    @property
    def mb_s(self) -> float:
        """Megabytes a second, the look left out."""
        return self.size_bytes / (self.stream_s or self.seconds) / 1e6

    @property
    def sentence(self) -> str:
        """For people."""
        return (
            f"{self.what:12} {self.program:8} {self.mb_s:7.1f} MB/s, {self.seconds:5.1f} s in all, "
            f"{self.disk_ratio:.2f}x on disk"
        )


async def measure(size_bytes: int, rounds: int, report: Callable[[str], None]) -> list[Figure]:
    """Fetch a film of about `size_bytes` in every way, in so many rounds; `report` is told of each way.

    Our engine runs already, as it does when a link is sent; programs are started for each.

    Raises:
        BenchError: a program failed.
    """
    took: dict[tuple[str, str], list[Figure]] = {}
    loopback = (ip_network("127.0.0.0/8"),)
    with tempfile.TemporaryDirectory(prefix="peyk-bench-") as name:
        folder = Path(name)
        (folder / "site").mkdir()
        await _make_film(folder / "site", size_bytes)
        async with (
            _site(folder / "site") as url,
            Sources(loopback, "Peyk/bench", work_dir=folder / "ours") as sources,
        ):
            for _ in range(rounds):
                for what, path in _WAYS:
                    link = url + path
                    if path.startswith("capped/"):  # what is learned of a host is no matter of the others
                        link = link.replace("127.0.0.1", "localhost")
                    figures = [await _ours(sources, folder / "ours", what, link)]
                    for program, arguments in _peers(link).items():
                        figures.append(await _peer(folder, program, arguments, what))
                    for each in figures:
                        took.setdefault((each.what, each.program), []).append(each)
    figures = [_median(each) for each in took.values()]
    for figure in figures:
        report(figure.sentence)
    if not shutil.which("aria2c"):
        report("aria2c is not installed here")
    return figures


def _median(figures: Sequence[Figure]) -> Figure:
    """One figure of several of the same thing; the most that any had on the disk."""
    streams = [each.stream_s for each in figures if each.stream_s is not None]
    return replace(
        figures[0],
        seconds=median(each.seconds for each in figures),
        stream_s=median(streams) if streams else None,
        disk_ratio=max(each.disk_ratio for each in figures),
    )


def serve(folder: str) -> None:
    """The site, until it is killed; it says its port in a line."""

    async def run() -> None:
        app = web.Application()
        app.router.add_get("/capped/{name}", lambda request: _capped(request, Path(folder)))
        app.router.add_static("/", folder)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        sys.stdout.write(f"{runner.addresses[0][1]}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()

    asyncio.run(run())


async def _capped(request: web.Request, folder: Path) -> web.StreamResponse:
    """A range of a file, at the rate of the cap."""
    path = folder / request.match_info["name"]
    size_bytes = (await asyncio.to_thread(path.stat)).st_size
    start, stop, _ = request.http_range.indices(size_bytes)
    response = web.StreamResponse(status=206 if request.http_range.start is not None else 200)
    response.headers.update({"ETag": '"film"', "Accept-Ranges": "bytes"})
    if response.status == 206:
        response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size_bytes}"
    response.content_length = stop - start
    await response.prepare(request)
    began = time.monotonic()
    with suppress(ConnectionError), path.open("rb") as file:
        file.seek(start)
        for at in range(start, stop, _SIP_BYTES):
            await response.write(file.read(min(_SIP_BYTES, stop - at)))
            await asyncio.sleep(max(0.0, began + (at - start) / _CAP_BYTES_S - time.monotonic()))
    return response


async def _make_film(folder: Path, size_bytes: int) -> None:
    """A film as large as that, by repeating some seconds of noise."""
    noise = f"testsrc2=size=1920x1080:rate=25:duration={_SECONDS},noise=alls=2:allf=t"
    coded = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "18", "-pix_fmt", "yuv420p")
    await _ffmpeg(folder, "-f", "lavfi", "-i", noise, *coded, "clip.mp4")
    times = max(1, round(size_bytes / (folder / "clip.mp4").stat().st_size))
    tone = f"sine=frequency=440:duration={_SECONDS * times}"
    await _ffmpeg(folder, "-stream_loop", str(times - 1), "-i", "clip.mp4", "-c", "copy", _PICTURE)
    await _ffmpeg(folder, "-f", "lavfi", "-i", tone, "-c:a", "aac", "-b:a", "64k", _SOUND)
    both = ("-i", _PICTURE, "-i", _SOUND, "-c", "copy", "-movflags", "+faststart")
    await _ffmpeg(folder, *both, _FILM)
    (folder / "hls").mkdir()
    hls = ("-f", "hls", "-hls_time", "2", "-hls_playlist_type", "vod")
    await _ffmpeg(folder, "-i", _FILM, "-c", "copy", *hls, "hls/list.m3u8")
    (folder / "page.html").write_text(_PAGE)
    (folder / "list.mpd").write_text(_LIST.format(seconds=_SECONDS * times))


async def _ffmpeg(folder: Path, *arguments: str) -> None:
    await _run((ffmpeg.program(), "-nostdin", "-loglevel", "error", "-y", *arguments), folder)


async def _run(arguments: Sequence[str], folder: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *arguments,
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(_PEER_S):
            _, said = await process.communicate()
    except TimeoutError:
        process.kill()
        raise BenchError(f"{arguments[0]} took longer than {_PEER_S:.0f} s") from None
    if process.returncode:
        raise BenchError(f"{Path(arguments[0]).name} failed: {said.decode(errors='replace')[-500:]}")


@asynccontextmanager
async def _site(folder: Path) -> AsyncIterator[str]:
    code = "import sys; from uploader.bench.sources import serve; serve(sys.argv[1])"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code, str(folder)), stdout=asyncio.subprocess.PIPE
    )
    try:
        line = await process.stdout.readline() if process.stdout else b""
        if not line:
            raise BenchError("the site did not start")
        yield f"http://127.0.0.1:{int(line)}/"
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _ours(sources: Sources, folder: Path, what: str, link: str) -> Figure:
    size_bytes = 0
    async with _disk(folder) as peak:
        began = time.monotonic()
        async with sources.open(parse(link), Wish(format=BEST)) as remote:
            opened = time.monotonic()
            async for chunk in remote.read(0, None):
                size_bytes += len(chunk)
            ended = time.monotonic()
    return Figure(
        program="Peyk",
        what=what,
        size_bytes=size_bytes,
        seconds=ended - began,
        stream_s=None if what in _JOINED else ended - opened,
        disk_ratio=peak[0] / size_bytes,
    )


def _peers(link: str) -> dict[str, tuple[str, ...]]:
    """The programs that can fetch `link`, as they are called."""
    if not link.endswith(_FILM):
        return {"yt-dlp": _yt_dlp(link)}
    return {"aria2c": ("aria2c", "-q", "-x8", "-s8", link)} if shutil.which("aria2c") else {}


def _yt_dlp(link: str) -> tuple[str, ...]:
    options = ("--ignore-config", "--no-cache-dir", "--quiet", "--no-warnings", "-o", "film.%(ext)s")
    return (sys.executable, "-m", "yt_dlp", *options, "--ffmpeg-location", ffmpeg.program(), link)


async def _peer(parent: Path, program: str, arguments: Sequence[str], what: str) -> Figure:
    with tempfile.TemporaryDirectory(dir=parent) as name:
        folder = Path(name)
        async with _disk(folder) as peak:
            began = time.monotonic()
            await _run(arguments, folder)
            seconds = time.monotonic() - began
        size_bytes = await asyncio.to_thread(_used_bytes, folder)
    return Figure(
        program=program,
        what=what,
        size_bytes=size_bytes,
        seconds=seconds,
        stream_s=None,
        disk_ratio=peak[0] / size_bytes,
    )


@asynccontextmanager
async def _disk(folder: Path) -> AsyncIterator[list[int]]:
    """The most bytes in files below `folder` while the context lasts, as the one item of a list."""
    peak = [0]

    async def watch() -> None:
        while True:
            peak[0] = max(peak[0], await asyncio.to_thread(_used_bytes, folder))
            await asyncio.sleep(_LOOK_S)

    try:
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(watch())
            yield peak
            watching.cancel()
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None


def _used_bytes(folder: Path) -> int:
    used_bytes = 0
    for file in folder.rglob("*"):
        with suppress(OSError):  # it has just been removed
            used_bytes += file.stat().st_blocks * 512 if file.is_file() else 0
    return used_bytes


def sizes(full: bool) -> int:
    """Bytes of the film."""
    return (500 if full else 64) * MIB
