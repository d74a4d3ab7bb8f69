"""Sites that mind how many of their connections are used at once."""

import asyncio

from tests.sources.sites import KEPT, Answer, Asked, head

_SIP_BYTES = 65_521  # its multiples are no boundaries of anything
_SIP_S = 0.01


class Crowd:
    """An answer: a good server of `content` that gives each connection little, until `enough` are served.

    Whoever comes while `most` are served already gets `beyond`; then there is no use in more, and the site
    gives what it has.
    """

    def __init__(
        self,
        content: bytes,
        *,
        enough: int = 4,
        most: int = 100,
        beyond: Answer | None = None,
        etag: str = '"v1"',
    ) -> None:
        self.content = content
        self.etag = etag
        self.active = 0  # answers under way
        self.idle = asyncio.Event()  # none is
        self.peak = 0
        self._enough = enough
        self._most = most
        self._beyond = beyond
        self._generous = asyncio.Event()

    async def __call__(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        if self.active >= self._most and self._beyond is not None:
            self._generous.set()
            await self._beyond(asked, writer)
            return
        self.active += 1
        self.idle.clear()
        self.peak = max(self.peak, self.active)
        if self.active >= self._enough:
            self._generous.set()
        try:
            first, stop = span(asked, len(self.content))
            shown = f"Content-Range: bytes {first}-{stop - 1}/{len(self.content)}"
            length = f"Content-Length: {stop - first}"
            writer.write(head(206, shown, length, f"ETag: {self.etag}", KEPT))
            await self.serve(self.content, first, stop, writer)
        finally:
            self.active -= 1
            if not self.active:
                self.idle.set()

    async def serve(self, content: bytes, first: int, stop: int, writer: asyncio.StreamWriter) -> None:
        """The body of an answer."""
        for at in range(first, stop, _SIP_BYTES):
            writer.write(content[at : min(at + _SIP_BYTES, stop)])
            await writer.drain()
            if not self._generous.is_set():
                await asyncio.sleep(_SIP_S)


def span(asked: Asked, size_bytes: int) -> tuple[int, int]:
    """Which bytes a request wants, of so many."""
    first, _, last = asked.headers.get("range", "bytes=0-").removeprefix("bytes=").partition("-")
    return int(first), min(int(last) + 1, size_bytes) if last else size_bytes
