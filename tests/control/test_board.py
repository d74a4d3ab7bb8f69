"""The snapshot: the database's rows joined with what running jobs report."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from uploader.control.board import LIVE_JOBS, Board
from uploader.errors import Reason
from uploader.model import Job, JobState, Link, Phase, Progress, Sponsor
from uploader.storage.database import Database
from uploader.storage.jobs import Jobs
from uploader.storage.settings import Settings
from uploader.storage.sponsors import Sponsors

SECRET = "https://files.example.org/private/path?token=s3cr3t"


class Clock:
    """Epoch seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Scene:
    """A real database with its rooms, a board over it, and a clock."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.clock = clock
        self.jobs, self.sponsors, self.settings = Jobs(database), Sponsors(database), Settings(database)
        self.stopping = False
        self.board = Board(
            database=database,
            bot_username="peyk_bot",
            stopping=lambda: self.stopping,
            clock=clock,
        )
        self._messages = 0

    async def add(self, state: JobState = JobState.QUEUED) -> Job:
        """One more job of one more person."""
        self._messages += 1
        job = await self.jobs.add(
            user_id=self._messages,
            chat_id=self._messages,
            message_id=1,
            language="en",
            link=Link(url=SECRET, host="files.example.org"),
            state=state,
        )
        assert job is not None
        return job

    async def claim(self) -> Job:
        """The next job, taken by a worker."""
        job = await self.jobs.claim("me")
        assert job is not None
        return job


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """An empty engine."""
    clock = Clock()
    async with await Database.open(f"sqlite:///{tmp_path / 'peyk.db'}", clock=clock) as database:
        yield Scene(database, clock)


def uploading(job: Job, done_bytes: int, total_bytes: int | None = 1_000_000) -> Progress:
    """A look at a job that uploads; its own speed is a lie, to see that it is not used."""
    return Progress(
        job_id=job.id,
        phase=Phase.UPLOADING,
        name="film.mkv",
        done_bytes=done_bytes,
        total_bytes=total_bytes,
    )


async def test_snapshot_when_the_engine_is_new_is_empty_and_complete(scene: Scene) -> None:
    """Every state has its count, also where there is none."""
    seen = await scene.board.snapshot()
    assert dict.fromkeys([state.value for state in JobState], 0) == seen.counts
    assert ((), (), (), ()) == (seen.transfers, seen.queue, seen.recent, seen.sponsors)
    assert (1000.0, 1000.0, "peyk_bot") == (seen.at, seen.started_at, seen.bot_username)
    assert (False, False) == (seen.maintenance, seen.stopping)


async def test_snapshot_when_telegram_wants_no_parts_shows_for_how_long(scene: Scene) -> None:
    """Seconds that are left, and none once a part was acknowledged again."""
    await scene.add()
    job = await scene.claim()
    scene.board.started(job)
    scene.board.progress(replace(uploading(job, 0), parked_until=scene.clock.now + 30))
    scene.clock.now += 10
    assert [20.0] == [row.parked_s for row in (await scene.board.snapshot()).transfers]
    scene.clock.now += 30
    assert [0.0] == [row.parked_s for row in (await scene.board.snapshot()).transfers]


async def test_snapshot_when_a_job_runs_shows_acknowledged_bytes_speed_and_time_left(scene: Scene) -> None:
    """100,000 bytes in two seconds are 50,000 a second; 900,000 more take 18 s."""
    await scene.add()
    job = await scene.claim()
    scene.board.started(job)
    scene.board.progress(uploading(job, 0))
    scene.clock.now += 2
    scene.board.progress(uploading(job, 100_000))
    (row,) = (await scene.board.snapshot()).transfers
    assert ("film.mkv", "uploading", 100_000, 1_000_000) == (
        row.name,
        row.phase,
        row.done_bytes,
        row.total_bytes,
    )
    assert (50_000, 18) == (round(row.speed_bytes_s), round(row.eta_s or 0))
    assert (1, 1000.0) == (row.attempt, row.started_at)


async def test_snapshot_when_a_job_resumes_tells_the_speed_of_new_bytes_alone(scene: Scene) -> None:
    """An attempt opens with nothing done: what an earlier one sent is no speed, and shortens no time left.

    rust-lang/rustup#1166: what was there before a resume was shown as speed for six seconds.
    """
    await scene.add()
    job = await scene.claim()
    scene.board.started(job)
    scene.board.progress(replace(uploading(job, 0), phase=Phase.OPENING))
    scene.clock.now += 0.5
    for done_bytes in (900_000, 900_500, 901_000):
        scene.board.progress(uploading(job, done_bytes))
        scene.clock.now += 1
    (transfer,) = (await scene.board.snapshot()).transfers
    assert 1000 / 3 == pytest.approx(transfer.speed_bytes_s)
    assert 99_000 / (1000 / 3) == pytest.approx(transfer.eta_s)


async def test_snapshot_when_the_size_is_unknown_gives_no_time_left(scene: Scene) -> None:
    """No whole, no rest."""
    await scene.add()
    job = await scene.claim()
    scene.board.started(job)
    scene.board.progress(uploading(job, 0, None))
    scene.clock.now += 2
    scene.board.progress(uploading(job, 100_000, None))
    (row,) = (await scene.board.snapshot()).transfers
    assert (None, None) == (row.total_bytes, row.eta_s)
    assert row.speed_bytes_s > 0


async def test_snapshot_when_nothing_was_reported_yet_shows_the_job_as_opening(scene: Scene) -> None:
    """A claimed job is seen at once, and so is one that another process runs."""
    await scene.add()
    job = await scene.claim()
    await scene.jobs.note_file(job, "known.bin", 77)
    (row,) = (await scene.board.snapshot()).transfers
    assert ("opening", "known.bin", 77, 0, 0.0, None) == (
        row.phase,
        row.name,
        row.total_bytes,
        row.done_bytes,
        row.speed_bytes_s,
        row.eta_s,
    )


async def test_snapshot_when_all_is_acknowledged_shows_no_speed(scene: Scene) -> None:
    """While the message is sent no bytes move."""
    await scene.add()
    job = await scene.claim()
    scene.board.started(job)
    scene.board.progress(uploading(job, 0))
    scene.clock.now += 2
    scene.board.progress(
        Progress(
            job_id=job.id,
            phase=Phase.FINISHING,
            name="film.mkv",
            done_bytes=1_000_000,
            total_bytes=1_000_000,
        )
    )
    (row,) = (await scene.board.snapshot()).transfers
    assert ("finishing", 0.0, None) == (row.phase, row.speed_bytes_s, row.eta_s)


async def test_board_when_an_attempt_ends_forgets_what_it_reported(scene: Scene) -> None:
    """The next attempt of the same job starts without a picture."""
    await scene.add()
    job = await scene.claim()
    scene.board.started(job)
    scene.board.progress(uploading(job, 500_000))
    await scene.board.ended(job)
    scene.board.progress(uploading(job, 600_000))
    (row,) = (await scene.board.snapshot()).transfers
    assert ("opening", 0) == (row.phase, row.done_bytes)


async def test_board_when_jobs_are_never_ended_keeps_a_bounded_number(scene: Scene) -> None:
    """The oldest entry makes room: a worker that was cancelled ends nothing."""
    await scene.add()
    job = await scene.claim()
    scene.board.started(job)
    scene.board.progress(uploading(job, 500_000))
    other = await scene.add()
    for _ in range(LIVE_JOBS):
        scene.board.started(other)
        other = replace(other, id=other.id + 1)
    (row,) = (await scene.board.snapshot()).transfers
    assert "opening" == row.phase


async def test_snapshot_when_jobs_wait_and_end_lists_them_with_their_reasons(scene: Scene) -> None:
    """Queue and recent are the storage's, in its order."""
    failed, waiting = await scene.add(), await scene.add(JobState.WAITING_SPONSORS)
    queued = await scene.add()
    await scene.jobs.fail(await scene.claim(), Reason.NOT_FOUND)
    seen = await scene.board.snapshot()
    assert [(queued.id, "queued"), (waiting.id, "waiting_sponsors")] == [
        (row.job_id, row.state) for row in seen.queue
    ]
    assert [(failed.id, "failed", "not-found")] == [
        (row.job_id, row.state, row.reason) for row in seen.recent
    ]
    assert (1, 1, 1) == (seen.counts["failed"], seen.counts["queued"], seen.counts["waiting_sponsors"])


