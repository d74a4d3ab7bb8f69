"""The control port: line JSON on loopback, to play the scripted user and to break things: docs/SANDBOX.md."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

from telethon.errors import RPCError

from sandbox.chat import Chat
from sandbox.dc import DataCentre
from sandbox.levers import Levers, Refused
from sandbox.world.accounts import Account
from sandbox.world.channels import Channel

#: The longest request, and what may wait for a watcher that does not read.
_LINE_BYTES: Final = 64 * 1024
_UNREAD_BYTES: Final = 4 * 1024 * 1024
_STOP_S: Final = 5.0


class _Client:
    """One connection to the control port."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self._writer = writer

    def send(self, line: dict[str, Any]) -> None:
        """Write one line, or cut off a client that does not read."""
        if self._writer.transport.get_write_buffer_size() > _UNREAD_BYTES:
            self._writer.transport.abort()
        elif not self._writer.is_closing():
            self._writer.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")

    async def drain(self) -> None:
        await self._writer.drain()

    def close(self) -> None:
        self._writer.close()


class Control:
    """Answers requests: for the scripted user by its chat, for the data centres by their levers.

    The user's home is `dc`; `others` share its world.
    """

    def __init__(
        self,
        dc: DataCentre,
        user: Account,
        bot: Account,
        channel: Channel,
        others: Sequence[DataCentre] = (),
    ) -> None:
        self._dc = dc
        self._levers = Levers(dc.world, [dc, *others])
        self._user = user
        self._bot = bot
        self._channel = channel
        self._clients: set[_Client] = set()
        self._empty = asyncio.Event()
        self._chat: Chat | None = None
        self._login = asyncio.Lock()
        self._stack = AsyncExitStack()

    @asynccontextmanager
    async def listening(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[tuple[str, int]]:
        """Serve; gives the address."""
        server = await asyncio.start_server(self._serve, host, port, limit=_LINE_BYTES)
        async with self._stack, server:
            yield server.sockets[0].getsockname()[:2]
            server.close()
            await self._say_goodbye()

    async def _say_goodbye(self) -> None:
        for client in self._clients:
            client.close()
        if self._clients:
            self._empty.clear()
            async with asyncio.timeout(_STOP_S):
                await self._empty.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = _Client(reader, writer)
        self._clients.add(client)
        try:
            while line := await reader.readline():
                answer = await self._answer(client, line)
                if answer is not None:
                    client.send(answer)
                await client.drain()
        except ValueError:
            client.send({"ok": False, "error": f"a line is at most {_LINE_BYTES} bytes"})
        except ConnectionError:
            pass  # the client is gone, which is its right
        finally:
            self._clients.discard(client)
            if self._chat is not None:
                self._chat.watchers.pop(client, None)
            client.close()
            if not self._clients:
                self._empty.set()

    async def _answer(self, client: _Client, line: bytes) -> dict[str, Any] | None:
        try:
            request = json.loads(line)
            if not isinstance(request, dict):
                raise Refused("a request is an object")
            if request.get("op") == "watch":
                await self._watch(client)
                return None
            return {"ok": True, **await self._do(client, request)}
        except (Refused, LookupError, ValueError, RecursionError) as error:
            return {"ok": False, "error": str(error)}
        except (RPCError, OSError) as error:
            return {"ok": False, "error": f"{type(error).__name__}: {error}"}

    async def _watch(self, client: _Client) -> None:
        """The one request whose answer has no end."""
        chat = await self._chatting()
        client.send({"ok": True})
        await chat.watch(client, client.send)

    async def _do(self, client: _Client, request: dict[str, Any]) -> dict[str, Any]:
        """One operation; what it gives stands beside "ok" in the answer."""
        match request:
            case {"op": "hello"}:
                return self._hello()
            case {"op": "say", "text": str(text)}:
                await (await self._chatting()).say(text)
            case {"op": "press", "message_id": int(message_id), "button": int(button)}:
                return await (await self._chatting()).press(message_id, button)
            case {"op": "join", "channel": str(username)}:
                await (await self._chatting()).join(username)
            case {"op": "leave", "channel": str(username)}:
                await (await self._chatting()).leave(username)
            case {"op": "save", "message_id": int(message_id), "folder": str(folder)}:
                return await (await self._chatting()).save(message_id, folder, client.send)
            case _:
                return await self._levers.pull(request)
        return {}

    def _hello(self) -> dict[str, Any]:
        return {
            "user": {"id": self._user.id, "first_name": self._user.first_name},
            "bot": {"id": self._bot.id, "username": self._bot.username},
            "channel": {"username": self._channel.username, "title": self._channel.title},
        }

    async def _chatting(self) -> Chat:
        """The user's chat with the bot; it logs in when it is first needed."""
        async with self._login:
            if self._chat is None:
                opened = Chat.open(self._dc, self._user, self._bot)
                self._chat = await self._stack.enter_async_context(opened)
        return self._chat
