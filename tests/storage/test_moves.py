"""Every door of `Jobs` against every state: what is legal moves, what is not leaves the row untouched."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
import sqlalchemy as sa

from tests.storage.arrivals import Arrivals
from uploader.errors import LeaseLost, Reason
from uploader.model import MOVES, Checkpoint, Dues, Job, JobState, Link, Sponsor
from uploader.storage import tables
from uploader.storage.choices import Choices
from uploader.storage.database import Database
from uploader.storage.deadlines import Deadlines
from uploader.storage.holds import Holds
from uploader.storage.jobs import Jobs
from uploader.wishes import UNDECIDED, Offer, Option, Wish

WAITING, QUEUED, RUNNING = JobState.WAITING_SPONSORS, JobState.QUEUED, JobState.RUNNING
CHOOSING = JobState.WAITING_CHOICE
DONE, FAILED, CANCELLED = JobState.DONE, JobState.FAILED, JobState.CANCELLED

OFFER = Offer(kind="film", title="T", options=(Option(key="v720", height=720), Option(key="mp3")))
WISH = Wish(format="v720", stop_s=2.5)
NOTHING = Dues()
OWED = Dues(missing=(Sponsor(channel_id=7, access_hash=1, username="shop", title="Shop"),))
CHECKPOINT = Checkpoint(file_id=1, size_bytes=1, validator="v", acked=b"\x01")

Door = Callable[[Jobs, Job], Awaitable[object]]
OpenDoor = Callable[[Jobs, Job, Database], Awaitable[object]]

#: What the worker that holds the lease can do, and where it leads from RUNNING (itself: no move).
FENCED: list[tuple[str, Door, JobState]] = [
    ("renew", lambda jobs, job: jobs.renew(job), RUNNING),
    ("note_file", lambda jobs, job: jobs.note_file(job, "n", 1), RUNNING),
    ("checkpoint", lambda jobs, job: jobs.checkpoint(job, CHECKPOINT), RUNNING),
    ("forget_checkpoint", lambda jobs, job: jobs.forget_checkpoint(job), RUNNING),
    ("forget_random_id", lambda jobs, job: jobs.forget_random_id(job), RUNNING),
    ("keep_apart", lambda jobs, job: jobs.keep_apart(job), RUNNING),
    ("reserve_random_id", lambda jobs, job: jobs.reserve_random_id(job, 5), RUNNING),
    ("finish", lambda jobs, job: jobs.finish(job, 1), DONE),
    ("fail", lambda jobs, job: jobs.fail(job, Reason.EMPTY), FAILED),
    ("ask", lambda jobs, job: jobs.ask(job, OFFER), CHOOSING),
    ("cancelled", lambda jobs, job: jobs.cancelled(job), CANCELLED),
    ("retry", lambda jobs, job: jobs.retry(job, 1.0), QUEUED),
    ("release", lambda jobs, job: jobs.release(job), QUEUED),
    ("give_way", lambda jobs, job: jobs.give_way(job, 1.0), QUEUED),
]

#: What people, admins and other workers can do, and where it leads from each state that it moves.
OPEN: list[tuple[str, OpenDoor, dict[JobState, JobState]]] = [
    ("claim", lambda jobs, job, _: jobs.claim("other"), {QUEUED: RUNNING}),
    ("put_back", lambda jobs, job, _: jobs.put_back("w", but=[]), {RUNNING: QUEUED}),
    ("admit", lambda _, job, database: Holds(database).admit([job]), {WAITING: QUEUED}),
    (
        "choose",
        lambda _, job, database: Choices(database).choose(job.id, job.user_id, WISH, "k", NOTHING),
        {CHOOSING: QUEUED},
    ),
    (
        "choose",
        lambda _, job, database: Choices(database).choose(job.id, job.user_id, WISH, "k", OWED),
        {CHOOSING: WAITING},
    ),
    (
        "follow",
        lambda _, job, database: Choices(database).follow(job, job.link, "k", NOTHING),
        {CHOOSING: QUEUED},
    ),
    (
        "follow",
        lambda _, job, database: Choices(database).follow(job, job.link, "k", OWED),
        {CHOOSING: WAITING},
    ),
    (
        "expire",
        lambda _, job, database: Deadlines(database).expire(),
        {WAITING: CANCELLED, CHOOSING: CANCELLED, QUEUED: FAILED},
    ),
    (
        "cancel",
        lambda jobs, job, _: jobs.cancel(job.user_id),
        {WAITING: CANCELLED, CHOOSING: CANCELLED, QUEUED: CANCELLED},
    ),
    *(
        (
            "correct",
            lambda jobs, job, _, dues=dues, link=link: jobs.correct(
                user_id=job.user_id,
                chat_id=job.chat_id,
                message_id=job.message_id,
                link=link or job.link,
                dues=dues,
            ),
            {FAILED: dues.held()} | ({CANCELLED: dues.held()} if link else {}),
        )
        for dues in (NOTHING, OWED)
        for link in (None, Link(url="https://b.example/other", host="b.example"))
    ),
    ("again", lambda jobs, job, _: jobs.again(job.id, job.user_id, NOTHING), {FAILED: QUEUED}),
    ("again", lambda jobs, job, _: jobs.again(job.id, job.user_id, OWED), {FAILED: WAITING}),
    (
        "cancel_one",
        lambda jobs, job, _: jobs.cancel_one(job.id, job.user_id),
        {WAITING: CANCELLED, CHOOSING: CANCELLED, QUEUED: CANCELLED},
    ),
]


async def job_in(state: JobState, jobs: Jobs, arrivals: Arrivals) -> Job:
    """Bring a job into `state`, and return it as the worker "w" held it, or would hold it."""
    if state == WAITING:
        return replace(await arrivals.job(state=WAITING), worker="w")
    await arrivals.job()
    held = await jobs.claim("w")
    assert held is not None
    leave: dict[JobState, Callable[[Job], Awaitable[object]]] = {
        QUEUED: jobs.release,
        CHOOSING: lambda job: jobs.ask(job, OFFER),
        RUNNING: jobs.renew,
        DONE: lambda job: jobs.finish(job, None),
        FAILED: lambda job: jobs.fail(job, Reason.EMPTY),
        CANCELLED: jobs.cancelled,
    }
    await leave[state](held)
    return held


async def state_of(job: Job, jobs: Jobs) -> JobState:
    """Return the state that the job has now."""
    found = await jobs.get(job.id)
    assert found is not None
    return found.state


async def clear(database: Database) -> None:
    """Forget all jobs."""
    async with database.write() as connection:
        await connection.execute(sa.delete(tables.jobs))


@pytest.mark.parametrize("state", JobState)
async def test_worker_writes_when_state_is_not_running_then_lease_lost_and_row_untouched(
    jobs: Jobs, arrivals: Arrivals, database: Database, state: JobState
) -> None:
    """A worker moves what it holds, legally, and nothing else."""
    for _, door, target in FENCED:
        await clear(database)
        held = await job_in(state, jobs, arrivals)
        before = await jobs.get(held.id)
        if state == RUNNING:
            await door(jobs, held)
            assert await state_of(held, jobs) == target
        else:
            with pytest.raises(LeaseLost):
                await door(jobs, held)
            assert await jobs.get(held.id) == before


@pytest.mark.parametrize("state", JobState)
async def test_others_move_when_not_legal_then_row_untouched(
    jobs: Jobs, arrivals: Arrivals, database: Database, state: JobState
) -> None:
    """People and admins move what waits; of a running job they change no more than the wish to cancel."""
    for name, door, moves in OPEN:
        await clear(database)
        held = await job_in(state, jobs, arrivals)
        async with database.write() as connection:
            await connection.execute(sa.update(tables.jobs).values(created_at=1.0, turn_at=1.0))  # may expire
            waits = tables.jobs.c.state == CHOOSING
            await connection.execute(sa.update(tables.jobs).where(waits).values(updated_at=1.0))
        before = await jobs.get(held.id)
        assert before is not None
        await door(jobs, held, database)
        if state in moves:
            assert await state_of(held, jobs) == moves[state]
        else:
            asked = state == RUNNING and name in ("cancel", "cancel_one")
            assert await jobs.get(held.id) == replace(before, cancel_requested=asked)


def test_doors_together_make_all_legal_moves_and_no_other() -> None:
    """Each legal move has a door, and each door makes legal moves."""
    made = {(RUNNING, target) for _, _, target in FENCED}
    made |= {move for _, _, moves in OPEN for move in moves.items()}
    assert {(state, target) for state, targets in MOVES.items() for target in targets} == made


def test_doors_when_listed_are_all_that_write() -> None:
    """A new door has to be written into the tables above."""
    only_look = {
        "asked",
        "unseen",
        "get",
        "waiting_count",
        "of",
        "people",
        "owed_people",
        "is_due",
        "counts",
        "running",
        "queue",
        "recent",
    }
    no_moves = {"add", "compose", "join", "shown", "set_status_message", "orphan", "prune"}
    nouns = vars(Jobs) | vars(Deadlines) | vars(Choices) | vars(Holds)
    doors = {name for name in nouns if not name.startswith("_")}
    assert doors - only_look - no_moves == {name for name, *_ in (*FENCED, *OPEN)}


async def test_choose_when_asked_then_the_wish_is_kept_and_the_offer_gone(
    jobs: Jobs, arrivals: Arrivals, database: Database
) -> None:
    """What was asked stays with the job until its own person has chosen."""
    held = await job_in(CHOOSING, jobs, arrivals)
    asked = await jobs.get(held.id)
    assert asked is not None
    assert (asked.offer, asked.wish, asked.worker, asked.fetching) == (OFFER, UNDECIDED, None, None)

    choices = Choices(database)
    assert await choices.compose(held.id, held.user_id + 1, WISH) is None
    assert await choices.choose(held.id, held.user_id + 1, WISH, None, NOTHING) is None
    composed = await choices.compose(held.id, held.user_id, replace(WISH, subtitles="fa"))
    assert composed is not None
    assert (composed.state, composed.wish.subtitles, composed.offer) == (CHOOSING, "fa", OFFER)

    chosen = await choices.choose(held.id, held.user_id, WISH, "k", NOTHING)
    assert chosen is not None
    assert (chosen.wish, chosen.offer, chosen.link_key) == (WISH, None, "k")
    assert await choices.choose(held.id, held.user_id, UNDECIDED, None, NOTHING) is None
