"""Which job is next: the order of the queue, the cap per person and the lease, in one statement."""

from typing import Any

import sqlalchemy as sa

from uploader import limits
from uploader.model import Job, JobState
from uploader.storage.tables import files, in_state, jobs


def order(table: sa.FromClause) -> tuple[sa.ColumnElement[Any], ...]:
    """Return the columns by which queued jobs are claimed: people take turns, see `turn_at`."""
    return table.c.turn_at, table.c.id


def held_by(job: Job) -> sa.ColumnElement[bool]:
    """Return whether a row is this job, still held by the worker and in the attempt of its claim."""
    return sa.and_(
        jobs.c.id == job.id,
        jobs.c.worker == job.worker,
        jobs.c.attempt == job.attempt,
        in_state(jobs.c.state, JobState.RUNNING),
    )


def turn_at(
    now: sa.ColumnElement[float], waiting: sa.ColumnElement[int], weight: float
) -> sa.ColumnElement[float]:
    """Return the place in the queue of a job that comes now, whose person has `waiting` jobs there already.

    It gives way for `limits.TURN_S` per job to people who have fewer, and half as long at a `weight` of 2: no
    job, and no weight, can hold up another for ever.
    """
    return now + waiting * (limits.TURN_S / weight)


def statement(
    now: sa.ColumnElement[float], lease_s: float, running_per_person: int
) -> sa.sql.dml.ReturningUpdate[*tuple[Any, ...]]:
    """Return the UPDATE that gives the worker named by the parameter `claimer` the next job, if any.

    A job whose worker died goes before all queued ones: then it blocks its person no longer, and every
    running job may count against the cap, which thus holds even while a lost worker still stirs. Run it
    alone (`Lock.QUEUE`): two at once on PostgreSQL would not see each other's job in the count.

    Of the jobs that share a key one fetches the file (`fetching`) and the others stay queued meanwhile; once
    it is kept in `files`, all of them are claimed, and none has to fetch it.
    """
    kept = sa.exists().where(files.c.key == jobs.c.link_key, files.c.expires_at > now)
    fresh = jobs.c.checkpoint_at > now - limits.CHECKPOINT_S
    died = jobs.c.state == JobState.RUNNING
    # a job that is being cancelled is passed over; nothing on SQLite
    next_id = due(now, running_per_person).with_for_update(skip_locked=True)
    return (
        sa.update(jobs)
        .where(jobs.c.id == sa.func.coalesce(_orphan(now), next_id.scalar_subquery()))
        .values(
            state=JobState.RUNNING,
            worker=sa.bindparam("claimer"),
            lease_until=now + lease_s,
            attempt=jobs.c.attempt + 1,
            failures=jobs.c.failures + sa.case((died, 1), else_=0),
            updated_at=now,
            started_at=now,
            fetching=sa.case((~kept, jobs.c.link_key)),
            # from_row sees no checkpoint without it
            checkpoint_file_id=sa.case((fresh, jobs.c.checkpoint_file_id)),
        )
        .returning(*jobs.c)
    )


def _orphan(now: sa.ColumnElement[float]) -> sa.ScalarSelect[int]:
    job = jobs.alias("orphan")
    return (
        sa.select(job.c.id)
        .where(in_state(job.c.state, JobState.RUNNING), job.c.lease_until <= now)
        .order_by(job.c.lease_until, job.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )


def due(now: sa.ColumnElement[float], running_per_person: int) -> sa.Select[tuple[int]]:
    """Return the id of the queued job whose turn it is, if there is one."""
    running, job = jobs.alias("running"), jobs.alias("queued")
    busy = (
        sa.select(running.c.user_id)
        .where(in_state(running.c.state, JobState.RUNNING))
        .group_by(running.c.user_id)
        .having(sa.func.count() >= running_per_person)
    )
    fetched = jobs.alias("fetched")
    under_way = sa.select(fetched.c.fetching).where(
        in_state(fetched.c.state, JobState.RUNNING), fetched.c.fetching.is_not(None)
    )
    return (
        sa.select(job.c.id)
        .where(
            in_state(job.c.state, JobState.QUEUED),
            job.c.run_at <= now,
            job.c.user_id.not_in(busy),
            job.c.link_key.is_(None) | job.c.link_key.not_in(under_way),
        )
        .order_by(*order(job))
        .limit(1)
    )
