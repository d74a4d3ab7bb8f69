"""What Telegram may do to a running engine, and the machine's clock: it serves again, or says what to do."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from sandbox import DataCentre, Fault, World
from sandbox.people import Person
from sandbox.stage import Program, running_engine, start
from tests.engine.conftest import Scene

MIB = 1024 * 1024
#: Far more than any of it takes; only what hangs reaches it.
PATIENCE_S = 60.0
#: Bounds that make a test short, as Python reads them at the start of a child.
HASTY = """
from uploader import limits
limits.TELEGRAM_ASKED_S = 0.5
limits.TELEGRAM_SILENT_S = 2.0
limits.TELEGRAM_AWAY_S = 3.0
limits.LEASE_S = 4.0
limits.HEARTBEAT_S = 1.0
"""
#: One person may have as much as the test sends.
MANY = """
from uploader import limits
limits.WAITING_JOBS_PER_PERSON = limits.CALLS_PER_PACE = 100
"""
#: The machine's clock, moved by the seconds that stand in a file.
CLOCK = """
import time
from pathlib import Path

def moved(true_time=time.time, file=Path(__file__).with_name("clock")):
    return true_time() + float(file.read_text())

time.time = moved
"""
#: A steady clock that has stood still for the seconds that stand in a file.
SUSPENDED = """
import time
from pathlib import Path
from uploader.clock import Clock

def steady(file=Path(__file__).with_name("clock")):
    return time.monotonic() - float(file.read_text())

Clock.__init__.__defaults__ = time.time, steady
"""


def hasty(scene: Scene, *more: str) -> dict[str, str]:
    """Settings of an engine that notices soon; `more` is code that its process begins with."""
    (scene.folder / "sitecustomize.py").write_text("".join([*more, HASTY]))
    return {**scene.settings, "PYTHONPATH": f"{scene.folder}:{Path(__file__).parents[2]}"}


async def health(scene: Scene) -> tuple[int, dict[str, Any]]:
    """What `/health` answers."""
    connector = aiohttp.UnixConnector(str(scene.folder / "data" / "control.sock"))
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.get("http://engine/health") as answer,
    ):
        return answer.status, await answer.json()


async def until_health(scene: Scene, status: int) -> dict[str, Any]:
    """Wait until `/health` answers with this status."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                seen, told = await health(scene)
            except aiohttp.ClientError:  # between two engines
                seen = 0
            if seen == status:
                return told
            await asyncio.sleep(0.1)


async def said_by(scene: Scene, command: str) -> str:
    """What a command of `run.py` prints."""
    program = await start([command], scene.folder, scene.settings, command)
    assert 0 == await program.process.wait()
    return program.log.read_text()


async def until_log(engine: Program, text: str) -> None:
    """Wait until the engine has logged this."""
    async with asyncio.timeout(PATIENCE_S):
        while text not in engine.log.read_text():  # noqa: ASYNC110 - a file
            await asyncio.sleep(0.05)


async def until_parts(scene: Scene, parts: int) -> None:
    """Wait until the data centre has this many parts."""
    async with asyncio.timeout(PATIENCE_S):
        while scene.world.stats.parts < parts:  # noqa: ASYNC110 - a counter of the data centre
            await asyncio.sleep(0.01)


async def brings(scene: Scene, user: Person, name: str) -> None:
    """A link is answered with its file."""
    await user.send(scene.site.url(name, MIB))
    await comes(scene, user, name, MIB)


async def comes(scene: Scene, user: Person, name: str, size_bytes: int) -> None:
    """The next file is this one, whole."""
    message = await user.expect_file(timeout_s=PATIENCE_S)
    assert (size_bytes, await scene.site.sha256_of(name, size_bytes)) == await user.save(message)


async def names_in_chat(user: Person) -> list[str]:
    """The files that lie in the chat."""
    messages = await user.client.get_messages(user.bot, limit=200)
    return sorted(message.file.name for message in messages if message.document)


