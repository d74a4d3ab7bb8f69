"""The control port, by hand over TCP, as the dashboard's chat speaks it."""

import asyncio
import contextlib
import hashlib
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from telethon import Button, events, functions, types
from telethon.errors import AuthKeyUnregisteredError

from sandbox import DataCentre, World
from sandbox.__main__ import main
from sandbox.chat import safe_name
from sandbox.control import Control
from sandbox.people import Person, Place
from sandbox.serve import Cast, cast
from tests.sandbox.clients import connected, refused


@dataclass
class Port:
    """The control port's address, and who is in the world."""

    address: tuple[str, int]
    players: Cast

    def line(self) -> AbstractAsyncContextManager["Line"]:
        """A connection to it."""
        return _line(self.address)

    async def ask(self, **request: Any) -> Any:
        """One request on a connection of its own."""
        return await _ask(self.address, **request)


@asynccontextmanager
async def _line(address: tuple[str, int]) -> AsyncIterator["Line"]:
    reader, writer = await asyncio.open_connection(*address)
    try:
        yield Line(reader, writer)
    finally:
        writer.close()


async def _ask(address: tuple[str, int], **request: Any) -> Any:
    async with _line(address) as line:
        return await line.ask(**request)


@dataclass
class Line:
    """One connection to the control port."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def read(self) -> Any:
        """The next line."""
        async with asyncio.timeout(10):
            return json.loads(await self.reader.readline())

    async def ask(self, **request: Any) -> Any:
        """Send a request; gives the next line."""
        self.writer.write(json.dumps(request).encode() + b"\n")
        return await self.read()


@pytest.fixture
async def port(world: World, dc: DataCentre) -> AsyncIterator[Port]:
    """A control port over a world with its usual people."""
    players = cast(world)
    control = Control(dc, players.user, players.bot, players.channel)
    async with control.listening() as address:
        yield Port(address, players)


@pytest.fixture
async def bot(dc: DataCentre, port: Port) -> AsyncIterator[Any]:
    """A bot that answers with three buttons, and to those with an alert and an edit."""
    async with connected(dc, port.players.bot) as telethon:

        async def greet(event: Any) -> None:
            rows = [
                [Button.inline("Alert", b"alert"), Button.url("Join", "https://t.me/peyk_sponsor")],
                [Button.url("Site", "https://example.org/")],
            ]
            await event.respond("Choose", buttons=rows)

        async def pressed(event: Any) -> None:
            await event.answer("Thanks", alert=True)
            await event.edit("Chosen")

        telethon.add_event_handler(greet, events.NewMessage(incoming=True))
        telethon.add_event_handler(pressed, events.CallbackQuery())
        await telethon.get_me()
        yield telethon


async def test_hello_when_asked_says_who_is_who(port: Port) -> None:
    """The first thing that the chat screen asks."""
    hello = await port.ask(op="hello")
    assert {"id": port.players.user.id, "first_name": "Ada"} == hello["user"]
    assert {"id": port.players.bot.id, "username": "peyk_bot"} == hello["bot"]
    assert {"username": "peyk_sponsor", "title": "The Sponsor"} == hello["channel"]


async def test_chat_when_watched_shows_what_was_and_what_happens(port: Port, bot: Any) -> None:
    """The past first, then own messages, answers with buttons, edits and deletions as they happen."""
    assert {"ok": True} == await port.ask(op="say", text="before")
    async with port.line() as watcher:
        assert {"ok": True} == await watcher.ask(op="watch")
        assert "before" == (await watcher.read())["message"]["text"]
        card = await watcher.read()
        assert ("message", "Choose", False) == (
            card["event"],
            card["message"]["text"],
            card["message"]["out"],
        )
        assert [
            [
                {"text": "Alert", "kind": "callback"},
                {"text": "Join", "kind": "url", "url": "https://t.me/peyk_sponsor"},
            ],
            [{"text": "Site", "kind": "url", "url": "https://example.org/"}],
        ] == card["message"]["buttons"]
        await port.ask(op="say", text="سلام")
        own = await watcher.read()
        if own["message"]["text"] == "Choose":  # the bot may be faster than the answer to the sender
            own = await watcher.read()
        else:
            await watcher.read()
        assert ("سلام", True) == (own["message"]["text"], own["message"]["out"])
        pressed = await port.ask(op="press", message_id=card["message"]["id"], button=0)
        assert {"ok": True, "alert": "Thanks"} == pressed
        edit = await watcher.read()
        assert ("edit", "Chosen") == (edit["event"], edit["message"]["text"])
        number = card["message"]["id"] + 2
        (last,) = await bot.get_messages(port.players.user.id, ids=[number])
        await last.delete()
        assert {"event": "delete", "ids": [number]} == await watcher.read()


async def test_link_when_pressed_is_joined_or_given(world: World, port: Port, bot: Any) -> None:
    """A link to a channel here is joined, as often as one presses; another one is for the browser."""
    async with port.line() as watcher:
        await watcher.ask(op="watch")
        await port.ask(op="say", text="/start")
        shown = [await watcher.read(), await watcher.read()]
    (card,) = [event["message"] for event in shown if not event["message"]["out"]]
    for _ in range(2):
        joined = await port.ask(op="press", message_id=card["id"], button=1)
        assert {"ok": True, "joined": "peyk_sponsor"} == joined
        assert port.players.channel.holds(port.players.user.id)
    assert {"ok": True} == await port.ask(op="leave", channel="peyk_sponsor")
    assert not port.players.channel.holds(port.players.user.id)
    site = await port.ask(op="press", message_id=card["id"], button=2)
    assert {"ok": True, "url": "https://example.org/"} == site
    assert not (await port.ask(op="press", message_id=card["id"], button=3))["ok"]


async def test_file_when_saved_has_a_safe_free_name_and_its_digest(
    port: Port, bot: Any, tmp_path: Path
) -> None:
    """Progress, then the result; a second time beside the first."""
    content = os.urandom(9_000_000)
    await port.ask(op="say", text="/start")
    path = tmp_path / "movie.bin"
    path.write_bytes(content)
    sent = await bot.send_file(port.players.user.id, path, force_document=True)
    folder = tmp_path / "saved"
    folder.mkdir()
    number = sent.id  # the two boxes count alike here: nothing was ever deleted
    for name in ("movie.bin", "movie (1).bin"):
        async with port.line() as line:
            answer = await line.ask(op="save", message_id=number, folder=str(folder))
            steps = []
            while "progress" in answer:
                steps.append(answer["progress"])
                assert len(content) == answer["total"]
                answer = await line.read()
        assert (len(content), True) == (steps[-1], steps == sorted(steps))
        digest = hashlib.sha256(content).hexdigest()
        assert {
            "ok": True,
            "path": str(folder / name),
            "size_bytes": len(content),
            "sha256": digest,
        } == answer
        assert content == (folder / name).read_bytes()
    missing = await port.ask(op="save", message_id=number, folder=str(tmp_path / "nowhere"))
    assert "no folder" in missing["error"]


async def test_centre_when_told_to_breaks_and_reports(
    world: World, dc: DataCentre, port: Port, bot: Any
) -> None:
    """Faults, latency, kills, counters, files."""
    rules = [{"method": "messages.", "error": [420, "FLOOD_WAIT_3"], "count": 1}]
    assert {"ok": True} == await port.ask(op="faults", rules=rules)
    assert [(420, "FLOOD_WAIT_3")] == [fault.error for fault in world.faults]
    assert {"ok": True} == await port.ask(op="faults", rules=[])
    assert {"ok": True} == await port.ask(op="latency", seconds=0.01)
    assert 0.01 == world.latency_s
    assert {"ok": True} == await port.ask(op="network", jitter_s=0.01, upload_bytes_s=10**9, latency_s=0)
    assert (0.01, 0) == (world.network.jitter_s, world.latency_s)
    await port.ask(op="network", jitter_s=0, upload_bytes_s=0)
    assert {"ok": True} == await port.ask(op="salts")
    assert (await bot.get_me()).bot
    assert {"ok": True, "killed": 1} == await port.ask(op="kill", account_id=port.players.bot.id)
    await bot.upload_file(b"content")
    (upload,) = (await port.ask(op="files"))["files"]
    assert (7, 1) == (upload["size_bytes"], upload["parts"])
    assert upload["first_part_at"] <= upload["last_part_at"]
    assert (await port.ask(op="stats"))["stats"]["calls"]["upload.saveFilePart"]
    assert {"ok": True} == await port.ask(op="refuse", refuse=True)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(dc.host, dc.port)
    assert {"ok": True} == await port.ask(op="refuse", refuse=False)
    assert {"ok": True} == await port.ask(op="revoke", account_id=port.players.bot.id)
    with pytest.raises(AuthKeyUnregisteredError):
        await bot(functions.updates.GetStateRequest())


@pytest.mark.parametrize(
    "line",
    [
        b"not json\n",
        b"[1]\n",
        b"{}\n",
        b'{"op":"say"}\n',
        b'{"op":"say","text":7}\n',
        b'{"op":"press","message_id":1,"button":0}\n',
        b'{"op":"latency","seconds":-1}\n',
        b'{"op":"latency","seconds":NaN}\n',
        b'{"op":"kill","account_id":1}\n',
        b'{"op":"revoke","account_id":1}\n',
        b'{"op":"forget","account_id":1}\n',
        b'{"op":"network","lag":1}\n',
        b'{"op":"network","latency_s":-1}\n',
        b'{"op":"refuse","refuse":1}\n',
        b'{"op":"faults","rules":[{"x":1}]}\n',
        b'{"op":"join","channel":"nobody_here"}\n',
        b'{"op":"save","message_id":99,"folder":"/"}\n',
        pytest.param(b"[" * 60_000 + b"\n", id="nested without end"),
        b"\xff\xfe\n",
    ],
)
async def test_request_when_it_cannot_be_done_is_answered_with_the_reason(port: Port, line: bytes) -> None:
    """The connection lives, and the next request is served."""
    async with port.line() as connection:
        connection.writer.write(line[:100_000])
        refusal = await connection.read()
        assert (False, str) == (refusal["ok"], type(refusal["error"]))
        assert (await connection.ask(op="hello"))["ok"]


async def test_line_when_endless_is_cut_off(port: Port) -> None:
    """Nobody makes the port hold more than one line's worth."""
    async with port.line() as connection, asyncio.timeout(10):
        connection.writer.write(b"x" * 200_000)
        with contextlib.suppress(ConnectionResetError):
            while await connection.reader.readline():
                pass
        assert (await port.ask(op="hello"))["ok"]


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("movie.mkv", "movie.mkv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\boot.ini", "boot.ini"),
        (".bashrc", "bashrc"),
        ("a\x00b\n‮c", "abc"),
        ("", "file"),
        ("..", "file"),
        ("ی" * 300, "ی" * 100),
    ],
)
def test_name_when_hostile_stays_in_the_folder(name: str, safe: str) -> None:
    """What a sender calls a file is only a wish."""
    assert safe == safe_name(name)


