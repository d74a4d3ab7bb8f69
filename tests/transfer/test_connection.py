"""One connection over a real socket."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from telethon.tl import functions, types

from tests.transfer.server import (
    DROP,
    QUICK,
    SALT,
    SWALLOW,
    Arrival,
    Responder,
    Said,
    ServerCore,
    endpoint_at,
    error,
    read_envelope,
    result,
    write_envelope,
)
from uploader.errors import AccountStopped, TransferError, TransferTemporary
from uploader.transfer import Endpoint, Patience
from uploader.transfer.connection import Connection
from uploader.transfer.pace import Pace
from uploader.transfer.room import PartRoom
from uploader.transfer.seal import AuthKey
from uploader.transfer.sealing import Sealing
from uploader.transfer.tl import Refusal, Request, part_request


def part(number: int = 0, data: bytes = b"data") -> Request:
    """A part of a file of 100 parts."""
    room = PartRoom()
    room.data[: len(data)] = data
    return part_request(room, file_id=7, part=number, total=100, size_bytes=len(data))


@asynccontextmanager
async def running(
    endpoint: Endpoint, patience: Patience = QUICK
) -> AsyncIterator[tuple[Connection, asyncio.Task[None]]]:
    """A connection and the task that carries it; ended at the end of the block."""
    with contextlib.closing(Sealing(AuthKey(endpoint.auth_key))) as sealing:
        async with asyncio.TaskGroup() as tasks:
            connection = Connection(endpoint, sealing, patience, Pace(patience))
            task = tasks.create_task(connection.run())
            yield connection, task
            task.cancel()


async def test_call_when_parts_are_sent_at_once_then_all_bytes_arrive(
    responder: Responder, endpoint: Endpoint
) -> None:
    """Several parts in flight, long and short, arrive whole over one connection."""
    contents = [bytes([number]) * size for number, size in enumerate((524_288, 1, 300_000, 5))]
    async with running(endpoint) as (connection, _):
        calls = [connection.call(part(number, data)) for number, data in enumerate(contents)]
        assert [True] * 4 == await asyncio.gather(*calls)
    assert contents == [responder.saved[7][number] for number in range(4)]
    assert 1 == responder.connections


async def test_acknowledgements_when_answers_came_then_reach_the_data_centre(
    responder: Responder, endpoint: Endpoint
) -> None:
    """Every answer is acknowledged once nothing is left to wait for."""
    async with running(endpoint) as (connection, _):
        for number in range(3):
            await connection.call(part(number))
        await responder.until(lambda: responder.acked() >= 4)


@pytest.mark.parametrize("said", [DROP, SWALLOW])
async def test_call_when_the_answer_never_comes_then_the_connection_is_lost(
    responder: Responder, endpoint: Endpoint, said: str
) -> None:
    """A cut connection and a swallowed answer both end in TransferTemporary, for every waiting part."""

    async def script(_arrival: Arrival) -> Said:
        return said

    responder.script = script
    async with running(endpoint, replace(QUICK, stall_s=0.2)) as (connection, task):
        calls = [connection.call(part(number)) for number in range(3)]
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert [TransferTemporary] * 3 == [type(result) for result in results]
        await task
        assert connection.over
        with pytest.raises(TransferTemporary):
            await connection.call(part())


async def test_call_when_nobody_listens_then_the_connection_is_lost(auth_key: bytes) -> None:
    """A refused TCP connection fails the calls that waited for it."""
    async with running(endpoint_at(1, auth_key)) as (connection, _):
        with pytest.raises(TransferTemporary):
            await connection.call(part())


async def test_call_when_the_data_centre_is_silent_then_gives_up_in_time(auth_key: bytes) -> None:
    """A server that accepts and says nothing does not hold a part for ever."""
    finished = asyncio.Event()

    async def silence(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await finished.wait()
        writer.close()

    server = await asyncio.start_server(silence, "127.0.0.1", 0)
    async with server:
        endpoint = endpoint_at(server.sockets[0].getsockname()[1], auth_key)
        async with running(endpoint, replace(QUICK, connect_s=0.2)) as (connection, _):
            with pytest.raises(TransferTemporary):
                await connection.call(part())
        finished.set()


async def test_call_when_the_data_centre_stops_reading_then_gives_up_in_time(auth_key: bytes) -> None:
    """A full socket does not hold the parts behind it for ever."""
    finished = asyncio.Event()

    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        core = ServerCore(auth_key)
        await reader.readexactly(1)
        first = core.hear(await read_envelope(reader))
        salt = types.BadServerSalt(first.msg_id, first.seqno, 48, SALT)
        write_envelope(writer, core.say(first.session_id, bytes(salt), content=False))
        again = core.hear(await read_envelope(reader))
        write_envelope(writer, core.say(again.session_id, result(again.msg_id, True), content=False))
        await finished.wait()
        writer.close()

    server = await asyncio.start_server(deaf, "127.0.0.1", 0)
    async with server:
        endpoint = endpoint_at(server.sockets[0].getsockname()[1], auth_key)
        async with running(endpoint, replace(QUICK, stall_s=0.2)) as (connection, _):
            calls = [connection.call(part(number, bytes(524_288))) for number in range(40)]
            failures = await asyncio.gather(*calls, return_exceptions=True)
        finished.set()
    assert {TransferTemporary} == {type(failure) for failure in failures}


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"\x01" + (-404).to_bytes(4, "little", signed=True), AccountStopped),
        (b"\x01" + (-429).to_bytes(4, "little", signed=True), TransferTemporary),
        (b"\x06" + bytes(24), TransferTemporary),
        (b"\x7f\xff\xff\xff", TransferTemporary),
        (b"", TransferTemporary),
    ],
)
async def test_call_when_the_answer_is_no_envelope_then_fails_by_its_meaning(
    auth_key: bytes, payload: bytes, expected: type[TransferError]
) -> None:
    """Transport errors, garbage, an absurd length and a closed socket all end the connection in order."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(payload)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        endpoint = endpoint_at(server.sockets[0].getsockname()[1], auth_key)
        async with running(endpoint) as (connection, _):
            with pytest.raises(TransferError) as caught:
                await connection.call(part())
    assert expected is type(caught.value)


