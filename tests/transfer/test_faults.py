"""The fault matrix: whatever the data centre or the source does, the user downloads the source's bytes."""

import asyncio
import os
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

import pytest

from sandbox import DataCentre, Fault, World
from tests.sources.sites import HASTY as HASTY_SOURCE
from tests.sources.sites import Answer, Asked, head, in_turn, opened, ranged, reset, silence, site
from tests.transfer.courier import HASTY, couriers, fingerprint
from tests.transfer.server import endpoint_at
from tests.transfer.source import Source
from uploader.errors import AccountStopped
from uploader.model import RemoteFile
from uploader.transfer import UploadPool, parts
from uploader.transfer.parts import PART_BYTES, SMALL_FILE_BYTES

BIG = os.urandom(SMALL_FILE_BYTES + 5 * PART_BYTES + 17)
COUNT = parts.part_count(len(BIG))
PARTS = "upload.save"

DATA_CENTRE = {
    "drops": [Fault(PARTS, probability=0.2, count=8, drop=True)],
    "drops-behind-answers": [Fault(PARTS, probability=0.3, count=6, drop_after=True)],
    "swallowed-answers": [Fault(PARTS, probability=0.2, count=3, swallow=True)],
    "doubled-answers": [Fault(PARTS, duplicate=True)],
    "held-answers": [Fault(PARTS, probability=0.5, count=6, hold=True)],
    "short-flood": [Fault(PARTS, part=3, count=1, error=(420, "FLOOD_WAIT_1"))],
    "long-flood": [Fault(PARTS, after=9, count=1, error=(420, "FLOOD_WAIT_3"))],
    "twenty-floods": [Fault(PARTS, after=4, count=20, error=(420, "FLOOD_WAIT_1"))],
    "premium-floods": [Fault(PARTS, probability=0.2, count=2, error=(420, "FLOOD_PREMIUM_WAIT_1"))],
    "errors-500": [Fault(PARTS, probability=0.3, count=12, error=(500, "WORKER_BUSY_TOO_LONG_RETRY"))],
    "timeouts": [Fault(PARTS, probability=0.3, count=6, error=(-503, "Timeout"))],
    "too-many": [Fault(PARTS, probability=0.2, count=3, transport_error=-429)],
    "refused-connections": [Fault("connect", count=4, drop=True)],
    "refused-sessions": [Fault("help.getConfig", count=3, error=(500, "INTERNAL"))],
    "slow-parts": [Fault(PARTS, probability=0.3, delay_s=0.2)],
}


#: What may befall a stream of unknown size in ways of its own: -1 for the total, a last part that waits.
STREAMS = ("drops", "swallowed-answers", "doubled-answers", "short-flood", "errors-500", "too-many")


@pytest.mark.parametrize(
    ("name", "known"), [(name, True) for name in DATA_CENTRE] + [(name, False) for name in STREAMS]
)
async def test_file_when_the_data_centre_has_a_fault_then_arrives_whole(
    dc: DataCentre, world: World, name: str, known: bool
) -> None:
    """One fault after the other, in the middle of a file, of known size and of unknown."""
    async with couriers(dc, HASTY) as courier:
        world.faults[:] = [replace(fault) for fault in DATA_CENTRE[name]]
        uploaded = await courier.carry(Source(BIG, known=known))
        assert any(fault.fired for fault in world.faults)
        world.faults.clear()
        assert fingerprint(BIG) == await courier.deliver(uploaded)


