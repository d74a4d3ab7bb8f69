"""Who waits in line is told anew where they stand, over real MTProto and from a real database."""

from pathlib import Path

import pytest

from sandbox import DataCentre, World
from tests.chat.test_order import Desk, desks
from tests.storage.arrivals import Arrivals
from uploader import limits
from uploader.chat.line import Line
from uploader.storage.rates import Rates

EDIT = "messages.editMessage"


async def in_line(desk: Desk, others: int, own: int) -> None:
    """So many jobs of others wait, and behind them these of the desk's person, under the desk's message."""
    arrivals = Arrivals(desk.jobs)
    await desk.jobs.finish(desk.job, None)
    for number in range(others):
        await arrivals.job(desk.job.user_id + 1 + number)
    for _ in range(own):
        job = await arrivals.job(desk.job.user_id)
        await desk.jobs.set_status_message(job.id, desk.job.status_message_id or 0)


async def claim(desk: Desk, count: int) -> None:
    """So many of the line have their turn."""
    for _ in range(count):
        assert await desk.jobs.claim("w") is not None


async def test_place_when_half_of_those_before_are_gone_is_told_anew(
    dc: DataCentre, world: World, tmp_path: Path
) -> None:
    """A number is not far from the truth for long, and costs an edit as it halves; a job that runs has none.

    ed-asriyan/lottie-converter#26: people who read "Queued (505)" for ever sent their files again.
    """
    async with desks(dc, world, tmp_path) as desk:
        line = Line(Rates(desk.database), desk.status, pause_s=0.0)
        await in_line(desk, others=40, own=1)
        shown = []
        for claimed in (0, 10, 15, 0, 15, 1):  # the last one is of this person
            await claim(desk, claimed)
            await line.look()
            shown.append((await desk.shown(), world.stats.calls[EDIT]))
    assert [0, 0, 1, 1, 2, 2] == [edits for _, edits in shown]
    assert ["۱۵" in text for text, _ in shown] == [False, False, True, True, False, False]


async def test_places_when_many_are_untrue_are_renewed_a_few_in_each_look(
    dc: DataCentre, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine that does not know what another told says it anew, at a pace that holds up nothing else."""
    monkeypatch.setattr(limits, "LINE_S", 0.0)  # no job counts as told by this engine
    monkeypatch.setattr(limits, "LINE_AT_ONCE", 1)
    async with desks(dc, world, tmp_path) as desk:
        line = Line(Rates(desk.database), desk.status, pause_s=0.0)
        await in_line(desk, others=3, own=2)
        edits = []
        for _ in range(3):
            await line.look()
            edits.append(world.stats.calls[EDIT])
    assert [1, 2, 2] == edits
