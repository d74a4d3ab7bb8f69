"""The torture at a size for every day: see `torture.py`."""

import os
from pathlib import Path

import pytest

from tests.engine.torture import Plan, Torture
from tests.postgres_fixture import PostgresServer
from uploader import limits

PLAN = Plan(people=(10, *[2] * 12, *[1] * 6), kills=2, deadline_s=100.0)

#: After the end of a lease. It is 2 s on a quiet machine; here others may want the processors, too.
RECOVERY_S = 30.0


@pytest.fixture(params=["sqlite", "postgresql"])
def urls(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """The URLs of two fresh databases."""
    if request.param == "sqlite":
        first, second = (f"sqlite:///{tmp_path / name / 'peyk.db'}" for name in ("shared", "second"))
        return first, second
    server: PostgresServer = request.getfixturevalue("postgres_server")
    monkeypatch.setenv("PATH", f"{server.tools}{os.pathsep}{os.environ['PATH']}")
    return server.new_database(), server.new_database()


async def test_jobs_when_engines_are_killed_under_faults_arrive_once_or_fail_for_a_reason(
    tmp_path: Path, urls: tuple[str, str]
) -> None:
    """Four engines, kill -9 every 2 s: one message with the right bytes for each job, nobody over the cap.

    A backup from the middle of it is put into another database, and all its jobs come to an end there.
    """
    url, second_url = urls
    report = await Torture(PLAN, tmp_path, url, seed=7).play(restore_to=second_url)
    assert [] == report.wrong
    assert sum(PLAN.people) == sum(report.states.values())
    assert report.most_running_of_one == limits.RUNNING_JOBS_PER_PERSON
    assert PLAN.kills == report.kills
    assert report.slowest_recovery_s <= RECOVERY_S
    at_first = report.restored.pop("at first")
    assert at_first < sum(PLAN.people) == sum(report.restored.values())
    assert 0 == report.restored["queued"] + report.restored["running"]
