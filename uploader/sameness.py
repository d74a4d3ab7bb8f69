"""When two links lead to the same file: they differ by nothing but what tells who passed them on.

Only the key of a file that was delivered is made this way; what is fetched is always the link as it was sent.
So a rule that is missing costs a fetch, and one that were wrong would give somebody another file: parameters
stand here only if the site that reads them counts visits by them; nothing is decoded, sorted or shortened.
"""

from collections.abc import Mapping
from hashlib import sha256
from types import MappingProxyType
from typing import Final

#: What advertisers and mailers append on any site.
EVERYWHERE: Final = frozenset(
    {
        *("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "utm_id"),
        *("fbclid", "gclid", "gclsrc", "dclid", "gbraid", "wbraid", "msclkid", "yclid", "twclid", "ttclid"),
        *("mc_cid", "mc_eid", "_hsenc", "_hsmi", "srsltid", "igshid"),
    }
)

#: What single sites append to links that are shared, by the end of the host's name.
BY_SITE: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "youtube.com": frozenset({"si", "feature", "pp"}),
        "youtu.be": frozenset({"si", "feature"}),
        "twitter.com": frozenset({"s", "t", "ref_src"}),
        "x.com": frozenset({"s", "t", "ref_src"}),
        "instagram.com": frozenset({"igsh"}),
        "tiktok.com": frozenset({"_t", "_r", "is_from_webapp", "sender_device"}),
        "spotify.com": frozenset({"si"}),
        "soundcloud.com": frozenset({"si"}),
        "reddit.com": frozenset({"share_id"}),
        "facebook.com": frozenset({"mibextid"}),
    }
)


def without_tracking(url: str, host: str) -> str:
    """`url`, in the form that `links.parse` gives, without parameters that only count visits."""
    address, hash_mark, fragment = url.partition("#")
    path, mark, query = address.partition("?")
    if not mark:
        return url
    tracking = EVERYWHERE.union(*(names for site, names in BY_SITE.items() if _is_of(host, site)))
    pairs = query.split("&")
    kept = [pair for pair in pairs if pair.partition("=")[0] not in tracking]
    if len(kept) == len(pairs):
        return url  # to the letter: an empty query is not the same as none, for all we know
    return path + (mark + "&".join(kept) if kept else "") + hash_mark + fragment


def key(url: str, host: str, account_id: int, mode: str = "document") -> str:
    """What all links to one file have in common, sent by one account in one way; no link any more."""
    return sha256(f"{account_id} {mode} {without_tracking(url, host)}".encode()).hexdigest()


def _is_of(host: str, site: str) -> bool:
    return host == site or host.endswith(f".{site}")
