"""Fixtures of the benchmark's tests: a sink in its own process."""

import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox.bench.desk import DC_ID
from sandbox.bench.plan import Address
from sandbox.bench.program import Program, started
from sandbox.bench.sink import HOST

ANSWER_S = 60.0


class Sink:
    """A running sink."""

    def __init__(self, program: Program, address: Address) -> None:
        self._program = program
        self.address = address

    async def saved_bytes(self) -> list[int]:
        """The sizes of the files that came since the last time."""
        sizes: list[int] = json.loads(await self._program.ask({}, ANSWER_S))["saved_bytes"]
        return sizes


@pytest.fixture
async def sink(tmp_path: Path) -> AsyncIterator[Sink]:
    """A sink without delay or cap."""
    auth_key_hex = (b"\1" + os.urandom(255)).hex()
    async with started([sys.executable, "-m", "sandbox.bench.sink"], tmp_path) as program:
        orders = {"auth_key": auth_key_hex, "delay_s": 0, "cap_bytes_s": 0}
        port = json.loads(await program.ask(orders, ANSWER_S))["port"]
        yield Sink(program, Address(host=HOST, port=port, dc_id=DC_ID, auth_key_hex=auth_key_hex))
