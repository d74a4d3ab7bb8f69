"""One upload session over one socket."""

import asyncio
import contextlib
import fcntl
import logging
import secrets
import socket
import struct
import termios
from dataclasses import dataclass
from typing import Final

from uploader.errors import Reason, TransferError, TransferTemporary
from uploader.transfer import tl
from uploader.transfer.dial import dialled
from uploader.transfer.endpoint import Endpoint, hello
from uploader.transfer.failures import first_error
from uploader.transfer.framing import Abridged, Framing, Obfuscated
from uploader.transfer.pace import Pace
from uploader.transfer.patience import Patience
from uploader.transfer.seal import ENVELOPE_BYTES, AuthKey
from uploader.transfer.sealing import Sealing
from uploader.transfer.session import Answer, Outgoing, Session
from uploader.transfer.tl import Refusal, Request

log = logging.getLogger(__name__)

#: Bytes that go through the socket at once: the event loop is held for well under 0.1 ms by either.
_READ_BYTES: Final = 64 * 1024
_SEND_BYTES: Final = 256 * 1024


class _Idle(Exception):
    """The connection was not used for so long that it is closed."""


@dataclass(eq=False, slots=True)
class _Call:
    answer: asyncio.Future[bool | Refusal | None]  # None: the connection is lost
    began_at: float | None = None  # when its sealing began, by the loop's clock
    sent: bool = False  # all of it was given to the socket


class Connection:
    """A socket and its session. `run` connects and carries; calls made before it has connected wait."""

    def __init__(self, endpoint: Endpoint, sealing: Sealing, patience: Patience, pace: Pace) -> None:
        self._endpoint = endpoint
        self._patience = patience
        self._pace = pace
        self._sealing = sealing
        self._framing: Framing = (Obfuscated if endpoint.obfuscated else Abridged)(tl.ANSWER_BYTES)
        self._hello = hello(endpoint)
        self._session = Session(AuthKey(endpoint.auth_key), self._hello)
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
        call = self._calls[request] = _Call(asyncio.get_running_loop().create_future())
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
        with sock:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._read(sock))
                tasks.create_task(self._write(sock))
                tasks.create_task(self._watch(sock))

    async def _read(self, sock: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while data := await loop.sock_recv(sock, _READ_BYTES):
            self._heard_at = self._now()
            for envelope in self._framing.incoming(data):
                for answer in self._session.receive(envelope):
                    self._resolve(answer)
            self._work.set()
        raise _lost("the data centre closed the connection")

    def _resolve(self, answer: Answer) -> None:
        if answer.request is self._hello:
            self._greeted.set()
            if isinstance(answer.outcome, Refusal):
                for call in self._calls.values():
                    _settle(call, answer.outcome)
                raise _lost(f"session refused: {answer.outcome.name}")
        elif (waiting := self._calls.get(answer.request)) is not None:
            if not waiting.sent or waiting.began_at is None:
                raise _lost("an answer to what was not sent yet")  # its room must not be used anew
            if answer.outcome is True:
                self._pace.answered(
                    self._now(), answer.request.stop - answer.request.start, self._now() - waiting.began_at
                )
            _settle(waiting, answer.outcome)

    async def _write(self, sock: socket.socket) -> None:
        await self._send(sock, memoryview(self._framing.greeting), raw=True)
        while True:
            outgoing = self._session.next()
            if outgoing is None:
                self._work.clear()
                await self._work.wait()
                continue
            call = self._calls.get(outgoing.request) if outgoing.awaited else None
            if call is not None:
                call.began_at, call.sent = self._now(), False
            await self._send(sock, await self._sealed(outgoing))
            if call is not None:
                call.sent = True

    async def _sealed(self, outgoing: Outgoing) -> memoryview:
        request = outgoing.request
        plain_bytes = len(outgoing.header) + request.stop - request.start + len(outgoing.padding)
        return await self._sealing.sealed(outgoing, self._framing.prefix(ENVELOPE_BYTES + plain_bytes))

    async def _send(self, sock: socket.socket, frame: memoryview, *, raw: bool = False) -> None:
        loop = asyncio.get_running_loop()
        for at in range(0, len(frame), _SEND_BYTES):
            piece = frame[at : at + _SEND_BYTES]
            await loop.sock_sendall(sock, piece if raw else self._framing.outgoing(piece))
            self._moved_at = loop.time()

    async def _watch(self, sock: socket.socket) -> None:
        """Every wait has a deadline: the hello's, each part's, and the silence of an idle connection."""
        patience = self._patience
        async with asyncio.timeout(patience.connect_s):
            await self._greeted.wait()
        tick_s = min(patience.answer_s, patience.stall_s, patience.ping_s, patience.idle_s) / 4
        while True:
            await asyncio.sleep(tick_s)
            now = self._now()
            self._note_drain(sock, now)
            if self._calls:
                self._check_calls(now)
            elif now - self._used_at >= patience.idle_s:
                raise _Idle
            elif now - self._heard_at >= patience.ping_s:
                async with asyncio.timeout(patience.answer_s):
                    await self._ask(tl.ping(secrets.randbits(63)))

    def _note_drain(self, sock: socket.socket, now: float) -> None:
        """On a slow line megabytes wait in the kernel: that they get fewer is the only sign of life."""
        queued_bytes = _queued_bytes(sock)
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


def _queued_bytes(sock: socket.socket) -> int:
    """Bytes that were sent and are not acknowledged by the other end's TCP; 0 where that is not told."""
    queued = bytearray(4)
    with contextlib.suppress(OSError):
        fcntl.ioctl(sock, termios.TIOCOUTQ, queued)
    return int(struct.unpack("i", queued)[0])
