"""One upload session over one socket."""

import asyncio
import logging
import secrets
import socket
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final

from uploader.errors import Reason, TransferError, TransferTemporary
from uploader.transfer import abridged, tl
from uploader.transfer.endpoint import Endpoint, hello
from uploader.transfer.failures import first_error
from uploader.transfer.seal import ENVELOPE_BYTES, AuthKey, Sealer
from uploader.transfer.session import Answer, Session
from uploader.transfer.tl import Refusal, Request

log = logging.getLogger(__name__)

_READ_BYTES: Final = 64 * 1024

#: Messages up to this size are sealed on the spot; a thread would cost more than it saves.
_SEALED_AT_ONCE_BYTES: Final = 4096


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """How long an upload session waits, in seconds, and how often a part is sent again."""

    connect_s: float = 15.0  # for TCP, and again for the answer to the hello
    answer_s: float = 60.0  # from a part's sealing to its answer; a slower connection is replaced
    ping_s: float = 20.0  # a connection that hears nothing is pinged this often
    idle_s: float = 90.0  # a connection that is not used is closed after this
    tries: int = 8  # of one part: lost connections, `false` answers and errors 500 together
    backoff_first_s: float = 0.25  # before the second try; doubles ...
    backoff_most_s: float = 8.0  # ... up to this

    def backoff_s(self, tries: int) -> float:
        """The wait after that many failed tries."""
        return min(self.backoff_most_s, self.backoff_first_s * 2.0 ** (tries - 1))


class _Idle(Exception):
    """The connection was not used for so long that it is closed."""


@dataclass(eq=False, slots=True)
class _Call:
    answer: asyncio.Future[bool | Refusal | None]  # None: the connection is lost
    sent_at: float | None = None  # by the loop's clock


class Connection:
    """A socket and its session. `run` connects and carries; calls made before it has connected wait.

    `sealing` runs the seals of parts, which take about a millisecond each.
    """

    def __init__(self, endpoint: Endpoint, sealing: Executor, patience: Patience) -> None:
        key = AuthKey(endpoint.auth_key)
        self._endpoint = endpoint
        self._patience = patience
        self._sealing = sealing
        self._sealer = Sealer(key, tl.MESSAGE_BYTES)
        self._hello = hello(endpoint)
        self._session = Session(key, self._hello)
        self._calls: dict[Request, _Call] = {}
        self._work = asyncio.Event()  # the session may have something to send
        self._greeted = asyncio.Event()  # the hello was answered
        self._used_at = self._heard_at = self._now()
        self._end: TransferError | None = None

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
        except* TransferError as group:
            end = first_error(group)
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
        host, port = self._endpoint.host, self._endpoint.port
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as sock:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            async with asyncio.timeout(self._patience.connect_s):
                await asyncio.get_running_loop().sock_connect(sock, (host, port))
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._read(sock))
                tasks.create_task(self._write(sock))
                tasks.create_task(self._watch())

    async def _read(self, sock: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        deframer = abridged.Deframer(tl.ANSWER_BYTES)
        while data := await loop.sock_recv(sock, _READ_BYTES):
            self._heard_at = self._now()
            for envelope in deframer.feed(data):
                for answer in self._session.receive(envelope):
                    self._resolve(answer)
            self._work.set()
        raise TransferTemporary(Reason.UPLOAD_FAILED, "the data centre closed the connection")

    def _resolve(self, answer: Answer) -> None:
        if answer.request is self._hello:
            self._greeted.set()
            if isinstance(answer.outcome, Refusal):
                for call in self._calls.values():
                    _settle(call, answer.outcome)
                raise TransferTemporary(Reason.UPLOAD_FAILED, f"session refused: {answer.outcome.name}")
        elif (waiting := self._calls.get(answer.request)) is not None:
            _settle(waiting, answer.outcome)

    async def _write(self, sock: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(sock, abridged.GREETING)
        while True:
            outgoing = self._session.next()
            if outgoing is None:
                self._work.clear()
                await self._work.wait()
                continue
            if outgoing.request is not None and (call := self._calls.get(outgoing.request)) is not None:
                call.sent_at = self._now()
            frame = await self._sealed(outgoing.plain)
            async with asyncio.timeout(self._patience.answer_s):
                await loop.sock_sendall(sock, frame)

    async def _sealed(self, plain: memoryview) -> memoryview:
        prefix = abridged.prefix(ENVELOPE_BYTES + len(plain))
        if len(plain) <= _SEALED_AT_ONCE_BYTES:
            return self._sealer.seal(plain, prefix)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._sealing, self._sealer.seal, plain, prefix)

    async def _watch(self) -> None:
        """Every wait has a deadline: the hello's, each part's, and the silence of an idle connection."""
        patience = self._patience
        async with asyncio.timeout(patience.connect_s):
            await self._greeted.wait()
        tick_s = min(patience.answer_s, patience.ping_s, patience.idle_s) / 4
        while True:
            await asyncio.sleep(tick_s)
            now = self._now()
            for call in self._calls.values():
                if call.sent_at is not None and now - call.sent_at > patience.answer_s:
                    raise TransferTemporary(Reason.UPLOAD_FAILED, f"no answer in {patience.answer_s:g} s")
            if self._calls:
                continue
            if now - self._used_at >= patience.idle_s:
                raise _Idle
            if now - self._heard_at >= patience.ping_s:
                async with asyncio.timeout(patience.answer_s):
                    await self._ask(tl.ping(secrets.randbits(63)))

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


def _settle(call: _Call, answer: bool | Refusal | None) -> None:
    if not call.answer.done():
        call.answer.set_result(answer)
