"""Accounts that carry beside the bot: how they are logged in, what they bring, and who takes over."""

import asyncio
import fcntl
import hashlib
import os
import pty
import sqlite3
import sys
import termios
from asyncio.subprocess import Process
from pathlib import Path
from typing import Any

import pytest

from sandbox import Account, Channel, Fault
from sandbox.stage import RUN
from sandbox.world.accounts import LOGIN_CODE
from sandbox.world.members import Role
from tests.engine.conftest import Scene
from tests.engine.test_volumes import documents, joined, source
from uploader.config import Config
from uploader.errors import TelegramError
from uploader.telegram.sessions import user_sessions
from uploader.telegram.user_login import log_user_in

MIB = 1024 * 1024
CAP_MIB = 11
#: Above the cap, and under that of Premium.
SIZE_BYTES = CAP_MIB * MIB + 4 * MIB + 1
PASSWORD = "correct horse"


@pytest.fixture
def carrier(scene: Scene) -> Account:
    """A person with Premium and a second factor."""
    return scene.world.add_user("Mina", phone="989120000009", premium=True, password=PASSWORD)


@pytest.fixture
def storage(scene: Scene, carrier: Account) -> Channel:
    """A channel where both may post; the data centre takes as many parts of a file as `CAP_MIB` has."""
    scene.world.uploads.most_parts = [2 * CAP_MIB, 4 * CAP_MIB]
    return scene.world.add_channel("peyk_storage", "Storage", admins=[scene.bot, carrier])


class Answers:
    """Somebody at a terminal with prepared answers; what was asked and said is kept."""

    def __init__(self, *answers: str) -> None:
        self.heard: list[str] = []
        self.hidden: list[str] = []
        self._answers = list(answers)

    async def ask(self, what: str, hidden: bool) -> str:
        """Answer."""
        (self.hidden if hidden else self.heard).append(what)
        return self._answers.pop(0)


def config_of(scene: Scene, **changes: Any) -> Config:
    """The settings of the engine, with its folders."""
    config = Config(**{**scene.values(), **changes})
    config.make_folders()
    return config


async def log_in(scene: Scene, carrier: Account) -> None:
    """As `run.py login` does."""
    answers = Answers(carrier.phone or "", LOGIN_CODE, PASSWORD)
    assert await log_user_in(config_of(scene), "test", answers.ask, answers.heard.append)


def used_parts(scene: Scene, account: Account) -> int:
    """How many parts the data centre took from an account."""
    records = scene.world.stats.uploads.values()
    return sum(sum(record.arrivals) for record in records if record.account_id == account.id)


# logging in


async def typed(process: Process, terminal: int, *lines: tuple[str, str]) -> str:
    """Wait for each prompt and type the line after it; returns all that the terminal showed."""
    loop, shown = asyncio.get_running_loop(), ""
    expected = [*lines, ("", "")]
    while True:
        try:
            shown += (await loop.run_in_executor(None, os.read, terminal, 1024)).decode()
        except OSError:  # the other end is closed
            return shown
        while len(expected) > 1 and expected[0][0] in shown:
            prompt, line = expected.pop(0)
            await asyncio.sleep(0.1)  # getpass throws away what is typed before it has switched the echo off
            os.write(terminal, f"{line}\n".encode())
            shown = shown.replace(prompt, "…", 1)


