"""The scripted user's chat with the bot, as the control port shows it: messages as JSON, and watchers."""

import re
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from telethon import events
from telethon.errors import UserAlreadyParticipantError
from telethon.tl import types

from sandbox.buttons import buttons_of, channel_of_link, find_button
from sandbox.dc import DataCentre
from sandbox.levers import Refused
from sandbox.people import Person
from sandbox.world.accounts import Account
from sandbox.world.channels import Channel
from sandbox.world.world import World

#: Messages that a watcher is shown of the past, and events that wait until it has seen them.
_HISTORY: Final = 50
_BACKLOG: Final = 1000
#: Bytes between two lines about the progress of a download.
_PROGRESS_BYTES: Final = 4 * 1024 * 1024
#: Tries for a file name that is not taken.
_MAX_NAMES: Final = 1000

Line = dict[str, Any]
Send = Callable[[Line], None]


@dataclass
class _Watcher:
    """Somebody who is shown the chat. Until the past is shown, what happens waits in the backlog."""

    send: Send
    backlog: deque[Line] | None = field(default_factory=lambda: deque(maxlen=_BACKLOG))

    def show(self, line: Line) -> None:
        if self.backlog is None:
            self.send(line)
        else:
            self.backlog.append(line)

    def catch_up(self, past: list[Line]) -> None:
        waiting, self.backlog = self.backlog or (), None
        shown = {line["message"]["id"] for line in past}
        for line in past:
            self.send(line)
        for line in waiting:
            if line["event"] != "message" or line["message"]["id"] not in shown:
                self.send(line)


class Chat:
    """One person's chat. `watchers` are told of everything, each by what it is kept under."""

    def __init__(self, world: World, person: Person) -> None:
        self.watchers: dict[Any, _Watcher] = {}
        self._world = world
        self._person = person
        for kind in (
            events.NewMessage(chats=person.bot.user_id),
            events.MessageEdited(chats=person.bot.user_id),
        ):
            person.client.add_event_handler(self._changed, kind)
        person.client.add_event_handler(self._deleted, events.MessageDeleted())

    @classmethod
    @asynccontextmanager
    async def open(cls, dc: DataCentre, user: Account, bot: Account) -> AsyncIterator[Self]:
        """Log the user in."""
        async with Person.connect(dc, user, bot.username) as person:
            yield cls(dc.world, person)

    def _show(self, line: Line) -> None:
        for watcher in self.watchers.values():
            watcher.show(line)

    async def _changed(self, event: Any) -> None:
        kind = "edit" if isinstance(event, events.MessageEdited.Event) else "message"
        self._show({"event": kind, "message": as_json(event.message)})

    async def _deleted(self, event: Any) -> None:
        self._show({"event": "delete", "ids": list(event.deleted_ids)})

    async def watch(self, key: Any, send: Send) -> None:
        """Show what was said, and from now on what happens."""
        watcher = self.watchers[key] = _Watcher(send)
        past = await self._person.client.get_messages(self._person.bot, limit=_HISTORY)
        watcher.catch_up([{"event": "message", "message": as_json(message)} for message in reversed(past)])

    async def say(self, text: str) -> None:
        """Write to the bot."""
        message = await self._person.send(text)
        self._show({"event": "message", "message": as_json(message)})

    async def press(self, message_id: int, button: int) -> Line:
        """Press a button. Raises Refused, or LookupError when there is none."""
        message = await self._message(message_id)
        kind = find_button(message, button).type
        if isinstance(kind, types.InlineButtonTypeUrl):
            username = channel_of_link(kind.url)
            if username is None or not isinstance(self._world.resolve(username), Channel):
                return {"url": kind.url}
            await self.join(username)
            return {"joined": username}
        return {"alert": (await self._person.press(message, button)).text}

    async def join(self, username: str) -> None:
        """Join a channel, or stay in it."""
        try:
            await self._person.join(username)
        except UserAlreadyParticipantError:
            return

    async def leave(self, username: str) -> None:
        """Leave a channel."""
        await self._person.leave(username)

    async def save(self, message_id: int, folder: str, send: Send) -> Line:
        """Download a message's file into a folder, saying how far it is. Raises Refused."""
        message = await self._message(message_id)
        if message.document is None:
            raise Refused(f"message {message_id} has no file")
        path, told = _free_path(Path(folder), message.file.name or "file"), 0

        def progress(done: int, total: int) -> None:
            nonlocal told
            if done - told >= _PROGRESS_BYTES or done == total:
                told = done
                send({"progress": done, "total": total})

        try:
            size_bytes, sha256 = await self._person.save(message, path, progress)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return {"path": str(path), "size_bytes": size_bytes, "sha256": sha256}

    async def _message(self, message_id: int) -> Any:
        message = await self._person.client.get_messages(self._person.bot, ids=message_id)
        if message is None:
            raise Refused(f"there is no message {message_id}")
        return message


def as_json(message: Any) -> Line:
    """A message of the chat as the control port describes it."""
    return {
        "id": message.id,
        "out": bool(message.out),
        "text": message.raw_text,
        "at": message.date.timestamp(),
        "buttons": [[_button(button) for button in row] for row in buttons_of(message)],
        "file": _file(message),
    }


def _button(button: Any) -> Line:
    if isinstance(button.type, types.InlineButtonTypeUrl):
        return {"text": button.text, "kind": "url", "url": button.type.url}
    return {"text": button.text, "kind": "callback"}


def _file(message: Any) -> Line | None:
    if message.document is None:
        return None
    return {
        "name": message.file.name or "file",
        "size_bytes": message.document.size,
        "mime_type": message.document.mime_type,
    }


def safe_name(name: str) -> str:
    """A file name without folders, control characters, or dots in front."""
    name = re.split(r"[/\\]", name)[-1]
    name = "".join(letter for letter in name if letter.isprintable() and letter not in '<>:"|?*')
    return name.strip(" .").encode()[:200].decode(errors="ignore") or "file"


def _free_path(folder: Path, name: str) -> Path:
    """A path in the folder that is not taken. Raises Refused."""
    if not folder.is_dir():
        raise Refused(f"{folder} is no folder")
    first = folder / safe_name(name)
    names = (first.with_stem(f"{first.stem} ({number})") for number in range(1, _MAX_NAMES))
    free = next((path for path in (first, *names) if not path.exists()), None)
    if free is None:
        raise Refused(f"{first} and {_MAX_NAMES} more are taken")
    return free
