"""People who can be scripted: a real Telethon client behind a few verbs.

async with Person.connect(dc, world.add_user("Ada")) as ada:
    await ada.send("/start")
    card = await ada.expect("join")
    await ada.press(card, "Join")
    size_bytes, sha256 = await ada.receive_file()

async with crowd(dc, [world.add_user(f"Person {number}") for number in range(300)]) as people:
    ...
"""

import asyncio
import hashlib
import os
import re
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from telethon import TelegramClient, events
from telethon.crypto import AuthKey, rsa
from telethon.errors import InviteRequestSentError
from telethon.sessions import MemorySession
from telethon.tl import functions, types

from sandbox.buttons import channel_of_link, find_button, invite_of_link
from sandbox.dc import DataCentre
from sandbox.world.accounts import LOGIN_CODE, Account

#: Any numbers will do here; Telegram gives real ones at https://my.telegram.org
API_ID: Final = 12345
API_HASH: Final = "0123456789abcdef0123456789abcdef"

#: Messages and edits that are kept for `expect`.
_KEPT: Final = 10_000
#: Pieces of a file that are asked for at once, and their size: the largest that getFile gives.
_IN_FLIGHT: Final = 6
_PIECE_BYTES: Final = 512 * 1024
#: People of a crowd that log in at once.
_ENTERING: Final = 50


class NotSeen(AssertionError):
    """What was expected did not come in time. The message says what came instead."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a data centre is, and the PEM file of the key to trust."""

    dc_id: int
    host: str
    port: int
    public_key_path: Path


@dataclass(frozen=True, slots=True)
class Pressed:
    """What came of a button: the bot's answer, a link to open, or a channel that was joined."""

    text: str | None = None
    alert: bool = False
    url: str | None = None
    joined: str | None = None


