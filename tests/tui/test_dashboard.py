"""The dashboard, driven by its keys and its mouse over a real control server."""

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import ProgressBar

from tests.tui.stage import MIB, NOW, FakeEngine, StillApp, busy, ended, idle, job, shown, transfer, until
from tui import plain
from tui.picture import Picture, Standing
from tui.screens.confirmation import Confirmation
from tui.screens.dashboard import DashboardScreen
from tui.screens.guide import Guide
from tui.widgets.status_bar import MaintenanceLever
from tui.widgets.transfers import TransferCard
from uploader.snapshot import SiteRow, SponsorRow, TelegramRow

SIZES = [(80, 24), (120, 36), (200, 60)]


def picture(app: StillApp) -> Picture:
    """What the dashboard knows."""
    screen = app.screen_stack[0]
    return screen.picture if isinstance(screen, DashboardScreen) else Picture()


async def seen(pilot: Pilot[None], app: StillApp, standing: Standing = Standing.SERVING) -> None:
    """Wait until the dashboard shows the engine so."""
    await until(pilot, lambda: picture(app).standing is standing)
    await pilot.pause()


@pytest.mark.parametrize("size", SIZES)
async def test_dashboard_when_the_engine_works_shows_all_of_it(
    engine: FakeEngine, socket_path: Path, size: tuple[int, int]
) -> None:
    """Head, transfers, queue, locks, recent and keys are there at every size."""
    app = StillApp(socket_path)
    async with engine.server(socket_path), app.run_test(size=size) as pilot:
        await seen(pilot, app)
        text = shown(app)
    for expected in (
        "@peyk_bot   ● serving   up 3 h 12 min",
        "4 running · 2 queued · 1 choosing · 2 joining · 1,284 delivered · 17 failed",
        "debian-12.8.0-amd64-DVD-1.iso",
        "cdimage.example.org · uploading",
        "62 %",
        "1.21 GiB of 1.95 GiB",
        "38.4 MiB/s",
        "19 s left",
        "attempt 2",
        "96 MiB so far",
        "4 at once · 72.2 MiB/s",
        "dataset-v3.parquet",
        "retry in 42 s",
        "its turn",
        "sponsors",
        "Daily Tech",
        "412",
        "318",
        "ubuntu-26.04-desktop.iso",
        "delivered in 16 s",
        "file not found",
        "resting: films.example.org 48 s · vimeo 12 s",
        "m Maintenance",
        "q Quit",
    ):
        assert expected in text


async def test_frame_when_sites_rest_names_them_as_plain_text(engine: FakeEngine, socket_path: Path) -> None:
    """It comes with the first site and goes with the last, and a name from outside is no markup."""
    engine.seen = idle(resting=(SiteRow(site="[red]a\nb[/]", wait_s=3),))
    app = StillApp(socket_path)
    async with engine.server(socket_path), app.run_test() as pilot:
        await seen(pilot, app)
        assert "resting: [red]a b[/] 3 s" in shown(app)
        engine.seen = idle()
        await until(pilot, lambda: "resting" not in shown(app))


async def test_bar_when_bytes_are_acknowledged_grows(engine: FakeEngine, socket_path: Path) -> None:
    """The bar is the acknowledged share, and moves with the events."""
    engine.seen = idle(transfers=(transfer(1, done_bytes=25 * MIB),))
    app = StillApp(socket_path)
    async with engine.server(socket_path), app.run_test() as pilot:
        await seen(pilot, app)
        bar = app.screen.query_one(ProgressBar)
        assert 0.25 == bar.percentage
        engine.seen = idle(transfers=(transfer(1, done_bytes=75 * MIB),))
        await until(pilot, lambda: bar.percentage == 0.75)


async def test_cards_when_jobs_come_and_go_follow_them(engine: FakeEngine, socket_path: Path) -> None:
    """Each job keeps its card while it runs; without any there are words."""
    engine.seen = idle(transfers=(transfer(1), transfer(2)))
    app = StillApp(socket_path)

    def ids() -> list[int]:
        return [card.row.job_id for card in app.screen.query(TransferCard)]

    async with engine.server(socket_path), app.run_test() as pilot:
        await until(pilot, lambda: ids() == [1, 2])
        second = list(app.screen.query(TransferCard))[1]
        engine.seen = idle(transfers=(transfer(2, name="new-name"), transfer(3)))
        await until(pilot, lambda: ids() == [2, 3])
        assert second is app.screen.query(TransferCard).first()
        assert "new-name" in shown(app)
        engine.seen = idle()
        await until(pilot, lambda: not ids())
        await pilot.pause()
        assert "Nothing is on its way. Send the bot a link" in shown(app)


