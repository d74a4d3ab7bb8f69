"""What Peyk asks of Telegram, in Peyk's words: say, edit, deliver, who is a member.

How a call is made is the matter of `calls`, what Telegram refuses is told by `refusals`.
"""

import secrets
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import telethon
from telethon import TelegramClient, errors
from telethon.tl import functions, types

from uploader.errors import ChannelUnusable
from uploader.model import Caption, Delivered, Document, Person, Sponsor, Uploaded
from uploader.quoting import bare, spoken
from uploader.telegram.calls import Calls
from uploader.telegram.documents import delivered_by, document_of, message_id_of, parts_needed
from uploader.telegram.media import as_entities, as_known, as_media
from uploader.telegram.pacing import Pacer
from uploader.telegram.refusals import GONE, REFERENCE, ReferenceLost
from uploader.telegram.turns import Urgency

#: A data centre that assembles 2 GB may take its time.
DELIVER_S: Final = 180.0
#: https://core.telegram.org/api/files#downloading-files
_PIECE_BYTES: Final = 128 * 1024
#: A message whose id was not told is looked for among so many; a call takes no more.
FOUND_WITHIN: Final = 100

NO_CAPTION: Final = Caption()


@dataclass(frozen=True, kw_only=True, slots=True)
class Button:
    """One button under a message: either `data` comes back to us, or `url` is opened."""

    text: str
    data: bytes = b""  # at most 64 bytes
    url: str = ""


Keyboard = Sequence[Sequence[Button]]


