"""A list of films, such as a podcast's feed: its person says which, and these come as a batch."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from sandbox.people import Person
from tests.engine.conftest import Scene
from tests.engine.test_batches import history, until_idle
from tests.engine.test_choices import label, plain, press

ENTRIES = 12


@dataclass
class Feed:
    """A feed whose third entry points inside; what it was asked for, and whoever came inside."""

    url: str
    asked: list[str]
    trapped: list[str]


@asynccontextmanager
async def feed() -> AsyncIterator[Feed]:
    """The site of the feed on an address that may be asked, and a trap on one that may not."""
    asked, trapped = list[str](), list[str]()

    async def serve(request: web.Request) -> web.Response:
        asked.append(request.path)
        if request.path == "/feed.rss":
            return web.Response(
                text=_rss(f"http://{request.host}", inside), content_type="application/rss+xml"
            )
        return web.Response(body=request.path.encode() * 1000, content_type="application/octet-stream")

    async def trap(request: web.Request) -> web.Response:
        trapped.append(request.path)
        return web.Response(body=b"secret")

    async with _site(trap, "127.0.0.2") as inside, _site(serve, "127.0.0.1") as outside:
        yield Feed(url=f"{outside}/feed.rss", asked=asked, trapped=trapped)


@asynccontextmanager
async def _site(serve: Any, host: str) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/{name}", serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, host, 0).start()
    try:
        yield f"http://{host}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def _rss(site: str, inside: str) -> str:
    links = [f"{inside if number == 3 else site}/{number}.bin" for number in range(1, ENTRIES + 1)]
    items = "".join(
        f'<item><title>Part {number}</title><enclosure url="{link}" type="video/mp4"/></item>'
        for number, link in enumerate(links, 1)
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>My feed</title>{items}</channel></rss>'


async def names_of(user: Person) -> list[str]:
    """The files in the chat, by their names, in the order in which they came."""
    return [each.file.name for each in reversed(await history(user)) if each.document]


async def test_list_when_a_range_is_answered_brings_it_and_tells_once_what_failed(scene: Scene) -> None:
    """2-4 of twelve: two files come, the one that points inside is not asked for, and nothing else is."""
    async with feed() as site, scene.engine(), scene.person() as user:
        await user.send(site.url)
        card = await user.expect("My feed", timeout_s=60)
        assert "12 entries" in plain(card.raw_text)
        assert "10. Part 10" in plain(card.raw_text)
        assert "Part 11" not in plain(card.raw_text)
        await user.client.send_message(user.bot, "99", reply_to=card.id)
        await user.expect("I do not understand")
        await user.client.send_message(user.bot, "۲ تا ۴", reply_to=card.id)
        report = await user.expect("did not come", timeout_s=30)
        assert "1 of 3" in plain(report.raw_text) or "one of 3" in plain(report.raw_text)
        assert "Part 3" in plain(report.raw_text)
        assert "private network" in report.raw_text
        await until_idle(user)
        last = await user.client.get_messages(user.bot, ids=card.id)
        assert {"2.bin", "4.bin"} == set(await names_of(user))
        assert 1 == len([each for each in await history(user) if "did not come" in each.raw_text])
    assert "2 of 3 are here, 1 failed" in plain(last.raw_text)
    assert [] == site.trapped
    assert {"/feed.rss", "/2.bin", "/4.bin"} == set(site.asked)


async def test_list_when_buttons_are_pressed_brings_the_first_ones_up_to_the_bound(scene: Scene) -> None:
    """The format is kept on the card; of all twelve as many come as may, and nobody else can press."""
    async with feed() as site, scene.engine(batch_files=4), scene.person() as user:
        await user.send(site.url)
        card = await user.expect("My feed", timeout_s=60)
        await user.press(card, b"list:1:mp3")
        card = await user.expect("My feed")
        assert any("✓" in button.text and "mp3" in button.text for row in card.buttons for button in row)
        await user.press(card, b"list:1:best")
        card = await user.expect("My feed")
        assert (await press(scene, scene.admin, card.id, b"list:1:5")).alert
        await user.press(card, label(card, "All 12"))
        left = await user.expect("left out", timeout_s=20)
        assert card.id == left.id
        await user.expect("did not come", timeout_s=30)
        await until_idle(user)
        assert {"1.bin", "2.bin", "4.bin", "5.bin"} == set(await names_of(user))
        assert (await press(scene, scene.user, card.id, b"list:1:5")).alert


async def test_list_when_a_single_one_is_wanted_brings_it_as_its_own_link(scene: Scene) -> None:
    """No batch for one; the question becomes its status message."""
    async with feed() as site, scene.engine(), scene.person() as user:
        await user.send(site.url)
        card = await user.expect("My feed", timeout_s=60)
        await user.send("7")
        done = await user.expect("Done: ", timeout_s=30)
        assert card.id == done.id
        assert ["7.bin"] == await names_of(user)
