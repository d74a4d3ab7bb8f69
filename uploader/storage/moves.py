"""What people do to jobs, in SQL: for one job, for all of a person, for those of a batch."""

from typing import Any

import sqlalchemy as sa

from uploader.model import Dues, JobState, Link
from uploader.storage import owed
from uploader.storage.job_row import wish_value
from uploader.storage.tables import OPEN_STATES, in_state, jobs
from uploader.wishes import Wish

_WAITING = (JobState.WAITING_SPONSORS, JobState.WAITING_CHOICE, JobState.QUEUED)

#: Made once: to make one costs more than the statement that it is for.
_WAITING_JOBS = jobs.alias("waiting")

_Values = dict[str, Any]


def open_of(user_id: int, table: sa.FromClause = jobs) -> sa.ColumnElement[bool]:
    """Whether a job is this person's and has not ended, in the words of its index."""
    return sa.and_(table.c.user_id == user_id, in_state(table.c.state, *OPEN_STATES))


def waiting_of(user_id: int, *, in_batches: bool | None = None) -> sa.ScalarSelect[int]:
    """How many jobs of this person wait, for sponsors, a choice or in the queue.

    `in_batches`: only those that belong to one, or only those that do not.
    """
    job = _WAITING_JOBS
    which = [] if in_batches is None else [job.c.batch_id.is_not(None) == sa.literal(in_batches)]
    return (
        sa.select(sa.func.count())
        .where(open_of(user_id, job), in_state(job.c.state, *_WAITING), *which)
        .scalar_subquery()
    )


def new_job(
    now: sa.ColumnElement[float], link: Link, link_key: str | None, state: JobState, wish: Wish
) -> _Values:
    """Return what a new job holds besides whose it is and its place in the queue."""
    return {
        "url": link.url,
        "host": link.host,
        "link_key": link_key,
        "state": state,
        "wish": wish_value(wish),
        "run_at": now,
        "attempt": 0,
        "failures": 0,
        "cancel_requested": False,
        "created_at": now,
        "updated_at": now,
    }


def comes_now(now: sa.ColumnElement[float], dues: Dues) -> _Values:
    """Return what a job that waited for its person is to be: queued as if it came now, if nothing is owed."""
    return {
        "state": dues.held(),
        "dues_shown": None,
        "run_at": now,
        "turn_at": now + sa.func.round(jobs.c.turn_at - jobs.c.created_at),
        "created_at": now,
        "updated_at": now,
    }


def again(now: sa.ColumnElement[float], turn_at: sa.ColumnElement[float], dues: Dues) -> _Values:
    """Return what a failed job is to be: queued as if it came now, unless something is owed.

    Its random_id stays: should the message be in the chat after all, it is not sent twice.
    """
    return {
        "state": dues.held(),
        "dues_shown": None,
        "turn_at": turn_at,
        "run_at": now,
        "created_at": now,
        "updated_at": now,
        "failures": 0,
        "reason": None,
        "cancel_requested": False,
        "owed_at": None,
    }


def another(link: Link, link_key: str | None, wish: Wish) -> _Values:
    """Return what makes a job one for another link: nothing of the file before it is left."""
    return {
        "url": link.url,
        "host": link.host,
        "link_key": link_key,
        "wish": wish_value(wish),
        "status_message_id": None,
        "random_id": None,
        "name": None,
        "size_bytes": None,
        "offer": None,
        "shown_at": None,
        "fetching": None,
    }


def cancelled(now: sa.ColumnElement[float], *, told_at_once: bool = False) -> _Values:
    """Return what a job that has not ended is to be: CANCELLED, or still RUNNING with `cancel_requested`.

    `told_at_once`: see `owed.soon`.
    """
    running = in_state(jobs.c.state, JobState.RUNNING)
    return {
        "state": sa.case((running, JobState.RUNNING), else_=JobState.CANCELLED),
        "cancel_requested": running,
        "updated_at": sa.case((running, jobs.c.updated_at), else_=now),
        "owed_at": sa.case((~running, owed.soon(now, at_once=told_at_once))),
    }
