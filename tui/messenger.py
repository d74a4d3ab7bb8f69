"""A person's side of a chat, played over the sandbox's control port. No Textual in here.

Line JSON over TCP on loopback: one request a line, one answer a line; `save` and `watch` answer more.
The demo's *Chat* screen is its only user; nothing of it exists when the bot serves real people.
"""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

#: An answer takes as long as the bot's slowest one: a button's answer waits for the bot.
ANSWER_S: Final = 30.0

#: A file comes in steps; none may take longer than this.
STEP_S: Final = 60.0

#: A message is at most 4096 characters, its buttons and file a little more.
LINE_BYTES: Final = 1 << 20


class MessengerError(Exception):
    """The chat cannot be reached, or refused; the message is a sentence for the person."""


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True)


class ChatButton(_Line):
    """A button under a message."""

    text: str
    kind: Literal["callback", "url"]
    url: str | None = None


class ChatFile(_Line):
    """A file in a message."""

    name: str
    size_bytes: int
    mime_type: str = ""


class ChatMessage(_Line):
    """A message of the chat; `out` when the person wrote it, `at` in seconds since the epoch."""

    id: int
    out: bool
    text: str
    at: float
    buttons: tuple[tuple[ChatButton, ...], ...] = ()
    file: ChatFile | None = None


class ChatEvent(_Line):
    """Something happened in the chat: `message` came or was edited, or `ids` were deleted."""

    event: Literal["message", "edit", "delete"]
    message: ChatMessage | None = None
    ids: tuple[int, ...] = ()


class Member(_Line):
    """The person, or the bot."""

    id: int = 0
    first_name: str = ""
    username: str = ""


class Channel(_Line):
    """The sponsor's channel."""

    username: str = ""
    title: str = ""


class Hello(_Line):
    """Who is who in this chat."""

    user: Member = Member()
    bot: Member = Member()
    channel: Channel = Channel()


class Pressed(_Line):
    """What a button did: the bot's `alert`, a channel that was `joined`, or a `url` to open."""

    alert: str | None = None
    joined: str | None = None
    url: str | None = None


class SaveStep(_Line):
    """How much of a file has arrived."""

    progress: int
    total: int


class Saved(_Line):
    """Where a file is now, and what it is."""

    path: str
    size_bytes: int
    sha256: str


Shape = TypeVar("Shape", bound=_Line)


class Messenger:
    """Plays the person whose chat is controlled at `host`:`port`. Every call raises MessengerError."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port

    async def hello(self) -> Hello:
        """Who is who."""
        return _checked(Hello, await self._ask({"op": "hello"}))

    async def say(self, text: str) -> None:
        """Send `text` to the bot; it comes back as an event."""
        await self._ask({"op": "say", "text": text})

    async def press(self, message_id: int, button: int) -> Pressed:
        """Press a button; `button` counts through all rows from 0."""
        return _checked(Pressed, await self._ask({"op": "press", "message_id": message_id, "button": button}))

    async def save(self, message_id: int, folder: Path) -> AsyncGenerator[SaveStep | Saved, None]:
        """Save the message's file into `folder`; the last thing yielded is `Saved`."""
        request = {"op": "save", "message_id": message_id, "folder": str(folder)}
        async with aclosing(self._lines(request, deadline_s=STEP_S)) as lines:
            async for line in lines:
                if "progress" not in line:
                    yield _checked(Saved, line)
                    return
                yield _checked(SaveStep, line)
        raise MessengerError("the chat ended before the file was whole")

    async def watch(self) -> AsyncGenerator[ChatEvent, None]:
        """Yield what happens from now on; ends when the chat closes."""
        async with aclosing(self._lines({"op": "watch"}, deadline_s=None)) as lines:
            async for line in lines:
                if "event" in line:
                    yield _checked(ChatEvent, line)

    async def _ask(self, request: dict[str, object]) -> dict[str, Any]:
        async with aclosing(self._lines(request, deadline_s=ANSWER_S)) as lines:
            async for line in lines:
                return line
        raise MessengerError("the chat closed the connection")

    async def _lines(
        self, request: dict[str, object], *, deadline_s: float | None
    ) -> AsyncGenerator[dict[str, Any], None]:
        """Send one request on a connection of its own and yield its answers.

        `deadline_s` None waits without end for the next line: a chat may be silent for hours.
        """
        try:
            async with asyncio.timeout(ANSWER_S):
                reader, writer = await asyncio.open_connection(self._host, self._port, limit=LINE_BYTES)
            try:
                writer.write(json.dumps(request).encode() + b"\n")
                while True:
                    async with asyncio.timeout(deadline_s):
                        raw = await reader.readline()
                    if not raw:
                        return
                    yield _answer(raw)
            finally:
                writer.close()
        except TimeoutError as problem:
            raise MessengerError("the chat does not answer") from problem
        except OSError as problem:
            raise MessengerError("the chat cannot be reached; is the demo still running?") from problem
        except ValueError as problem:  # asyncio's word for a line over LINE_BYTES
            raise MessengerError("the chat sent a line that is too long") from problem


def _answer(raw: bytes) -> dict[str, Any]:
    try:
        answer = TypeAdapter(dict[str, Any]).validate_json(raw)
    except ValidationError as problem:
        raise MessengerError("the chat sent something that is no answer") from problem
    if answer.get("ok") is False:
        raise MessengerError(str(answer.get("error", "refused")))
    return answer


def _checked(shape: type[Shape], line: dict[str, Any]) -> Shape:
    try:
        return shape.model_validate(line)
    except ValidationError as problem:
        raise MessengerError("the chat speaks another protocol than this program") from problem
