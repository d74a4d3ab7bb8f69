"""One upload session over one socket."""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from uploader.errors import Reason, TransferError, TransferTemporary
from uploader.transfer import tl
from uploader.transfer.dial import dialled
from uploader.transfer.endpoint import Endpoint, hello
from uploader.transfer.failures import first_error
from uploader.transfer.framing import Abridged, Framing, Obfuscated
from uploader.transfer.line import Line
from uploader.transfer.pace import Pace
from uploader.transfer.patience import Patience
from uploader.transfer.salts import Salts
from uploader.transfer.seal import ENVELOPE_BYTES, AuthKey
from uploader.transfer.sealing import Sealing
from uploader.transfer.session import Answer, Outgoing, Session
from uploader.transfer.tl import Refusal, Request

log = logging.getLogger(__name__)


class _Idle(Exception):
    """The connection was not used for so long that it is closed."""


@dataclass(eq=False, slots=True)
class _Call:
    answer: asyncio.Future[bool | Refusal | None]  # None: the connection is lost
    called_at: float  # by the loop's clock
    began_at: float | None = None  # when its sealing began
    sending: bool = False  # not all of it was given to the socket yet: its room must not be used anew
    early: bool | Refusal | None = None  # an answer that came meanwhile


class Connection:
    """A socket and its session. `run` connects and carries; calls made before it has connected wait."""

    def __init__(
        self,
        endpoint: Endpoint,
        sealing: Sealing,
        patience: Patience,
        pace: Pace,
        salts: Salts | None = None,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`salts`: those of the auth key, if other connections know them. `now` gives epoch seconds."""
        self._endpoint = endpoint
        self._patience = patience
        self._pace = pace
        self._sealing = sealing
        self._framing: Framing = (Obfuscated if endpoint.obfuscated else Abridged)(tl.ANSWER_BYTES)
        self._hello = hello(endpoint)
        self._session = Session(AuthKey(endpoint.auth_key), self._hello, salts, now=now)
        self._calls: dict[Request, _Call] = {}
        self._work = asyncio.Event()  # the session may have something to send
        self._greeted = asyncio.Event()  # the hello was answered
        self._used_at = self._heard_at = self._moved_at = self._now()
        self._queued_bytes = 0  # sent by us, and not yet received there
        self._end: TransferError | None = None
        self.broken: str | None = None  # why, unless it ended because nobody used it or the pool is closed

    @property
    def load(self) -> int:
        """Calls that wait for their answer."""
        return len(self._calls)

    @property
    def ready(self) -> bool:
        """Whether the data centre has accepted the session."""
        return self._session.ready

    @property
    def over(self) -> bool:
        """Whether every further call would fail."""
        return self._end is not None

    async def call(self, request: Request) -> bool | Refusal:
        """Send a request and return its answer.

        Raises TransferTemporary when the connection is lost before that, TransferError when the auth key is.
        """
        self._used_at = self._now()
        return await self._ask(request)

    async def _ask(self, request: Request) -> bool | Refusal:
        if self._end is not None:
            raise self._ended()
        if not self._calls:
            self._moved_at = self._now()
        call = self._calls[request] = _Call(asyncio.get_running_loop().create_future(), self._now())
        self._session.submit(request)
        self._work.set()
        try:
            answer = await call.answer
        finally:
            del self._calls[request]
            self._session.withdraw(request)
        if answer is None:
            raise self._ended()
        return answer

    async def run(self) -> None:
        """Carry calls until the connection is lost, refused or idle; every waiting call then fails."""
        end: TransferError = TransferTemporary(Reason.UPLOAD_FAILED, "the connection was closed")
        try:
            await self._carry()
        except* _Idle:
            end = TransferTemporary(Reason.UPLOAD_FAILED, "the connection was closed, for it was not used")
        except* OSError as group:
            end = TransferTemporary(Reason.UPLOAD_FAILED, f"connection lost: {first_error(group)!r}")
            self.broken = end.detail
        except* TransferError as group:
            end = first_error(group)
            self.broken = end.detail
        finally:
            log.debug("an upload connection ended: %s", end.detail)
            self.fail(end)

    def fail(self, end: TransferError) -> None:
        """Let every waiting and every further call fail with (a copy of) `end`."""
        self._end = end
        for call in self._calls.values():
            _settle(call, None)

    def _ended(self) -> TransferError:
        """A fresh exception for each caller, of the class that ended the connection."""
        end = self._end or TransferTemporary(Reason.UPLOAD_FAILED)
        return type(end)(end.reason, end.detail)

    async def _carry(self) -> None:
        async with asyncio.timeout(self._patience.connect_s):
            sock = await dialled(self._endpoint)
        with Line(sock) as line:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._read(line))
                tasks.create_task(self._write(line))
                tasks.create_task(self._watch(line))

    async def _read(self, line: Line) -> None:
        await line.listen(self._hear)
        raise _lost("the data centre closed the connection")

    def _hear(self, data: bytes) -> None:
        self._heard_at = self._now()
        for envelope in self._framing.incoming(data):
            for answer in self._session.receive(envelope):
                self._resolve(answer)
        self._work.set()

    def _resolve(self, answer: Answer) -> None:
        if answer.request is self._hello:
            self._greeted.set()
            if isinstance(answer.outcome, Refusal):
                for call in self._calls.values():
                    _settle(call, answer.outcome)
                raise _lost(f"session refused: {answer.outcome.name}")
        elif (waiting := self._calls.get(answer.request)) is not None:
            if waiting.sending:
                waiting.early = answer.outcome
            else:
                self._answered(waiting, answer.request, answer.outcome)

    def _answered(self, call: _Call, request: Request, outcome: bool | Refusal) -> None:
        if outcome is True:
            now = self._now()
            self._pace.answered(now, request.stop - request.start, now - call.called_at)
        _settle(call, outcome)

    async def _write(self, line: Line) -> None:
        await self._send(line, memoryview(self._framing.greeting))
        while True:
            outgoing = self._session.next()
            if outgoing is None:
                self._work.clear()
                await self._work.wait()
                continue
            call = self._calls.get(outgoing.request) if outgoing.awaited else None
            if call is None:
                await self._send(line, await self._pushed(line, outgoing))
                continue
            call.began_at, call.sending, call.early = self._now(), True, None
            await self._send(line, await self._pushed(line, outgoing))
            call.sending = False
            if call.early is not None:
                self._answered(call, outgoing.request, call.early)

    async def _pushed(self, line: Line, outgoing: Outgoing) -> memoryview:
        """Seal a message, and send what the socket takes of it; returns the rest."""
        request = outgoing.request
        plain_bytes = len(outgoing.header) + request.stop - request.start + len(outgoing.padding)
        prefix = self._framing.prefix(ENVELOPE_BYTES + plain_bytes)
        rest = await self._sealing.sealed(
            outgoing, prefix, lambda frame: line.push(memoryview(self._framing.outgoing(frame)))
        )
        self._moved_at = self._now()
        return rest

    async def _send(self, line: Line, data: memoryview) -> None:
        while data:
            data = await line.send_some(data)
            self._moved_at = self._now()

    async def _watch(self, line: Line) -> None:
        """Every wait has a deadline: the hello's, each part's, and the silence of an idle connection."""
        patience = self._patience
        async with asyncio.timeout(patience.connect_s):
            await self._greeted.wait()
        tick_s = min(patience.answer_s, patience.stall_s, patience.ping_s, patience.idle_s) / 4
        while True:
            await asyncio.sleep(tick_s)
            now = self._now()
            self._note_drain(line, now)
            if self._calls:
                self._check_calls(now)
            elif now - self._used_at >= patience.idle_s:
                raise _Idle
            elif now - self._heard_at >= patience.ping_s:
                async with asyncio.timeout(patience.answer_s):
                    await self._ask(tl.ping(secrets.randbits(63)))

    def _note_drain(self, line: Line, now: float) -> None:
        """On a slow line megabytes wait in the kernel: that they get fewer is the only sign of life."""
        queued_bytes = line.queued_bytes()
        if queued_bytes < self._queued_bytes:
            self._moved_at = now
        self._queued_bytes = queued_bytes

    def _check_calls(self, now: float) -> None:
        silent_s = now - max(self._moved_at, self._heard_at)
        if silent_s > self._patience.stall_s:
            raise _lost(f"stalled: nothing came or went for {silent_s:.0f} s")
        limit_s = self._pace.limit_s
        for call in self._calls.values():
            if call.began_at is not None and now - call.began_at > limit_s:
                raise _lost(f"no answer in {limit_s:.0f} s")

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


def _settle(call: _Call, answer: bool | Refusal | None) -> None:
    if not call.answer.done():
        call.answer.set_result(answer)


def _lost(detail: str) -> TransferTemporary:
    return TransferTemporary(Reason.UPLOAD_FAILED, detail)