@contextmanager
def slow_parts(scene: Scene) -> Iterator[None]:
    """Parts take a while, so that a transfer is under way for some seconds."""
    fault = Fault(method="upload.save", delay_s=0.5)
    scene.world.faults.append(fault)
    yield
    scene.world.faults.remove(fault)


# the login


async def test_engine_when_the_data_centre_forgot_its_key_logs_in_anew(scene: Scene) -> None:
    """It starts as if nothing were, and so it does the next time."""
    async with scene.person() as user:
        async with running_engine(scene.settings, scene.folder):
            await brings(scene, user, "one.bin")
        scene.dc.forget(scene.bot)
        for name in ("two.bin", "three.bin"):
            async with running_engine(scene.settings, scene.folder) as engine:
                await brings(scene, user, name)
        assert "Traceback" not in engine.log.read_text()
        assert 1 == len(scene.dc.logins.of(scene.bot))


async def test_message_when_sent_before_a_forgotten_key_was_replaced_is_answered(scene: Scene) -> None:
    """The state of the updates is the account's, not the key's: what came meanwhile is caught up."""
    async with scene.person() as user:
        async with running_engine(scene.settings, scene.folder):
            await brings(scene, user, "one.bin")
        scene.dc.forget(scene.bot)
        await user.send(scene.site.url("late.bin", MIB))
        async with running_engine(scene.settings, scene.folder):
            await comes(scene, user, "late.bin", MIB)


@pytest.mark.parametrize("how", ["forget", "revoke"])
async def test_engine_when_its_login_ends_under_load_brings_every_file_once(scene: Scene, how: str) -> None:
    """Both with a file under way: it logs in by its token, and goes on with what it had begun."""
    names = ["one.bin", "three.bin", "two.bin"]
    async with scene.person() as user, running_engine(hasty(scene), scene.folder) as engine:
        with slow_parts(scene):
            for name in names:
                await user.send(scene.site.url(name, 40 * MIB))
            await until_parts(scene, 10)
            getattr(scene.dc, how)(scene.bot)
            await until_log(engine, "another follows")
        for _ in names:
            await user.expect_file(timeout_s=PATIENCE_S)
        await brings(scene, user, "x.bin")
        assert [*names, "x.bin"] == await names_in_chat(user)
        assert engine.process.returncode is None


@pytest.mark.parametrize(
    "error",
    [(401, "SESSION_REVOKED"), (406, "AUTH_KEY_DUPLICATED"), (401, "USER_DEACTIVATED")],
    ids=lambda error: str(error[1]),
)
async def test_engine_when_told_that_its_login_is_over_takes_another(
    scene: Scene, error: tuple[int, str]
) -> None:
    """All the names that Telegram has for it."""
    async with scene.person() as user, running_engine(hasty(scene), scene.folder) as engine:
        key = scene.dc.logins.of(scene.bot)[0].key
        scene.world.faults.append(
            Fault(method="updates.getState", user_id=scene.bot.id, error=error, count=2)
        )
        await until_log(engine, "another follows")
        await brings(scene, user, "one.bin")
        assert key not in [login.key for login in scene.dc.logins.of(scene.bot)[1:]]


async def test_engine_when_its_key_was_used_elsewhere_starts_with_another(scene: Scene) -> None:
    """AUTH_KEY_DUPLICATED to the very first call, as after a move between machines: mautrix/telegram#292."""
    async with scene.person() as user:
        async with running_engine(scene.settings, scene.folder):
            await brings(scene, user, "one.bin")
        fault = Fault(
            method="help.getConfig", user_id=scene.bot.id, error=(406, "AUTH_KEY_DUPLICATED"), count=1
        )
        scene.world.faults.append(fault)
        async with running_engine(scene.settings, scene.folder) as engine:
            await brings(scene, user, "two.bin")
        assert 1 == fault.fired
        assert "Traceback" not in engine.log.read_text()


