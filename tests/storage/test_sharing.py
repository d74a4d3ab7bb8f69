"""One of many jobs with the same link fetches the file; the others wait for it, and need not fetch it."""

from itertools import count
from pathlib import Path

import pytest

from uploader import limits
from uploader.model import Document, Job, JobState, KeptFile, Link
from uploader.storage.database import Database
from uploader.storage.files import Files
from uploader.storage.jobs import Jobs

KEY = "the key of a link"
FRESH_S = 300.0
FILE = KeptFile(
    key=KEY,
    document=Document(id=2**62, access_hash=-(2**63), file_reference=b"\x00\xff"),
    message_id=9,
    name="film.mp4",
    size_bytes=2**40,
    validator='"etag"',
    title="A Film",
    performer="Anna",
    duration_s=60.5,
    width=1920,
    height=1080,
)


class People:
    """Each sends the same link once."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._ids = count(1)

    async def send(self, link_key: str | None = KEY) -> Job:
        """One more person sends it."""
        user_id = next(self._ids)
        job = await self._jobs.add(
            user_id=user_id,
            chat_id=user_id,
            message_id=1,
            language="en",
            link=Link(url="https://example.com/f", host="example.com"),
            state=JobState.QUEUED,
            link_key=link_key,
        )
        assert job is not None
        return job


@pytest.fixture
def people(jobs: Jobs) -> People:
    """People with one link."""
    return People(jobs)


async def test_claim_when_the_same_link_is_being_fetched_then_others_wait(jobs: Jobs, people: People) -> None:
    """Nobody fetches it a second time, and nobody with another link waits."""
    first, second = await people.send(), await people.send()
    other = await people.send("another key")
    alone = await people.send(None)
    claimed = [await jobs.claim("w") for _ in range(4)]
    assert [first.id, other.id, alone.id] == [job.id for job in claimed if job is not None]
    assert [KEY, "another key", None] == [job.fetching for job in claimed if job is not None]
    assert claimed[0] is not None
    await jobs.release(claimed[0])
    again = await jobs.claim("w")
    assert again is not None
    assert (first.id, KEY) == (again.id, again.fetching)
    assert second.link_key == KEY


async def test_claim_when_the_file_is_kept_then_all_go_at_once(
    jobs: Jobs, people: People, database: Database
) -> None:
    """Whoever waited, and whoever comes later, is served without fetching."""
    for _ in range(3):
        await people.send()
    leader = await jobs.claim("w")
    assert leader is not None
    assert await jobs.claim("w") is None
    await Files(database).keep(FILE, FRESH_S)
    await jobs.finish(leader, 9)
    claimed = [await jobs.claim("w") for _ in range(2)]
    assert [None, None] == [job.fetching for job in claimed if job is not None]
    await people.send()
    later = await jobs.claim("w")
    assert later is not None
    assert (KEY, None) == (later.link_key, later.fetching)


async def test_claim_when_the_one_that_fetched_failed_or_died_then_another_does(
    jobs: Jobs, doomed: Jobs, people: People
) -> None:
    """A failure of one is nobody else's: the next tries for itself."""
    first, second, third = [await people.send() for _ in range(3)]
    leader = await jobs.claim("w")
    assert leader is not None
    await jobs.cancelled(leader)
    dead = await doomed.claim("dead")
    assert dead is not None
    assert (second.id, KEY) == (dead.id, dead.fetching)
    orphan = await jobs.claim("w")
    assert orphan is not None
    assert (second.id, KEY) == (orphan.id, orphan.fetching)
    assert await jobs.claim("w") is None
    assert (first.id, third.link_key) == (leader.id, KEY)


async def test_keep_apart_when_the_file_is_for_one_person_then_each_fetches_their_own(
    jobs: Jobs, people: People
) -> None:
    """What a site gives to one person only is never shared, and holds nobody up."""
    for _ in range(3):
        await people.send()
    leader = await jobs.claim("w")
    assert leader is not None
    await jobs.keep_apart(leader)
    claimed = [await jobs.claim("w") for _ in range(2)]
    assert [(None, None)] * 2 == [(job.link_key, job.fetching) for job in claimed if job is not None]
    await jobs.finish(leader, 1)


async def test_files_when_kept_come_back_as_they_were(database: Database) -> None:
    """Confirmed, given a new reference, replaced, and dropped only while it is the same."""
    files = Files(database)
    assert await files.get(KEY) is None
    await files.keep(FILE, FRESH_S)
    assert FILE == await files.get(KEY)
    new = Document(id=FILE.document.id, access_hash=FILE.document.access_hash, file_reference=b"new")
    await files.refer(FILE, new)
    found = await files.get(KEY)
    assert found is not None
    assert new == found.document
    newer = KeptFile(
        key=KEY,
        document=Document(id=5, access_hash=6, file_reference=b"7"),
        message_id=10,
        name="film.mp4",
        size_bytes=1,
        validator=None,
    )
    await files.keep(newer, FRESH_S)
    await files.drop(FILE)
    assert newer == await files.get(KEY)
    await files.drop(newer)
    assert await files.get(KEY) is None


@pytest.mark.parametrize(("validator", "kept_s"), [('"e"', limits.FILE_KEPT_S), (None, FRESH_S)])
async def test_files_when_time_passes_are_asked_for_and_then_forgotten(
    tmp_path: Path, validator: str | None, kept_s: float
) -> None:
    """Fresh at first, then worth a question; a file without a version is kept only while it is fresh."""
    now = [1000.0]
    async with await Database.open(f"sqlite:///{tmp_path / 'peyk.db'}", clock=lambda: now[0]) as database:
        files = Files(database)
        file = KeptFile(
            key=KEY, document=FILE.document, message_id=1, name="n", size_bytes=1, validator=validator
        )
        await files.keep(file, FRESH_S)
        now[0] += FRESH_S - 1
        found = await files.get(KEY)
        assert found is not None
        assert found.is_fresh
        now[0] += 2
        found = await files.get(KEY)
        assert (found is not None and not found.is_fresh) == (validator is not None)
        if found is not None:
            await files.confirm(found, FRESH_S)
            confirmed = await files.get(KEY)
            assert confirmed is not None
            assert confirmed.is_fresh
        now[0] = 1000.0 + kept_s
        assert await files.get(KEY) is None


async def test_prune_when_there_are_too_many_forgets_the_oldest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table has a bound in time and in number."""
    monkeypatch.setattr(limits, "FILES_KEPT", 3)
    now = [1000.0]
    async with await Database.open(f"sqlite:///{tmp_path / 'peyk.db'}", clock=lambda: now[0]) as database:
        files = Files(database)
        for number in range(5):
            now[0] += 1
            await files.keep(
                KeptFile(
                    key=str(number),
                    document=FILE.document,
                    message_id=1,
                    name="n",
                    size_bytes=1,
                    validator="v",
                ),
                FRESH_S,
            )
        await files.prune()
        assert [False, False, True, True, True] == [
            await files.get(str(number)) is not None for number in range(5)
        ]
        now[0] += limits.FILE_KEPT_S
        await files.prune()
        now[0] = 1000.0
        assert await files.get("4") is None
