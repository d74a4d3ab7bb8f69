"""How last words are brought out while Telegram, or a word itself, is in trouble."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.storage.arrivals import Arrivals
from uploader import limits
from uploader.chat import last_words
from uploader.chat.last_words import LastWords
from uploader.errors import TelegramError
from uploader.model import Job
from uploader.storage.database import Database
from uploader.storage.jobs import Jobs
from uploader.storage.owed import Owed
from uploader.supervision import Helpers


class Voice:
    """Tells as Telegram lets it."""

    def __init__(self, error: Exception | None = None) -> None:
        """None: Telegram takes no word, and refuses none."""
        self.error = error
        self.begun: list[int] = []

    async def tell(self, job: Job) -> None:
        """Try to tell how a job ended."""
        self.begun.append(job.id)
        if self.error is not None:
            raise self.error
        await asyncio.Event().wait()


async def ended_job(database: Database) -> Job:
    """A job that was cancelled, of which nothing was said."""
    jobs = Jobs(database)
    job = await Arrivals(jobs).job()
    await jobs.cancel(job.user_id)
    ended = await jobs.get(job.id)
    assert ended is not None
    return ended


async def test_last_word_when_telegram_takes_none_for_long_is_on_its_way_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else each look would add one more, and all of them would come when Telegram answers again."""
    monkeypatch.setattr(limits, "OWED_S", 0.0)
    monkeypatch.setattr(last_words, "LOOK_S", 0.0)
    async with await Database.open(f"sqlite:///{tmp_path / 'peyk.db'}") as database:
        await ended_job(database)
        owed, looks = Owed(database), 0
        voice: Any = Voice()

        class Counted:
            async def due(self) -> list[Job]:
                nonlocal looks
                looks += 1
                return await owed.due()

        counted: Any = Counted()
        async with Helpers() as helpers, asyncio.timeout(30):
            helpers.start(LastWords(voice, counted, lambda: 0.0).run())
            while looks < 10:  # noqa: ASYNC110 - a counter
                await asyncio.sleep(0.01)
    assert 1 == len(voice.begun)


async def test_last_word_when_it_fails_each_time_is_given_up_after_a_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is wrong with one job, it is not looked at for ever."""
    monkeypatch.setattr(limits, "OWED_S", 0.0)
    monkeypatch.setattr(last_words, "LOOK_S", 0.0)
    async with await Database.open(f"sqlite:///{tmp_path / 'peyk.db'}") as database:
        job, jobs, owed = await ended_job(database), Jobs(database), Owed(database)
        voice: Any = Voice(TelegramError("PEER_FLOOD"))
        now = job.updated_at
        async with Helpers() as helpers, asyncio.timeout(30):
            helpers.start(LastWords(voice, owed, lambda: now).run())
            while len(voice.begun) < 3:  # noqa: ASYNC110 - a counter
                await asyncio.sleep(0.01)
            assert await owed.due() != []
            now += limits.OWED_KEPT_S + 1
            while await owed.due() != []:  # noqa: ASYNC110 - a row
                await asyncio.sleep(0.01)
        assert await jobs.get(job.id) == job
