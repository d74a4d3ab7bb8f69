"""The engine at this moment: what the database keeps, joined with what the running jobs report.

A link's address never gets here further than its host.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from uploader.model import Job, JobState, Phase, Progress, SponsorCount
from uploader.snapshot import (
    QUEUE_ROWS,
    RECENT_ROWS,
    SITE_ROWS,
    JobRow,
    SiteRow,
    Snapshot,
    SponsorRow,
    TelegramRow,
    TransferRow,
)
from uploader.sources import Resting
from uploader.speed import Speed, eta_s
from uploader.storage.database import Database
from uploader.storage.view import View

#: Far more than ever run at once; past it the oldest entry goes, whose job nobody ended.
LIVE_JOBS: Final = 256


@dataclass(slots=True)
class _Live:
    progress: Progress | None = None
    speed: Speed = field(default_factory=Speed)


class Board:
    """A watcher of the worker: keeps the newest `Progress` of each running job, and draws the `Snapshot`.

    `stopping` says whether a stop was asked for, `resting` which sites are let rest, `troubles` what keeps it
    from serving, `telegram` how Telegram answers; `clock` gives epoch seconds.
    """

    def __init__(
        self,
        *,
        database: Database,
        bot_username: str,
        stopping: Callable[[], bool],
        resting: Callable[[], Sequence[Resting]] = tuple,
        troubles: Callable[[], Sequence[str]] = tuple,
        telegram: Callable[[], TelegramRow] = TelegramRow,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._bot_username = bot_username
        self._stopping = stopping
        self._resting = resting
        self._troubles = troubles
        self._telegram = telegram
        self._clock = clock
        self._started_at = clock()
        self._live: OrderedDict[int, _Live] = OrderedDict()

    def started(self, job: Job) -> None:
        """A worker of this process begins an attempt; what an earlier one reported is forgotten."""
        self._live[job.id] = _Live()
        self._live.move_to_end(job.id)
        if len(self._live) > LIVE_JOBS:
            self._live.popitem(last=False)

    def progress(self, progress: Progress) -> None:
        """Keep the newest look at a job that was started; later ones replace it."""
        live = self._live.get(progress.job_id)
        if live is not None:
            live.progress = progress
            if progress.phase is Phase.UPLOADING:  # what opens has nothing yet: that is no base line
                live.speed.report(self._clock(), progress.done_bytes)

    async def ended(self, job: Job) -> None:
        """The attempt is over, however it went."""
        self._live.pop(job.id, None)

    async def snapshot(self) -> Snapshot:
        """Draw the engine as it is now."""
        async with self._database.read() as connection:
            view = View(connection)
            counts, running = await view.counts(), await view.running()
            queue, recent = await view.queue(QUEUE_ROWS), await view.recent(RECENT_ROWS)
            sponsors, maintenance = await view.sponsors(), await view.maintenance()
        now = self._clock()
        return Snapshot(
            at=now,
            started_at=self._started_at,
            bot_username=self._bot_username,
            maintenance=maintenance,
            stopping=self._stopping(),
            counts={state.value: counts.get(state, 0) for state in JobState},
            transfers=tuple(self._transfer(job, now) for job in running),
            queue=tuple(map(_job_row, queue)),
            recent=tuple(map(_job_row, recent)),
            sponsors=tuple(map(_sponsor_row, sponsors)),
            resting=tuple(SiteRow(site=it.site, wait_s=it.wait_s) for it in self._resting()[:SITE_ROWS]),
            troubles=tuple(self._troubles()),
            telegram=self._telegram(),
        )

    def _transfer(self, job: Job, now: float) -> TransferRow:
        """A job of which nothing was reported here (yet) is opening, at an unknown speed."""
        live = self._live.get(job.id, _Live())
        seen = live.progress or Progress(
            job_id=job.id,
            phase=Phase.OPENING,
            name=None,
            done_bytes=0,
            total_bytes=None,
        )
        uploading = seen.phase is Phase.UPLOADING
        speed_bytes_s = live.speed.bytes_s(now) if uploading else 0.0
        total_bytes = job.size_bytes if seen.total_bytes is None else seen.total_bytes
        return TransferRow(
            job_id=job.id,
            user_id=job.user_id,
            host=job.link.host,
            name=seen.name or job.name,
            phase=seen.phase.value,
            done_bytes=seen.done_bytes,
            total_bytes=total_bytes,
            speed_bytes_s=speed_bytes_s,
            eta_s=eta_s(seen.done_bytes, total_bytes, speed_bytes_s),
            parked_s=max(0.0, (seen.parked_until or 0.0) - now),
            attempt=job.failures + 1,
            started_at=job.updated_at,
        )


def _job_row(job: Job) -> JobRow:
    return JobRow(
        job_id=job.id,
        user_id=job.user_id,
        host=job.link.host,
        name=job.name,
        state=job.state.value,
        reason=None if job.reason is None else job.reason.value,
        size_bytes=job.size_bytes,
        attempt=job.failures + 1,
        created_at=job.created_at,
        updated_at=job.updated_at,
        run_at=job.run_at,
    )


def _sponsor_row(count: SponsorCount) -> SponsorRow:
    return SponsorRow(
        channel_id=count.sponsor.channel_id,
        title=count.sponsor.title,
        username=count.sponsor.username,
        asked=count.asked,
        joined=count.joined,
    )