async def test_engine_when_every_login_ends_says_what_to_do(scene: Scene) -> None:
    """It does not log in for ever: that would only earn a FLOOD_WAIT."""
    async with running_engine(hasty(scene), scene.folder) as engine:
        fault = Fault(method="updates.getState", user_id=scene.bot.id, error=(401, "USER_DEACTIVATED"))
        scene.world.faults.append(fault)
        async with asyncio.timeout(PATIENCE_S):
            assert 1 == await engine.process.wait()
        log = engine.log.read_text()
        assert "@BotFather" in log
        assert "Traceback" not in log


async def test_engine_when_logins_must_wait_waits_and_stops_when_told(scene: Scene) -> None:
    """A FLOOD_WAIT to the login is obeyed by the process itself: a supervisor would only repeat it."""
    wait = Fault(method="auth.importBotAuthorization", error=(420, "FLOOD_WAIT_7"), count=1)
    scene.world.faults.append(wait)
    async with scene.person() as user, running_engine(scene.settings, scene.folder) as engine:
        assert "wait_s=7" in engine.log.read_text()
        await brings(scene, user, "one.bin")
    scene.dc.forget(scene.bot)
    scene.world.faults.append(Fault(method="auth.importBotAuthorization", error=(420, "FLOOD_WAIT_3600")))
    engine = await start(["bot"], scene.folder, scene.settings, "waiting")
    await until_log(engine, "wait_s=3600")
    engine.process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(10):
        assert 0 == await engine.process.wait()


async def test_engine_when_told_to_stop_at_a_silent_data_centre_stops_at_once(scene: Scene) -> None:
    """A port that takes connections and says nothing, as behind a broken router."""

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.set()
        await reader.read()
        writer.close()

    called = asyncio.Event()
    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        settings = {**scene.settings, "PEYK_DC_ADDRESS": f"127.0.0.1:{port}"}
        engine = await start(["bot"], scene.folder, settings, "silent")
        async with asyncio.timeout(PATIENCE_S):
            await called.wait()
        engine.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            assert 0 == await engine.process.wait()


# the data centre


@asynccontextmanager
async def elsewhere(scene: Scene) -> AsyncIterator[DataCentre]:
    """A second data centre with the same key; the bot is at home there."""
    async with DataCentre(scene.world, dc_id=4) as other:
        scene.bot.home_dc = 4
        yield other


async def test_engine_when_its_bot_is_at_home_elsewhere_serves_from_there(scene: Scene) -> None:
    """Telegram sends it on: there its login is, and its parts go, now and at the next start."""
    async with elsewhere(scene) as home, Person.connect(home, scene.user) as user:
        for name in ("one.bin", "two.bin"):
            async with running_engine(scene.settings, scene.folder):
                await brings(scene, user, name)
        assert [] == scene.dc.logins.of(scene.bot)
        assert 1 == len(home.logins.of(scene.bot))


async def test_engine_when_configured_to_come_in_elsewhere_does(scene: Scene) -> None:
    """An address that the operator has changed counts, even of a bot that was sent on from the old one."""
    async with (
        elsewhere(scene) as home,
        Person.connect(home, scene.user) as user,
        running_engine(scene.settings, scene.folder),
    ):
        await brings(scene, user, "one.bin")
    scene.bot.home_dc = 5
    async with DataCentre(scene.world, dc_id=5) as new, Person.connect(new, scene.user) as user:
        settings = {**scene.settings, "PEYK_DC_ID": "5", "PEYK_DC_ADDRESS": f"{new.host}:{new.port}"}
        async with running_engine(settings, scene.folder):
            await brings(scene, user, "two.bin")
        assert 1 == len(new.logins.of(scene.bot))


