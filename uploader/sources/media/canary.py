"""Whether a version of yt-dlp does its work: it looks at links in the same cell as for people."""

from collections.abc import Sequence
from contextlib import suppress
from ipaddress import IPv4Network
from pathlib import Path
from typing import Final

from aiohttp import web

from uploader.errors import NotALink, SourceError
from uploader.links import parse
from uploader.names import one_line
from uploader.sources import Sources
from uploader.sources.media.versions import Trial
from uploader.wishes import ChoiceNeeded

_PAGE: Final = "<html><title>Canary</title><body><video src='/film.mp4'></video></body></html>"
_LOOPBACK: Final = (IPv4Network("127.0.0.0/8"),)


async def trouble(folder: Path, links: Sequence[str], work_dir: Path) -> str:
    """Why the yt-dlp in `folder` finds no film behind one of `links`; "": it finds all.

    Without links a page of our own on loopback tells whether it starts, takes our options and finds a film.
    """
    if links:
        return await _look(folder, links, work_dir, ())
    app = web.Application()
    app.router.add_get("/page.html", _page)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        return await _look(folder, [f"http://{host}:{port}/page.html"], work_dir, _LOOPBACK)
    finally:
        await runner.cleanup()


async def runtimes(folder: Path | None, work_dir: Path) -> list[str]:
    """What runs the JavaScript of sites for the yt-dlp in `folder` (see `Sources.runtimes`)."""
    async with Sources((), "Peyk", work_dir=work_dir, versions=Trial(folder)) as sources:
        return await sources.runtimes()


async def found_behind(text: str, folder: Path | None, work_dir: Path) -> tuple[str, bool]:
    """What the yt-dlp in `folder` finds behind a link, in words for an operator, and whether it is anything.

    Its warnings go to the log.
    """
    async with Sources((), "Peyk", work_dir=work_dir, versions=Trial(folder)) as sources:
        try:
            film = await sources.look(parse(text, fragment=True))
        except ChoiceNeeded as needed:
            return (
                f"a list: {one_line(needed.offer.title)}, {len(needed.offer.entries)} entries looked at",
                True,
            )
        except (SourceError, NotALink) as error:
            return str(error), False
    heights = sorted({int(each.height) for each in film.formats if each.height}, reverse=True)
    shown = ", ".join(f"{height}p" for height in heights) or "no pictures"
    return f"{one_line(film.title or '(no title)')}: {len(film.formats)} formats ({shown})", True


async def _look(folder: Path, links: Sequence[str], work_dir: Path, networks: tuple[IPv4Network, ...]) -> str:
    async with Sources(networks, "Peyk", work_dir=work_dir, versions=Trial(folder)) as sources:
        for link in links:
            try:
                with suppress(ChoiceNeeded):  # a list, whose entries it found
                    await sources.look(parse(link, fragment=True))
            except (SourceError, NotALink) as error:
                return str(error)
    return ""


async def _page(request: web.Request) -> web.Response:
    return web.Response(text=_PAGE, content_type="text/html")
