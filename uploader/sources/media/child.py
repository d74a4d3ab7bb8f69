"""yt-dlp, alone in a process: `python -I start.py child`, orders in and answers out as lines of JSON.

    {"look": LINK, "extractor": NAME or null, "proxy": URL, "cookies": TEXT or null}
                                                                 ->  found | listed | failed
    {"fetch": [{"format": N, "path": P}, ...], "cap_bytes": B}   ->  progress ..., fetched | failed
    {"subtitles": LANGUAGE, "path": P, "cap_bytes": B}           ->  progress ..., fetched | failed
    {"runtimes": true}                                           ->  runtimes

Before an answer to a look or a fetch there may be: warned.

A fetch is of what was found last. Nothing here decides what is good for a person: the parent does. Only the
standard library and yt-dlp are imported, here and in the files that it is made of.
"""

import io
import json
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import islice
from pathlib import Path
from typing import Any, Final

from yt_dlp import YoutubeDL
from yt_dlp.extractor import gen_extractor_classes
from yt_dlp.globals import supported_js_runtimes
from yt_dlp.networking import Request
from yt_dlp.utils import DownloadCancelled

from uploader.sources.media.found import film_of, formats_of, subtitles_of
from uploader.sources.media.listed import ENTRIES, distinct, list_of
from uploader.sources.media.sayings import Failed, cause_of, kind_of, session_ended

COOKIE_CHARACTERS: Final = 8000
WARNINGS: Final = 20
WARNING_CHARACTERS: Final = 300
#: What solves the puzzles of sites in JavaScript, the best first; bun is deprecated by yt-dlp.
RUNTIMES: Final = ("deno", "node", "quickjs")
#: A page may lead to a player, that to a film: so many lists are opened on the way.
_DEPTH: Final = 5
_PROGRESS_S: Final = 0.5
_MANIFEST_BYTES: Final = 4 * 1024 * 1024


class Channel:
    """The lines out; used by several threads."""

    def __init__(self) -> None:
        # whatever a library prints must not come between our lines
        self._out = os.fdopen(os.dup(1), "w", encoding="ascii")
        self._lock = threading.Lock()
        os.dup2(2, 1)

    def tell(self, event: str, **fields: Any) -> None:
        """Send one line."""
        with self._lock:
            self._out.write(json.dumps({"event": event, **fields}) + "\n")
            self._out.flush()