@asynccontextmanager
async def _program(folder: Path, *arguments: str) -> AsyncIterator[Any]:
    """The data centre as a program that works in a folder, until SIGTERM; gives what it says of itself."""
    key = folder / "dc.pem"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sandbox", "--port", "0", "--key", str(key), "--json", *arguments),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(folder)},
    )
    assert process.stdout is not None
    async with asyncio.timeout(30):
        facts = json.loads(await process.stdout.readline())
        assert str(key) + ".pub" == facts["public_key"]
        yield facts
        process.send_signal(signal.SIGTERM)
        assert 0 == await process.wait()


def _stranger(facts: Any) -> Any:
    """Somebody who logs in with nothing but what the program says."""
    place = Place(facts["dc_id"], facts["host"], facts["port"], Path(facts["public_key"]))
    return Person.log_in(place, facts["admin"]["phone"], facts["bot_username"])


async def test_program_when_started_says_where_it_is_and_ends_on_a_signal(tmp_path: Path) -> None:
    """One JSON line; a stranger logs in with nothing but that; SIGTERM ends it with 0."""
    async with _program(tmp_path) as facts, _stranger(facts) as admin:
        assert 0o600 == (tmp_path / "dc.pem").stat().st_mode & 0o777
        assert facts["admin"]["id"] == admin.id
    assert ["dc.pem", "dc.pem.pub"] == _names(tmp_path)


