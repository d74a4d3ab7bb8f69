"""What must not be reached: ports that count who comes."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

from tests.sources.sites import Site, reply, site

CONTENT = b"what must not get out" * 100


@dataclass(frozen=True)
class Trap:
    """A port on every address of this machine that must not be reached."""

    sites: tuple[Site, ...]

    @property
    def port(self) -> int:
        return self.sites[0].port

    @property
    def connections(self) -> int:
        return sum(listening.connections for listening in self.sites)


@asynccontextmanager
async def trap() -> AsyncIterator[Trap]:
    """A trap, set."""
    answer = reply(200, body=CONTENT)
    async with AsyncExitStack() as stack:
        sites = [await stack.enter_async_context(site(answer, "0.0.0.0"))]
        with suppress(OSError):  # a machine without IPv6 has one way less to be reached
            sites.append(await stack.enter_async_context(site(answer, "::1", sites[0].port)))
        yield Trap(tuple(sites))