class Gateway:
    """One account's voice."""

    def __init__(self, client: TelegramClient, pacer: Pacer, *, deliver_s: float = DELIVER_S) -> None:
        self._client = client
        #: Whatever else is asked in the account's name goes this way: each FLOOD_WAIT is remembered once.
        self.calls = Calls(client, pacer)
        self._deliver_s = deliver_s

    async def say(
        self,
        person: Person,
        text: str,
        keyboard: Keyboard = (),
        *,
        urgency: Urgency = Urgency.ANSWER,
        random_id: int | None = None,
        reply_to: int | None = None,
    ) -> int | None:
        """Send a message; returns its id, None if Telegram does not tell the id of what it has (see `find`).

        `reply_to`: the message of the person that it answers; it comes all the same if they deleted that.

        A short FLOOD_WAIT is waited out. What is not answered is sent again, and comes once. With a
        `random_id` that is kept, a later call may repeat this one.

        Raises:
            ChatUnreachable, FloodWait, TelegramError; NoAnswer after two calls: it may be there
        """
        said = spoken(text)
        request = functions.messages.SendMessageRequest(
            peer=_peer(person),
            message=said.text,
            entities=as_entities(said),
            random_id=random_id or new_random_id(),
            no_webpage=True,
            reply_markup=self._markup(keyboard),
            reply_to=_reply(reply_to),
        )
        with suppress(errors.RandomIdDuplicateError):
            result = await self.calls.post(person.user_id, request, urgency)
            return message_id_of(result, request.random_id)
        return None

    async def find(self, person: Person, after: int, buttons: Iterable[bytes]) -> int | None:
        """The id of our message with a button of such data, soon after message `after`; None: there is none.

        Bots cannot look through a chat, but at messages by their ids, which count up over all chats.

        Raises:
            FloodWait, TelegramError
        """
        near = [types.InputMessageID(after + step) for step in range(1, FOUND_WITHIN + 1)]
        wanted = [bytes([len(data)]) + data for data in buttons]  # as TL writes it
        for message in (await self.calls.call(functions.messages.GetMessagesRequest(id=near))).messages:
            markup = getattr(message, "reply_markup", None)
            is_ours = getattr(message, "out", False) and message.peer_id == types.PeerUser(person.user_id)
            if is_ours and markup is not None and any(data in bytes(markup) for data in wanted):
                return int(message.id)
        return None

    async def edit(
        self,
        person: Person,
        message_id: int,
        text: str,
        keyboard: Keyboard = (),
        *,
        urgency: Urgency | None = Urgency.EDIT,
    ) -> bool:
        """Change a message of ours; returns False if it was skipped because the account is busy.

        `urgency` None: it may be.

        Raises:
            MessageGone, ChatUnreachable, FloodWait, TelegramError
        """
        said = spoken(text)
        request = functions.messages.EditMessageRequest(
            peer=_peer(person),
            id=message_id,
            message=said.text,
            entities=as_entities(said),
            no_webpage=True,
            reply_markup=self._markup(keyboard),
        )
        with suppress(errors.MessageNotModifiedError):
            if urgency is None:
                return await self.calls.send_if_idle(person.user_id, request) is not None
            await self.calls.send(person.user_id, request, urgency)
        return True

    async def answer(self, query_id: int, text: str = "", *, alert: bool = False) -> None:
        """Answer a pressed button; `text` is shown above the chat, or as a box if `alert`."""
        # an id that is no longer valid: the person waited too long, and there is nobody to answer
        with suppress(errors.QueryIdInvalidError):
            await self.calls.call(
                functions.messages.SetBotCallbackAnswerRequest(
                    query_id=query_id, cache_time=0, message=bare(text)[:200] or None, alert=alert
                ),
                about=query_id,
            )

    async def deliver(
        self,
        person: Person,
        uploaded: Uploaded,
        random_id: int,
        caption: Caption = NO_CAPTION,
        reply_to: int | None = None,
    ) -> Delivered:
        """Post an uploaded file in the person's chat. Repeating it with the same `random_id` posts it once.

        `reply_to`: see `say`.

        Raises:
            PartsLost, TransferError, ChatUnreachable, FloodWait, TelegramError; NoAnswer after two calls
        """
        with parts_needed():
            return await self._post(person, as_media(uploaded), random_id, caption, reply_to)

    async def deliver_again(
        self,
        person: Person,
        document: Document,
        random_id: int,
        caption: Caption = NO_CAPTION,
        reply_to: int | None = None,
    ) -> Delivered:
        """Post a file that Telegram holds; see `deliver`.

        Raises:
            ReferenceLost, ChatUnreachable, FloodWait, TelegramError; NoAnswer after two calls
        """
        try:
            return await self._post(person, as_known(document), random_id, caption, reply_to)
        except (*REFERENCE, *GONE) as error:
            name = type(error).__name__
            raise ReferenceLost(name, may_be_renewed=isinstance(error, REFERENCE)) from None

    async def document_of(self, message_id: int) -> Document | None:
        """The file of a message of ours, with a new reference; None if there is none any more.

        Raises:
            FloodWait, TelegramError
        """
        request = functions.messages.GetMessagesRequest(id=[types.InputMessageID(message_id)])
        return next(map(document_of, (await self.calls.call(request)).messages), None)

    async def _post(
        self, person: Person, media: Any, random_id: int, caption: Caption, reply_to: int | None
    ) -> Delivered:
        request = functions.messages.SendMediaRequest(
            peer=_peer(person),
            media=media,
            message=caption.text,
            entities=as_entities(caption),
            random_id=random_id,
            reply_to=_reply(reply_to),
        )
        try:
            result = await self.calls.post(person.user_id, request, Urgency.MESSAGE, self._deliver_s)
        except errors.RandomIdDuplicateError:
            return Delivered(message_id=None)
        return delivered_by(result, random_id)

    async def attachment(self, message_id: int, most_bytes: int) -> bytes | None:
        """What is in the file of a message, one byte more than `most_bytes` at most; None: there is no file.

        Raises:
            FloodWait, TelegramError
        """
        request = functions.messages.GetMessagesRequest(id=[types.InputMessageID(message_id)])
        message = next(iter((await self.calls.call(request)).messages), None)
        document = getattr(getattr(message, "media", None), "document", None)
        if not isinstance(document, types.Document):
            return None
        location = types.InputDocumentFileLocation(
            document.id, document.access_hash, document.file_reference, thumb_size=""
        )
        content = b""
        while len(content) <= most_bytes and len(content) < document.size:
            asked = functions.upload.GetFileRequest(location, offset=len(content), limit=_PIECE_BYTES)
            piece = (await self.calls.call(asked)).bytes
            if not piece:
                break
            content += piece
        return content[: most_bytes + 1]

    async def withdraw(self, message_id: int) -> None:
        """Delete a message of ours.

        Raises:
            FloodWait, TelegramError
        """
        await self.calls.call(functions.messages.DeleteMessagesRequest(id=[message_id], revoke=True))

    async def is_member(self, sponsor: Sponsor, person: Person) -> bool:
        """Whether the person is in the channel.

        Raises:
            ChannelUnusable: the bot may not see who is in it.
            FloodWait, TelegramError
        """
        try:
            result = await self.calls.call(
                functions.channels.GetParticipantRequest(
                    types.InputChannel(sponsor.channel_id, sponsor.access_hash), _peer(person)
                ),
                about=sponsor.channel_id,
            )
        except errors.UserNotParticipantError:
            return False
        return is_inside(result.participant)

    async def find_channel(self, username: str) -> Sponsor | None:
        """The public channel of that name, or None.

        Raises:
            FloodWait, TelegramError
        """
        try:
            result = await self.calls.call(functions.contacts.ResolveUsernameRequest(username))
        except (errors.UsernameNotOccupiedError, errors.UsernameInvalidError):
            return None
        return next(filter(None, map(channel_of, result.chats)), None)

    async def look_at(self, sponsor: Sponsor) -> tuple[Sponsor, bool]:
        """The channel as it is called now, and whether the bot is sure to see who is in it.

        Raises:
            ChannelUnusable: it is gone, or the bot may not look at it.
            FloodWait, TelegramError
        """
        request = functions.channels.GetChannelsRequest(
            [types.InputChannel(sponsor.channel_id, sponsor.access_hash)]
        )
        chats = (await self.calls.call(request, about=sponsor.channel_id)).chats
        now = channel_of(chats[0]) if chats else None
        if now is None:
            raise ChannelUnusable(type(chats[0]).__name__ if chats else "no such channel")
        return now, bool(chats[0].creator or chats[0].admin_rights)

    async def publish_commands(
        self, language: str, commands: Sequence[tuple[str, str]], person: Person | None = None
    ) -> None:
        """Offer commands in the clients' menu, in all chats or that of `person`; `language` "": any.

        https://core.telegram.org/api/bots/commands#commands-scopes

        Raises:
            FloodWait, TelegramError
        """
        await self.calls.call(
            functions.bots.SetBotCommandsRequest(
                scope=types.BotCommandScopePeer(_peer(person)) if person else types.BotCommandScopeDefault(),
                lang_code=language,
                commands=[types.BotCommand(command, text) for command, text in commands],
            )
        )

    def _markup(self, keyboard: Keyboard) -> Any:
        rows = [[_button(button) for button in row] for row in keyboard]
        return self._client.build_reply_markup(rows) if rows else None


