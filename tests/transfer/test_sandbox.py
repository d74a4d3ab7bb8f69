"""Whole files through the sandbox: our parts, Telethon's sendMedia, and what the user then downloads."""

import asyncio
import os
from typing import Any

import pytest
from telethon import events

from sandbox import DataCentre, Fault, World
from tests.transfer.courier import couriers, fingerprint
from tests.transfer.source import Source
from uploader.errors import AccountStopped
from uploader.model import Checkpoint
from uploader.transfer import parts, upload
from uploader.transfer.parts import PART_BYTES, SMALL_FILE_BYTES

BIG = os.urandom(SMALL_FILE_BYTES + 5 * PART_BYTES + 17)
COUNT = parts.part_count(len(BIG))
PARTS = "upload.save"


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(
    "faults",
    [
        [Fault(PARTS, after=5, count=1, drop=True), Fault(PARTS, after=20, count=3, drop=True)],
        [Fault(PARTS, part=3, count=2, error=(420, "FLOOD_WAIT_1"))],
        [Fault(PARTS, part=0, count=1, error=(420, "FLOOD_PREMIUM_WAIT_1"))],
        [Fault(PARTS, after=7, count=3, error=(500, "WORKER_BUSY_TOO_LONG_RETRY"))],
        [Fault("help.getConfig", after=1, count=3, drop=True)],
        [Fault(PARTS, after=4, count=6, delay_s=0.05)],
    ],
    ids=["drop", "flood", "premium", "busy", "refused-session", "slow"],
)
async def test_delivery_when_the_data_centre_has_whims_then_the_digests_are_equal(
    dc: DataCentre, world: World, faults: list[Fault], known: bool
) -> None:
    """Dropped connections, floods, errors 500 and slow answers in the middle of a file."""
    async with couriers(dc) as courier:
        world.faults[:] = faults
        uploaded = await courier.carry(Source(BIG, known=known))
        assert all(fault.fired for fault in faults)
        assert fingerprint(BIG) == await courier.deliver(uploaded)


async def test_upload_when_connections_are_cut_all_at_once_then_goes_on(dc: DataCentre, world: World) -> None:
    """The data centre cuts every connection of the bot in the middle of a file."""
    async with couriers(dc) as courier:

        async def gate(offset: int) -> None:
            if offset == 0 or cut:
                return
            cut.append(dc.kill(courier.account))

        cut: list[int] = []
        uploaded = await courier.carry(Source(BIG, gate=gate))
        assert cut
        assert fingerprint(BIG) == await courier.deliver(uploaded)


async def test_resume_when_a_drain_interrupted_it_then_sends_only_missing_parts(
    dc: DataCentre, world: World
) -> None:
    """After a cancellation the same file id goes on, and no acknowledged part arrives a second time."""
    saved: list[Checkpoint] = []

    async def save(checkpoint: Checkpoint) -> None:
        saved.append(checkpoint)

    async with couriers(dc) as courier:
        world.faults[:] = [Fault(PARTS, after=12, swallow=True)]
        stuck = asyncio.Event()

        def report(done_bytes: int) -> None:
            if done_bytes >= 12 * PART_BYTES:
                stuck.set()

        async with asyncio.TaskGroup() as tasks:
            remote = Source(BIG).remote
            first = tasks.create_task(upload(remote, courier.pool, checkpoint=None, save=save, report=report))
            await stuck.wait()
            first.cancel()
        world.faults.clear()
        acked = {part for part in range(COUNT) if parts.is_marked(saved[-1].acked, part)}
        assert 12 == len(acked)
        source = Source(BIG)
        before = {part: world.stats.part_count(saved[-1].file_id, part) for part in range(COUNT)}
        uploaded = await courier.carry(source, saved[-1])
        again = {
            part for part in range(COUNT) if world.stats.part_count(uploaded.file_id, part) > before[part]
        }
        assert set(range(COUNT)) - acked == again
        assert fingerprint(BIG) == await courier.deliver(uploaded)


async def test_uploads_when_several_share_the_pool_then_all_digests_are_equal(dc: DataCentre) -> None:
    """Parts of different files do not mix."""
    contents = [BIG, BIG[:SMALL_FILE_BYTES], BIG[PART_BYTES:], BIG[: PART_BYTES + 1]]
    async with couriers(dc) as courier:
        async with asyncio.TaskGroup() as tasks:
            uploads = [
                tasks.create_task(courier.carry(Source(content, known=number != 2)))
                for number, content in enumerate(contents)
            ]
        for content, uploading in zip(contents, uploads, strict=True):
            assert fingerprint(content) == await courier.deliver(uploading.result())


async def test_upload_when_the_login_is_revoked_then_stops_for_good(dc: DataCentre, world: World) -> None:
    """AUTH_KEY_UNREGISTERED is no trouble that passes."""
    async with couriers(dc) as courier:
        dc.revoke(courier.account)
        with pytest.raises(AccountStopped):
            await courier.carry(Source(BIG))


async def test_main_session_when_parts_travel_then_updates_still_reach_it(dc: DataCentre) -> None:
    """The upload sessions on the bot's key take no update away from its main connection."""
    async with couriers(dc) as courier:
        heard: asyncio.Queue[str] = asyncio.Queue()
        courier.client.add_event_handler(lambda event: _hear(event, heard), events.NewMessage)
        await courier.carry(Source(BIG))
        await courier.person.send("still there?")
        async with asyncio.timeout(10):
            assert "still there?" == await heard.get()


async def _hear(event: Any, heard: asyncio.Queue[str]) -> None:
    heard.put_nowait(event.raw_text)
