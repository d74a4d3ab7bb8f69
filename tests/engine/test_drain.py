"""The engine is drained: by command, and what it leaves behind."""

import asyncio
import sqlite3
import time
from typing import Any

from sandbox import Fault
from sandbox.stage import running_engine, start
from tests.engine.conftest import Scene
from tests.engine.test_crashes import until_parts
from uploader import limits

MIB = 1024 * 1024

#: A job that another worker on the same database carries.
FOREIGN = {
    "user_id": 7,
    "chat_id": 7,
    "message_id": 1,
    "language": "en",
    "url": "https://example.com/",
    "host": "example.com",
    "state": "running",
    "turn_at": 1.0,
    "run_at": 1.0,
    "attempt": 3,
    "failures": 0,
    "worker": "elsewhere",
    "lease_until": 1e12,
    "cancel_requested": 0,
    "created_at": time.time(),
    "updated_at": 1.0,
}


def rows(scene: Scene, statement: str, *given: Any) -> list[tuple[Any, ...]]:
    """What the database answers."""
    with sqlite3.connect(scene.folder / "data" / "peyk.db", timeout=15) as database:
        return database.execute(statement, given).fetchall()


async def test_engine_when_drained_ends_what_runs_and_claims_nothing_more(scene: Scene) -> None:
    """The running file arrives, the waiting one stays queued, the other worker's is not touched; exit 0."""
    fields = ", ".join(FOREIGN)
    async with scene.person() as user, running_engine(scene.settings, scene.folder) as engine:
        rows(
            scene, f"INSERT INTO jobs ({fields}) VALUES ({', '.join('?' * len(FOREIGN))})", *FOREIGN.values()
        )
        scene.world.faults.append(Fault(method="upload.save", delay_s=1.0))
        for name in ("one", "two", "three"):
            await user.send(scene.site.url(name, 24 * MIB, seed=len(name)))
        # more than may run at once for one person: the third waits
        assert limits.RUNNING_JOBS_PER_PERSON == 2
        await until_parts(scene, 1)
        drain = await start(["drain"], scene.folder, scene.settings, "drain")
        async with asyncio.timeout(limits.STOP_DEADLINE_S + 15):
            assert 0 == await engine.process.wait()
            assert 0 == await drain.process.wait()
        assert "has stopped" in drain.log.read_text()
        states = rows(scene, "SELECT state, worker FROM jobs WHERE worker IS NOT 'elsewhere' ORDER BY id")
        assert [("done", None), ("done", None), ("queued", None)] == states
        ((kept,),) = rows(scene, f"SELECT json_array({fields}) FROM jobs WHERE worker = 'elsewhere'")
        ((put,),) = rows(scene, f"SELECT json_array({', '.join('?' * len(FOREIGN))})", *FOREIGN.values())
        assert put == kept
    again = await start(["drain"], scene.folder, scene.settings, "drain")
    assert 1 == await again.process.wait()
    assert "may have stopped already" in again.log.read_text()
