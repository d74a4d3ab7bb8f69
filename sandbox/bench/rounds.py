"""The run: every client in every network, in turn, so that whatever slows the machine slows all of them."""

import json
import os
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from sandbox.bench.desk import DC_ID
from sandbox.bench.figures import LIMIT, OURS, Results, Sample
from sandbox.bench.plan import MIB, WARM_UP_BYTES, Address, Order, Plan, Regime, Stage
from sandbox.bench.program import Program, ProgramFailed, started
from sandbox.bench.roster import Client
from sandbox.bench.sink import HOST

_START_S: Final = 60.0
#: For one order, of a slow client on a busy machine.
_ORDER_S: Final = 600.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """Where the run is."""

    done: int
    total: int
    what: str


@dataclass(kw_only=True, slots=True)
class Run:
    """All that was measured, and why what is missing is missing (by client)."""

    results: Results = field(default_factory=Results)
    skipped: dict[str, str] = field(default_factory=dict)


async def run(
    plan: Plan, clients: Sequence[Client], regimes: Sequence[Regime], tell: Callable[[Step], None]
) -> Run:
    """Measure; takes minutes. Raises ProgramFailed when we ourselves fail; peers that fail are left out."""
    outcome = Run()
    able = []
    for client in clients:
        reason = client.lacking()
        if reason is None:
            able.append(client)
        else:
            outcome.skipped[client.name] = reason
    with tempfile.TemporaryDirectory(prefix="peyk-bench-") as name:
        async with AsyncExitStack() as stack:
            files = _Files(Path(name), {stage.size_bytes for stage in plan.stages})
            sinks = [await stack.enter_async_context(_sink(regime, Path(name))) for regime in regimes]
            visits = [
                (sink, client)
                for turn in range(plan.rounds)
                for sink in sinks
                for client in [*able[turn % len(able) :], *able[: turn % len(able)]]
            ]
            for number, (sink, client) in enumerate(visits):
                what = f"{sink.regime}, {client.title}"
                tell(Step(done=number, total=len(visits), what=what))
                if client.name in outcome.skipped:
                    continue
                try:
                    await _visit(plan, client, sink, files, outcome.results)
                except ProgramFailed as error:
                    if client.name in (OURS, LIMIT):
                        raise
                    outcome.skipped[client.name] = f"failed in {sink.regime}: {error}"
    return outcome


@dataclass(frozen=True, slots=True)
class _Sink:
    """A running sink, which is one network."""

    regime: Regime
    program: Program
    address: Address

    async def check(self, sample: Sample, files: int) -> None:
        """See that the files of an order came in whole. Raises ProgramFailed."""
        answer = json.loads(await self.program.ask({}, _START_S))
        sizes = answer["saved_bytes"]
        if sizes != [sample.size_bytes // files] * files:
            raise ProgramFailed(f"{files} files of {sample.size_bytes} bytes were to come, but came {sizes}")


@asynccontextmanager
async def _sink(regime: Regime, folder: Path) -> AsyncIterator[_Sink]:
    # Telethon strips leading zeros off a key
    key_hex = (bytes([1 + secrets.randbelow(255)]) + secrets.token_bytes(255)).hex()
    orders = {"auth_key": key_hex, "delay_s": regime.delay_s, "cap_bytes_s": regime.cap_bytes_s}
    async with started([sys.executable, "-m", "sandbox.bench.sink"], folder) as program:
        port = json.loads(await program.ask(orders, _START_S))["port"]
        yield _Sink(regime, program, Address(host=HOST, port=port, dc_id=DC_ID, auth_key_hex=key_hex))


async def _visit(plan: Plan, client: Client, sink: _Sink, files: "_Files", results: Results) -> None:
    """Let one client, in a fresh process, carry all stages in one network."""
    async with started(client.command, files.folder) as program:
        program.tell(asdict(sink.address))
        warm_up = Stage(name="warm-up", size_bytes=plan.stages[0].size_bytes)
        sample = await _carried(program, sink, warm_up, WARM_UP_BYTES, files)
        for stage in plan.stages:
            if client.name == LIMIT and stage.chat:
                continue
            size_bytes = stage.size_for(sample.bytes_s, plan.time_s)
            if stage.whole and size_bytes < stage.size_bytes:
                continue
            sample = await _carried(program, sink, stage, size_bytes, files)
            results.add(sink.regime, stage.name, client.name, sample)


async def _carried(program: Program, sink: _Sink, stage: Stage, size_bytes: int, files: "_Files") -> Sample:
    with files.of(size_bytes) as path:
        order = Order(
            path=str(path),
            size_bytes=size_bytes,
            like_bytes=stage.size_bytes,
            files=stage.files,
            chat=stage.chat,
        )
        try:
            sample = Sample.from_json(await program.ask(asdict(order), _ORDER_S))
        except ValueError as error:
            raise ProgramFailed(str(error)) from error
    await sink.check(sample, stage.files)
    return sample


class _Files:
    """Files that no client can compress: a random MiB, over and over. Those of the usual sizes are kept."""

    def __init__(self, folder: Path, kept_sizes: set[int]) -> None:
        self.folder = folder
        self._kept_sizes = {*kept_sizes, WARM_UP_BYTES}
        self._block = os.urandom(MIB)

    @contextmanager
    def of(self, size_bytes: int) -> Iterator[Path]:
        """A file of this size, while the block runs."""
        path = self.folder / f"{size_bytes}.bin"
        if not path.exists():
            with path.open("wb") as file:
                for at in range(0, size_bytes, MIB):
                    file.write(self._block[: size_bytes - at])
        try:
            yield path
        finally:
            if size_bytes not in self._kept_sizes:
                path.unlink()