async def test_dashboard_when_nothing_happens_says_so_in_every_panel(
    engine: FakeEngine, socket_path: Path
) -> None:
    """No panel is just blank."""
    engine.seen = idle()
    app = StillApp(socket_path)
    async with engine.server(socket_path), app.run_test(size=(120, 36)) as pilot:
        await seen(pilot, app)
        text = shown(app)
    for expected in (
        "no jobs yet",
        "Nothing is on its way",
        "Nobody waits.",
        "No locks",
        "Nothing has ended",
    ):
        assert expected in text


async def test_maintenance_when_switched_on_by_key_asks_first(engine: FakeEngine, socket_path: Path) -> None:
    """`m` and `y` switch it; the head and the lever follow the engine."""
    app = StillApp(socket_path)
    async with engine.server(socket_path), app.run_test() as pilot:
        await seen(pilot, app)
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, Confirmation))
        assert not engine.seen.maintenance
        await pilot.press("y")
        await seen(pilot, app, Standing.MAINTENANCE)
        assert engine.seen.maintenance
        assert app.screen.query_one(MaintenanceLever).value
        assert "● maintenance" in shown(app)


@pytest.mark.parametrize("key", ["n", "escape", "enter"])
async def test_maintenance_when_the_question_is_declined_stays_off(
    engine: FakeEngine, socket_path: Path, key: str
) -> None:
    """Also a hasty enter is no yes: the safe answer has the focus."""
    app = StillApp(socket_path)
    async with engine.server(socket_path), app.run_test() as pilot:
        await seen(pilot, app)
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, Confirmation))
        await pilot.press(key)
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen))
        await until(pilot, lambda: all(worker.group != "maintenance" for worker in app.workers))
        assert not app.screen.query_one(MaintenanceLever).value
    assert not engine.seen.maintenance


async def test_maintenance_when_switched_off_asks_nothing(engine: FakeEngine, socket_path: Path) -> None:
    """Serving again can do no harm."""
    engine.seen = busy().model_copy(update={"maintenance": True})
    app = StillApp(socket_path)
    async with engine.server(socket_path), app.run_test() as pilot:
        await seen(pilot, app, Standing.MAINTENANCE)
        await pilot.press("m")
        await seen(pilot, app)
    assert not engine.seen.maintenance


async def test_drain_when_asked_for_by_key_stops_after_a_yes_only(
    engine: FakeEngine, socket_path: Path
) -> None:
    """`d` asks; `n` leaves the engine alone, `y` lets it stop."""
    app = StillApp(socket_path)
    async with engine.server(socket_path), app.run_test() as pilot:
        await seen(pilot, app)
        for answer in "ny":
            assert not engine.seen.stopping
            await pilot.press("d")
            await until(pilot, lambda: isinstance(app.screen, Confirmation))
            await pilot.press(answer)
            await until(pilot, lambda: isinstance(app.screen, DashboardScreen))
        await seen(pilot, app, Standing.STOPPING)
        assert "● stopping" in shown(app)


async def test_engine_when_cut_off_from_telegram_is_not_called_serving(
    engine: FakeEngine, socket_path: Path
) -> None:
    """The head of the dashboard says what is wrong, and that the machine's clock is."""
    app = StillApp(socket_path)
    async with engine.server(socket_path), app.run_test(size=(160, 36)) as pilot:
        await seen(pilot, app)
        changes = {
            "troubles": ("Telegram has not answered for 75 s",),
            "telegram": TelegramRow(silent_s=75.0, machine_ahead_s=-40.0),
        }
        engine.seen = engine.seen.model_copy(update=changes)
        await seen(pilot, app, Standing.TROUBLED)
        text = shown(app)
        assert "● in trouble" in text
        assert "Telegram has not answered for 75 s" in text
        assert "the machine's clock is 40 s behind" in text


async def test_lever_when_clicked_asks_and_moves_with_the_engine_only(
    engine: FakeEngine, socket_path: Path
) -> None:
    """The mouse does what the key does."""
    app = StillApp(socket_path)
    async with engine.server(socket_path), app.run_test() as pilot:
        await seen(pilot, app)
        await pilot.click(MaintenanceLever)
        await until(pilot, lambda: isinstance(app.screen, Confirmation))
        assert not app.screen_stack[0].query_one(MaintenanceLever).value
        await pilot.click("#yes")
        await seen(pilot, app, Standing.MAINTENANCE)
    assert engine.seen.maintenance