async def test_program_when_told_to_breaks_calls_and_keeps_digests_only(tmp_path: Path) -> None:
    """--faults, --keep and --dc: a rule strikes, a large file is nothing but digests, two ports listen."""
    faults, part = tmp_path / "faults.json", os.urandom(64 * 1024)
    faults.write_text('{"rules": [{"method": "help.getNearestDc", "error": [400, "PEER_ID_INVALID"]}]}')
    arguments = ("--faults", str(faults), "--keep", "digests", "--dc", "2", "--dc", "4")
    async with _program(tmp_path, *arguments) as facts, _stranger(facts) as admin:
        assert [facts["host"], facts["port"]] == facts["addresses"]["2"] != facts["addresses"]["4"]
        with refused("PEER_ID_INVALID"):
            await admin.client(functions.help.GetNearestDcRequest())
        await admin.client(functions.upload.SaveBigFilePartRequest(7, 0, 1, part))
        sent = await admin.client.send_file(admin.bot, types.InputFileBig(7, 1, "large.bin"))
        assert bytes(4096) == await anext(admin.client.iter_download(sent, request_size=4096))
        port = facts["control"]["host"], facts["control"]["port"]
        (record,) = (await _ask(port, op="files"))["files"]
        assert hashlib.sha256(hashlib.sha256(part).digest()).hexdigest() == record["digest"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--port", "{port}"), "already in use"),
        (("--faults", "{folder}/rule.json"), "metod"),
        (("--faults", "{folder}/nothing.json"), "No such file"),
        (("--key", "{folder}/rule.json"), "RSA key"),
        (("--state", "{folder}/rule.json"), "rule.json"),
        (("--layer", "{folder}/rule.json"), "no TL schema"),
    ],
    ids=["port", "faults", "no faults", "key", "state", "layer"],
)
def test_program_when_it_cannot_run_says_why(
    arguments: tuple[str, ...],
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A port that is taken, and files that are not what they should be: one line and 2, no traceback."""
    (tmp_path / "rule.json").write_text('{"rules": [{"metod": "upload."}]}')
    with socket.create_server(("127.0.0.1", 0)) as taken:
        facts = {"port": taken.getsockname()[1], "folder": tmp_path}
        monkeypatch.setattr(sys, "argv", ["sandbox", *(each.format(**facts) for each in arguments)])
        with pytest.raises(SystemExit, match="2"):
            main()
    (line,) = capsys.readouterr().err.splitlines()
    assert reason in line


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
