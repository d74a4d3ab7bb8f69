"""What becomes of a job that Telegram holds up, or of whose parts it loses some, until the file is there."""

import sqlite3
from dataclasses import replace
from typing import Any

import pytest

from sandbox import Fault
from sandbox.world.uploads import Blob, Uploads
from tests.engine.conftest import Scene

MIB = 1024 * 1024
SIZE_BYTES = 12 * MIB
PARTS = 24


def arrivals(scene: Scene) -> list[int]:
    """How often each part of the only file arrived."""
    (record,) = scene.world.stats.uploads.values()
    return list(record.arrivals)


def job_row(scene: Scene) -> tuple[str, int]:
    """State and failures of the only job."""
    with sqlite3.connect(scene.folder / "data" / "peyk.db") as database:
        ((state, failures),) = database.execute("SELECT state, failures FROM jobs").fetchall()
    return str(state), int(failures)


@pytest.mark.parametrize(
    "missing", [[0], [11], [PARTS - 1], [3, 0, 3, 17, 23]], ids=["first", "middle", "last", "many"]
)
async def test_file_when_parts_are_missing_at_the_end_gets_just_those_again(
    scene: Scene, missing: list[int]
) -> None:
    """FILE_PART_X_MISSING: part X is fetched and sent once more under the same id, then the message."""
    for part in missing:
        error = (400, f"FILE_PART_{part}_MISSING")
        scene.world.faults.append(Fault("messages.sendMedia", count=1, error=error))
    async with scene.engine(), scene.person() as user:
        await user.send(scene.site.url("film.mp4", SIZE_BYTES))
        digest = await scene.site.sha256_of("film.mp4", SIZE_BYTES)
        assert (SIZE_BYTES, digest) == await user.save(await user.expect_file())
        await user.expect("Done")
    assert [1 + missing.count(part) for part in range(PARTS)] == arrivals(scene)
    assert len(missing) + 1 == scene.world.stats.calls["messages.sendMedia"]
    assert ("done", 0) == job_row(scene)


async def test_file_when_telegram_asks_to_wait_then_says_so_and_fails_nothing(scene: Scene) -> None:
    """A flood wait in mid-file is shown in the chat, and the job goes on where it was."""
    scene.world.faults.append(Fault("upload.save", after=5, count=1, error=(420, "FLOOD_PREMIUM_WAIT_7")))
    async with scene.engine(), scene.person() as user:
        await user.send(scene.site.url("film.mp4", SIZE_BYTES))
        await user.expect("waiting for Telegram")
        digest = await scene.site.sha256_of("film.mp4", SIZE_BYTES)
        assert (SIZE_BYTES, digest) == await user.save(await user.expect_file())
    assert [1] * PARTS == arrivals(scene)
    assert ("done", 0) == job_row(scene)


async def test_job_when_the_login_is_of_no_use_rests_and_counts_no_failure(scene: Scene) -> None:
    """AUTH_KEY errors are not the job's fault: it is back in the queue, for as long as it takes."""
    scene.world.faults.append(Fault("upload.save", error=(406, "AUTH_KEY_DUPLICATED")))
    async with scene.engine(), scene.person() as user:
        await user.send(scene.site.url("film.mp4", SIZE_BYTES))
        await user.expect("I try again")
        assert ("queued", 0) == job_row(scene)


async def test_file_when_telegram_holds_less_than_was_sent_is_taken_out_of_the_chat(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The document in the answer is compared with what was sent; half a file is no delivery."""
    whole = Uploads.finish

    def half(uploads: Uploads, *given: Any, **more: Any) -> Blob:
        blob = whole(uploads, *given, **more)
        return replace(blob, size_bytes=blob.size_bytes // 2)

    monkeypatch.setattr(Uploads, "finish", half)
    async with scene.engine(), scene.person() as user:
        await user.send(scene.site.url("film.mp4", SIZE_BYTES))
        await user.expect("did not work")
        history = await user.client.get_messages(user.bot, limit=50)
        assert [] == [each.id for each in history if each.document]
    assert ("failed", 0) == job_row(scene)
