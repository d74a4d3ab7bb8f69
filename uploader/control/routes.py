"""The plain routes of the control API, and the form of its errors: `{"error": "..."}`."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import ValidationError

from uploader.errors import StorageUnavailable
from uploader.snapshot import MaintenanceSwitch, Snapshot

#: How long a client may take to send a body.
BODY_S: Final = 5.0


class Api:
    """`GET /api/snapshot`, `POST /api/maintenance` and `POST /api/drain`."""

    def __init__(
        self,
        snapshot: Callable[[], Awaitable[Snapshot]],
        set_maintenance: Callable[[bool], Awaitable[None]],
        drain: Callable[[], None],
    ) -> None:
        self._snapshot = snapshot
        self._set_maintenance = set_maintenance
        self._drain = drain

    def routes(self) -> list[web.RouteDef]:
        """The routes, to be added to an application."""
        return [
            web.get("/api/snapshot", self._get_snapshot),
            web.post("/api/maintenance", self._post_maintenance),
            web.post("/api/drain", self._post_drain),
        ]

    async def _get_snapshot(self, _request: web.Request) -> web.Response:
        return _json(await self._snapshot())

    async def _post_maintenance(self, request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(BODY_S):
                body = await request.read()
            switch = MaintenanceSwitch.model_validate_json(body, strict=True)
        except TimeoutError:
            return error(408, f"no body within {BODY_S:g} s")
        except ValidationError as problem:
            return _bad_body(problem)
        await self._set_maintenance(switch.on)
        return _json(await self._snapshot())

    async def _post_drain(self, _request: web.Request) -> web.Response:
        """The same as SIGTERM; asked twice, it changes nothing."""
        self._drain()
        return _json(await self._snapshot())


@web.middleware
async def errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give our form to aiohttp's refusals (no such route, wrong method, body too large), and to trouble."""
    try:
        return await handler(request)
    except StorageUnavailable as trouble:
        return error(503, f"the database does not answer: {trouble}")
    except web.HTTPClientError as refusal:
        answer = error(refusal.status, refusal.reason)
        if "Allow" in refusal.headers:
            answer.headers["Allow"] = refusal.headers["Allow"]
        return answer


def error(status: int, text: str) -> web.Response:
    """An answer of `status` that says what was wrong."""
    return web.json_response({"error": text}, status=status)


def _bad_body(problem: ValidationError) -> web.Response:
    first = problem.errors(include_url=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return error(400, "the body is no JSON")
    return error(422, f'expected {{"on": true}} or {{"on": false}}: {first["msg"]}')


def _json(snapshot: Snapshot) -> web.Response:
    return web.Response(text=snapshot.model_dump_json(), content_type="application/json")
