"""The engine as a process: killed, stopped, started twice, and what it leaves behind."""

import asyncio
import signal
import sqlite3
from pathlib import Path

from sandbox import Fault
from sandbox.stage import Program, running_engine, start
from tests.engine.conftest import Scene
from uploader import limits

MIB = 1024 * 1024
SIZE_BYTES = 120 * MIB
PARTS = SIZE_BYTES // (512 * 1024)
#: Parts that may be under way at a crash: all connections' windows.
WINDOW_PARTS = 16 * 4
#: Parts that a checkpoint may be behind.
CHECKPOINT_PARTS = 64


async def until_parts(scene: Scene, parts: int) -> None:
    """Wait until the data centre has this many."""
    async with asyncio.timeout(30):
        while scene.world.stats.parts < parts:  # noqa: ASYNC110 - a counter of the data centre
            await asyncio.sleep(0.01)


def arguments_of(engine: Program) -> str:
    """What `ps` shows of the process."""
    return Path(f"/proc/{engine.process.pid}/cmdline").read_bytes().decode()


def modes_below(folder: Path) -> set[tuple[bool, int]]:
    """The modes of the engine's two folders and of all that is in them: (is a folder, mode)."""
    paths = [path for name in ("data", "sessions") for path in (folder / name, *(folder / name).rglob("*"))]
    return {(path.is_dir(), path.stat().st_mode & 0o777) for path in paths}


def state_of_job(scene: Scene) -> str:
    """What the database says of the only job."""
    with sqlite3.connect(scene.folder / "data" / "peyk.db") as database:
        ((state,),) = database.execute("SELECT state FROM jobs").fetchall()
    return str(state)