async def test_hello_when_refused_then_every_waiting_part_gets_the_refusal(
    responder: Responder, endpoint: Endpoint
) -> None:
    """A revoked key is told to the parts that waited for the hello."""
    responder.accept = _says(error(401, "AUTH_KEY_UNREGISTERED"))
    async with running(endpoint) as (connection, task):
        calls = [connection.call(part(number)) for number in range(2)]
        assert [Refusal(code=401, name="AUTH_KEY_UNREGISTERED")] * 2 == await asyncio.gather(*calls)
        await task
        assert not connection.ready
    assert [] == responder.arrivals


def _says(said: Said) -> Callable[[int], Said]:
    return lambda _connection: said


async def test_connection_when_it_hears_nothing_then_pings(responder: Responder, endpoint: Endpoint) -> None:
    """An idle connection shows that it lives."""
    async with running(endpoint, replace(QUICK, ping_s=0.02)) as (connection, task):
        await connection.call(part())
        await responder.until(
            lambda: sum(isinstance(call, functions.PingRequest) for call in responder.heard) >= 2
        )
        assert not task.done()


async def test_connection_when_a_ping_is_not_answered_then_is_lost(
    responder: Responder, endpoint: Endpoint
) -> None:
    """A connection that went dead while idle is found out before a part needs it."""
    responder.silent_pings = True
    async with running(endpoint, replace(QUICK, ping_s=0.02, answer_s=1.0)) as (connection, task):
        await connection.call(part())
        await task
        assert connection.over


async def test_connection_when_it_is_not_used_then_closes(responder: Responder, endpoint: Endpoint) -> None:
    """Nobody's connection is kept open for nothing; pings do not count as use."""
    async with running(endpoint, replace(QUICK, ping_s=0.02, idle_s=0.1)) as (connection, task):
        await connection.call(part())
        await task
        assert connection.over
        await responder.until(lambda: responder.open_connections == 0)


async def test_call_when_cancelled_then_the_connection_goes_on(
    responder: Responder, endpoint: Endpoint
) -> None:
    """A cancelled transfer's parts do not disturb those of the others."""
    held = asyncio.Event()

    async def script(arrival: Arrival) -> Said:
        if arrival.part == 0:
            await held.wait()
        return True

    responder.script = script
    async with running(endpoint) as (connection, task):
        async with asyncio.TaskGroup() as tasks:
            first = tasks.create_task(connection.call(part(0)))
            await responder.until(lambda: len(responder.arrivals) == 1)
            first.cancel()
        assert await connection.call(part(1)) is True
        held.set()
        assert await connection.call(part(2)) is True
        assert 0 == connection.load
        assert not task.done()


def test_endpoint_when_shown_then_hides_the_auth_key(auth_key: bytes) -> None:
    """The key that stands for the account is in no repr, so in no log."""
    assert "auth_key" not in repr(endpoint_at(1, auth_key))
