"""Plain formats of films: the direct source's reads, with what the extractor wants to be said."""

import asyncio
import random

import pytest

from tests.sources.crowds import Crowd
from tests.sources.sites import HASTY, LOOPBACK, Asked, collected, reply, site
from uploader.limits import MIB
from uploader.sources import Hosts
from uploader.sources.exchange import Exchange, Wishes
from uploader.sources.guard import Guard
from uploader.sources.lanes import Lanes
from uploader.sources.media.messages import Format
from uploader.sources.media.stream import streamed
from uploader.supervision import Helpers

CONTENT = random.Random(13).randbytes(24 * MIB)
BARE = dict.fromkeys(Format.model_fields) | {
    "id": "1",
    "protocol": "http",
    "ext": "mp4",
    "has_drm": False,
    "headers": {},
}


class Expiring(Crowd):
    """An address is good for some requests, and for none without the cookie."""

    good = "/1"
    left = 8

    async def __call__(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        is_good = asked.path == self.good and self.left > 0 and asked.headers.get("cookie") == "sid=1"
        self.left -= 1
        await (super().__call__ if is_good else reply(403))(asked, writer)

    def renew(self) -> None:
        """Give out another address."""
        self.good, self.left = f"/{int(self.good[1:]) + 1}", 8


@pytest.mark.parametrize("chunk_bytes", [None, 10 * MIB])
async def test_read_over_several_connections_goes_on_at_a_new_address_when_theirs_expires(
    chunk_bytes: int | None,
) -> None:
    """All connections are refused at once: the film is looked up again, and not a byte comes twice."""
    crowd, hosts, renewals = Expiring(CONTENT), Hosts(pause_s=0.01), 0
    async with site(crowd, keeps=True) as served, Helpers() as helpers:
        hosts.remember(f"{served.host}:{served.port}", 4)
        guard = Guard(LOOPBACK)
        connector = guard.connector()

        def connect(wishes: Wishes) -> Exchange:
            return Exchange(guard, connector, "x", HASTY, Lanes(hosts, 1.0), helpers, wishes)

        def given() -> Format:
            url = served.url(crowd.good)
            return Format.model_validate(BARE | {"url": url, "cookie": "sid=1", "chunk_bytes": chunk_bytes})

        async def renew() -> Format:
            nonlocal renewals
            renewals += 1
            crowd.renew()
            return given()

        async with streamed(given(), connect, renew) as remote:
            assert CONTENT == await collected(remote)
        await connector.close()
    assert 1 <= renewals <= 3
    assert 4 == crowd.peak
    assert 4 == hosts.lanes(f"{served.host}:{served.port}")
