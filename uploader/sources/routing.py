"""Which way a link takes: straight to the file, or through yt-dlp. Decided from the link alone."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from uploader import links
from uploader.errors import NotALink, Reason
from uploader.links import without_fragment
from uploader.model import Link
from uploader.posts import Post, message_of
from uploader.sources.guard import Guard

#: yt-dlp's name for the extractor that looks for media on any page.
GENERIC: Final = "generic"

#: A dot and a letter somewhere in few characters: `.mp4`, `.7z`, `.gz`; not the `.2` of a version.
_EXTENSION: Final = re.compile(r"[^.]\.(?=[0-9]*[a-z])([a-z0-9]{1,15})$", re.IGNORECASE)
#: What a site calls its pages and programs.
_PAGE: Final = re.compile(r"[xps]?html?|php[0-9]?|aspx?|jspx?|jsf|f?cgi|cfm|do|action|pl|nsf")
#: Lists of media, which are no media themselves.
_LIST: Final = re.compile(r"m3u8?|mpd|isml?|f4m|smil|xspf|rss|atom|xml|asx|pls")
#: Extensions that a value in a query must have to count as a name: there, `example.com` looks like one.
_FILE: Final = re.compile(
    r"""
      7z|bz2|cab|gz|jar|rar|tar|tgz|xz|zip|zst | apk|appimage|bin|deb|dmg|exe|img|ipa|iso|msi|pkg|rpm|torrent
    | azw3|cb[rz]|csv|docx?|epub|fb2|json|mobi|od[pst]|pdf|pptx?|psd|srt|ttf|txt|vtt|woff|xlsx?
    | avif|bmp|gif|heic|jpe?g|png|svg|tiff?|webp | aac|aiff|flac|m4a|mp3|og[agv]|opus|wav|wma
    | avi|flv|m4v|mkv|mov|mp4|mpe?g|ts|webm|wmv
    """,
    re.VERBOSE,
)
#: Steps of a path, and pairs in a query, that promise a file whatever its name.
_STEPS: Final = frozenset({"download", "downloads", "dl", "attachment", "attachments"})
_PAIRS: Final = frozenset(
    {("download", "1"), ("download", "true"), ("dl", "1"), ("raw", "1"), ("raw", "true")}
    | {("export", "download"), ("alt", "media"), ("action", "download"), ("disposition", "attachment")}
)


class Source(StrEnum):
    """Who opens a link."""

    DIRECT = "direct"  # the site is asked for the file; if it answers with a page, that is searched
    TELEGRAM = "telegram"  # it is a message there, which no site has: the bot looks at it
    MEDIA = "media"  # yt-dlp; before its generic extractor, the site is asked, for it may be a file


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """The way of one link."""

    link: Link  # as it is asked for
    source: Source
    extractor: str | None  # yt-dlp's name of it; None: direct

    @property
    def is_named(self) -> bool:
        """Whether yt-dlp knows the site itself, and does not just look through its pages."""
        return self.source is Source.MEDIA and self.extractor != GENERIC

    @property
    def family(self) -> str:
        """The extractor's: `youtube` of `youtube:tab`; "" if it is a matter of the site alone."""
        return self.extractor.partition(":")[0] if self.extractor and self.is_named else ""

    @property
    def site(self) -> str:
        """What fails together: all that one family of extractors asks, else the link's site."""
        return self.family or self.link.site


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """What Peyk would do with a text that somebody sends."""

    link: str  # the text
    normal: str | None
    source: Source | None
    extractor: str | None
    verdict: str  # "allowed" or "refused"
    reason: Reason | None  # why it is refused

    @property
    def sentence(self) -> str:
        """The same for people."""
        way = f", {self.source}" if self.source else ""
        named = f" ({self.extractor})" if self.extractor else ""
        why = f" ({self.reason})" if self.reason else ""
        return f"{self.link}: {self.verdict}{why}{way}{named}"


def route(link: Link, extractor: str) -> Route:
    """The way of `link`, of which yt-dlp says that it belongs to `extractor`.

    The link is best parsed with its fragment, for some extractors look at it.
    """
    if isinstance(post := message_of(link), Post) and not _has_page(link, post):
        return Route(link=without_fragment(link), source=Source.TELEGRAM, extractor=None)
    if extractor != GENERIC:
        return Route(link=link, source=Source.MEDIA, extractor=extractor)
    link = without_fragment(link)
    if is_file(link):
        return Route(link=link, source=Source.DIRECT, extractor=None)
    return Route(link=link, source=Source.MEDIA, extractor=GENERIC)


def _has_page(link: Link, post: Post) -> bool:
    """Whether a link to a post is that of its page, which yt-dlp can read where the bot may not see it."""
    page = post.page
    return page is not None and urlsplit(link.url.lower())[1:3] == urlsplit(page.url)[1:3]


def is_file(link: Link) -> bool:
    """Whether the link looks like one to a file, and not to a page or a list of media."""
    parts = urlsplit(link.url)
    steps = unquote(parts.path).lower().split("/")
    extension = _extension(steps[-1])
    if _LIST.fullmatch(extension):
        return False
    if extension and not _PAGE.fullmatch(extension):
        return True
    pairs = [(name.lower(), value.lower()) for name, value in parse_qsl(parts.query)]
    return (
        not _STEPS.isdisjoint(steps[1:])
        or not _PAIRS.isdisjoint(pairs)
        or any(_FILE.fullmatch(_extension(value.rpartition("/")[2].strip("\"'"))) for _, value in pairs)
    )


def explain(text: str, guard: Guard, choose: Callable[[str], str]) -> Explanation:
    """What Peyk would do with `text`, found out without a look at the network; `choose` names extractors."""
    raw = text.strip()
    found = links.find(raw)
    if found == f"https://{raw}":
        raw = found
    try:
        link = links.parse(raw, fragment=True)
    except NotALink as error:
        return _refused(text, error.reason)
    way = route(link, choose(link.url))
    reason = guard.static_verdict(link)
    return Explanation(
        link=text,
        normal=way.link.url,
        source=way.source,
        extractor=way.extractor,
        verdict="refused" if reason else "allowed",
        reason=reason,
    )


def _refused(text: str, reason: Reason) -> Explanation:
    return Explanation(link=text, normal=None, source=None, extractor=None, verdict="refused", reason=reason)


def _extension(name: str) -> str:
    match = _EXTENSION.search(name)
    return match[1] if match else ""
