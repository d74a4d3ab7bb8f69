"""From Telegram's updates to the conversations: who spoke, and which command it was."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import structlog
from cachetools import TTLCache
from telethon import TelegramClient, events
from telethon.tl import types

from uploader import limits, links
from uploader.chat import batch_buttons, choice, file_card, files, keyboards, list_card, text_files
from uploader.chat.admin import AdminChat
from uploader.chat.batch import BatchChat
from uploader.chat.commands import command_of
from uploader.chat.cookie_admin import CookieAdminChat
from uploader.chat.files import FileQuestions
from uploader.chat.lane import Lane
from uploader.chat.lists import Lists
from uploader.chat.menu import Menu
from uploader.chat.questions import Questions
from uploader.chat.receiver import Receiver
from uploader.chat.settings import SettingsChat
from uploader.chat.site_admin import SiteAdminChat
from uploader.chat.sponsor_admin import SponsorAdminChat
from uploader.chat.user import UserChat
from uploader.errors import ChatUnreachable, FloodWait
from uploader.intake import Incoming, Intake
from uploader.marks import without_marks
from uploader.model import Person
from uploader.quotas import Turnstile
from uploader.texts import Texts
from uploader.verdicts import Ignored

#: Who was told that a message waits is not told so again for this long.
PUT_OFF_S: Final = 600.0

_log = structlog.get_logger(__name__)

Conversation = Callable[[Incoming], Awaitable[None]]


class Updates:
    """Hears the bot's account. Handlers only pass on: nothing in them waits for a transfer."""

    def __init__(
        self,
        *,
        user: UserChat,
        admin: AdminChat,
        sponsor_admin: SponsorAdminChat,
        site_admin: SiteAdminChat,
        cookie_admin: CookieAdminChat,
        batches: BatchChat,
        settings: SettingsChat,
        questions: Questions,
        lists: Lists,
        files: FileQuestions,
        intake: Intake,
        menu: Menu,
        texts: Texts,
        admins: frozenset[int],
        username: str,
    ) -> None:
        """`username`: the bot's own, without an at sign."""
        self._calls = Turnstile(limits.CALLS_PER_PACE, "too-many-calls")
        self._lane = Lane()
        self._are_put_off: TTLCache[int, bool] = TTLCache(limits.PACED_PEOPLE, PUT_OFF_S)
        self._user = user
        self._admin = admin
        self._batches = batches
        self._settings = settings
        self._questions = questions
        self._lists = lists
        self._files = files
        self._intake = intake
        self._menu = menu
        self._texts = texts
        self._admins = admins
        self._username = username
        self._commands: Mapping[str, Conversation] = {
            "start": user.start,
            "help": user.help,
            "cancel": user.cancel,
            "settings": settings.show,
        }
        self._admin_commands: Mapping[str, Conversation] = {
            "status": admin.status,
            "failed": admin.failed,
            "maintenance": admin.maintenance,
            "lock": sponsor_admin.lock,
            "sites": site_admin.sites,
            "cookies": cookie_admin.cookies,
        }

    def attach(self, client: TelegramClient, receiver: Receiver) -> None:
        """Hear messages and their changes in private chats, and pressed buttons."""
        hear = receiver.guarded
        client.add_event_handler(
            hear(self._on_message, self._put_off),
            events.NewMessage(incoming=True, func=lambda e: e.is_private),
        )
        client.add_event_handler(
            hear(self._on_edited), events.MessageEdited(incoming=True, func=_is_rewritten)
        )
        client.add_event_handler(hear(self._on_pressed), events.CallbackQuery())

    async def _on_message(self, event: Any) -> None:
        verdict = self._calls.knock(event.sender_id)
        if isinstance(verdict, Ignored):
            return
        person = await self._person(event)
        if person is None:
            return
        incoming = self._incoming(person, event.message)
        try:
            if verdict is None:
                async with self._lane.turn(person.user_id):
                    await self._dispatch(incoming, event.message)
            elif await self._intake.is_new(incoming):
                await self._user.refused(incoming, verdict)
        except (ChatUnreachable, FloodWait) as error:
            _log.warning("not answered", user=person.user_id, cause=str(error))
        except Exception:
            await self._user.excuse(person)
            raise

    async def _put_off(self, event: Any) -> None:
        """A message waits: its person is told once, and need not send it again."""
        if event.sender_id in self._are_put_off:
            return
        self._are_put_off[event.sender_id] = True
        if (person := await self._person(event)) is not None:
            await self._user.put_off(person)

    async def _on_edited(self, event: Any) -> None:
        if self._calls.knock(event.sender_id) is not None:
            return
        person = await self._person(event)
        if person is None:
            return
        try:
            async with self._lane.turn(person.user_id):
                incoming = replace(self._incoming(person, event.message), is_edited=True)
                await self._user.edited(incoming, files.offered(event.message, incoming.text))
        except (ChatUnreachable, FloodWait) as error:
            _log.warning("not answered", user=person.user_id, cause=str(error))

    async def _dispatch(self, incoming: Incoming, message: Any) -> None:
        word = incoming.command or ""
        is_admin = incoming.person.user_id in self._admins
        command = self._commands.get(word) or (self._admin_commands.get(word) if is_admin else None)
        if command is None:
            await self._hear(incoming, message)
        elif await self._intake.is_new(incoming):
            await self._intake.meet(incoming.person)
            await command(replace(incoming, text=without_marks(incoming.text, joiners=True)))
            if word == "help" and is_admin:
                await self._admin.help(incoming)
            if word in {"start", "help"}:
                await self._menu.greet(incoming.person)

    async def _hear(self, incoming: Incoming, message: Any) -> None:
        """What is no command: a file, an answer to a question, or hopefully links."""
        offer = files.offered(message, incoming.text)
        if (name := text_files.name_of(message)) is not None:
            await self._user.text_file(replace(incoming, title=name), offer)
            return
        if offer is not None:
            await self._user.file(incoming, offer)
            return
        for questions in (self._questions, self._lists, self._files):
            if await questions.hears(incoming):
                return
        if incoming.command is None or links.find(incoming.text) is not None:
            await self._user.text(incoming)
        elif await self._intake.is_new(incoming):
            await self._user.unknown(incoming.person, incoming.command)

    async def _on_pressed(self, event: Any) -> None:
        if self._calls.knock(event.sender_id) is not None:
            return  # the button goes on turning for a while, which says enough
        person = await self._person(event)
        if person is None:
            return
        try:
            async with self._lane.turn(person.user_id):
                await self._press(person, event)
        except (ChatUnreachable, FloodWait) as error:
            _log.warning("button not answered", user=person.user_id, cause=str(error))
        except Exception:
            await self._user.excuse(person, event.query.query_id)
            raise

    async def _press(self, person: Person, event: Any) -> None:
        query_id, message_id = event.query.query_id, event.message_id
        if (chosen := keyboards.chosen(event.data)) is not None:
            await self._settings.choose(person, query_id, message_id, chosen)
        elif (press := choice.pressed(event.data)) is not None:
            await self._questions.pressed(person, query_id, message_id, press)
        elif (of_list := list_card.pressed(event.data)) is not None:
            await self._lists.pressed(person, query_id, of_list)
        elif (of_batch := batch_buttons.pressed(event.data)) is not None:
            await self._batches.pressed(person, query_id, message_id, of_batch)
        elif (file_press := file_card.pressed(event.data)) is not None:
            await self._files.pressed(person, query_id, message_id, file_press)
        else:
            await self._user.pressed(person, query_id, event.data)

    def _incoming(self, person: Person, message: Any) -> Incoming:
        text = _text(message)
        return Incoming(
            person=person,
            message_id=message.id,
            text=text,
            sent_at=message.date.timestamp(),
            reply_to=getattr(message.reply_to, "reply_to_msg_id", None),
            command=command_of(text, self._username),
        )

    async def _person(self, event: Any) -> Person | None:
        """Who spoke, with the access hash that lets the bot answer; None: nobody that is served."""
        sender = await event.get_sender()
        if not isinstance(sender, types.User) or sender.bot or sender.access_hash is None:
            return None
        return Person(
            user_id=sender.id,
            access_hash=sender.access_hash,
            language=self._texts.language_of(sender.lang_code),
            name=sender.first_name or "",
        )


def _is_rewritten(event: Any) -> bool:
    """Whether a person changed a message; Telegram changes some by itself, for a preview or a reaction.

    https://core.telegram.org/constructor/message (edit_hide)
    """
    return bool(event.is_private and event.message.edit_date and not event.message.edit_hide)


def _text(message: Any) -> str:
    """What the message says, then the addresses that hide behind its words."""
    entities = message.entities or ()
    hidden = [entity.url for entity in entities if isinstance(entity, types.MessageEntityTextUrl)]
    return "\n".join([message.message or "", *hidden])
