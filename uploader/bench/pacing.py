"""What `run.py bench pacing` measures: how fast many chats are served, and how soon a person is answered."""

import asyncio
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import quantiles
from typing import Any, Final

from telethon.tl import functions

from uploader.errors import FloodWait
from uploader.telegram.calls import Calls
from uploader.telegram.gateway import new_random_id
from uploader.telegram.pacing import Pacer
from uploader.telegram.turns import Urgency

#: How often a running job's message is edited, and tried again if the edit was left; as in `chat.progress`.
_EDIT_S: Final = 5.0
_TICK_S: Final = 1.0
_ANSWERS_PER_S: Final = 2.5


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """`messages` to all chats in turn; then edits in `jobs` chats for a while, and answers in others."""

    messages: int = 2_000
    jobs: int = 60
    progress_s: float = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """What came of it. An answer's time is from the wish to say it to Telegram's own answer."""

    messages: int
    chats: int
    seconds: float
    messages_per_s: float
    jobs: int
    edits_per_s: float
    most_edits_in_a_second: int
    answers: int
    answer_p50_ms: float
    answer_p99_ms: float
    waits: int  # messages, edits and answers that were told to wait


class Voice:
    """An account that speaks in chats known by their input peers."""

    def __init__(self, client: Any, chats: Mapping[int, Any]) -> None:
        self._calls = Calls(client, Pacer())
        self._chats = chats
        self.waits = 0
        self.edited_at: list[float] = []
        self.answered_s: list[float] = []

    async def say(self, chat_id: int, urgency: Urgency) -> int:
        """Send a message; returns its id."""
        request = functions.messages.SendMessageRequest(
            peer=self._chats[chat_id], message=str(urgency), random_id=new_random_id()
        )
        while True:
            try:
                return int((await self._calls.send(chat_id, request, urgency)).updates[0].id)
            except FloodWait:
                self.waits += 1

    async def say_all(self, chat_id: int, number: int) -> None:
        """Send messages to one chat, one after the other."""
        for _ in range(number):
            await self.say(chat_id, Urgency.BROADCAST)

    async def show_progress(self, chat_id: int, until: float) -> None:
        """Edit a message as a running job's is edited."""
        message_id = await self.say(chat_id, Urgency.MESSAGE)
        while (now := time.monotonic()) < until:
            request = functions.messages.EditMessageRequest(
                peer=self._chats[chat_id], id=message_id, message=str(now)
            )
            try:
                shown = await self._calls.send_if_idle(chat_id, request) is not None
            except FloodWait:
                self.waits += 1
                shown = False
            if shown:
                self.edited_at.append(now)
            await asyncio.sleep(min(_EDIT_S if shown else _TICK_S, max(0.0, until - now)))

    async def answer(self, chat_ids: Sequence[int], until: float) -> None:
        """Answer people in turn, each on time however long the last one took."""
        async with asyncio.TaskGroup() as group:
            turns = deque(chat_ids)
            while time.monotonic() < until:
                turns.rotate()
                group.create_task(self._answer_one(turns[0]))
                await asyncio.sleep(1 / _ANSWERS_PER_S)

    async def _answer_one(self, chat_id: int) -> None:
        begin = time.monotonic()
        await self.say(chat_id, Urgency.ANSWER)
        self.answered_s.append(time.monotonic() - begin)


async def measure(client: Any, people: Mapping[int, Any], groups: Mapping[int, Any], load: Load) -> Figures:
    """Send and edit through the engine's own pacer. `people` and `groups`: input peers by chat id.

    There are more people than jobs: those without one are answered.
    """
    voice = Voice(client, {**people, **groups})
    chats = [*people, *groups]
    begin = time.monotonic()
    async with asyncio.TaskGroup() as tasks:
        for place, chat_id in enumerate(chats):
            tasks.create_task(voice.say_all(chat_id, len(range(place, load.messages, len(chats)))))
    seconds = time.monotonic() - begin
    busy, idle = list(people)[: load.jobs], list(people)[load.jobs :]
    until = time.monotonic() + load.progress_s
    async with asyncio.TaskGroup() as tasks:
        for chat_id in busy:
            tasks.create_task(voice.show_progress(chat_id, until))
        tasks.create_task(voice.answer(idle, until))
    percentiles_s = quantiles(voice.answered_s, n=100)
    return Figures(
        messages=load.messages,
        chats=len(chats),
        seconds=seconds,
        messages_per_s=load.messages / seconds,
        jobs=load.jobs,
        edits_per_s=len(voice.edited_at) / load.progress_s,
        most_edits_in_a_second=_most_in_a_second(voice.edited_at),
        answers=len(voice.answered_s),
        answer_p50_ms=percentiles_s[49] * 1000,
        answer_p99_ms=percentiles_s[98] * 1000,
        waits=voice.waits,
    )


def _most_in_a_second(times: Sequence[float]) -> int:
    """How many lie in the fullest second that begins with one of them."""
    ordered = sorted(times)
    return max((sum(at <= other < at + 1 for other in ordered) for at in ordered), default=0)
