"""What lies in messages that the bot can see: which file, how it is shown, and how it is sent on.

https://core.telegram.org/api/files
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal

from cachetools import TTLCache
from telethon.errors import UsernameInvalidError, UsernameNotOccupiedError
from telethon.tl import functions, types

from uploader.errors import ChannelUnusable, Reason, SourceError
from uploader.model import Caption, Document, Entity, MediaFacts, Person, Sponsor
from uploader.names import one_line, safe_name
from uploader.posts import Post
from uploader.telegram.gateway import Gateway
from uploader.wishes import ORIGINAL, Offer, Option

Kind = Literal["document", "video", "audio", "photo", "other"]

#: Channels whose names were looked up, and for how long that is good: Telegram gives few such answers.
_NAMES: Final = 1000
_NAMES_S: Final = 6 * 3600.0
#: https://core.telegram.org/api/files#uploading-files
_THUMB_PIXELS: Final = 320
_THUMB_BYTES: Final = 200_000

_STICKERS: Final = (types.DocumentAttributeSticker, types.DocumentAttributeCustomEmoji)

_ENTITIES: Final[Mapping[Any, str]] = MappingProxyType(
    {
        types.MessageEntityBold: "bold",
        types.MessageEntityItalic: "italic",
        types.MessageEntityCode: "code",
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """A file in a message, as this account sees it."""

    document: Document
    kind: Kind  # how a chat shows it; "other": voices, round films, animations
    name: str
    mime_type: str
    size_bytes: int
    dc_id: int  # of the data centre where it lies
    size_type: str = ""  # of a photo: which of its sizes is the whole
    facts: MediaFacts | None = None  # of a film or a song, without its picture
    thumb_type: str = ""  # which of its sizes is a small picture of it; "": none
    caption: Caption
    is_protected: bool = False  # its chat does not want it to be passed on


class Messages:
    """The messages that one account, the bot's, can see."""

    def __init__(self, gateway: Gateway) -> None:
        self._calls = gateway.calls
        self._gateway = gateway
        self._names: TTLCache[str, Any] = TTLCache(_NAMES, _NAMES_S)

    async def sent(self, message_id: int, person: Person) -> Held:
        """The file of a message that this person wrote to the bot.

        Raises:
            SourceError: MESSAGE_GONE: it was deleted, or is somebody else's; NO_FILE, PROTECTED.
            FloodWait, TelegramError
        """
        request = functions.messages.GetMessagesRequest(id=[types.InputMessageID(message_id)])
        message = next(iter((await self._calls.call(request)).messages), None)
        peer = getattr(message, "peer_id", None)
        if not isinstance(peer, types.PeerUser) or peer.user_id != person.user_id:
            raise SourceError(Reason.MESSAGE_GONE, f"message {message_id}")
        return _file_of(message)

    async def post(self, post: Post, person: Person) -> Held:
        """The file of a post that the bot and this person can see.

        Raises:
            SourceError: NOT_VISIBLE: one of them may not look into the channel, or there is no such message;
                NO_FILE, PROTECTED.
            ChannelUnusable: the bot may not look into a channel that is open to everybody else.
            FloodWait, TelegramError
        """
        if isinstance(post.channel, str):
            found = await self._look(await self._named(post.channel), post.message_id)
        else:
            try:
                found = await self._look(await self._private(post.channel, person), post.message_id)
            except ChannelUnusable as error:
                raise SourceError(Reason.NOT_VISIBLE, str(error)) from None
        message = next(iter(found.messages), None)
        if not isinstance(message, types.Message):
            raise SourceError(Reason.NOT_VISIBLE, "no such message")
        return _file_of(message, protected=any(getattr(chat, "noforwards", False) for chat in found.chats))

    async def _look(self, channel: Any, message_id: int) -> Any:
        request = functions.channels.GetMessagesRequest(channel, id=[types.InputMessageID(message_id)])
        return await self._calls.call(request, about=channel.channel_id)

    async def _named(self, name: str) -> Any:
        """The InputChannel of a public name."""
        if name not in self._names:
            try:
                found = await self._calls.call(functions.contacts.ResolveUsernameRequest(name))
            except (UsernameNotOccupiedError, UsernameInvalidError) as error:
                raise SourceError(Reason.NOT_VISIBLE, type(error).__name__) from None
            self._names[name] = _channel(found.chats)
        if self._names[name] is None:
            raise SourceError(Reason.NOT_VISIBLE, "no channel")
        return self._names[name]

    async def _private(self, channel_id: int, person: Person) -> Any:
        """The InputChannel of a channel that has no name, if this person is inside as well."""
        asked = functions.channels.GetChannelsRequest([types.InputChannel(channel_id, 0)])
        found = await self._calls.call(asked, about=channel_id)
        channel = _channel([chat for chat in found.chats if not getattr(chat, "left", False)])
        if channel is not None:
            place = Sponsor(channel_id=channel_id, access_hash=channel.access_hash, username="", title="")
            if await self._gateway.is_member(place, person):
                return channel
        raise SourceError(Reason.NOT_VISIBLE, "the bot or the person is not inside")


