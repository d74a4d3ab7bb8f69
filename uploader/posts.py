"""Which links are messages on Telegram. Pure.

https://core.telegram.org/api/links#message-links
"""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from uploader.model import Link

_HOSTS: Final = frozenset({"t.me", "telegram.me", "telegram.dog"})
_USERNAME: Final = re.compile(r"[a-z][a-z0-9_]{3,31}", re.IGNORECASE)
#: A message's number, a channel's id; both fit into what Telegram's own types hold.
_MESSAGE: Final = re.compile(r"[1-9][0-9]{0,8}")
_CHANNEL: Final = re.compile(r"[1-9][0-9]{0,14}")
_APP: Final = re.compile(r"tg:(?://)?(resolve|privatepost)/?\?(.*)", re.IGNORECASE | re.DOTALL)
#: Of a message in the chat with the bot. Nobody can send it: it is no http link.
_SENT: Final = "tg://message?id="


@dataclass(frozen=True, slots=True)
class Post:
    """A message of a channel or a supergroup."""

    channel: str | int  # its public name, or its id: then only those inside may see it
    message_id: int

    @property
    def page(self) -> Link | None:
        """Its page on the web; None: it has none."""
        if isinstance(self.channel, int):
            return None
        return Link(url=f"https://t.me/{self.channel}/{self.message_id}?single", host="t.me")


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that somebody sent to the bot; `message_id` is the bot's number of it."""

    message_id: int


def link_to(message_id: int) -> Link:
    """The link of a job to what a person has just sent to the bot."""
    return Link(url=f"{_SENT}{message_id}", host="t.me")


def message_of(link: Link) -> Post | Sent | None:
    """The message that a job's link names; None: it is no message on Telegram."""
    number = link.url.removeprefix(_SENT)
    if number != link.url:
        return Sent(int(number))
    parts = urlsplit(link.url)
    steps = [step for step in parts.path.split("/") if step]
    host = parts.netloc.lower().removeprefix("www.")
    name, _, site = host.partition(".")
    if site == "t.me":  # https://core.telegram.org/api/links#public-username-links
        steps, host = [name, *steps], site
    return _post(steps) if host in _HOSTS else None


def names_chat(link: Link) -> bool:
    """Whether a link leads to Telegram, and to no message: to a channel, a person, an invitation."""
    host = urlsplit(link.url).netloc.lower().removeprefix("www.")
    return (host in _HOSTS or host.endswith(".t.me")) and message_of(link) is None


def over_http(raw: str) -> str:
    """`raw`; of an app's link to a message (`tg://resolve?domain=...&post=...`) the same on the web."""
    match = _APP.fullmatch(raw)
    if match is None:
        return raw
    asked = dict(parse_qsl(match[2]))
    private = match[1].lower() == "privatepost"
    steps = ["c", asked.get("channel", "")] if private else [asked.get("domain", "")]
    post = _post([*steps, asked.get("post", "")])
    return raw if post is None else "https://t.me/" + "/".join([*steps, str(post.message_id)])


def _post(steps: list[str]) -> Post | None:
    """What a path names: `name/5`, `c/123/5`, in a forum `name/topic/5`, on the web `s/name/5`."""
    if len(steps) == 3 and steps[0] == "s":
        steps = steps[1:]
    is_private = steps[:1] == ["c"]
    place, *numbers = steps[1:] if is_private else steps or [""]
    if not 1 <= len(numbers) <= 2 or not all(map(_MESSAGE.fullmatch, numbers)):
        return None
    if not (_CHANNEL if is_private else _USERNAME).fullmatch(place):
        return None
    return Post(int(place) if is_private else place.lower(), int(numbers[-1]))
