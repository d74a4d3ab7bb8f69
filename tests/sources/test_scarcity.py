"""The machine has no descriptor left: that is no fault of the site that was asked."""

import os
import resource
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.sources.sites import Names, ranged, site, sources
from uploader.errors import NotYet, Reason, SourceError
from uploader.limits import MIB
from uploader.links import parse
from uploader.sources.media.workshop import Workshop

pytestmark = pytest.mark.usefixtures("chosen_here")


@contextmanager
def starved() -> Iterator[None]:
    """This process can open nothing more within."""
    kept = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.open(os.devnull, os.O_RDONLY)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, kept[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, kept)


@pytest.mark.parametrize(
    "error",
    [
        socket.gaierror(socket.EAI_SYSTEM, "Too many open files"),
        socket.gaierror(socket.EAI_NONAME, "nodename nor servname provided, or not known"),
        socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"),
        None,
    ],
    ids=["system", "name", "resolver", "socket"],
)
async def test_open_when_no_descriptor_is_left_waits_and_blames_no_site(error: OSError | None) -> None:
    """What resolvers make of it says nothing of the name; nor is a site let rest that was never asked.

    The public report: aio-libs/aiohttp#3549, where names are "not known" with many requests at once.
    """
    async with site(ranged(b"content")) as served:
        addresses: dict[str, list[list[str]] | OSError] = {"far.example": error or [["127.0.0.1"]]}
        async with sources(resolver=Names(addresses)) as opener:
            link = parse(f"http://far.example:{served.port}/x")
            for _ in range(10):
                with starved(), pytest.raises(NotYet) as caught:
                    async with opener.open(link):
                        pass
                assert Reason.NO_ROOM is caught.value.reason
            assert [] == opener.resting()


async def test_reserve_when_the_disk_is_smaller_than_what_is_left_free_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No number below zero: the operator reads how much must be free."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=64 * MIB))
    async with Workshop(tmp_path) as workshop:
        with pytest.raises(SourceError, match="less than the 512 MiB") as caught:
            await workshop.reserve(MIB)
    assert "-" not in str(caught.value).removeprefix("no-room")