def held_in(message: Any) -> Held | None:
    """The file of a message; None: it has none, a sticker, or one that is gone once it was seen."""
    media = getattr(message, "media", None)
    if getattr(media, "ttl_seconds", None):
        return None
    is_protected = bool(getattr(message, "noforwards", False))
    if isinstance(media, types.MessageMediaDocument) and isinstance(media.document, types.Document):
        if any(isinstance(each, _STICKERS) for each in media.document.attributes):
            return None
        return _held_document(media.document, _caption(message), is_protected)
    if isinstance(media, types.MessageMediaPhoto) and isinstance(media.photo, types.Photo):
        return _held_photo(media.photo, _caption(message), is_protected)
    return None


def offer_of(held: Held) -> Offer:
    """What can be done with a file."""
    may_play = held.kind == "document" and held.mime_type.startswith(("video/", "audio/"))
    return Offer(
        kind="file",
        title=held.name,
        options=(Option(key=ORIGINAL, size_bytes=held.size_bytes),),
        size_bytes=held.size_bytes,
        as_document=may_play or None if held.kind == "document" else False,
    )


def _file_of(message: Any, *, protected: bool = False) -> Held:
    held = held_in(message)
    if held is None:
        raise SourceError(Reason.NO_FILE, "a message without a file")
    if held.is_protected or protected:
        raise SourceError(Reason.PROTECTED, "its chat keeps it")
    return held


def _held_document(document: Any, caption: Caption, is_protected: bool) -> Held:
    kind, facts = _shown(document.attributes)
    names = [each.file_name for each in document.attributes if hasattr(each, "file_name")]
    title = facts.title if facts is not None and facts.title else ""
    return Held(
        document=Document(
            id=document.id, access_hash=document.access_hash, file_reference=document.file_reference
        ),
        kind=kind,
        name=safe_name(
            names[0] if names else title,
            fallback=f"{'file' if kind == 'other' else kind}-{document.date:%Y%m%d-%H%M%S}",
            mime_type=document.mime_type,
        ),
        mime_type=document.mime_type or "application/octet-stream",
        size_bytes=document.size,
        dc_id=document.dc_id,
        facts=facts,
        thumb_type=_small(document.thumbs or ()),
        caption=caption,
        is_protected=is_protected,
    )


def _held_photo(photo: Any, caption: Caption, is_protected: bool) -> Held | None:
    sizes = [(_bytes_of(size), size.type) for size in photo.sizes if _bytes_of(size)]
    if not sizes:
        return None
    size_bytes, size_type = max(sizes)
    return Held(
        document=Document(
            id=photo.id,
            access_hash=photo.access_hash,
            file_reference=photo.file_reference,
            is_photo=True,
        ),
        kind="photo",
        name=f"photo-{photo.date:%Y%m%d-%H%M%S}.jpg",
        mime_type="image/jpeg",
        size_bytes=size_bytes,
        dc_id=photo.dc_id,
        size_type=size_type,
        caption=caption,
        is_protected=is_protected,
    )


def _shown(attributes: Any) -> tuple[Kind, MediaFacts | None]:
    """How a chat shows a document with these attributes, and what it says of it.

    https://core.telegram.org/type/DocumentAttribute
    """
    for each in attributes:
        match each:
            case types.DocumentAttributeAnimated():
                return "other", None
            case types.DocumentAttributeVideo(round_message=True) | types.DocumentAttributeAudio(voice=True):
                return "other", None
    for each in attributes:
        if isinstance(each, types.DocumentAttributeVideo):
            return "video", MediaFacts(
                kind="video",
                duration_s=each.duration,
                width=each.w,
                height=each.h,
                streamable=bool(each.supports_streaming),
                silent=bool(each.nosound),
            )
        if isinstance(each, types.DocumentAttributeAudio):
            return "audio", MediaFacts(
                kind="audio",
                duration_s=float(each.duration),
                title=one_line(each.title or "") or None,
                performer=one_line(each.performer or "") or None,
            )
    return "document", None


def _small(sizes: Any) -> str:
    """The largest of a document's pictures that may go beside it again."""
    fit = [
        (_bytes_of(size), size.type)
        for size in sizes
        if 0 < _bytes_of(size) <= _THUMB_BYTES and max(size.w, size.h) <= _THUMB_PIXELS
    ]
    return str(max(fit)[1]) if fit else ""


def _bytes_of(size: Any) -> int:
    """How many bytes a PhotoSize has; 0: it is none that can be fetched."""
    if isinstance(size, types.PhotoSize):
        return int(size.size)
    return int(max(size.sizes)) if isinstance(size, types.PhotoSizeProgressive) else 0


def _caption(message: Any) -> Caption:
    entities = tuple(
        Entity(kind=_ENTITIES[type(each)], offset=each.offset, length=each.length)
        for each in message.entities or ()
        if type(each) in _ENTITIES
    )
    return Caption(text=message.message or "", entities=entities)


def _channel(chats: Any) -> Any | None:
    """The InputChannel of the first channel among these."""
    for chat in chats:
        if isinstance(chat, types.Channel) and chat.access_hash is not None:
            return types.InputChannel(chat.id, chat.access_hash)
    return None