async def test_engine_when_killed_in_mid_transfer_delivers_the_file_once_and_whole(scene: Scene) -> None:
    """`kill -9`, a start, one message with the right digest; acknowledged parts are not sent again."""
    url = scene.site.url("film.mp4", SIZE_BYTES)
    async with scene.person() as user:
        async with running_engine(scene.settings, scene.folder) as engine:
            # slow enough that a checkpoint falls into the transfer
            scene.world.faults.append(Fault(method="upload.save", delay_s=0.6))
            await user.send(url)
            await until_parts(scene, PARTS // 2)
            engine.process.send_signal(signal.SIGKILL)
            await engine.process.wait()
        sent_before = scene.world.stats.parts
        assert 0 == scene.world.stats.calls["messages.sendMedia"]
        assert "running" == state_of_job(scene)
        scene.world.faults.clear()
        async with running_engine(scene.settings, scene.folder):
            message = await user.expect_file(timeout_s=limits.LEASE_S + 30)
            await user.expect("Done")
            digest = await scene.site.sha256_of("film.mp4", SIZE_BYTES)
            assert (SIZE_BYTES, digest) == await user.save(message)
        assert "done" == state_of_job(scene)
        assert 1 == scene.world.stats.calls["messages.sendMedia"]
        assert sent_before >= PARTS // 2
        assert scene.world.stats.parts - PARTS <= WINDOW_PARTS + CHECKPOINT_PARTS


async def test_engine_when_killed_after_sending_does_not_send_twice(scene: Scene) -> None:
    """The answer to the last call is lost with the process: the stored random_id finds the message."""
    async with scene.person() as user:
        async with running_engine(scene.settings, scene.folder) as engine:
            scene.world.faults.append(Fault(method="messages.sendMedia", swallow=True, count=1))
            await user.send(scene.site.url("film.mp4", 12 * MIB))
            message = await user.expect_file()
            engine.process.send_signal(signal.SIGKILL)
            await engine.process.wait()
        assert "running" == state_of_job(scene)
        async with running_engine(scene.settings, scene.folder):
            await user.expect("Done", timeout_s=limits.LEASE_S + 30)
        assert "done" == state_of_job(scene)
        assert 2 == scene.world.stats.calls["messages.sendMedia"]
        history = await user.client.get_messages(user.bot, limit=50)
        assert [message.id] == [each.id for each in history if each.document]


def hasty(scene: Scene) -> dict[str, str]:
    """Settings of an engine that has 2 s to stop. What Python reads at its start makes it so."""
    code = "from uploader import limits\nlimits.STOP_DEADLINE_S = 2.0\n"
    (scene.folder / "sitecustomize.py").write_text(code)
    return {**scene.settings, "PYTHONPATH": f"{scene.folder}:{Path(__file__).parents[2]}"}


async def test_engine_when_terminated_gives_the_job_back_and_leaves_by_itself(scene: Scene) -> None:
    """SIGTERM: the deadline passes, the job is queued with its checkpoint, the exit status is 0."""
    async with scene.person() as user:
        async with running_engine(hasty(scene), scene.folder) as engine:
            scene.world.faults.append(Fault(method="upload.save", delay_s=3))
            await user.send(scene.site.url("film.mp4", 200 * MIB))
            await until_parts(scene, 1)
            engine.process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(15):
                assert 0 == await engine.process.wait()
        assert "queued" == state_of_job(scene)
        assert not (scene.folder / "data" / "control.sock").exists()


async def test_engine_when_told_to_stop_twice_stops_at_once(scene: Scene) -> None:
    """The second signal does not wait for the deadline; the row is as after a crash."""
    async with scene.person() as user, running_engine(scene.settings, scene.folder) as engine:
        scene.world.faults.append(Fault(method="upload.save", delay_s=3))
        await user.send(scene.site.url("film.mp4", 200 * MIB))
        await until_parts(scene, 1)
        engine.process.send_signal(signal.SIGTERM)
        await until_log(engine, "stopping")
        engine.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(5):
            assert -signal.SIGTERM == await engine.process.wait()
        assert "running" == state_of_job(scene)


async def test_engine_when_one_runs_already_refuses_to_start(scene: Scene) -> None:
    """Two engines on one login would make Telegram end it."""
    async with running_engine(scene.settings, scene.folder) as engine:
        second = await start(["bot"], scene.folder, scene.settings, "second")
        assert 2 == await second.process.wait()
        assert "stop it first" in second.log.read_text()
        assert engine.process.returncode is None


async def test_engine_when_it_has_run_keeps_files_and_secrets_to_itself(scene: Scene) -> None:
    """Folders 0700, files 0600; neither token nor link in the log, nor in the process's arguments."""
    async with scene.person() as user, running_engine(scene.settings, scene.folder) as engine:
        await user.send(scene.site.url("very-private-name.bin", MIB))
        await user.expect_file()
        arguments = arguments_of(engine)
        modes = modes_below(scene.folder)
        log = engine.log.read_text()
    assert {(True, 0o700), (False, 0o600)} == modes
    assert "job started" in log
    for secret in (scene.bot.token or "", "very-private-name", "seed="):
        assert secret not in log + arguments


async def test_engine_when_the_data_centre_has_no_bot_menu_starts_all_the_same(scene: Scene) -> None:
    """RPCs that a data centre does not offer are logged, and cost nothing else."""
    scene.world.faults.append(Fault(method="bots.", error=(400, "METHOD_INVALID")))
    async with scene.person() as user, running_engine(scene.settings, scene.folder) as engine:
        await user.send("/start")
        await user.expect("courier")
        assert "commands not offered" in engine.log.read_text()


async def test_engine_when_the_token_is_wrong_says_so(scene: Scene) -> None:
    """The operator learns which setting to repair, without seeing the secret."""
    settings = {**scene.settings, "PEYK_BOT_TOKEN": "77:AAEnosuchtokenanywhereinthisworld123"}
    program = await start(["bot"], scene.folder, settings, "wrong")
    assert 2 == await program.process.wait()
    assert "PEYK_BOT_TOKEN is refused" in program.log.read_text()
    assert "AAEnosuch" not in program.log.read_text()


async def test_message_when_sent_while_the_engine_is_away_is_answered_when_it_returns(scene: Scene) -> None:
    """Updates missed are caught up."""
    async with scene.person() as user:
        async with running_engine(scene.settings, scene.folder):
            await user.send("/start")
            await user.expect("courier")
        await user.send(scene.site.url("late.bin", MIB))
        async with running_engine(scene.settings, scene.folder):
            message = await user.expect_file()
            assert (MIB, await scene.site.sha256_of("late.bin", MIB)) == await user.save(message)


async def until_log(engine: Program, text: str) -> None:
    """Wait until the engine has logged this."""
    async with asyncio.timeout(10):
        while text not in engine.log.read_text():  # noqa: ASYNC110 - a file
            await asyncio.sleep(0.02)


async def test_engine_when_the_session_is_another_bots_refuses_to_start(scene: Scene) -> None:
    """A session that was copied between bots would speak with the wrong voice."""
    async with running_engine(scene.settings, scene.folder):
        pass
    other = scene.world.add_bot("other_bot")
    (session,) = (scene.folder / "sessions").glob(f"bot-{scene.bot.id}-*.session")
    session.rename(session.with_name(session.name.replace(str(scene.bot.id), str(other.id))))
    settings = {**scene.settings, "PEYK_BOT_TOKEN": str(other.token)}
    program = await start(["bot"], scene.folder, settings, "other")
    assert 2 == await program.process.wait()
    assert "are of two bots" in program.log.read_text()
