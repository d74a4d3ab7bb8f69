"""Several links at once: one card, every file, and one report of what did not come."""

import asyncio
import io
from typing import Any

from aiohttp import web

from sandbox.people import Person
from tests.engine.conftest import Scene
from tests.engine.test_conversations import MIB, Site
from tests.engine.test_kill import engine, nursery, until_it_listens


async def sent_files(user: Person, count: int) -> dict[str, tuple[int, str]]:
    """So many files of the bot, in any order: their sizes and digests by their names."""
    messages = [await user.expect_file() for _ in range(count)]
    return {message.file.name: await user.save(message) for message in messages}


async def history(user: Person) -> list[Any]:
    """Everything in the chat, the newest first."""
    return list(await user.client.get_messages(user.bot, limit=100))


async def give(user: Person, name: str, content: bytes) -> None:
    """Send a file."""
    file = io.BytesIO(content)
    file.name = name
    await user.client.send_file(user.bot, file, force_document=True)


async def until_idle(user: Person) -> None:
    """Everything that the bot had to say before is said."""
    await user.send("/start")
    await user.expect("courier")


async def expected_files(scene: Scene, names: dict[str, int]) -> dict[str, tuple[int, str]]:
    """What the site gives under these names and sizes."""
    return {name: (size, await scene.site.sha256_of(name, size)) for name, size in names.items()}


async def test_links_when_several_come_in_one_message_share_a_card(scene: Scene) -> None:
    """Three files arrive, one is sent twice and comes once; two that cannot are told in one report."""
    names = {"one.bin": 300_000, "two.bin": MIB, "three.bin": 5}
    async with scene.engine(), scene.person() as user:
        links = [scene.site.url(name, size) for name, size in names.items()]
        missing = scene.site.url("gone.bin", 1).replace("size=1", "size=none")
        await user.send("\n".join([*links, f"again {links[0]}", "http://10.0.0.7/router", missing]))
        card = await user.expect("of \u20685\u2069")
        assert await expected_files(scene, names) == await sent_files(user, 3)
        report = await user.expect("\u20682\u2069 of \u20685\u2069 did not come", timeout_s=20)
        assert "router" in report.raw_text
        assert "private network" in report.raw_text
        assert "no such file" in report.raw_text
        await until_idle(user)
        messages = await history(user)
    assert ["Done: \u2068\u20685\u2069 links\u2069. \u20683\u2069 of \u20685\u2069 are here"] == [
        each.raw_text.partition(", ")[0] for each in messages if each.id == card.id
    ]
    assert 1 == len([each for each in messages if "did not come" in each.raw_text])
    assert 3 == len([each for each in messages if each.document])


async def test_batch_when_its_failed_ones_are_tried_again_goes_on_under_the_report(scene: Scene) -> None:
    """Of three files two were not there: one press, and they come; the report has become the card."""
    found = asyncio.Event()

    async def serve(request: web.Request) -> web.Response:
        is_there = found.is_set() or request.path == "/a"
        return web.Response(body=b"here" * 5000) if is_there else web.Response(status=404)

    async with Site(serve) as url, scene.engine(), scene.person() as user:
        await user.send(" ".join(url.replace("file.bin", name) for name in "abc"))
        report = await user.expect("\u20682\u2069 of \u20683\u2069 did not come", timeout_s=20)
        assert 1 == report.raw_text.count("no such file")
        found.set()
        await user.press(report, "Try these again")
        assert 20_000 == (await user.expect_file()).file.size
        done = await user.expect("All \u20683\u2069 are here", timeout_s=20)
        assert report.id == done.id
        await until_idle(user)
        messages = await history(user)
    assert 3 == len([each for each in messages if each.document])


async def test_text_file_when_it_holds_links_is_a_batch(scene: Scene) -> None:
    """In UTF-16, as Windows writes it; what is more than the operator grants is left out and told."""
    names = {"a.bin": 1000, "b.bin": 2000}
    links = [scene.site.url(name, size) for name, size in names.items()] + [scene.site.url("c.bin", 3000)]
    content = ("\r\n".join(links) + "\r\n").encode("utf-16")
    async with scene.engine(batch_files=2), scene.person() as user:
        await give(user, "فهرست.txt", content)
        card = await user.expect("فهرست")
        assert "One more link is left out" in card.raw_text
        assert await expected_files(scene, names) == await sent_files(user, 2)
        await user.expect("All \u20682\u2069 are here", timeout_s=20)
        await give(user, "x.txt", b"\x00\xff nothing \x00")
        await user.expect("write a new name")


