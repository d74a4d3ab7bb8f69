"""The bots of foreign clients, each a program of its own: what they are told, and how they run."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha1
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from sandbox import Account, DataCentre, tl
from sandbox.people import API_HASH, API_ID

BOTS = Path(__file__).parent / "bots"
READY = "ready"
START_S = 60.0


def place(dc: DataCentre, bot: Account, folder: Path, file_path: Path) -> dict[str, Any]:
    """What a bot is told: where the data centre is, whose key to trust, who it is, what to send.

    It saves what it receives in `folder`.
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
        "public_key_path": str(dc.public_key_path),
        "modulus": f"{numbers.n:x}",
        "exponent": numbers.e,
        # in decimal: a number of JavaScript would lose its end
        "fingerprint": str(int.from_bytes(fingerprint, "little", signed=True)),
        "api_id": API_ID,
        "api_hash": API_HASH,
        "bot_token": bot.token,
        "folder": str(folder),
        "file_path": str(file_path),
    }


def _tl_bytes(value: int) -> bytes:
    data = value.to_bytes((value.bit_length() + 7) // 8, "big")
    head, padding = tl.write_bytes(data)
    return head + data + padding


def interpreter(script: Path) -> str:
    """What runs a script."""
    return sys.executable if script.suffix == ".py" else "node"


@asynccontextmanager
async def running(script: Path, told: dict[str, Any]) -> AsyncIterator[list[str]]:
    """Run a bot until the end of the block, from when it says that it is ready.

    Gives the list of what else it says, which is complete after the block.
    """
    said: list[str] = []
    bot = await asyncio.create_subprocess_exec(
        interpreter(script), str(script), json.dumps(told), stdin=PIPE, stdout=PIPE, stderr=STDOUT
    )
    assert bot.stdout is not None
    try:
        async with asyncio.timeout(START_S):
            while (line := (await bot.stdout.readline()).decode()) != f"{READY}\n":
                assert line, "the bot ended"
                said.append(line)
        yield said
    except BaseException as error:
        error.add_note(f"{script.name} said: {said}")
        raise
    finally:
        if bot.returncode is None:
            bot.kill()
        said += (await bot.communicate())[0].decode().splitlines()