def is_inside(participant: Any) -> bool:
    """Whether a ChannelParticipant (or None) is in the channel: some kinds say that the person is not.

    https://core.telegram.org/type/ChannelParticipant
    """
    if participant is None or isinstance(participant, types.ChannelParticipantLeft):
        return False
    return not (isinstance(participant, types.ChannelParticipantBanned) and participant.left)


def channel_of(chat: Any) -> Sponsor | None:
    """The channel or supergroup that a Chat is, with the first of its names; None: it is none, or closed."""
    if not isinstance(chat, types.Channel) or chat.min or chat.access_hash is None:
        return None
    names = [chat.username, *(each.username for each in chat.usernames or () if each.active)]
    username = next(filter(None, names), "")
    return Sponsor(channel_id=chat.id, access_hash=chat.access_hash, username=username, title=chat.title)


def new_random_id() -> int:
    """A random_id for one message: any 64 bits but zero."""
    return secrets.randbelow(2**63 - 1) + 1


def _peer(person: Person) -> Any:
    return types.InputPeerUser(person.user_id, person.access_hash)


def _reply(message_id: int | None) -> Any:
    return None if message_id is None else types.InputReplyToMessage(message_id)


def _button(button: Button) -> Any:
    # Telethon's own makers: the TL types behind them change from layer to layer
    make = telethon.Button
    text = bare(button.text)
    return make.url(text, button.url) if button.url else make.inline(text, button.data)
