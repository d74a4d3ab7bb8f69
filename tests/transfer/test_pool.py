"""The pool: how connections come and go, and what it bears."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import count

import pytest

from tests.transfer.server import (
    DROP,
    QUICK,
    SWALLOW,
    Arrival,
    Responder,
    Said,
    Script,
    endpoint_at,
    error,
    responding,
)
from uploader.errors import AccountStopped, Parked, TransferError, TransferTemporary
from uploader.transfer import Endpoint, UploadPool
from uploader.transfer.line import Line
from uploader.transfer.room import PartRoom


async def save(pool: UploadPool, part: int = 0, data: bytes = b"data") -> None:
    """Save one part of a file of 100."""
    room = PartRoom()
    room.data[: len(data)] = data
    await pool.save(room, file_id=7, part=part, total=100, size_bytes=len(data))


async def save_many(pool: UploadPool, count: int) -> None:
    """Save parts 0..count-1 at once."""
    async with asyncio.TaskGroup() as tasks:
        for part in range(count):
            tasks.create_task(save(pool, part))


def first_says(*sayings: Said) -> Script:
    """A script that says these to the first arrivals of each part, and True from then on."""

    async def script(arrival: Arrival) -> Said:
        return sayings[arrival.nth - 1] if arrival.nth <= len(sayings) else True

    return script


async def test_pool_when_nothing_is_sent_then_opens_nothing(responder: Responder, endpoint: Endpoint) -> None:
    """Connections are opened by need only; a single part needs one."""
    async with UploadPool(endpoint, patience=QUICK) as pool:
        assert 0 == responder.connections
        await save(pool)
        assert 1 == responder.connections
    await responder.until(lambda: responder.open_connections == 0)


async def test_pool_when_many_parts_wait_then_uses_its_connections_and_no_more(
    responder: Responder, endpoint: Endpoint
) -> None:
    """Parts are spread over the connections that the constructor allows."""
    async with UploadPool(endpoint, connections=3, most=3, window=4, patience=QUICK) as pool:
        await save_many(pool, 12)
    assert 3 == responder.connections
    assert {1, 2, 3} == {arrival.connection for arrival in responder.arrivals}


@pytest.mark.parametrize(
    "sayings",
    [
        [False, False],
        [error(500, "WORKER_BUSY_TOO_LONG_RETRY"), error(-503, "Timeout")],
        [DROP, DROP],
        [error(400, "CONNECTION_NOT_INITED")],
        [False, DROP, error(500, "INTERNAL")],
    ],
)
async def test_save_when_trouble_passes_then_the_part_arrives(
    responder: Responder, endpoint: Endpoint, sayings: list[Said]
) -> None:
    """`false`, errors 500, cut connections and forgotten sessions are borne; broken connections replaced."""
    responder.script = first_says(*sayings)
    async with UploadPool(endpoint, patience=QUICK) as pool:
        await save(pool, data=b"the same bytes each time")
    assert {0: b"the same bytes each time"} == responder.saved[7]
    assert len(sayings) + 1 == len(responder.arrivals)


@pytest.mark.parametrize("refusal", [error(420, "FLOOD_WAIT_0"), error(500, "INTERNAL"), DROP])
async def test_save_when_the_hello_is_refused_for_now_then_another_session_carries_the_part(
    responder: Responder, endpoint: Endpoint, refusal: Said
) -> None:
    """A session that could not begin is replaced by one that can."""
    responder.accept = lambda connection: refusal if connection < 3 else True
    async with UploadPool(endpoint, patience=QUICK) as pool:
        await save(pool)
    assert {3} == {arrival.connection for arrival in responder.arrivals}


@pytest.mark.parametrize("said", [False, error(500, "INTERNAL"), DROP, SWALLOW])
async def test_save_when_trouble_does_not_pass_then_gives_up_for_now(
    responder: Responder, endpoint: Endpoint, said: Said
) -> None:
    """Tries are bounded, and what is left for later is TransferTemporary."""

    async def script(_arrival: Arrival) -> Said:
        return said

    responder.script = script
    async with UploadPool(
        endpoint, patience=replace(QUICK, tries_lost=3, tries_refused=3, stall_s=0.4)
    ) as pool:
        with pytest.raises(TransferTemporary):
            await save(pool)
    assert 3 == len(responder.arrivals)


@pytest.mark.parametrize(
    ("refusal", "expected"),
    [
        (error(401, "AUTH_KEY_UNREGISTERED"), AccountStopped),
        (error(406, "AUTH_KEY_DUPLICATED"), AccountStopped),
        (error(400, "FILE_PARTS_INVALID"), TransferError),
    ],
)
@pytest.mark.parametrize("at_hello", [False, True])
async def test_save_when_refused_for_good_then_is_not_tried_again(
    responder: Responder, endpoint: Endpoint, refusal: Said, expected: type[TransferError], at_hello: bool
) -> None:
    """A dead key stops the account and a broken rule the file, on the part or on the hello, at once."""
    if at_hello:
        responder.accept = lambda _connection: refusal
    else:
        responder.script = first_says(refusal)
    async with UploadPool(endpoint, patience=QUICK) as pool:
        with pytest.raises(TransferError) as caught:
            await save(pool)
    assert expected is type(caught.value)
    assert (0 if at_hello else 1) == len(responder.arrivals)


@pytest.mark.parametrize("name", ["FLOOD_WAIT_1", "FLOOD_PREMIUM_WAIT_1"])
async def test_flood_wait_when_asked_then_parks_every_part_that_long(
    responder: Responder, endpoint: Endpoint, name: str
) -> None:
    """No part of any file arrives until the wait is over; then all do."""
    flooded_at, arrived_at = [0.0], []

    async def script(arrival: Arrival) -> Said:
        now = asyncio.get_running_loop().time()
        if len(responder.arrivals) == 1:
            flooded_at[0] = now
            return error(420, name)
        arrived_at.append(now)
        return True

    responder.script = script
    async with UploadPool(endpoint, patience=QUICK) as pool, asyncio.TaskGroup() as tasks:
        tasks.create_task(save(pool, 0))
        await responder.until(lambda: responder.acked() == 2)  # the hello's answer and the flood
        tasks.create_task(save(pool, 1))
    assert 2 == len(arrived_at)
    assert min(arrived_at) - flooded_at[0] >= 1.0


async def test_flood_wait_when_it_has_no_length_and_no_end_then_neither_fails_nor_spins(
    responder: Responder, endpoint: Endpoint
) -> None:
    """Floods are not counted as failures, however many; between hollow ones are pauses that grow."""
    responder.script = first_says(*[error(420, "FLOOD_WAIT_0")] * 20)
    async with UploadPool(endpoint, patience=QUICK) as pool:
        began = asyncio.get_running_loop().time()
        await save(pool)
        took_s = asyncio.get_running_loop().time() - began
    assert 21 == len(responder.arrivals)
    assert took_s >= 0.75 * (0.01 + 0.02 + 0.04 + 17 * 0.05)


@pytest.mark.parametrize(
    ("waits", "most_s"),
    [(["FLOOD_WAIT_3600"], 3600.0), (["FLOOD_WAIT_1", "FLOOD_WAIT_1"], 1.0)],
    ids=["long", "again and again"],
)
async def test_flood_wait_when_it_is_long_then_the_transfer_is_told_and_nothing_more_is_sent(
    responder: Responder, endpoint: Endpoint, waits: list[str], most_s: float
) -> None:
    """No transfer sits out an hour, nor many short waits without a part between them."""
    responder.script = first_says(*(error(420, name) for name in waits))
    async with UploadPool(endpoint, patience=replace(QUICK, parked_s=1.5)) as pool:
        for _ in range(2):  # another one is told at once
            with pytest.raises(Parked) as caught:
                await save(pool)
            assert 0 < caught.value.wait_s <= most_s
    assert len(waits) == len(responder.arrivals)


async def test_flood_wait_when_parts_are_saved_between_then_none_is_too_much(
    responder: Responder, endpoint: Endpoint
) -> None:
    """A slow data centre that takes something after each wait is waited for."""
    floods = count()

    async def script(_arrival: Arrival) -> Said:
        return True if next(floods) % 2 else error(420, "FLOOD_WAIT_1")

    responder.script = script
    async with UploadPool(endpoint, patience=replace(QUICK, parked_s=1.5)) as pool:
        for part in range(3):
            await save(pool, part)
    assert 3 == len(responder.saved[7])


async def test_pool_when_only_one_connection_is_allowed_then_all_parts_go_there(
    responder: Responder, endpoint: Endpoint
) -> None:
    """A data centre that refuses the second connection takes everything over the first."""
    responder.accept = lambda connection: True if connection == 1 else DROP

    async def script(_arrival: Arrival) -> Said:
        await asyncio.sleep(0)
        return True

    responder.script = script
    async with UploadPool(endpoint, connections=8, window=4, patience=QUICK) as pool:
        await save_many(pool, 32)
    assert 32 == len(responder.saved[7])
    assert {1} == {arrival.connection for arrival in responder.arrivals}


async def test_pool_when_the_data_centre_restarts_then_goes_on(auth_key: bytes) -> None:
    """All connections lost at once, then nobody listening for a while: the parts arrive at the new one."""
    parts_went_down = asyncio.Event()

    async def going_down(_arrival: Arrival) -> Said:
        await parts_went_down.wait()
        return DROP

    async with asyncio.TaskGroup() as tasks:
        async with responding(auth_key, going_down) as old:
            pool = UploadPool(endpoint_at(old.port, auth_key), patience=replace(QUICK, tries_lost=500))
            await pool.__aenter__()
            saving = tasks.create_task(save_many(pool, 8))
            await old.until(lambda: len(old.arrivals) == 8)
        parts_went_down.set()
        await old.until(lambda: old.open_connections == 0)
        async with responding(auth_key, port=old.port) as new:
            await saving
            await pool.__aexit__(None, None, None)
    assert set(range(8)) == set(new.saved[7])


async def test_pool_when_closed_then_waiting_parts_fail_at_once(
    responder: Responder, endpoint: Endpoint
) -> None:
    """A part that still waits when the pool closes ends in TransferTemporary, not in a hang."""
    responder.script = first_says(SWALLOW)
    async with asyncio.TaskGroup() as tasks:
        async with UploadPool(endpoint, patience=QUICK) as pool:
            saving = tasks.create_task(_failure(save(pool)))
            await responder.until(lambda: len(responder.arrivals) == 1)
        assert TransferTemporary is type(await saving)


async def test_pool_when_closed_before_a_connection_began_then_its_part_fails(endpoint: Endpoint) -> None:
    """Even a connection that had no turn of the loop yet lets its parts go."""
    async with asyncio.TaskGroup() as tasks:
        async with UploadPool(endpoint, patience=QUICK) as pool:
            saving = tasks.create_task(_failure(save(pool)))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        assert TransferTemporary is type(await saving)


async def _failure(saving: Awaitable[None]) -> BaseException | None:
    (result,) = await asyncio.gather(saving, return_exceptions=True)
    return result


async def test_pool_when_a_connection_meets_an_unexpected_error_then_carries_the_part_by_another(
    responder: Responder, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug in one connection ends that one: not the pool, which all transfers of the engine share."""
    broken: list[Line] = []
    listen = Line.listen

    async def breaks_once(self: Line, heard: Callable[[bytes], None]) -> None:
        if not broken:
            broken.append(self)
            raise RuntimeError("from a low door")
        await listen(self, heard)

    monkeypatch.setattr(Line, "listen", breaks_once)
    async with asyncio.timeout(30), UploadPool(endpoint, patience=QUICK) as pool:
        await save(pool)
        await save(pool, part=1)
    assert broken
