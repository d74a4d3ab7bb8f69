"""A yt-dlp that knows three sites more.

`says.example` and `tells.example` refuse in the words of a link; the film of `plays.example` is elsewhere.

It is the real one otherwise, and runs in the real cell.
"""

from pathlib import Path
from urllib.parse import urlencode

import yt_dlp

from uploader.sources.media.versions import Versions

VERSION = "2099.1.1"
_PACKAGE = """
__path__ = [{real!r}]
exec(open({real!r} + "/__init__.py").read().replace("__file__", repr({real!r} + "/__init__.py")), globals())

import time
from urllib.parse import parse_qs, urlsplit
from yt_dlp.extractor.common import InfoExtractor
from yt_dlp.globals import extractors
from yt_dlp.utils import ExtractorError

class SaysIE(InfoExtractor):
    IE_NAME = "says"
    _VALID_URL = r"https?://says\\.example[:/].*"

    def _real_extract(self, url):
        said = parse_qs(urlsplit(url).query)
        if said["expected"][0] == "1":
            raise ExtractorError(said["words"][0], expected=True)
        raise KeyError(said["words"][0])

class TellsIE(SaysIE):
    IE_NAME = "tells"
    _VALID_URL = r"https?://tells\\.example[:/].*"

class PlaysIE(InfoExtractor):
    IE_NAME = "plays"
    _VALID_URL = r"https?://plays\\.example[:/].*"

    def _real_extract(self, url):
        said = parse_qs(urlsplit(url).query)
        self._download_webpage(said["url"][0] + "?look", None)
        return {{"id": "x", "title": "x", "url": said["url"][0], "ext": "mp4",
                "available_at": time.time() + float(said["wait_s"][0])}}

extractors.value["PlaysIE"] = PlaysIE
extractors.value["SaysIE"] = SaysIE
extractors.value["TellsIE"] = TellsIE
"""


def install(root: Path) -> Versions:
    """Versions below `root`, of which this one is chosen."""
    package = root / VERSION / "yt_dlp"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(_PACKAGE.format(real=str(Path(yt_dlp.__file__).parent)))
    versions = Versions(root)
    versions.choose(VERSION)
    return versions


def link(words: str, *, expected: bool = True, site: str = "says", number: int = 0) -> str:
    """A link whose site refuses with these words; not `expected`: yt-dlp breaks over it."""
    query = {"words": words, "expected": int(expected), "n": number}
    return f"https://{site}.example/film?{urlencode(query)}"


def film(url: str, wait_s: float) -> str:
    """A link to a film that lies at `url`, and is given out `wait_s` after each look."""
    return f"https://plays.example/film?{urlencode({'url': url, 'wait_s': wait_s})}"
