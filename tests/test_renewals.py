"""When the next engine follows, and when none does."""

import asyncio
from collections.abc import Callable

import pytest

from uploader import limits
from uploader.errors import FloodWait, LoggedOut, TelegramError
from uploader.renewals import Renewals, unless_stopped


@pytest.fixture
def stop() -> asyncio.Event:
    """It is set already: nothing is waited for."""
    event = asyncio.Event()
    event.set()
    return event


@pytest.fixture
def steady() -> Callable[[float], float]:
    """A clock that goes on by what it is given."""
    now = 0.0

    def pass_by(seconds: float = 0.0) -> float:
        nonlocal now
        now += seconds
        return now

    return pass_by


async def test_logins_when_they_end_again_and_again_are_given_up(
    stop: asyncio.Event, steady: Callable[[float], float]
) -> None:
    """A few within the hour are borne; then somebody must see to it, and is told how."""
    renewals = Renewals(lambda: steady(60.0))
    for _ in range(limits.RENEWALS):
        await renewals.wait(LoggedOut("SESSION_REVOKED"), stop)
    with pytest.raises(TelegramError, match="@BotFather"):
        await renewals.wait(LoggedOut("SESSION_REVOKED"), stop)


async def test_logins_when_they_end_once_a_day_are_renewed_for_ever(
    stop: asyncio.Event, steady: Callable[[float], float]
) -> None:
    """Only what comes close together counts."""
    renewals = Renewals(lambda: steady(24 * 3600.0))
    for _ in range(10 * limits.RENEWALS):
        await renewals.wait(LoggedOut("SESSION_REVOKED"), stop)


async def test_connections_when_given_up_are_made_anew_for_ever(
    stop: asyncio.Event, steady: Callable[[float], float]
) -> None:
    """A network that is bad for days, and waits that Telegram asks for, end nothing."""
    renewals = Renewals(lambda: steady(1.0))
    for _ in range(100):
        await renewals.wait(TelegramError("the connection was given up"), stop)
        await renewals.wait(FloodWait(3600), stop)


async def test_start_when_told_to_stop_is_given_up_though_it_swallows_a_cancel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`wait_for` of Python 3.11 does when what it waits for ends in the same moment."""
    monkeypatch.setattr(limits, "GIVE_UP_S", 0.01)
    stop = asyncio.Event()

    async def deaf(_began: asyncio.Event) -> int:
        stop.set()
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            await asyncio.sleep(3600)
        return 1

    async with asyncio.timeout(10):
        assert await unless_stopped(stop, deaf) is None


async def test_work_when_it_has_begun_ends_by_itself(stop: asyncio.Event) -> None:
    """It is told of the stop by the event, and what it raises comes out as it is."""

    async def serving(began: asyncio.Event) -> int:
        began.set()
        await asyncio.sleep(0)
        return 7

    async def failing(_began: asyncio.Event) -> int:
        raise TelegramError("away")

    assert 7 == await unless_stopped(stop, serving)
    with pytest.raises(TelegramError, match="away"):
        await unless_stopped(asyncio.Event(), failing)