async def test_engine_when_it_goes_away_is_missed_and_its_last_picture_kept(
    engine: FakeEngine, socket_path: Path
) -> None:
    """It says what to do, keeps the picture dimmed, switches nothing, and comes back by itself."""
    app = StillApp(socket_path)
    async with app.run_test(size=(120, 36)) as pilot:
        async with engine.server(socket_path):
            await seen(pilot, app)
            assert not app.screen.has_class("-away")
        await seen(pilot, app, Standing.AWAY)
        text = shown(app)
        assert "● away" in text
        assert "python run.py bot" in text
        assert "debian-12.8.0-amd64-DVD-1.iso" in text
        assert app.screen.has_class("-away")
        assert app.screen.query_one(MaintenanceLever).disabled
        await pilot.press("m")
        await pilot.pause()
        assert isinstance(app.screen, DashboardScreen)
        engine.seen = idle()
        async with engine.server(socket_path):
            await seen(pilot, app)
            assert not app.screen.has_class("-away")
            assert "no jobs yet" in shown(app)


async def test_dashboard_when_started_before_the_engine_waits_for_it(
    engine: FakeEngine, socket_path: Path
) -> None:
    """The order of starting does not matter."""
    app = StillApp(socket_path)
    async with app.run_test() as pilot:
        await seen(pilot, app, Standing.AWAY)
        text = shown(app)
        assert "nobody listens at its control socket" in text
        assert "It was not seen yet." in text
        async with engine.server(socket_path):
            await seen(pilot, app)


async def test_engine_when_it_stops_is_shown_as_stopping(engine: FakeEngine, socket_path: Path) -> None:
    """Between the signal and the end transfers still run."""
    engine.seen = busy().model_copy(update={"stopping": True})
    app = StillApp(socket_path)
    async with engine.server(socket_path), app.run_test() as pilot:
        await seen(pilot, app, Standing.STOPPING)
        assert "● stopping" in shown(app)


HOSTILE = {
    "markup": "[red]not red[/red].txt",
    "open markup": "[bold",
    "closing markup": "[/]",
    "link markup": "[@click=app.quit]press me[/]",
    "escapes": "\x1b[31mred\x1b[0m\x1b]0;title\x07.txt",
    "override": "photo\u202egpj.exe",
    "isolates": "a\u2066b\u2069c\u200b.bin",
    "lines": "two\nlines\tand\rmore",
    "long": "x" * 4000,
    "persian": "کتاب‌ها [۱].pdf",
    "emoji": "👩\u200d🚀" * 50,
    "nothing": "",
}


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE.keys())
async def test_names_when_hostile_are_shown_as_plain_text(
    engine: FakeEngine, socket_path: Path, name: str
) -> None:
    """Markup is text, control characters and direction overrides are gone, lines stay lines."""
    engine.seen = idle(
        transfers=(transfer(1, name=name, host=name, phase=name),),
        queue=(job(2, "queued", name=name),),
        recent=(ended(3, "done", 5, name=name), ended(4, "failed", 6, name=name, reason=name)),
        sponsors=(SponsorRow(channel_id=1, title=name, username=name, asked=1, joined=0),),
        bot_username=name,
    )
    app = StillApp(socket_path)
    async with engine.server(socket_path), app.run_test(size=(160, 40)) as pilot:
        await seen(pilot, app)
        text = shown(app)
    assert not set("\x1b\x07\r\t\u202e\u2066\u2069\u200b") & set(text)
    assert plain.name(name)[:12] in text.replace("  ", " ")


async def test_help_when_asked_for_opens_and_closes(engine: FakeEngine, socket_path: Path) -> None:
    """`?` explains keys and words."""
    app = StillApp(socket_path)
    async with engine.server(socket_path), app.run_test() as pilot:
        await seen(pilot, app)
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, Guide))
        assert "switch maintenance" in shown(app)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen))


async def test_quit_when_pressed_ends_the_dashboard_alone(engine: FakeEngine, socket_path: Path) -> None:
    """The engine does not notice."""
    app = StillApp(socket_path)
    async with engine.server(socket_path):
        async with app.run_test() as pilot:
            await seen(pilot, app)
            await pilot.press("q")
        assert 0 == app.return_code
        assert engine.seen == await engine.snapshot()


async def test_chat_when_there_is_none_is_not_offered(engine: FakeEngine, socket_path: Path) -> None:
    """Outside the demo `c` does nothing."""
    app = StillApp(socket_path)
    async with engine.server(socket_path), app.run_test() as pilot:
        await seen(pilot, app)
        assert "Chat" not in shown(app)
        await pilot.press("c")
        await pilot.pause()
        assert isinstance(app.screen, DashboardScreen)


async def test_uptime_when_time_passes_grows_by_itself(engine: FakeEngine, socket_path: Path) -> None:
    """The engine sends nothing for it: the dashboard's own clock does."""
    now = NOW

    class MovingApp(StillApp):
        """The same with a clock that the test moves."""

        def __init__(self) -> None:
            super().__init__(socket_path, clock=lambda: now)

    app = MovingApp()
    async with engine.server(socket_path), app.run_test() as pilot:
        await seen(pilot, app)
        now += 3600
        await until(pilot, lambda: "up 4 h 12 min" in shown(app))
