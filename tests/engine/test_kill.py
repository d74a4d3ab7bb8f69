"""`kill -9` at any moment: one message, the whole file, and little of it sent twice."""

import asyncio
import hashlib
import json
import os
import random
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from sandbox.site import Keystream
from sandbox.world.uploads import Keep
from tests.engine.conftest import START_S, Scene
from tests.engine.test_crashes import until_parts
from uploader import limits
from uploader.transfer.ledger import SAVE_PARTS
from uploader.transfer.parts import PART_BYTES

PARTS = 500
SIZE_BYTES = PARTS * PART_BYTES
#: Parts on their way at most: `PEYK_UPLOAD_CONNECTIONS_MAX * PEYK_UPLOAD_WINDOW`.
WINDOW = 16 * 4
HOUSE = Path(__file__).parents[2]


@asynccontextmanager
async def nursery() -> AsyncIterator[Process]:
    """What engines are forked from."""
    arguments = ("-m", "tests.engine.nursery")
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, cwd=HOUSE, stdin=PIPE, stdout=PIPE, stderr=DEVNULL
    )
    try:
        yield process
    finally:
        process.kill()
        await process.wait()


@asynccontextmanager
async def engine(parent: Process, scene: Scene) -> AsyncIterator[None]:
    """An engine, killed at the end of the block."""
    assert parent.stdin is not None
    assert parent.stdout is not None
    parent.stdin.write(json.dumps({"settings": scene.settings, "folder": str(scene.folder)}).encode() + b"\n")
    pid = int(await parent.stdout.readline())
    try:
        yield
    finally:
        os.kill(pid, signal.SIGKILL)
        while is_there(pid):  # noqa: ASYNC110 - it is another's child
            await asyncio.sleep(0.005)


def is_there(pid: int) -> bool:
    """Whether a process has not ended yet."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def until_it_listens(scene: Scene) -> None:
    """Wait for an engine's first start."""
    async with asyncio.timeout(START_S):
        while not (scene.folder / "data" / "control.sock").exists():  # noqa: ASYNC110 - a file
            await asyncio.sleep(0.01)


def arrivals(scene: Scene) -> Counter[int]:
    """How often each part has come to the data centre, under whatever file id."""
    counts: Counter[int] = Counter()
    for upload in scene.world.stats.uploads.values():
        counts.update(dict(enumerate(upload.arrivals)))
    return counts


def twice(counts: Counter[int]) -> int:
    """Arrivals of what had been there before."""
    return sum(count - 1 for count in counts.values() if count)


def digest_of_parts(name: str) -> str:
    """What the data centre remembers of a file that it does not keep."""
    stream = Keystream(name, 0)
    parts = (stream.read(at, PART_BYTES) for at in range(0, SIZE_BYTES, PART_BYTES))
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


@pytest.mark.parametrize(("kills", "seed"), [(6, 1), (7, 2), (7, 3)])
async def test_engine_when_killed_again_and_again_delivers_once_and_sends_little_twice(
    scene: Scene, kills: int, seed: int
) -> None:
    """Twenty kills in all; each costs at most the parts under way and those since the last checkpoint."""
    assert kills < limits.PATIENT_ATTEMPTS
    chance = random.Random(seed)
    scene.world.uploads.keep = Keep.DIGESTS
    async with scene.person() as user, nursery() as parent:
        for kill in range(kills):
            before, sent_before = arrivals(scene), scene.world.stats.parts
            async with engine(parent, scene):
                if not kill:
                    await until_it_listens(scene)
                    await user.send(scene.site.url("film.mp4", SIZE_BYTES))
                await until_parts(scene, sent_before + chance.choice([1, chance.randrange(1, 110)]))
                await asyncio.sleep(chance.uniform(0, 0.03))
            assert twice(arrivals(scene)) - twice(before) <= WINDOW + SAVE_PARTS
        async with engine(parent, scene):
            message = await user.expect_file(timeout_s=60)
            await user.expect("Done")
        history = await user.client.get_messages(user.bot, limit=50)
    (delivered,) = [upload for upload in scene.world.stats.uploads.values() if upload.digest]
    assert SIZE_BYTES == message.file.size
    assert digest_of_parts("film.mp4") == delivered.digest
    assert [message.id] == [each.id for each in history if each.document]
