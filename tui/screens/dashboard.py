"""The engine at a glance."""

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.reactive import reactive
from textual.screen import Screen
from textual.widgets import Footer

from tui.client import Away, ControlClient, ControlError
from tui.picture import NOTHING_YET, Picture
from tui.screens.confirmation import Confirmation
from tui.screens.guide import Guide
from tui.widgets.notice import Notice
from tui.widgets.queue import Queue
from tui.widgets.recent import Recent
from tui.widgets.sponsors import Sponsors
from tui.widgets.status_bar import MaintenanceLever, StatusBar
from tui.widgets.transfers import Transfers
from uploader.snapshot import Snapshot

#: Uptimes and waits grow by themselves this often.
TICK_S: Final = 1.0


class DashboardScreen(Screen[None]):
    """Follows the engine through `client` and draws what it says; `clock` gives epoch seconds."""

    AUTO_FOCUS = ""
    DEFAULT_CSS = """
    DashboardScreen {
        & #body { padding: 0 1; }
        & Transfers { height: 6fr; }
        & #middle { height: 4fr; }
        & Queue { width: 3fr; }
        & Sponsors { width: 2fr; }
        & Recent { height: 3fr; }
        &.-away #body { opacity: 45%; }
        &.-blank #body { visibility: hidden; }
        &.-short StatusBar { height: 2; padding: 0 2; }
        &.-short TransferCard { margin-bottom: 0; }
        &.-short #body { padding: 0; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "maintenance", "Maintenance"),
        Binding("d", "drain", "Drain"),
        Binding("c", "app.switch_mode('chat')", "Chat"),
        Binding("question_mark", "guide", "Help"),
        Binding("q", "app.quit", "Quit"),
    ]

    picture: reactive[Picture] = reactive(NOTHING_YET)
    """What is known of the engine; every widget draws it."""

    def __init__(self, client: ControlClient, clock: Callable[[], float]) -> None:
        super().__init__()
        self._client = client
        self._clock = clock

    def compose(self) -> ComposeResult:
        """Head, notice, four panels, keys."""
        yield StatusBar().data_bind(DashboardScreen.picture)
        yield Notice(markup=False).data_bind(DashboardScreen.picture)
        with Vertical(id="body"):
            yield Transfers().data_bind(DashboardScreen.picture)
            with Horizontal(id="middle"):
                yield Queue().data_bind(DashboardScreen.picture)
                yield Sponsors().data_bind(DashboardScreen.picture)
            yield Recent().data_bind(DashboardScreen.picture)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Start to look."""
        self.follow()
        self.set_interval(TICK_S, self._tick)

    @work
    async def follow(self) -> None:
        """Draw what the engine says, until the screen closes."""
        async with self._client:
            async for seen in self._client.watch():
                if isinstance(seen, Away):
                    self.picture = replace(self.picture, away=seen.why, now=self._clock())
                else:
                    self._show(seen)

    def watch_picture(self, picture: Picture) -> None:
        """Dim what is no longer certain, and show no panels before there is anything to fill them."""
        self.set_class(picture.snapshot is None, "-blank")
        self.set_class(picture.away is not None, "-away")

    def action_guide(self) -> None:
        """Open the help page."""
        self.app.push_screen(Guide())

    def action_maintenance(self) -> None:
        """Ask for the other position of the lever, by key."""
        snapshot = self.picture.snapshot
        if snapshot is None or not self.picture.steerable:
            self.notify("The engine is away: nothing can be switched now.", severity="warning")
            return
        self.steer(not snapshot.maintenance)

    @on(MaintenanceLever.Pulled)
    def _pulled(self, event: MaintenanceLever.Pulled) -> None:
        self.steer(event.on)

    @work(exclusive=True, group="maintenance")
    async def steer(self, on: bool) -> None:
        """Switch maintenance; on only after a question, off at once."""
        if on and not await self.app.push_screen_wait(_question()):
            return
        try:
            # not drawn from the answer: the stream tells what changed since it last spoke, and would never
            # contradict a picture that it did not draw
            await self._client.set_maintenance(on)
        except ControlError as problem:
            self.notify(
                f"Maintenance was not switched: {problem}.", severity="error", timeout=8, markup=False
            )

    @work(exclusive=True, group="drain")
    async def action_drain(self) -> None:
        """Let the engine stop, after a question."""
        if not self.picture.steerable:
            self.notify("The engine is away, or stops already.", severity="warning")
            return
        if not await self.app.push_screen_wait(_drain_question()):
            return
        try:
            await self._client.drain()
        except ControlError as problem:
            self.notify(f"The engine was not stopped: {problem}.", severity="error", timeout=8, markup=False)

    def _show(self, snapshot: Snapshot) -> None:
        self.picture = Picture(snapshot=snapshot, now=self._clock())

    def _tick(self) -> None:
        self.picture = replace(self.picture, now=self._clock())


def _question() -> Confirmation:
    return Confirmation(
        question="Switch maintenance on?",
        consequence="The bot stops taking links and tells people so. What is under way goes on.",
        deed="Switch on",
    )


def _drain_question() -> Confirmation:
    return Confirmation(
        question="Stop the engine?",
        consequence="Running transfers get a short while; what is not done is queued, and goes on at the "
        "next start. Until then people get no answer.",
        deed="Stop",
    )
