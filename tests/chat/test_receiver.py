"""Whose turn it is to act on updates, and what becomes of them while the database is away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from uploader import limits
from uploader.chat.receiver import Receiver
from uploader.errors import StorageUnavailable
from uploader.storage.database import Database
from uploader.storage.leases import Leases


class Door:
    """The leases of an engine, and whether they answer."""

    def __init__(self, database: Database, holder: str) -> None:
        self.is_shut = False
        self.looks = 0  # that were made to their end
        self._leases = Leases(database, holder, lease_s=limits.LEASE_S)

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._leases, name)

        async def through(*said: Any) -> Any:
            if self.is_shut:
                raise StorageUnavailable("away")
            answer = await call(*said)
            self.looks += name == "alive"
            return answer

        return through

    async def looked(self) -> None:
        """Wait until a whole look was made from now on."""
        before = self.looks
        await until(lambda: self.looks >= before + 2)


class Heard:
    """What one engine did with what it heard."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.put_off: list[str] = []

    async def do(self, event: str) -> None:
        """Act on it."""
        self.done.append(event)

    async def say_later(self, event: str) -> None:
        """Tell its person that it waits."""
        self.put_off.append(event)


@asynccontextmanager
async def engine(database: Database, name: str) -> AsyncIterator[tuple[Door, Receiver, Any, Heard]]:
    """A running receiver, its door to the database, its ear, and what it did."""
    door, heard = Door(database, name), Heard()
    leases: Any = door
    receiver = Receiver(leases, 7, name=name)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(receiver.run())
        yield door, receiver, receiver.guarded(heard.do, heard.say_later), heard
        running.cancel()


async def until(condition: Any) -> None:
    """Wait for it."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - what the receiver sees
            await asyncio.sleep(0.02)


@pytest.fixture
async def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    """A fresh database, and leases whose end a test can see."""
    monkeypatch.setattr(limits, "LEASE_S", 1.0)
    monkeypatch.setattr(limits, "HEARTBEAT_S", 0.1)
    async with await Database.open(f"sqlite:///{tmp_path / 'peyk.db'}") as opened:
        yield opened


async def test_message_when_the_database_is_away_for_long_is_put_off_and_answered_later(
    database: Database,
) -> None:
    """Its person is told that it waits, and it is done once the lease is ours again."""
    async with engine(database, "a") as (door, receiver, hear, heard):
        await until(lambda: receiver.is_mine)
        await door.looked()
        door.is_shut = True
        await until(lambda: not receiver.is_mine)
        await hear("link")
        assert ([], ["link"]) == (heard.done, heard.put_off)
        door.is_shut = False
        await until(lambda: heard.done)
    assert (["link"], ["link"]) == (heard.done, heard.put_off)


async def test_message_when_another_engine_is_there_is_not_put_off(database: Database) -> None:
    """The one that lost the database says nothing: the other answers."""
    async with engine(database, "a") as (door, first, hear_first, heard_first):
        await until(lambda: first.is_mine)
        async with engine(database, "b") as (_, second, hear_second, heard_second):
            await door.looked()
            door.is_shut = True
            await until(lambda: second.is_mine and not first.is_mine)
            for hear in (hear_first, hear_second):
                await hear("link")
            assert ([], []) == (heard_first.done, heard_first.put_off)
            assert ["link"] == heard_second.done
            door.is_shut = False
