"""The whole pipeline under random schedules: faults of data centre and source, deaths of the worker."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from telethon.crypto import rsa
from telethon.errors import RPCError

from sandbox import DataCentre, Fault, World
from tests.transfer.courier import HASTY, Courier, couriers, fingerprint
from tests.transfer.source import Source
from uploader.errors import LeaseLost, Reason, SourceTemporary
from uploader.model import RemoteFile, Uploaded
from uploader.transfer.parts import PART_BYTES, SMALL_FILE_BYTES

CONTENT = os.urandom(SMALL_FILE_BYTES + 9 * PART_BYTES + 5)
PARTS = "upload.save"

#: An answer that is swallowed is missed sooner; one that is only late is sent again, which harms nothing.
ANXIOUS = replace(HASTY, answer_s=0.4, stall_s=1.0)

#: What the data centre may do to a part, or to a connection.
FAULTS = (
    Fault(PARTS, drop=True),
    Fault(PARTS, drop_after=True),
    Fault(PARTS, swallow=True),
    Fault(PARTS, duplicate=True),
    Fault(PARTS, hold=True),
    Fault(PARTS, lose=True),
    Fault(PARTS, delay_s=0.05),
    Fault(PARTS, error=(420, "FLOOD_WAIT_0")),
    Fault(PARTS, error=(500, "INTERNAL")),
    Fault(PARTS, transport_error=-429),
    Fault("connect", drop=True),
    Fault("help.getConfig", error=(500, "INTERNAL")),
)


@dataclass(frozen=True)
class Schedule:
    """What happens: faults at calls of some number, and where reads break or the worker dies."""

    size_bytes: int
    known: bool
    validator: bool
    chunk_bytes: int
    faults: list[tuple[int, int, int]]  # kind, after so many calls, how often
    breaks: list[int]  # offsets: each ends one read of the source
    salts: list[int]  # offsets: when they are read, all salts of the data centre change
    deaths: list[int]  # acknowledged bytes: each ends one attempt as a crash does


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    """Any of them; sizes around the bounds of parts and of small files."""
    bounds = st.sampled_from([PART_BYTES, 3 * PART_BYTES, SMALL_FILE_BYTES, len(CONTENT) - 1])
    offsets = st.lists(st.integers(0, len(CONTENT)), max_size=3)
    return Schedule(
        size_bytes=max(1, draw(bounds) + draw(st.integers(-1, 1))),
        known=draw(st.booleans()),
        validator=draw(st.booleans()),
        chunk_bytes=draw(st.sampled_from([1000, 65_536, 524_288, 1_000_003])),
        faults=draw(
            st.lists(
                st.tuples(st.integers(0, len(FAULTS) - 1), st.integers(0, 30), st.integers(1, 3)), max_size=6
            )
        ),
        breaks=draw(offsets),
        salts=draw(offsets),
        deaths=draw(offsets),
    )


@dataclass
class Play:
    """One schedule on its way."""

    schedule: Schedule
    courier: Courier
    breaks: list[int] = field(default_factory=list)
    salts: list[int] = field(default_factory=list)
    deaths: list[int] = field(default_factory=list)

    async def _gate(self, offset: int) -> None:
        for at in self.salts:
            if offset >= at:
                self.salts.remove(at)
                self.courier.dc.logins.replace_salts()
                break
        for at in self.breaks:
            if offset >= at:
                self.breaks.remove(at)
                raise SourceTemporary(Reason.UNREACHABLE, f"broke at {at}")

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[RemoteFile]:
        """The source, which breaks where the schedule says."""
        schedule = self.schedule
        yield Source(
            CONTENT[: schedule.size_bytes],
            known=schedule.known,
            validator='"v"' if schedule.validator else None,
            chunk_bytes=(schedule.chunk_bytes,),
            gate=self._gate,
        ).remote

    async def run(self) -> Uploaded:
        """Attempt after attempt, those that die among them."""
        while self.deaths:
            death = self.deaths.pop()
            before = list(self.courier.kept)
            with suppress(LeaseLost):
                return await self._attempt(death)
            # a crash loses what was acknowledged since the last checkpoint but one
            if self.courier.kept and death % 2:
                self.courier.kept[:] = before
        return await self.courier.persist(self.opened)

    async def deliver(self, uploaded: Uploaded) -> tuple[int, str]:
        """Send the message; a file that lost a part and cannot be gone on with is sent anew, as a job is."""
        while True:
            try:
                return await self.courier.deliver_whole(uploaded, self.opened)
            except RPCError as error:
                if "Missing" not in type(error).__name__:
                    raise
                self.courier.kept.clear()
                uploaded = await self.run()

    async def _attempt(self, death: int) -> Uploaded:
        async with asyncio.TaskGroup() as tasks:
            carrying = tasks.create_task(self.courier.persist(self.opened))
            dying = tasks.create_task(self._die(death, carrying))
            await asyncio.wait([carrying])
            dying.cancel()
        if carrying.cancelled():
            raise LeaseLost("died")
        return carrying.result()

    async def _die(self, death: int, carrying: "asyncio.Task[Uploaded]") -> None:
        stats = self.courier.world.stats
        until = stats.part_bytes + death
        while stats.part_bytes < until:  # noqa: ASYNC110 - a counter of the data centre
            await asyncio.sleep(0.001)
        carrying.cancel()


@given(schedule=schedules())
@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
async def test_pipeline_when_anything_happens_then_the_user_gets_the_bytes_once(schedule: Schedule) -> None:
    """Drops, floods, lost answers and parts, broken reads, deaths, in any order: the digests are equal."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        async with DataCentre(world) as dc:
            rsa.add_key(dc.public_key_path.read_bytes(), old=False)
            async with couriers(dc, ANXIOUS) as courier:
                world.faults[:] = [
                    replace(FAULTS[kind], after=after, count=count) for kind, after, count in schedule.faults
                ]
                play = Play(
                    schedule, courier, list(schedule.breaks), list(schedule.salts), list(schedule.deaths)
                )
                uploaded = await play.run()
                world.faults.clear()
                delivered = await play.deliver(uploaded)
                history = await courier.person.client.get_messages(courier.person.bot, limit=20)
        world.close()
    assert fingerprint(CONTENT[: schedule.size_bytes]) == delivered
    assert 1 == sum(message.document is not None for message in history)