@pytest.mark.parametrize(
    "lost", [{0}, {COUNT // 2}, {COUNT - 1}, set(range(2, COUNT, 4))], ids=["first", "middle", "last", "many"]
)
async def test_file_when_the_data_centre_loses_parts_then_gets_just_those_again(
    dc: DataCentre, world: World, lost: set[int]
) -> None:
    """Parts that were acknowledged and are gone: FILE_PART_X_MISSING, one by one."""
    async with couriers(dc, HASTY) as courier:
        world.faults[:] = [Fault(PARTS, part=part, count=1, lose=True) for part in lost]
        source = Source(BIG)
        uploaded = await courier.carry(source)
        assert fingerprint(BIG) == await courier.deliver_whole(uploaded, lambda: _open(source))
        assert [1] * COUNT == courier.arrivals(uploaded)
        # what is read again is the missing part and not a byte more
        assert sorted(lost) == sorted(start // PART_BYTES for start, _stop in source.reads[1:])
        assert all(stop is None or stop - start == PART_BYTES for start, stop in source.reads[1:])


class _open(AbstractAsyncContextManager[RemoteFile]):
    """An open source in memory."""

    def __init__(self, source: Source) -> None:
        self._remote = source.remote

    async def __aenter__(self) -> RemoteFile:
        return self._remote

    async def __aexit__(self, *_failure: object) -> None:
        """Nothing is open."""


async def test_file_when_the_data_centre_restarts_in_the_middle_then_arrives_whole(dc: DataCentre) -> None:
    """All connections end and nobody listens for a while; the file goes on under the same id."""
    async with couriers(dc, HASTY) as courier, asyncio.TaskGroup() as tasks:
        middle = asyncio.Event()

        async def gate(offset: int) -> None:
            if offset >= len(BIG) // 2 and not middle.is_set():
                middle.set()

        carrying = tasks.create_task(courier.carry(Source(BIG, gate=gate)))
        await middle.wait()
        dc.kill(courier.account)
        await dc.refuse(True)
        await asyncio.sleep(0.3)  # as long as a restart takes
        await dc.refuse(False)
        uploaded = await carrying
        await courier.client.connect()  # Telethon gives up much sooner than we do
        assert fingerprint(BIG) == await courier.deliver(uploaded)


async def test_file_when_the_auth_key_is_lost_then_a_new_login_sends_it_under_a_new_id(
    dc: DataCentre, world: World
) -> None:
    """AUTH_KEY_UNREGISTERED stops the account; what the old login sent is of no use to the new one."""
    async with couriers(dc, HASTY) as courier:
        world.faults[:] = [Fault(PARTS, after=15, error=(401, "AUTH_KEY_UNREGISTERED"))]
        with pytest.raises(AccountStopped):
            await courier.carry(Source(BIG))
        world.faults.clear()
        (checkpoint,) = courier.kept
        dc.revoke(courier.account)
        key = dc.logins.mint(courier.account)
        async with UploadPool(endpoint_at(dc.port, key), patience=HASTY) as pool:
            again = replace(courier, pool=pool)
            uploaded = await again.carry(Source(BIG), checkpoint)
        assert checkpoint.file_id != uploaded.file_id
        assert [1] * COUNT == courier.arrivals(uploaded)


async def slowly(asked: Asked, writer: asyncio.StreamWriter) -> None:
    """A site that makes its pauses."""
    writer.write(head(200, f"Content-Length: {len(BIG)}", 'ETag: "a"'))
    for at in range(0, len(BIG), 2**20):
        writer.write(BIG[at : at + 2**20])
        await writer.drain()
        await asyncio.sleep(0.02)


def broken(*lines: str, promised: int = len(BIG), sent: int = len(BIG) // 2) -> Answer:
    """A body that ends with the connection before it is whole."""

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(head(200, f"Content-Length: {promised}", *lines) + BIG[:sent])

    return answer


async def cut(asked: Asked, writer: asyncio.StreamWriter) -> None:
    """A body that is reset in the middle."""
    writer.write(head(200, f"Content-Length: {len(BIG)}", 'ETag: "a"') + BIG[: len(BIG) // 3])
    await reset(asked, writer)


async def stuck(asked: Asked, writer: asyncio.StreamWriter) -> None:
    """A body that stops in the middle."""
    writer.write(head(200, f"Content-Length: {len(BIG)}", 'ETag: "a"') + BIG[: len(BIG) // 3])
    await writer.drain()
    await silence(asked, writer)


async def chunked(asked: Asked, writer: asyncio.StreamWriter) -> None:
    """A body without a length."""
    writer.write(head(200, "Transfer-Encoding: chunked"))
    for at in range(0, len(BIG), 100_000):
        piece = BIG[at : at + 100_000]
        writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        await writer.drain()
    writer.write(b"0\r\n\r\n")


GOOD = ranged(BIG, 'ETag: "a"')
OTHER = ranged(BIG, 'ETag: "b"')
PLAIN = broken(sent=len(BIG))

SOURCES: dict[str, Answer] = {
    "good": GOOD,
    "slow": slowly,
    "stops": in_turn(stuck, GOOD),
    "resets": in_turn(cut, cut, GOOD),
    "ends-early": in_turn(broken('ETag: "a"'), GOOD),
    "ends-early-without-ranges": in_turn(broken(), broken(), PLAIN),
    "changes": in_turn(ranged(BIG, 'ETag: "a"', breaks_at=len(BIG) // 2), OTHER),
    "changes-size": in_turn(broken('ETag: "a"', promised=len(BIG) - 1), OTHER),
    "answers-in-pieces": ranged(BIG, 'ETag: "a"', most=3_000_000),
    "has-no-length": chunked,
    "has-no-ranges": PLAIN,
    "is-busy-at-first": in_turn(GOOD, reset, reset, GOOD),
}


@pytest.mark.parametrize("answer", SOURCES.values(), ids=SOURCES.keys())
async def test_file_when_the_source_has_a_fault_then_arrives_whole(dc: DataCentre, answer: Answer) -> None:
    """From a real site over real sockets: slow, stuck, reset, changed, short, without length or ranges."""
    patience = replace(HASTY_SOURCE, silence_s=0.3)
    async with couriers(dc, HASTY) as courier, site(answer) as source:

        def opens() -> AbstractAsyncContextManager[RemoteFile]:
            return opened(source.url(), patience)

        uploaded = await courier.persist(opens)
        assert fingerprint(BIG) == await courier.deliver_whole(uploaded, opens)


async def test_file_when_its_source_yields_more_than_promised_then_is_taken_anew(dc: DataCentre) -> None:
    """A source that has grown since it was opened is another file."""
    sources = [Source(BIG, yields=BIG + b"!"), Source(BIG + b"!", validator='"v2"')]
    remaining = list(sources)
    async with couriers(dc, HASTY) as courier:
        uploaded = await courier.persist(lambda: _open(remaining.pop(0)))
        assert fingerprint(BIG + b"!") == await courier.deliver(uploaded)