async def test_text_files_when_they_come_too_fast_are_not_even_fetched(scene: Scene) -> None:
    """Nothing is asked of Telegram, or read, for a file that is refused; its person is told once."""
    async with scene.engine(links_per_minute=1), scene.person() as user:
        for number in range(4):
            await give(user, f"{number}.txt", b"https://a.invalid/1\n" + b" " * 250_000)
        await user.expect("faster than I can take links")
        fetched = scene.world.stats.calls["upload.getFile"]
        await give(user, "4.txt", b"https://a.invalid/1 ")
        await user.send("/help")
        await user.expect("Send me a link")
        assert fetched == scene.world.stats.calls["upload.getFile"] <= 2


async def test_link_when_a_channel_signed_it_comes_alone(scene: Scene) -> None:
    """The channel's own link is not meant: one link, one file, no card."""
    async with scene.engine(), scene.person() as user:
        await user.send(f"A film\n{scene.site.url('a.bin', 1000)}\n\nhttps://t.me/films_one")
        assert 1000 == (await user.expect_file()).file.size
        await user.expect("Done: ")


async def test_batch_when_its_engine_is_killed_goes_on_with_what_is_missing(scene: Scene) -> None:
    """`kill -9` with one of four files in the chat: the others come, each once, under the same card."""
    names = {f"{number}.bin": size for number, size in enumerate((1000, 4 * MIB, 5 * MIB, 6 * MIB))}
    async with scene.person() as user, nursery() as parent:
        async with engine(parent, scene):
            await until_it_listens(scene)
            await user.send("\n".join(scene.site.url(name, size) for name, size in names.items()))
            card = await user.expect("of \u20684\u2069")
            scene.world.latency_s = 0.2
            assert "0.bin" == (await user.expect_file()).file.name
        scene.world.latency_s = 0.0
        async with engine(parent, scene):
            ended = await user.expect("All \u20684\u2069 are here", timeout_s=60)
        files = [each for each in await history(user) if each.document]
        brought = {each.file.name: await user.save(each) for each in files}
    assert card.id == ended.id
    assert len(names) == len(files)
    assert await expected_files(scene, names) == brought


async def test_batch_when_all_is_cancelled_brings_nothing_more_and_reports_nothing(scene: Scene) -> None:
    """One press: what runs stops at its source, what waits never starts, and the card says so."""
    opened, closed = set[str](), asyncio.Event()
    both = asyncio.Event()

    async def serve(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(500 * MIB)})
        await response.prepare(request)
        opened.add(request.query_string)
        if len(opened) == 2:
            both.set()
        try:
            while True:
                await response.write(bytes(65_536))
                await asyncio.sleep(0.02)
        finally:
            closed.set()

    async with Site(serve) as url, scene.engine(batch_files=4), scene.person() as user:
        await user.send(f"{url} {url}?2 {url}?3 {scene.site.url('late.bin', 1000)}")
        card = await user.expect("of \u20684\u2069")
        async with asyncio.timeout(20):
            await both.wait()
        await user.send(f"{url}?5 {url}?6 {url}?7")
        second = await user.expect("with those of yours that wait")
        await user.press(second, "Cancel all")
        await user.expect("Cancelled: ", timeout_s=20)
        await user.press(card, "Cancel all")
        cancelled = await user.expect("Cancelled: ", timeout_s=20)
        assert card.id == cancelled.id
        async with asyncio.timeout(10):
            await closed.wait()
        await until_idle(user)
        said = [each.raw_text for each in await history(user)]
    assert 0 == scene.world.stats.calls["messages.sendMedia"]
    assert not [text for text in said if "did not come" in text]


async def test_batch_when_sponsors_are_owed_waits_and_goes_on_by_itself(scene: Scene) -> None:
    """The card of the sponsors becomes the card of the batch, in Persian from right to left."""
    account = scene.world.add_user("سارا", phone="989120000003", lang_code="fa")
    names = {"فیلم ۱.mp4": 1000, "b.bin": 2000}
    async with (
        scene.engine(files_per_day=2),
        scene.person(scene.admin) as admin,
        scene.person(account) as user,
    ):
        await admin.send("/lock add @sponsor_one")
        await admin.expect("Added")
        links = [scene.site.url(name, size) for name, size in names.items()]
        await user.send("\n".join([*links, scene.site.url("third.bin", 3000)]))
        card = await user.expect("کانال")
        assert 0 == scene.world.stats.part_bytes
        await user.press(card, 0)
        assert await expected_files(scene, names) == await sent_files(user, 2)
        done = await user.expect("تمام شد", timeout_s=20)
        assert card.id == done.id
        assert "سهم روزانه" in done.raw_text
        lines = [line for line in done.raw_text.splitlines() if "✓" in line]
        assert ["\u200f✓"] * 2 == [line[:2] for line in lines]
