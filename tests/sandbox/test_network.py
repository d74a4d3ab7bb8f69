"""Bad lines, wrong clocks and closed ports. Rates are tested by what cannot have come sooner."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon import functions

from sandbox import Account, DataCentre, Fault, World
from sandbox.mtproto.pace import Gate, Outbox
from sandbox.world.network import Network
from tests.sandbox.clients import client, connected
from tests.sandbox.raw import Raw, raw

PART = os.urandom(128 * 1024)
PART_S = len(PART) / 1e6
PING = functions.PingRequest(1)


def _save(number: int) -> bytes:
    return bytes(functions.upload.SaveBigFilePartRequest(1, number, -1, PART))


@pytest.fixture
def account(world: World) -> Account:
    """Whose lines they are."""
    return world.add_bot()


@asynccontextmanager
async def _timed(at_least_s: float) -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    start = loop.time()
    yield
    assert loop.time() - start >= at_least_s * 0.95


@given(
    rate=st.floats(1, 1e9), arrivals=st.lists(st.tuples(st.floats(0, 10), st.integers(1, 10**6)), min_size=1)
)
def test_gate_when_bytes_come_lets_through_its_rate_and_no_more(
    rate: float, arrivals: list[tuple[float, int]]
) -> None:
    """Never sooner than the rate allows, never later than all that came would take."""
    gate, now, began, carried, last = Gate(lambda: rate), 0.0, 0.0, 0, 0.0
    for pause, size in arrivals:
        now += pause
        if now >= last:
            began, carried = now, 0
        carried += size
        last = gate.through_at(size, now)
        assert last == pytest.approx(began + carried / rate)


def test_gate_when_its_rate_changes_keeps_to_the_new_one() -> None:
    """Also to none at all."""
    rates = [1000.0]
    gate = Gate(lambda: rates[0])
    assert 1.0 == gate.through_at(1000, 0.0)
    rates[0] = 0.0
    assert 0.5 == gate.through_at(10**9, 0.5)
    rates[0] = 10.0
    assert 1.5 == gate.through_at(10, 0.5)


async def test_packets_when_the_line_trembles_stay_in_order() -> None:
    """As TCP delivers them, whatever each was held back."""
    written: list[bytes] = []
    done = asyncio.Event()
    packets = [bytes([number]) for number in range(50)]

    def write(packet: bytes) -> None:
        written.append(packet)
        if len(written) == len(packets):
            done.set()

    network = Network(latency_s=0.001, jitter_s=0.02)
    outbox = Outbox(network, write, lambda: None)
    for packet in packets:
        outbox.push(packet)
        network.jitter_s = 0.0 if packet == packets[25] else network.jitter_s
    async with asyncio.timeout(10):
        await done.wait()
    assert (packets, 0) == (written, outbox.waiting_bytes)


async def _upload(client: Raw, *numbers: int) -> None:
    """Send parts, and wait until all are answered."""
    calls = {await client.send(_save(number)) for number in numbers}
    while calls:
        answered, result = await client.until(tuple)
        assert result is True
        calls.discard(answered)


async def test_upload_when_its_line_is_slow_takes_its_time(
    world: World, dc: DataCentre, account: Account
) -> None:
    """Each connection has its own line: two are not slower than one."""
    async with raw(dc, account) as one, raw(dc, account) as two:
        world.network.upload_bytes_s = 1e6
        async with _timed(2 * PART_S):
            await asyncio.gather(_upload(one, 0, 1), _upload(two, 2, 3))
        world.network.upload_bytes_s = 0.0
        await _upload(one, 4)
    assert 5 == world.stats.parts


async def test_uploads_when_an_account_is_slowed_share_its_rate(
    world: World, dc: DataCentre, account: Account
) -> None:
    """All connections of one account together; others are not held up."""
    async with raw(dc, account) as one, raw(dc, account) as two, raw(dc, world.add_user("Ada")) as other:
        world.network.account_upload_bytes_s = 1e6
        for each in (one, two, other):
            # the first packet shows whose connection it is
            await each.result(await each.send(bytes(functions.help.GetNearestDcRequest())))
        async with _timed(4 * PART_S):
            slow = asyncio.gather(_upload(one, 0, 1), _upload(two, 2, 3))
            await _upload(other, 0)
            assert not slow.done()
            await slow


async def test_download_when_its_line_is_slow_takes_its_time(
    world: World, dc: DataCentre, account: Account
) -> None:
    """Answers queue up behind each other."""
    async with raw(dc, account) as telegram:
        world.network.download_bytes_s = 2000.0
        async with _timed(0.3):
            for _ in range(10):
                await telegram.send(bytes(PING))
            answers = [await telegram.packet() for _ in range(11)]
        assert sum(map(len, answers)) >= 600


async def test_clock_when_it_is_wrong_is_learnt_by_clients(
    world: World, dc: DataCentre, account: Account
) -> None:
    """With a new key by the handshake, with an old one by codes 16 and 17."""
    for skew_s in (5000.0, -5000.0):
        world.network.clock_skew_s = skew_s
        async with connected(dc, account) as known, connected(dc) as new:
            assert account.id == (await known.get_me()).id
            assert account.id == (await new.sign_in(bot_token=account.token)).id


async def test_port_when_closed_refuses_clients_and_serves_those_it_has(
    dc: DataCentre, account: Account
) -> None:
    """As when nobody listens; open again, it is the same port."""
    async with connected(dc, account) as before:
        await dc.refuse(True)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(dc.host, dc.port)
        late = client(dc, account, connection_retries=0)
        with pytest.raises(ConnectionError):
            await late.connect()
        assert account.id == (await before.get_me()).id
        await dc.refuse(False)
        async with connected(dc, account) as after:
            assert account.id == (await after.get_me()).id


async def test_connection_when_a_rule_cuts_it_is_made_again(
    world: World, dc: DataCentre, account: Account
) -> None:
    """Accepted, and lost at once; the next one holds."""
    rule = Fault("connect", count=1, drop=True)
    world.faults.append(rule)
    async with connected(dc, account) as telethon:
        assert account.id == (await telethon.get_me()).id
    assert (1, True) == (rule.fired, world.stats.connections > 1)


@pytest.mark.parametrize(
    "rule", [Fault("connect", transport_error=-429), Fault("updates.", transport_error=-429)]
)
async def test_client_when_flooding_by_a_rule_is_told_so_and_cut_off(
    world: World, dc: DataCentre, account: Account, rule: Fault
) -> None:
    """-429, from the first packet on or in place of an answer."""
    async with raw(dc, account) as telegram:
        world.faults.append(rule)
    async with raw(dc, account) as telegram:
        await telegram.send(bytes(functions.updates.GetStateRequest()))
        packet = await telegram.packet()
        while len(packet) > 4:
            packet = await telegram.packet()
        assert -429 == int.from_bytes(packet, "little", signed=True)
        assert await telegram.closed()


async def test_network_when_changed_by_names_takes_what_fits() -> None:
    """And says what does not."""
    network = Network()
    network.change({"latency_s": 1, "clock_skew_s": -3.5, "disk_full": True})
    assert (1, -3.5, True) == (network.latency_s, network.clock_skew_s, network.disk_full)
    for wrong in (
        {"lag": 1},
        {"latency_s": -1},
        {"jitter_s": float("nan")},
        {"disk_full": 1},
        {"latency_s": True},
    ):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            network.change(wrong)