class Logger:
    """A logger for yt-dlp: warnings are told, each once; errors are raised; everything else is dropped."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self.warnings: list[str] = []

    def warning(self, message: str) -> None:
        """Tell what yt-dlp warns of."""
        words = " ".join(message.split())[:WARNING_CHARACTERS]
        if words not in self.warnings and len(self.warnings) < WARNINGS:
            self.warnings.append(words)
            self._channel.tell("warned", words=words)

    def debug(self, message: str) -> None:
        """Say nothing."""

    info = error = debug


class Stoppable(YoutubeDL):  # type: ignore[misc] # yt-dlp has no types
    """yt-dlp, which asks for nothing more once a fetch has brought too much."""

    is_stopped = False

    def urlopen(self, req: Any) -> Any:
        """Segments wait in line for their turn: without this each would still be asked for."""
        if self.is_stopped:
            raise DownloadCancelled("too-large")
        return super().urlopen(req)


class Looker:
    """One link, looked at and perhaps fetched."""

    def __init__(self, proxy: str, cookies: str | None, channel: Channel) -> None:
        self._channel = channel
        self._logger = Logger(channel)
        self._has_cookies = cookies is not None
        self._ydl = Stoppable(_options(proxy, cookies, self._logger))
        self._ydl.add_progress_hook(self._progress)
        self._info: dict[str, Any] = {}
        self._formats: list[dict[str, Any]] = []
        self._subtitles: dict[str, dict[str, Any]] = {}
        self._cap_bytes = 0
        self._done: dict[str, int] = {}
        self._told_at = 0.0

    def look(self, link: str, extractor: str | None) -> tuple[str, dict[str, Any]]:
        """What there is to tell of the film, or the list, behind `link`: the event and its fields.

        The chooser says that the link is `extractor`'s.
        """
        try:
            return self._look(link, extractor)
        except Exception as error:
            if self._has_cookies and session_ended(error, self._logger.warnings):
                raise Failed("session") from error
            raise

    def _look(self, link: str, extractor: str | None) -> tuple[str, dict[str, Any]]:
        info = self._ydl.extract_info(link, download=False, ie_key=_key(link, extractor))
        for _ in range(_DEPTH):
            if not info:
                raise Failed("no-media")
            if info.get("_type", "video") == "video":
                break
            page = info.get("webpage_url") or link
            entries = distinct(list(islice(info.get("entries") or (), ENTRIES + 1)), page)
            if len(entries) > 1:
                return "listed", list_of(info, entries, page)
            info = self._ydl.process_ie_result(entries[0], download=False) if entries else None
        else:
            raise Failed("playlist")
        self._info = info
        self._formats = formats_of(info)
        self._subtitles = subtitles_of(info)
        return "found", film_of(info, self._formats, self._subtitles, self._cookie)

    def _cookie(self, url: str) -> str | None:
        """What is said to the host of `url`, by the rules of cookies; too much for a header is nothing."""
        cookie = self._ydl.cookiejar.get_cookie_header(url)
        return cookie if isinstance(cookie, str) and len(cookie) <= COOKIE_CHARACTERS else None

    def fetch(self, wanted: list[dict[str, Any]], cap_bytes: int) -> None:
        """Fetch formats of the film that was looked at, all at once, into the files that are named."""
        self._cap_bytes, self._done, self._ydl.is_stopped = cap_bytes, {}, False
        threads = ThreadPoolExecutor(len(wanted))
        for fetched in as_completed(
            [threads.submit(self._fetch, each["format"], each["path"]) for each in wanted]
        ):
            fetched.result()  # the first that fails is told at once; the parent ends the others with us

    def _fetch(self, number: int, path: str) -> None:
        given = {**self._info, **self._formats[number]}
        if given["protocol"].startswith("m3u8") and not self._has_end(given):
            raise Failed("live")
        worked, _ = self._ydl.dl(path, given)
        if not worked:
            raise Failed("broken")

    def fetch_subtitles(self, language: str, path: str, cap_bytes: int) -> None:
        """Fetch subtitles of the film that was looked at into the file that is named."""
        self._cap_bytes, self._done, self._ydl.is_stopped = cap_bytes, {}, False
        given = self._subtitles[language]
        if isinstance(given.get("data"), str):  # the page had them
            Path(path).write_text(given["data"][:cap_bytes], encoding="utf-8")
            return
        headers = given.get("http_headers") or self._info.get("http_headers")
        worked, _ = self._ydl.dl(path, {**given, "http_headers": headers}, subtitle=True)
        if worked is False:  # of segments put together it is not told
            raise Failed("broken")

    def _has_end(self, given: dict[str, Any]) -> bool:
        """Whether a list of segments is complete: one that is not belongs to something live."""
        request = Request(given["url"], headers=given.get("http_headers") or {})
        manifest = self._ydl.urlopen(request).read(_MANIFEST_BYTES)
        return b"#EXT-X-ENDLIST" in manifest or b"#EXT-X-PLAYLIST-TYPE:VOD" in manifest

    def _progress(self, state: dict[str, Any]) -> None:
        self._done[state["filename"]] = int(state.get("downloaded_bytes") or 0)
        done_bytes = sum(self._done.values())
        if done_bytes > self._cap_bytes:
            self._ydl.is_stopped = True
            raise DownloadCancelled("too-large")
        now = time.monotonic()
        if now - self._told_at >= _PROGRESS_S:
            self._told_at = now
            self._channel.tell("progress", done_bytes=done_bytes)


def main() -> None:
    """Carry out orders until there are no more."""
    channel = Channel()
    looker: Looker | None = None
    for line in sys.stdin:
        order = json.loads(line)
        try:
            if "runtimes" in order:
                channel.tell("runtimes", found=_runtimes())
            elif "look" in order:
                looker = Looker(order["proxy"], order.get("cookies"), channel)
                event, fields = looker.look(order["look"], order.get("extractor"))
                channel.tell(event, **fields)
            elif looker is not None and "subtitles" in order:
                looker.fetch_subtitles(order["subtitles"], order["path"], order["cap_bytes"])
                channel.tell("fetched")
            elif looker is not None:
                looker.fetch(order["fetch"], order["cap_bytes"])
                channel.tell("fetched")
        except Exception as error:  # noqa: BLE001 - extractors fail in any way; the parent must hear of each
            channel.tell("failed", kind=kind_of(error), detail=type(cause_of(error)).__name__)


def _options(proxy: str, cookies: str | None, logger: Logger) -> dict[str, Any]:
    return {
        "proxy": proxy,
        "quiet": True,
        "noprogress": True,
        "color": "never",
        "logger": logger,
        "cachedir": False,
        "updatetime": False,
        "enable_file_urls": False,
        "usenetrc": False,
        # in memory: they never touch the disk
        "cookiefile": None if cookies is None else io.StringIO(cookies),
        # extraction: one film, all its formats, none of them tried
        "noplaylist": True,
        "extract_flat": "in_playlist",
        "playlist_items": f"1:{ENTRIES + 1}",
        "format": "all",
        "writesubtitles": True,  # some extractors do not even look for them otherwise; nothing is written
        "check_formats": False,
        "format_sort": ["hasvid", "hasaud", "res", "fps", "hdr:1", "vcodec:h264", "acodec:aac", "lang"],
        "js_runtimes": {name: {} for name in RUNTIMES},  # it looks for them itself, and takes the first
        "socket_timeout": 20,
        "extractor_retries": 2,
        # fetching: by yt-dlp's own hands, whole or not at all
        "external_downloader": {"default": "native"},
        "hls_prefer_native": True,
        "ffmpeg_location": "/nowhere",
        "fixup": "never",
        "concurrent_fragment_downloads": 4,
        "retries": 3,
        "fragment_retries": 5,
        "skip_unavailable_fragments": False,
        "nopart": True,
        "continuedl": False,
        "overwrites": True,
    }


def _runtimes() -> list[str]:
    """The runtimes that start here and are new enough for yt-dlp, with their versions."""
    found = [supported_js_runtimes.value[name]().info for name in RUNTIMES]
    return [f"{each.name} {each.version}" for each in found if each is not None and each.supported]


def _key(link: str, extractor: str | None) -> str | None:
    """What yt-dlp calls `extractor` by; None: it asks all, and their patterns take a quarter of a second."""
    named = (each for each in gen_extractor_classes() if extractor == each.IE_NAME and each.suitable(link))
    return next((str(each.ie_key()) for each in named), None)


if __name__ == "__main__":
    main()