async def at_terminal(scene: Scene, *lines: tuple[str, str]) -> tuple[int, str]:
    """`run.py login` on a terminal of its own: its exit status, and what was to be seen."""
    ours, theirs = pty.openpty()

    def take_terminal() -> None:
        fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

    settings = {key: value for key, value in os.environ.items() if not key.startswith("PEYK_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(RUN), "login"),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=scene.folder,
        env={**settings, **scene.settings},
        start_new_session=True,
        preexec_fn=take_terminal,
    )
    os.close(theirs)
    try:
        async with asyncio.timeout(60):
            shown = await typed(process, ours, *lines)
            return await process.wait(), shown
    finally:
        if process.returncode is None:
            process.kill()
        os.close(ours)


async def test_login_when_typed_on_a_terminal_keeps_a_session_for_its_owner_alone(
    scene: Scene, carrier: Account
) -> None:
    """Wrong answers are asked again, the password is not shown, and nothing is overwritten unasked."""
    phone, code, password = ("Phone number", carrier.phone or ""), "The code", "Password"
    status, shown = await at_terminal(
        scene, phone, (code, "54321"), (code, LOGIN_CODE), (password, "battery"), (password, PASSWORD)
    )
    assert 0 == status, shown
    assert "That is not the code" in shown
    assert "That is not the password" in shown
    assert "Logged in as Mina" in shown
    assert PASSWORD not in shown
    (path,) = user_sessions(config_of(scene))
    assert 0o600 == path.stat().st_mode & 0o777
    before = path.read_bytes()
    status, shown = await at_terminal(
        scene, phone, (code, LOGIN_CODE), (password, PASSWORD), ("Replace that login", "n")
    )
    assert 1 == status
    assert "Nothing was changed" in shown
    assert before == path.read_bytes()


@pytest.mark.parametrize(
    ("answers", "fault", "told"),
    [
        (["+1", ""], None, "no account with that number"),
        (["989120000009", "1", "2", "3"], None, "no right code"),
        (["989120000009", LOGIN_CODE, "a", "b", "c"], None, "no right password"),
        (["989120000009"], Fault("auth.sendCode", error=(420, "FLOOD_WAIT_3600")), "wait 3600 s"),
        (
            ["989120000009", "1", "2", "3"],
            Fault("auth.signIn", error=(400, "PHONE_CODE_EXPIRED")),
            "no right code",
        ),
    ],
    ids=["number", "code", "password", "flood", "expired"],
)
async def test_login_when_telegram_refuses_says_why_and_keeps_nothing(
    scene: Scene, carrier: Account, answers: list[str], fault: Fault | None, told: str
) -> None:
    """Each refusal has a sentence of its own; after three wrong answers it ends."""
    scene.world.faults += [fault] if fault else []
    terminal = Answers(*answers)
    with pytest.raises(TelegramError, match=told):
        await log_user_in(config_of(scene), "test", terminal.ask, terminal.heard.append)
    assert [] == user_sessions(config_of(scene))


# carrying


async def test_file_when_above_the_cap_is_carried_by_premium_and_sent_by_reference(
    scene: Scene, carrier: Account, storage: Channel
) -> None:
    """One message of the bot's with the whole file, of which the bot uploaded nothing."""
    await log_in(scene, carrier)
    async with scene.engine(volume_mib=CAP_MIB, storage_chat="@peyk_storage"), scene.person() as user:
        await user.send(scene.site.url("film.bin", SIZE_BYTES))
        message = await user.expect_file()
        digest = await scene.site.sha256_of("film.bin", SIZE_BYTES)
        assert (SIZE_BYTES, digest) == await user.save(message)
        await user.expect("Done")
        assert "film.bin" == message.file.name
        assert 1 == len(await documents(user))
    assert 0 == used_parts(scene, scene.bot)
    assert 1 == len(storage.box.letters)


async def test_file_when_premium_is_over_comes_in_volumes_and_admins_are_told(
    scene: Scene, carrier: Account, storage: Channel, tmp_path: Path
) -> None:
    """The data centre refuses the parts: nobody waits for an account that will not get them through."""
    (tmp_path / "saved").mkdir()
    await log_in(scene, carrier)
    async with (
        scene.engine(volume_mib=CAP_MIB, storage_chat="@peyk_storage"),
        scene.person(scene.admin) as admin,
        scene.person() as user,
    ):
        await admin.send("/start")
        await admin.expect()
        carrier.premium = False
        await user.send(scene.site.url("film.bin", SIZE_BYTES))
        await admin.expect("no longer carries files over")
        await user.expect("SHA-256", timeout_s=60)
        whole = await joined(user, await documents(user), tmp_path / "saved")
    assert source("film.bin", SIZE_BYTES) == whole


async def test_file_when_its_carrier_is_logged_out_in_mid_file_comes_another_way(
    scene: Scene, carrier: Account, storage: Channel, tmp_path: Path
) -> None:
    """The session that has half of it dies: the bot brings all of it, in volumes, and admins are told."""
    (tmp_path / "saved").mkdir()
    await log_in(scene, carrier)
    async with (
        scene.engine(volume_mib=CAP_MIB, storage_chat="@peyk_storage"),
        scene.person(scene.admin) as admin,
        scene.person() as user,
    ):
        await admin.send("/start")
        await admin.expect()
        scene.world.faults.append(
            Fault("upload.save", user_id=carrier.id, after=10, error=(401, "AUTH_KEY_UNREGISTERED"))
        )
        await user.send(scene.site.url("film.bin", SIZE_BYTES))
        await admin.expect("carries no files for")
        await user.expect("SHA-256", timeout_s=60)
        whole = await joined(user, await documents(user), tmp_path / "saved")
    assert source("film.bin", SIZE_BYTES) == whole
    assert used_parts(scene, carrier) >= 10


@pytest.mark.parametrize(
    "error", [(406, "AUTH_KEY_DUPLICATED"), (420, "FLOOD_WAIT_600")], ids=["login", "flood"]
)
async def test_file_when_the_bots_own_uploads_are_refused_is_carried_by_another_bot(
    scene: Scene, error: tuple[int, str]
) -> None:
    """A further bot uploads, the storage chat holds it, the bot that people know sends it."""
    other = scene.world.add_bot("peyk_two")
    scene.world.add_channel("peyk_storage", "Storage", admins=[scene.bot, other])
    scene.world.faults.append(Fault("upload.save", user_id=scene.bot.id, after=5, error=error))
    settings = {"storage_chat": "@peyk_storage", "carriers": other.token}
    async with scene.engine(**settings), scene.person() as user:
        await user.send(scene.site.url("film.bin", 12 * MIB))
        message = await user.expect_file()
        assert await scene.site.sha256_of("film.bin", 12 * MIB) == (await user.save(message))[1]
        await user.expect("Done")
    assert 24 == used_parts(scene, other)
    with sqlite3.connect(scene.folder / "data" / "peyk.db") as database:
        assert [("done", 0)] == database.execute("SELECT state, failures FROM jobs").fetchall()


async def test_file_when_the_storage_chat_is_closed_to_its_carrier_comes_another_way(
    scene: Scene, carrier: Account, storage: Channel
) -> None:
    """What cannot be stored cannot be sent on: that account rests, and volumes come instead."""
    await log_in(scene, carrier)
    scene.world.seat(storage, carrier, Role.MEMBER)
    async with scene.engine(volume_mib=CAP_MIB, storage_chat="@peyk_storage"), scene.person() as user:
        await user.send(scene.site.url("film.bin", SIZE_BYTES))
        await user.expect("SHA-256", timeout_s=60)
        assert 2 == len(await documents(user))


async def test_engine_when_a_session_is_of_no_use_serves_without_it_and_says_so(
    scene: Scene, carrier: Account, storage: Channel
) -> None:
    """An account that was logged out from elsewhere keeps nobody waiting."""
    await log_in(scene, carrier)
    scene.dc.revoke(carrier)
    async with scene.person(scene.admin) as admin, scene.person() as user:
        async with scene.engine():
            await admin.send("/start")
            await admin.expect()
        async with scene.engine(storage_chat="@peyk_storage"):
            await admin.expect("cannot be used")
            await user.send(scene.site.url("film.bin", 5))
            message = await user.expect_file()
            assert hashlib.sha256(source("film.bin", 5)).hexdigest() == (await user.save(message))[1]
