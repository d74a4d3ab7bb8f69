"""What failed of late, by cause."""

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from uploader import limits
from uploader.errors import Reason
from uploader.model import JobState
from uploader.storage.database import Database
from uploader.storage.tables import in_state, jobs

#: Pairs of cause and host that are looked at, the most frequent first, and hosts that are named for a cause.
PAIRS: Final = 200
HOSTS: Final = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class FailedGroup:
    """The jobs that failed for one cause within `limits.FAILED_S`."""

    reason: Reason
    count: int
    hosts: tuple[str, ...]  # where most of the links led, at most HOSTS
    last_job_id: int


class Failures:
    """The failed jobs of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def groups(self) -> list[FailedGroup]:
        """Return what failed of late by its cause, the most frequent first."""
        count = sa.func.count()
        statement = (
            sa.select(jobs.c.reason, jobs.c.host, count, sa.func.max(jobs.c.id))
            .where(
                in_state(jobs.c.state, JobState.FAILED),
                jobs.c.updated_at > self._database.now() - limits.FAILED_S,
            )
            .group_by(jobs.c.reason, jobs.c.host)
            .order_by(count.desc(), jobs.c.host)
            .limit(PAIRS)
        )
        pairs = [tuple(row) for row in await self._database.select(statement)]
        found = [_group(reason, pairs) for reason in Reason]
        return sorted((group for group in found if group.count), key=lambda group: -group.count)


def _group(reason: Reason, pairs: list[tuple[str, str, int, int]]) -> FailedGroup:
    mine = [pair for pair in pairs if pair[0] == reason.value]
    return FailedGroup(
        reason=reason,
        count=sum(count for _, _, count, _ in mine),
        hosts=tuple(host for _, host, _, _ in mine[:HOSTS]),
        last_job_id=max((last for _, _, _, last in mine), default=0),
    )