async def test_snapshot_when_sponsors_lock_counts_who_was_asked_and_who_joined(scene: Scene) -> None:
    """Two were shown the lock, one of them joined."""
    sponsor = Sponsor(channel_id=5, access_hash=6, username="daily", title="Daily")
    await scene.sponsors.add(sponsor, added_by=1)
    await scene.sponsors.asked(10, [sponsor])
    await scene.sponsors.asked(11, [sponsor])
    await scene.sponsors.joined(5, 10)
    (row,) = (await scene.board.snapshot()).sponsors
    assert ("daily", "Daily", 2, 1) == (row.username, row.title, row.asked, row.joined)


async def test_snapshot_when_switched_says_maintenance_and_stopping(scene: Scene) -> None:
    """Both come from where they are kept, at each look."""
    await scene.settings.set_maintenance(True)
    scene.stopping = True
    seen = await scene.board.snapshot()
    assert (True, True) == (seen.maintenance, seen.stopping)


async def test_snapshot_when_written_out_holds_no_address(scene: Scene) -> None:
    """Of a link only the host may leave the engine."""
    await scene.add()
    await scene.add(JobState.WAITING_SPONSORS)
    await scene.add()
    job = await scene.claim()
    scene.board.started(job)
    text = (await scene.board.snapshot()).model_dump_json()
    assert "files.example.org" in text
    assert "private/path" not in text
    assert "s3cr3t" not in text