async def test_engine_when_its_data_centre_began_anew_serves_its_people(scene: Scene, tmp_path: Path) -> None:
    """Our own sandbox, stopped and started without `--state`: no key, no history, smaller numbers."""
    async with running_engine(scene.settings, scene.folder), scene.person() as user:
        for text in ("/start", "/help", "/start"):
            await user.send(text)
            await user.expect()
    host, port = scene.dc.host, scene.dc.port
    await scene.dc.stop()
    world = World(tmp_path / "another")
    bot = world.add_bot("peyk_bot", token=scene.bot.token)
    bot.box.last_message_id = 1000  # as `run.py sandbox` begins: engines remember numbers
    sara = world.add_user("Sara", phone="989120000001")
    dc = DataCentre(world, scene.dc.public_key_path.with_suffix(""))
    await dc.start(host, port)
    try:
        async with (
            Person.connect(dc, sara, bot.username) as user,
            running_engine(scene.settings, scene.folder),
        ):
            await brings(scene, user, "one.bin")
    finally:
        await dc.stop()
        world.close()


async def test_engine_when_telegram_is_away_says_so_and_comes_back_by_itself(scene: Scene) -> None:
    """`/health`, `status` and the log; what was sent meanwhile is answered, and the file under way comes."""
    async with scene.person() as user, running_engine(hasty(scene), scene.folder) as engine:
        assert {"ok": True, "silent_s": 0.0} == (await until_health(scene, 200))["checks"]["telegram"]
        with slow_parts(scene):
            await user.send(scene.site.url("one.bin", 40 * MIB))
            await until_parts(scene, 10)
            await scene.dc.refuse(True)
            scene.dc.kill(scene.bot)
            told = await until_health(scene, 503)
            assert "Telegram has not answered" in told["error"]
            assert not told["checks"]["telegram"]["ok"]
            assert "Telegram has not answered" in await said_by(scene, "status")
        await user.send(scene.site.url("two.bin", MIB))
        await scene.dc.refuse(False)
        await until_health(scene, 200)
        for _ in range(2):
            await user.expect_file(timeout_s=PATIENCE_S)
        assert ["one.bin", "two.bin"] == await names_in_chat(user)
        await until_log(engine, "Telegram answers again")


async def test_engine_when_telegram_swallows_answers_connects_anew(scene: Scene) -> None:
    """A line that is up and dead: the connection is made again, and with it what waited."""
    async with scene.person() as user, running_engine(hasty(scene), scene.folder):
        scene.world.faults.append(
            Fault(method="updates.getState", user_id=scene.bot.id, swallow=True, count=1)
        )
        await asyncio.sleep(1)
        await until_health(scene, 200)
        await brings(scene, user, "one.bin")
        async with asyncio.timeout(PATIENCE_S):
            while scene.world.faults[0].fired < 1:  # noqa: ASYNC110 - a counter of the data centre
                await asyncio.sleep(0.1)
        await asyncio.sleep(4)
        await until_health(scene, 200)


# the machine


def set_clock(scene: Scene, ahead_s: float) -> None:
    """Move the clock of the engine's machine, at once and as a whole."""
    file = scene.folder / "clock"
    file.with_suffix(".new").write_text(str(ahead_s))
    file.with_suffix(".new").rename(file)


@pytest.mark.parametrize("ahead_s", [-40, -3600, 3600, 3 * 86_400])
async def test_engine_when_started_with_a_wrong_clock_serves_and_says_so(scene: Scene, ahead_s: int) -> None:
    """Its key is from before, so that nobody tells it the time; by its clock all comes too late or early."""
    set_clock(scene, 0)
    settings = hasty(scene, CLOCK)
    async with scene.person() as user:
        async with running_engine(settings, scene.folder):
            await brings(scene, user, "one.bin")
        set_clock(scene, ahead_s)
        async with running_engine(settings, scene.folder) as engine:
            await brings(scene, user, "two.bin")
            clock = (await until_health(scene, 200))["checks"]["clock"]
            assert not clock["ok"]
            assert abs(clock["ahead_s"] - ahead_s) < 5
            await until_log(engine, "the machine's clock is wrong")
            for command in ("status", "check"):
                assert "the machine's clock is" in await said_by(scene, command)