class Person:
    """One user in a chat with one bot. `client` is the Telethon client, for all that is not here."""

    def __init__(self, client: Any, bot: Any, person_id: int) -> None:
        self.client = client
        self.bot = bot
        self.id = person_id
        self._arrived: deque[Any] = deque(maxlen=_KEPT)
        self._news = asyncio.Event()
        client.add_event_handler(self._arrive, events.NewMessage(incoming=True, chats=bot.user_id))
        client.add_event_handler(self._arrive, events.MessageEdited(incoming=True, chats=bot.user_id))

    @classmethod
    @asynccontextmanager
    async def connect(cls, dc: DataCentre, account: Account, bot: str | None = None) -> AsyncIterator[Self]:
        """Log in on a key made for it, without a handshake. `bot`: whose chat; the first bot's if None."""
        session = _session(dc.id, dc.host, dc.port)
        session.auth_key = AuthKey(dc.logins.mint(account))
        bot = bot or next((other.username for other in dc.world.accounts if other.is_bot), None)
        if bot is None:
            raise LookupError("the world has no bot to chat with")
        async with cls._over(_client(session), bot) as person:
            yield person

    @classmethod
    @asynccontextmanager
    async def log_in(cls, place: Place, phone: str, bot: str) -> AsyncIterator[Self]:
        """Log in as programs do that know only the address: key exchange, code, sign in."""
        rsa.add_key(place.public_key_path.read_bytes(), old=False)
        client = _client(_session(place.dc_id, place.host, place.port))
        await client.connect()
        try:
            await client.send_code_request(phone)
            await client.sign_in(phone, LOGIN_CODE)
            async with cls._over(client, bot) as person:
                yield person
        finally:
            await client.disconnect()

    @classmethod
    @asynccontextmanager
    async def _over(cls, client: Any, bot: str) -> AsyncIterator[Self]:
        await client.connect()
        try:
            me = await client.get_me(input_peer=True)
            yield cls(client, await client.get_input_entity(bot), me.user_id)
        finally:
            await client.disconnect()

    async def _arrive(self, event: Any) -> None:
        self._arrived.append(event.message)
        self._news.set()

    async def send(self, text: str) -> Any:
        """Write to the bot. Gives the message as sent."""
        return await self.client.send_message(self.bot, text, parse_mode=None, link_preview=False)

    async def send_file(self, path: Path) -> Any:
        """Send a file to the bot. Gives the message as sent."""
        return await self.client.send_file(self.bot, path, force_document=True)

    async def expect(self, text: str | re.Pattern[str] | None = None, timeout_s: float = 30.0) -> Any:
        """The next message or edit of the bot with this text in it (or any). Raises NotSeen.

        What came before it counts as seen: the next `expect` looks only at what came later.
        """

        def fits(message: Any) -> bool:
            if isinstance(text, re.Pattern):
                return text.search(message.raw_text) is not None
            return text is None or text in message.raw_text

        return await self.expect_that(fits, f"text {text!r}", timeout_s)

    async def expect_file(self, timeout_s: float = 60.0) -> Any:
        """The next message of the bot with a document. Raises NotSeen."""
        return await self.expect_that(lambda message: message.document is not None, "a file", timeout_s)

    async def receive_file(self, path: Path | None = None, timeout_s: float = 30.0) -> tuple[int, str]:
        """Wait for a document of the bot and download it. Gives its size in bytes and its SHA-256."""
        return await self.save(await self.expect_file(timeout_s), path)

    async def expect_that(self, fits: Callable[[Any], bool], wanted: str, timeout_s: float) -> Any:
        """The next message or edit that fits. Raises NotSeen, which says what was `wanted`."""
        passed = []
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    while self._arrived:
                        message = self._arrived.popleft()
                        if fits(message):
                            return message
                        passed.append(message.raw_text)
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise NotSeen(f"expected {wanted} within {timeout_s:g} s; what came was {passed}") from None

    async def press(self, message: Any, button: str | bytes | int) -> Pressed:
        """Press a button by its label, its data or its number. A link into a channel here is joined.

        Raises LookupError when there is none such.
        """
        kind = find_button(message, button).type
        if isinstance(kind, types.InlineButtonTypeUrl):
            username = channel_of_link(kind.url)
            if username is None and invite_of_link(kind.url) is None:
                return Pressed(url=kind.url)
            joined = await self.join(username or kind.url)
            return Pressed(joined=username or kind.url) if joined else Pressed(url=kind.url)
        request = functions.messages.GetBotCallbackAnswerRequest(self.bot, message.id, data=kind.data)
        answer = await self.client(request)
        return Pressed(answer.message, bool(answer.alert), answer.url)

    async def start(self, payload: str) -> Any:
        """Start the bot as a link t.me/bot?start=payload does. Gives the message as sent."""
        answer = await self.client(functions.messages.StartBotRequest(self.bot, self.bot, payload))
        return next(update.message for update in answer.updates if hasattr(update, "message"))

    async def join(self, where: str) -> bool:
        """Join a public channel by its username, or a private one by its link t.me/+…

        False: somebody has to let the person in.
        """
        invite = invite_of_link(where)
        if invite is None:
            request = functions.channels.JoinChannelRequest(where)
        else:
            request = functions.messages.ImportChatInviteRequest(invite)
        try:
            await self.client(request)
        except InviteRequestSentError:
            return False
        return True

    async def leave(self, channel: str) -> None:
        """Leave a channel."""
        await self.client(functions.channels.LeaveChannelRequest(channel))

    async def block(self) -> None:
        """Block the bot: it may not write any more."""
        await self.client(functions.contacts.BlockRequest(self.bot))

    async def save(
        self, message: Any, path: Path | None = None, progress: Callable[[int, int], None] | None = None
    ) -> tuple[int, str]:
        """Download the document of a message, to a file or nowhere. Gives its size in bytes and its SHA-256.

        Memory is bounded by the pieces in flight. `progress` is called with bytes done and in total.
        """
        document = message.document
        place = types.InputDocumentFileLocation(
            document.id, document.access_hash, document.file_reference, thumb_size=""
        )
        digest, done, ahead = hashlib.sha256(), 0, deque[asyncio.Task[bytes]]()

        async def take() -> None:
            nonlocal done
            piece = await ahead.popleft()
            digest.update(piece)
            sink.write(piece)
            done += len(piece)
            if progress is not None:
                progress(done, document.size)

        with _Sink(path) as sink:
            async with asyncio.TaskGroup() as group:
                for offset in range(0, document.size, _PIECE_BYTES):
                    ahead.append(group.create_task(self._piece(place, offset)))
                    if len(ahead) == _IN_FLIGHT:
                        await take()
                while ahead:
                    await take()
        return done, digest.hexdigest()

    async def _piece(self, place: Any, offset: int) -> bytes:
        request = functions.upload.GetFileRequest(place, offset=offset, limit=_PIECE_BYTES)
        content: bytes = (await self.client(request)).bytes
        return content


@asynccontextmanager
async def crowd(
    dc: DataCentre, accounts: Iterable[Account], bot: str | None = None
) -> AsyncIterator[list[Person]]:
    """Many people in the order of their accounts, each as by `Person.connect`.

    Three hundred cost about 20 MB and 0.7 s of CPU, the data centre's share included.
    """
    async with AsyncExitStack() as stack:
        entering = asyncio.Semaphore(_ENTERING)

        async def enter(account: Account) -> Person:
            async with entering:
                return await stack.enter_async_context(Person.connect(dc, account, bot))

        async with asyncio.TaskGroup() as group:
            entered = [group.create_task(enter(account)) for account in accounts]
        yield [task.result() for task in entered]


class _Sink:
    """A new file that is written from its beginning, or nothing at all."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        if self._path is not None:
            self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        return self

    def __exit__(self, *failure: object) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)

    def write(self, piece: bytes) -> None:
        if self._descriptor is not None:
            os.write(self._descriptor, piece)


def _session(dc_id: int, host: str, port: int) -> Any:
    session = MemorySession()
    session.set_dc(dc_id, host, port)
    return session


def _client(session: Any) -> Any:
    return TelegramClient(session, API_ID, API_HASH, sequential_updates=True, request_retries=2)
