"""What one message shows is sent in order, over real MTProto and on a real database: the last word stands."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from sandbox import DataCentre, World
from sandbox.people import Person as Human
from tests.sandbox.clients import connected
from uploader.chat.progress import StatusMessages
from uploader.errors import Reason
from uploader.model import Dues, Job, JobState, Link, Person, Phase, Progress
from uploader.storage.choices import Choices
from uploader.storage.database import Database
from uploader.storage.jobs import Jobs
from uploader.storage.owed import Owed
from uploader.storage.people import People
from uploader.telegram.gateway import Gateway
from uploader.telegram.pacing import Pacer
from uploader.texts import Texts


class SlowPeople(People):
    """A database that does not answer for a while when it is asked for a person."""

    slow: asyncio.Event | None = None
    asked = 0

    async def get(self, user_id: int) -> Person | None:
        """See `People.get`; the first to ask waits."""
        self.asked += 1
        slow, self.slow = self.slow, None
        if slow is not None:
            await slow.wait()
        return await super().get(user_id)


@dataclass(kw_only=True)
class Desk:
    """A running job with a status message, and who shows it."""

    database: Database
    status: StatusMessages
    jobs: Jobs
    people: SlowPeople
    owed: Owed
    human: Human
    job: Job

    async def shown(self) -> str:
        """What the person reads in the status message."""
        message = await self.human.client.get_messages(self.human.bot, limit=1)
        return str(message[0].raw_text)


@asynccontextmanager
async def desks(dc: DataCentre, world: World, folder: Path) -> AsyncIterator[Desk]:
    """A desk on a data centre and a database of its own."""
    bot, account = world.add_bot(), world.add_user("Ada")
    async with (
        await Database.open(f"sqlite:///{folder / 'peyk.db'}") as database,
        connected(dc, bot) as client,
        Human.connect(dc, account) as human,
    ):
        sent = await human.send("/start")
        access_hash = world.accounts.access_hash(bot, "user", account.id)
        ada = Person(user_id=account.id, access_hash=access_hash, language="en", name="Ada")
        jobs, people, gateway = Jobs(database), SlowPeople(database, bot.id), Gateway(client, Pacer())
        await people.see(ada)
        await jobs.add(
            user_id=ada.user_id,
            chat_id=ada.user_id,
            message_id=sent.id,
            language="en",
            link=Link(url="https://example.com/film.mp4", host="example.com"),
            state=JobState.QUEUED,
        )
        message_id, job = await gateway.say(ada, "Accepted."), await jobs.claim("w")
        assert message_id is not None
        assert job is not None
        await jobs.set_status_message(job.id, message_id)
        owed = Owed(database)
        yield Desk(
            database=database,
            status=StatusMessages(gateway, jobs, people, Choices(database), owed, Texts("en")),
            jobs=jobs,
            people=people,
            owed=owed,
            human=human,
            job=replace(job, status_message_id=message_id),
        )


async def test_last_word_when_an_edit_of_progress_is_late_then_stands(
    dc: DataCentre, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look at "98 %" that was slow does not come after "This did not work"."""
    monkeypatch.setattr("uploader.chat.progress.TICK_S", 0.01)
    monkeypatch.setattr("uploader.chat.progress.EDIT_S", 0.02)
    async with desks(dc, world, tmp_path) as desk:
        desk.people.slow = released = asyncio.Event()
        desk.status.started(desk.job)
        desk.status.progress(
            Progress(job_id=desk.job.id, phase=Phase.UPLOADING, name="a", done_bytes=98, total_bytes=100)
        )
        async with asyncio.TaskGroup() as group:
            running = group.create_task(desk.status.run())
            async with asyncio.timeout(30):
                while not desk.people.asked:  # noqa: ASYNC110 - of the database
                    await asyncio.sleep(0.01)
            await desk.jobs.fail(desk.job, Reason.NOT_FOUND)
            failed = await desk.jobs.get(desk.job.id)
            assert failed is not None
            ending = group.create_task(desk.status.ended(failed))
            await asyncio.sleep(0.5)  # on its own, the last word would have been said by now
            released.set()
            await ending
            await asyncio.sleep(0.2)  # and the late one after it
            running.cancel()
        assert "no such file" in await desk.shown()
        assert world.stats.calls["messages.editMessage"] <= 2


async def test_last_word_when_two_say_it_then_only_what_holds_is_shown(
    dc: DataCentre, world: World, tmp_path: Path
) -> None:
    """A failure that is shown late does not hide that the job was queued again meanwhile."""
    async with desks(dc, world, tmp_path) as desk:
        await desk.jobs.fail(desk.job, Reason.NOT_FOUND)
        failed = await desk.jobs.get(desk.job.id)
        again = await desk.jobs.again(desk.job.id, desk.job.user_id, Dues())
        assert failed is not None
        assert again is not None
        await desk.status.show(again)
        await desk.status.show(failed)
        assert "Accepted" in await desk.shown()
        assert "no such file" not in await desk.shown()
