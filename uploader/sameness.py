"""When two jobs want the same file: their links differ by nothing but what tells who passed them on.

Only the key of a file that was delivered is made this way; what is fetched is always the link as it was sent.
So a rule that is missing costs a fetch, and one that were wrong would give somebody another file: parameters
stand here only if the site that reads them counts visits by them; nothing is decoded, sorted or shortened.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import astuple, replace
from hashlib import sha256
from types import MappingProxyType
from typing import Final
from urllib.parse import unquote

from uploader.model import Link
from uploader.wishes import UNDECIDED, Wish

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

#: What opens a door for whoever holds the link: it was signed for somebody, may be taken back, or expires.
_SECRET: Final = re.compile(
    r"""
      .*(?: token | signature | secret | passw | credential | security | jwt | hmac | session
          | (?:api|access)[_-]?key ).*
    | (?: x-(?:amz|goog|oss|cos|obs|ms)-.* | aws.* | google.?access.?id | key-pair-id | ossaccesskeyid )
    | auth.* | .*[_-]?sig | sign | sid | hdne[at]s? | policy | key | pass | pwd | pw | code | otp
    | expires? | st | md5 | hash | acl
    """,
    re.VERBOSE,
)


def key(link: Link, account_id: int, wish: Wish = UNDECIDED) -> str | None:
    """What all jobs for one file have in common; no link can be read out of it. None: it is for nobody else.

    `account_id` sends it (another could not send its documents). A caption is no part of a file.
    """
    if holds_secret(link.url) or not link.url.startswith("http"):
        return None  # what is no web address is what somebody sent to the bot
    same = [account_id, without_tracking(link.url, link.host), *astuple(replace(wish, caption=None))]
    return sha256(json.dumps(same).encode()).hexdigest()


def holds_secret(url: str) -> bool:
    """Whether a parameter of `url` looks like a key or a signature: a guess, on the side of keeping apart."""
    pairs = re.split("[?&;#]", url)[1:]
    return any(_SECRET.fullmatch(unquote(pair.partition("=")[0]).lower()) for pair in pairs)


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


def _is_of(host: str, site: str) -> bool:
    return host == site or host.endswith(f".{site}")
