"""The storage chat: other accounts put files there, and the bot sends them on by reference.

Documents have another access hash for each account, so the bot looks at the message with its own eyes.
https://core.telegram.org/api/file-references
"""

from typing import Any, Final

from telethon import TelegramClient
from telethon.errors import UsernameInvalidError, UsernameNotOccupiedError
from telethon.tl import functions, types

from uploader.errors import ChannelUnusable, ChatUnreachable, LoggedOut, TelegramError
from uploader.model import Caption, Delivered, Person, Uploaded
from uploader.telegram.calls import Calls
from uploader.telegram.documents import document_of, message_id_of, parts_needed
from uploader.telegram.gateway import DELIVER_S, Gateway
from uploader.telegram.media import as_media
from uploader.telegram.pacing import Pacer
from uploader.telegram.refusals import translated
from uploader.telegram.turns import Urgency

#: A channel's id is this much less than zero in PEYK_STORAGE_CHAT, as in the Bot API.
#: https://core.telegram.org/api/bots/ids
MARK: Final = -1_000_000_000_000


class Depot:
    """The storage chat of one account that carries. The chat is looked up when it is first used."""

    def __init__(
        self,
        chat: str,
        *,
        carrier: TelegramClient,
        carrier_is_bot: bool,
        gateway: Gateway,
    ) -> None:
        """`chat`: @username, or the marked id; `carrier` is logged in, `gateway` is the bot's."""
        self._chat = chat
        self._client = carrier
        self._user = None if carrier_is_bot else carrier
        self._calls = Calls(carrier, Pacer())
        self._bot_calls = gateway.calls
        self._gateway = gateway
        self._seen: tuple[Any, Any] | None = None

    async def post(
        self, person: Person, uploaded: Uploaded, random_id: int, caption: Caption, reply_to: int
    ) -> Delivered:
        """Store what the account uploaded, and have the bot post it; see `Gateway.deliver`.

        Raises:
            ChannelUnusable, LoggedOut: this account cannot do it.
            and what `Gateway.deliver` raises.
        """
        if not self._client.is_connected():
            raise LoggedOut("its connection has ended")
        for_carrier, for_bot = await self._channels()
        message_id = await self._store(for_carrier, uploaded, random_id)
        request = functions.channels.GetMessagesRequest(for_bot, id=[types.InputMessageID(message_id)])
        found = await self._bot_calls.call(request, about=for_bot.channel_id)
        document = next(map(document_of, found.messages), None)
        if document is None:
            raise ChannelUnusable("the bot does not see what is stored there")
        return await self._gateway.deliver_again(person, document, random_id, caption, reply_to)

    async def _store(self, channel: Any, uploaded: Uploaded, random_id: int) -> int:
        peer = types.InputPeerChannel(channel.channel_id, channel.access_hash)
        request = functions.messages.SendMediaRequest(
            peer=peer, media=as_media(uploaded), message="", random_id=random_id, silent=True
        )
        to = MARK - channel.channel_id
        try:
            with parts_needed():
                result = await self._calls.post(to, request, Urgency.MESSAGE, DELIVER_S)
        except ChatUnreachable as error:
            raise ChannelUnusable(str(error)) from None
        message_id = message_id_of(result, random_id)
        if message_id is None:
            raise TelegramError(f"no message id in {type(result).__name__}")
        return message_id

    async def _channels(self) -> tuple[Any, Any]:
        """The chat as an InputChannel of the account and of the bot."""
        if self._seen is None:
            try:
                self._seen = (
                    _channel(await self._chats(self._calls, self._user)),
                    _channel(await self._chats(self._bot_calls, None)),
                )
            except (UsernameNotOccupiedError, UsernameInvalidError) as error:
                raise ChannelUnusable(f"PEYK_STORAGE_CHAT: {type(error).__name__}") from None
        return self._seen

    async def _chats(self, calls: Calls, user: TelegramClient | None) -> list[Any]:
        """Where to look for the chat. A user finds a private one among its own, a bot by its id alone."""
        if self._chat.startswith("@"):
            request = functions.contacts.ResolveUsernameRequest(self._chat.removeprefix("@"))
            return list((await calls.call(request)).chats)
        wanted = MARK - int(self._chat)
        if user is None:
            request = functions.channels.GetChannelsRequest([types.InputChannel(wanted, 0)])
            return list((await calls.call(request)).chats)
        async with translated():
            return [dialog.entity async for dialog in user.iter_dialogs() if dialog.entity.id == wanted]


def _channel(chats: list[Any]) -> Any:
    for chat in chats:
        if isinstance(chat, types.Channel) and chat.access_hash is not None:
            return types.InputChannel(chat.id, chat.access_hash)
    raise ChannelUnusable("PEYK_STORAGE_CHAT: the account, or the bot, does not see that channel")
