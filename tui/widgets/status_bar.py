"""The head of the dashboard: who, how it stands, for how long, how much, and the maintenance switch."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Self

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Label, Static, Switch

from tui import plain, units, wording
from tui.picture import NOTHING_YET, Picture, Standing

_COLORS: Mapping[Standing, str] = MappingProxyType(
    {
        Standing.CONNECTING: "$foreground 60%",
        Standing.SERVING: "$success",
        Standing.MAINTENANCE: "$warning",
        Standing.STOPPING: "$warning",
        Standing.TROUBLED: "$error",
        Standing.AWAY: "$error",
    }
)

#: Jobs by state, in the order and words of the head: what an admin looks for, in 80 cells.
_COUNTS: Mapping[str, str] = MappingProxyType(
    {
        "running": "running",
        "queued": "queued",
        "waiting_choice": "choosing",
        "waiting_sponsors": "joining",
        "done": "delivered",
        "failed": "failed",
    }
)


class MaintenanceLever(Switch):
    """Mirrors the engine: toggling it only asks, and it moves when the engine has moved."""

    @dataclass
    class Pulled(Message):
        """Somebody wants maintenance switched."""

        on: bool

    def toggle(self) -> Self:
        """Ask for the other position."""
        self.post_message(self.Pulled(not self.value))
        return self


class StatusBar(Vertical):
    """Two lines over the dashboard."""

    DEFAULT_CSS = """
    StatusBar {
        height: 4;
        padding: 1 2 1 2;
        background: $surface;
        & Horizontal { height: 1; }
        & Static { height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
        & #standing { width: 1fr; }
        & #counts { color: $foreground 70%; }
        & Label { padding: 0 1; width: auto; color: $foreground 70%; }
        & Switch, & Switch:focus { border: none; padding: 0; height: 1; }
        & .switch--slider { color: $foreground 50%; background: $panel; }
        & Switch.-on > .switch--slider { color: $warning; background: $warning 30%; }
        & Switch:focus > .switch--slider { background: $primary; }
    }
    """

    picture: reactive[Picture] = reactive(NOTHING_YET)
    """What is drawn; bound to the screen's."""

    def compose(self) -> ComposeResult:
        """A line with the lever at its right, and the counts."""
        with Horizontal():
            yield Static(id="standing", markup=False)
            yield Label("maintenance")
            yield MaintenanceLever(animate=False)
        yield Static(id="counts", markup=False)

    def watch_picture(self, picture: Picture) -> None:
        """Draw both lines and set the lever."""
        self.query_one("#standing", Static).update(_standing(picture), layout=False)
        self.query_one("#counts", Static).update(_counts(picture), layout=False)
        lever = self.query_one(MaintenanceLever)
        lever.value = picture.snapshot is not None and picture.snapshot.maintenance
        lever.disabled = not picture.steerable


def _standing(picture: Picture) -> Content:
    standing = picture.standing
    parts: list[tuple[str, str] | str] = [("Peyk", "bold $primary")]
    if picture.snapshot is not None:
        parts.append((f"  @{plain.name(picture.snapshot.bot_username)}", "bold"))
    parts.append((f"   ● {standing}", _COLORS[standing]))
    if picture.snapshot is not None and picture.steerable:
        up_s = picture.now - picture.snapshot.started_at
        parts.append((f"   up {units.duration(up_s)}", "$foreground 70%"))
        for trouble in picture.snapshot.troubles:
            parts.append((f"   {plain.name(trouble)}", "$error"))
        if ahead_s := picture.snapshot.telegram.machine_ahead_s:
            parts.append((f"   {wording.wrong_clock(ahead_s)}", "$warning"))
    return Content.assemble(*parts)


def _counts(picture: Picture) -> str:
    if picture.snapshot is None:
        return ""
    counts = picture.snapshot.counts
    shown = [f"{counts[state]:,} {word}" for state, word in _COUNTS.items() if counts.get(state)]
    return " · ".join(shown) or "no jobs yet"
