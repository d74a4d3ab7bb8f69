"""The dashboard as a program: theme, client, first screen, and nothing else."""

import time
from collections.abc import Callable
from pathlib import Path

from textual.app import App

from tui.client import ControlClient
from tui.messenger import Messenger
from tui.screens.chat import ChatScreen
from tui.screens.dashboard import DashboardScreen
from tui.theme import PEYK


class DashboardApp(App[None]):
    """Shows the engine that listens at `socket_path`; run with `.run()`.

    `chat` is the address of a sandbox's control port and adds the *Chat* screen: `sample_link` is what it
    suggests to send, `downloads` where it saves files. `clock` gives epoch seconds.
    """

    TITLE = "Peyk"
    ENABLE_COMMAND_PALETTE = False
    #: Screens of fewer than 30 lines are drawn without air.
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012 - no ClassVar in Textual's own type

    def __init__(
        self,
        socket_path: Path,
        chat: tuple[str, int] | None = None,
        *,
        sample_link: str | None = None,
        downloads: Path = Path("downloads"),
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self._chat = chat
        self.register_theme(PEYK)
        self.theme = PEYK.name
        self.add_mode("dashboard", lambda: DashboardScreen(ControlClient(socket_path), clock))
        if chat is not None:
            host, port = chat
            self.add_mode("chat", lambda: ChatScreen(Messenger(host, port), downloads, sample_link))

    def on_mount(self) -> None:
        """Open the first screen."""
        self.switch_mode("dashboard")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the chat only where there is one."""
        return not (action == "switch_mode" and parameters == ("chat",) and self._chat is None)
