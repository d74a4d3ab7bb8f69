"""The volumes of a job: noted once each, by the worker that holds it, and gone with it."""

from dataclasses import replace

import pytest

from tests.storage.arrivals import Arrivals
from uploader.errors import LeaseLost
from uploader.model import Job, OverCap, Person, Volume
from uploader.storage.database import Database
from uploader.storage.jobs import Jobs
from uploader.storage.people import People
from uploader.storage.volumes import Volumes

VOLUME = Volume(number=1, name="a.001", size_bytes=5, validator="0+5@x", sha256_hex="aa", plays=False)


async def claimed(jobs: Jobs, arrivals: Arrivals) -> Job:
    """A job that a worker holds."""
    await arrivals.job()
    job = await jobs.claim("me")
    assert job is not None
    return job


async def test_volume_when_reserved_again_keeps_its_random_id(
    database: Database, jobs: Jobs, arrivals: Arrivals
) -> None:
    """A message that may be out already is repeated under the number that it went by."""
    volumes, job = Volumes(database), await claimed(jobs, arrivals)
    assert 7 == await volumes.reserve(job, VOLUME, 7)
    later = replace(VOLUME, sha256_hex=None)
    assert 7 == await volumes.reserve(job, later, 8)
    assert {1: later} == await volumes.of(job)
    await volumes.sent(job, 1, 99)
    assert {1: replace(later, is_sent=True, message_id=99)} == await volumes.of(job)
    await volumes.forget_random_id(job, 1, 9)
    assert 9 == await volumes.reserve(job, VOLUME, 10)
    await volumes.forget(job)
    assert {} == await volumes.of(job)


async def test_volume_when_another_worker_has_the_job_cannot_be_written(
    database: Database, doomed: Jobs, jobs: Jobs, arrivals: Arrivals
) -> None:
    """Every write is fenced, as those of the job are."""
    volumes, job = Volumes(database), await claimed(doomed, arrivals)
    await volumes.reserve(job, VOLUME, 7)
    assert await jobs.claim("other") is not None
    for write in (
        volumes.reserve(job, VOLUME, 7),
        volumes.sent(job, 1, 1),
        volumes.forget_random_id(job, 1, 9),
        volumes.forget(job),
    ):
        with pytest.raises(LeaseLost):
            await write
    assert {1: VOLUME} == await volumes.of(job)


async def test_choice_when_made_outlives_what_is_seen_of_the_person(database: Database) -> None:
    """Files above the cap are split until somebody chooses; a new name changes nothing of that."""
    people = People(database, 1)
    person = Person(user_id=5, access_hash=6, language="en", name="Sara")
    await people.see(person)
    assert OverCap.SPLIT is await people.over_cap(5)
    await people.choose(5, OverCap.REFUSE)
    await People(database, 1).see(replace(person, name="Sarah"))
    assert OverCap.REFUSE is await people.over_cap(5)
    assert OverCap.SPLIT is await people.over_cap(77)
