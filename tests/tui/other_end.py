"""The other end of the chat's control protocol: a small TCP server that a test scripts."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any


class OtherEnd:
    """Records every request; answers `say` by echoing it to the watchers, `save` with `content`."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.content = b""
        self.answers: dict[str, dict[str, Any]] = {}
        self.watching = asyncio.Event()
        self.may_save = asyncio.Event()
        self.may_save.set()
        self._watchers: list[asyncio.StreamWriter] = []
        self._last_id = 0

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[tuple[str, int]]:
        """Serve on a free port and give its address."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        try:
            host, port = server.sockets[0].getsockname()
            yield host, port
        finally:
            server.close()
            for writer in self._watchers:
                writer.close()

    def message(self, text: str, **changes: Any) -> dict[str, Any]:
        """A message of the bot, with the next free id."""
        self._last_id += 1
        message = {
            "id": self._last_id,
            "out": False,
            "text": text,
            "at": 1_795_512_600,
            "buttons": [],
            "file": None,
        }
        return message | changes

    async def happen(self, **event: Any) -> None:
        """Tell the watchers."""
        for writer in self._watchers:
            writer.write(json.dumps(event).encode() + b"\n")
            await writer.drain()

    def asked(self, op: str) -> list[dict[str, Any]]:
        """The requests of one kind so far, without their `op`."""
        return [
            {key: value for key, value in request.items() if key != "op"}
            for request in self.requests
            if request["op"] == op
        ]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while raw := await reader.readline():
            request = json.loads(raw)
            self.requests.append(request)
            await self._answer(request, writer)
        writer.close()

    async def _answer(self, request: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        op = request["op"]
        if op == "save":
            await self.may_save.wait()
        for line in self._lines(op, request):
            writer.write(json.dumps(line).encode() + b"\n")
        await writer.drain()
        if op == "watch":
            self._watchers.append(writer)
            self.watching.set()
        if op == "say":
            await self.happen(event="message", message=self.message(request["text"], out=True))

    def _lines(self, op: str, request: dict[str, Any]) -> list[dict[str, Any]]:
        if op in self.answers:
            return [self.answers[op]]
        if op == "hello":
            return [
                {
                    "ok": True,
                    "user": {"id": 7, "first_name": "Sara"},
                    "bot": {"id": 1, "username": "peyk_bot"},
                    "channel": {"username": "daily_tech", "title": "Daily Tech"},
                }
            ]
        if op == "save":
            return self._file(Path(request["folder"]))
        return [{"ok": True}]

    def _file(self, folder: Path) -> list[dict[str, Any]]:
        path = folder / "arrived.bin"
        path.write_bytes(self.content)
        size = len(self.content)
        return [
            {"progress": size // 2, "total": size},
            {
                "ok": True,
                "path": str(path),
                "size_bytes": size,
                "sha256": hashlib.sha256(self.content).hexdigest(),
            },
        ]
