"""The control API as a server: opens with the engine, closes with it."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from aiohttp import web

from uploader.control import endpoint, events, health, routes
from uploader.snapshot import Snapshot

#: Bodies are a switch or nothing.
BODY_BYTES: Final = 4096

#: How long requests under way may go on once the engine stops.
CLOSING_S: Final = 2.0

DEFAULT_TIMING: Final = events.Timing()


class ControlServer:
    """Serves the control API on a unix socket while its `async with` block runs.

    `snapshot` says how the engine is; `set_maintenance` switches maintenance and returns once it holds;
    `drain` lets the engine begin to stop.
    Entering raises ConfigError when the socket cannot be had (see `endpoint.bind`).
    """

    def __init__(
        self,
        socket_path: Path,
        *,
        snapshot: Callable[[], Awaitable[Snapshot]],
        set_maintenance: Callable[[bool], Awaitable[None]],
        drain: Callable[[], None],
        timing: events.Timing = DEFAULT_TIMING,
    ) -> None:
        self._timing = timing
        self._path = socket_path
        self._snapshot = snapshot
        self._set_maintenance = set_maintenance
        self._drain = drain
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            listening = endpoint.bind(self._path)
            stack.callback(listening.close)
            runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=CLOSING_S)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.SockSite(runner, listening).start()
            stack.callback(endpoint.release, self._path, self._path.lstat().st_ino)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=BODY_BYTES, middlewares=[routes.errors_as_json])
        stream = events.Events(self._snapshot, self._timing)
        application.on_shutdown.append(stream.close)
        application.add_routes(
            [
                web.get("/health", health.Health(self._snapshot).answer),
                web.get("/api/events", stream.answer),
                *routes.Api(self._snapshot, self._set_maintenance, self._drain).routes(),
            ]
        )
        return application
