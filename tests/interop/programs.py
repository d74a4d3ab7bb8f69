"""The programs of foreign clients: what they are told, and how they run."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from sandbox import Account, DataCentre, tl
from sandbox.people import API_HASH, API_ID
from sandbox.world.accounts import LOGIN_CODE

HERE = Path(__file__).parent
READY = "ready"
START_S = 60.0
PATIENCE_S = 240.0


@dataclass(frozen=True, slots=True)
class Program:
    """A script, and the folder in which its interpreter looks for packages before its own."""

    script: Path
    packages: Path | None = None

    async def start(self, told: dict[str, Any]) -> asyncio.subprocess.Process:
        """Run it; it is told in JSON."""
        interpreter = sys.executable if self.script.suffix == ".py" else "node"
        paths = [*([self.packages] if self.packages is not None else []), HERE.parents[1]]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}
        return await asyncio.create_subprocess_exec(
            interpreter,
            str(self.script),
            json.dumps(told),
            stdin=PIPE,
            stdout=PIPE,
            stderr=STDOUT,
            env=environment,
        )


def place(dc: DataCentre, proxy_port: int, folder: Path, file_path: Path) -> dict[str, Any]:
    """What a program is told: where the data centre is, whose key to trust, what to send.

    What it keeps lies in `folder`. A proxy leads those to the data centre who know Telegram's addresses only.
    """
    key = load_pem_public_key(dc.public_key_path.read_bytes())
    assert isinstance(key, RSAPublicKey)
    numbers = key.public_numbers()
    # https://core.telegram.org/mtproto/auth_key#dh-exchange-initiation
    fingerprint = sha1(_tl_bytes(numbers.n) + _tl_bytes(numbers.e)).digest()[-8:]
    return {
        "dc_id": dc.id,
        "host": dc.host,
        "port": dc.port,
        "proxy_port": proxy_port,
        "public_key_path": str(dc.public_key_path),
        "modulus": f"{numbers.n:x}",
        "exponent": numbers.e,
        # in decimal: a number of JavaScript would lose its end
        "fingerprint": str(int.from_bytes(fingerprint, "little", signed=True)),
        "api_id": API_ID,
        "api_hash": API_HASH,
        "folder": str(folder),
        "file_path": str(file_path),
    }


def of_bot(account: Account) -> dict[str, Any]:
    """By what a bot signs in."""
    return {"bot_token": account.token}


def of_person(account: Account, bot: Account, channel: str) -> dict[str, Any]:
    """By what a person logs in, whom it writes to, and where it joins."""
    return {
        "phone": f"+{account.phone}",
        "code": LOGIN_CODE,
        "bot_username": bot.username,
        "channel": channel,
    }


def _tl_bytes(value: int) -> bytes:
    data = value.to_bytes((value.bit_length() + 7) // 8, "big")
    head, padding = tl.write_bytes(data)
    return head + data + padding


@asynccontextmanager
async def running(program: Program, told: dict[str, Any]) -> AsyncIterator[list[str]]:
    """Run a bot until the end of the block, by which it has ended itself; from when it says that it is ready.

    Gives the list of what else it says, which is complete after the block.
    """
    said: list[str] = []
    bot = await program.start(told)
    assert bot.stdout is not None
    try:
        async with asyncio.timeout(START_S):
            while (line := (await bot.stdout.readline()).decode()) != f"{READY}\n":
                assert line, "the bot ended"
                said.append(line)
        yield said
        async with asyncio.timeout(START_S):
            await bot.wait()
    except BaseException as error:
        error.add_note(f"{program.script.name} said: {said}")
        raise
    finally:
        if bot.returncode is None:
            bot.kill()
        said += (await bot.communicate())[0].decode().splitlines()


async def told_by(program: Program, told: dict[str, Any]) -> Any:
    """Run a program to its end: what the JSON of its last line says."""
    person = await program.start(told)
    try:
        async with asyncio.timeout(PATIENCE_S):
            said = (await person.communicate())[0].decode()
    finally:
        if person.returncode is None:
            person.kill()
            await person.wait()
    try:
        return json.loads(said.splitlines()[-1])
    except (ValueError, IndexError) as error:
        raise AssertionError(f"{program.script.name} said: {said}") from error
