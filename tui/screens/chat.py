"""The demo's chat, in which a newcomer plays the user of the bot."""

import asyncio
from contextlib import aclosing
from pathlib import Path
from typing import ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, Input, Static

from tui import plain
from tui.messenger import ChatEvent, ChatMessage, Hello, Messenger, MessengerError, Saved
from tui.widgets.bubble import Bubble
from tui.widgets.file_card import FileCard

#: Older messages leave the screen.
BUBBLES: Final = 100

#: Between attempts to reach a chat that is away.
RETRY_S: Final = 2.0


class Talk(VerticalScroll, can_focus=False):
    """The messages, newest at the bottom."""

    DEFAULT_CSS = """
    Talk {
        padding: 1 0 0 2;
        scrollbar-gutter: stable;
        scrollbar-size-vertical: 1;
        scrollbar-color: $primary 40%;
        scrollbar-background: $background;
        & > .empty { color: $foreground 60%; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._bubbles: dict[int, Bubble] = {}

    def compose(self) -> ComposeResult:
        """What stands there before the first message."""
        yield Static("Nothing was said yet. Write /start to meet the bot.", classes="empty")

    def on_mount(self) -> None:
        """Stay at the newest message while nobody scrolls."""
        self.anchor()

    async def happen(self, event: ChatEvent) -> None:
        """Draw one event: a message that is here already is redrawn, whatever the event calls itself."""
        if event.message is not None:
            await self._put(event.message)
        for message_id in self._bubbles.keys() & set(event.ids):
            await self._bubbles.pop(message_id).remove()

    async def _put(self, message: ChatMessage) -> None:
        if message.id in self._bubbles:
            self._bubbles[message.id].message = message
            return
        self.query_one(".empty").display = False
        if len(self._bubbles) >= BUBBLES:
            await self._bubbles.pop(next(iter(self._bubbles))).remove()
        bubble = self._bubbles[message.id] = Bubble(message)
        await self.mount(bubble)
        if message.out:
            self.scroll_end(animate=False)


class ChatScreen(Screen[None]):
    """Plays the person through `messenger`; files are saved into `downloads`."""

    DEFAULT_CSS = """
    ChatScreen {
        & #who { height: auto; padding: 1 2; background: $surface; }
        &.-short #who { padding: 0 2; }
        & Input { margin: 0 1; }
    }
    """
    AUTO_FOCUS = "Input"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.switch_mode('dashboard')", "Dashboard"),
        Binding("f2", "suggest", "Suggest a link"),
        Binding("shift+tab", "app.focus_previous", "To the buttons"),
        Binding("tab", "app.focus_next", "Onwards", show=False),
        Binding("pageup", "older", "Older", show=False),
        Binding("pagedown", "newer", "Newer", show=False),
    ]

    def __init__(self, messenger: Messenger, downloads: Path, sample_link: str | None) -> None:
        super().__init__()
        self._messenger = messenger
        self._downloads = downloads
        self._sample_link = sample_link

    def compose(self) -> ComposeResult:
        """Who talks, what was said, what to say, keys."""
        yield Static("Looking for the chat ...", id="who", markup=False)
        yield Talk()
        offer = ", or press F2 for a link" if self._sample_link else ""
        yield Input(placeholder=f"Write a message{offer}", max_length=plain.TEXT_CHARACTERS)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Start to listen."""
        self.follow()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer a link only where there is one."""
        return action != "suggest" or self._sample_link is not None

    @work
    async def follow(self) -> None:
        """Draw what is said, until the screen closes; a chat that is lost is looked for again."""
        while True:
            try:
                self.query_one("#who", Static).update(_introduction(await self._messenger.hello()))
                await self._listen()
                why = "the chat closed the connection"
            except MessengerError as problem:
                why = str(problem)
            self.query_one("#who", Static).update(_absence(why))
            await asyncio.sleep(RETRY_S)

    async def _listen(self) -> None:
        talk = self.query_one(Talk)
        async with aclosing(self._messenger.watch()) as events:
            async for event in events:
                await talk.happen(event)

    def action_suggest(self) -> None:
        """Put the sample link into the input."""
        field = self.query_one(Input)
        field.value = self._sample_link or ""
        field.cursor_position = len(field.value)
        field.focus()

    def action_older(self) -> None:
        """Go back in the talk."""
        self.query_one(Talk).action_page_up()

    def action_newer(self) -> None:
        """Go on in the talk."""
        self.query_one(Talk).action_page_down()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        text = event.value.strip()
        event.input.clear()
        if text:
            self.say(text)

    @work
    async def say(self, text: str) -> None:
        """Send `text`."""
        try:
            await self._messenger.say(text)
        except MessengerError as problem:
            self._complain(f"Not sent: {problem}.")

    @on(Bubble.Chosen)
    def _chosen(self, event: Bubble.Chosen) -> None:
        self.press(event.message_id, event.place)

    @work
    async def press(self, message_id: int, place: int) -> None:
        """Press a button and show what it did."""
        try:
            done = await self._messenger.press(message_id, place)
        except MessengerError as problem:
            self._complain(f"The button did nothing: {problem}.")
            return
        if done.alert:
            self.notify(plain.paragraphs(done.alert), title="The bot answers", markup=False)
        if done.joined:
            self.notify(f"You joined @{plain.name(done.joined)}.", markup=False)
        if done.url:
            self.notify(plain.name(done.url), title="This button opens", markup=False)

    @on(Bubble.Left)
    def _buttons_left(self) -> None:
        """The keys are the input's again, and not those of another message's buttons."""
        self.query_one(Input).focus()

    @on(Bubble.SaveWanted)
    def _save_wanted(self, event: Bubble.SaveWanted) -> None:
        self.save(event.card, event.message_id)

    @work
    async def save(self, card: FileCard, message_id: int) -> None:
        """Save a message's file, its card showing how far it is."""
        folder = self._downloads.resolve()
        try:
            await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
            async with aclosing(self._messenger.save(message_id, folder)) as steps:
                async for step in steps:
                    if isinstance(step, Saved):
                        card.show_saved(step)
                    else:
                        card.show_step(step)
        except MessengerError as problem:
            card.show_failure(str(problem))
        except OSError as problem:
            card.show_failure(f"{folder}: {problem.strerror}")

    def _complain(self, text: str) -> None:
        self.notify(text, severity="error", timeout=8, markup=False)


def _introduction(hello: Hello) -> Content:
    person = plain.name(hello.user.first_name) or "the user"
    return Content.assemble(
        "You are ",
        (person, "bold $accent"),
        ", talking to ",
        (f"@{plain.name(hello.bot.username)}", "bold $primary"),
        (".  A sandbox: nothing leaves this machine.", "$foreground 60%"),
    )


def _absence(why: str) -> Content:
    return Content.assemble(("● ", "$error"), f"The chat is away: {plain.name(why)}. Looking again.")