async def test_engine_when_its_clock_jumps_goes_on_by_telegrams(scene: Scene) -> None:
    """An hour back, an hour ahead, three days ahead, and right again: nothing ends, nothing stands still."""
    set_clock(scene, 0)
    async with scene.person() as user, running_engine(hasty(scene, CLOCK), scene.folder) as engine:
        for number, ahead_s in enumerate([0, -3600, 3600, 3 * 86_400, 0]):
            with slow_parts(scene):
                await user.send(scene.site.url(f"{number}.bin", 12 * MIB))
                await until_parts(scene, 24 * number + 4)
                set_clock(scene, ahead_s)
            await comes(scene, user, f"{number}.bin", 12 * MIB)
            await brings(scene, user, f"{number}-after.bin")
        await until_health(scene, 200)
        assert "lease lost" not in engine.log.read_text()
    names = sorted(f"{number}{end}.bin" for number in range(5) for end in ("", "-after"))
    async with scene.person() as user:
        assert names == await names_in_chat(user)


async def test_engine_when_its_machine_was_suspended_hears_on(scene: Scene) -> None:
    """Telegram's time went on, and the steady clock did not: LonamiWebs/Telethon#4521 and #4515."""
    set_clock(scene, 0)
    async with scene.person() as user, running_engine(hasty(scene, SUSPENDED), scene.folder):
        for number, lost_s in enumerate([0, 600, 0, 45]):
            set_clock(scene, lost_s)
            await brings(scene, user, f"{number}.bin")
        await until_health(scene, 200)


async def test_engine_when_stopped_for_a_while_as_by_a_suspended_machine_goes_on(scene: Scene) -> None:
    """SIGSTOP for longer than a lease lasts: what ran, and what came meanwhile, arrives once."""
    async with scene.person() as user, running_engine(hasty(scene), scene.folder) as engine:
        with slow_parts(scene):
            await user.send(scene.site.url("one.bin", 40 * MIB))
            await until_parts(scene, 10)
            engine.process.send_signal(signal.SIGSTOP)
            await user.send(scene.site.url("two.bin", MIB))
            await asyncio.sleep(6)
            engine.process.send_signal(signal.SIGCONT)
        for _ in range(2):
            await user.expect_file(timeout_s=PATIENCE_S)
        await brings(scene, user, "x.bin")
        assert ["one.bin", "two.bin", "x.bin"] == await names_in_chat(user)


@pytest.mark.timeout(300)
async def test_messages_when_a_new_login_is_killed_within_seconds_are_each_answered_once(
    scene: Scene,
) -> None:
    """What the first engine heard, what came while none ran, and what the second one hears."""
    names = [f"{number:02}.bin" for number in range(18)]
    settings = {**hasty(scene, MANY), "PEYK_LINKS_PER_MINUTE": "0"}
    async with scene.person() as user:
        async with running_engine(settings, scene.folder) as engine:
            await send_all(scene, user, names[:6])
            engine.process.kill()
            await engine.process.wait()
        await send_all(scene, user, names[6:12])
        async with running_engine(settings, scene.folder) as engine:
            await send_all(scene, user, names[12:15])
            await user.expect_file(timeout_s=PATIENCE_S)
            engine.process.kill()
            await engine.process.wait()
        await send_all(scene, user, names[15:])
        async with running_engine(settings, scene.folder), asyncio.timeout(2 * PATIENCE_S):
            await user.send(scene.site.url("last.bin", 1000))
            while not {*names, "last.bin"} <= set(await names_in_chat(user)):  # noqa: ASYNC110 - a chat
                await asyncio.sleep(0.5)
        assert [*names, "last.bin"] == await names_in_chat(user)


async def send_all(scene: Scene, user: Person, names: list[str]) -> None:
    """Send a link for each."""
    for name in names:
        await user.send(scene.site.url(name, 1000))
