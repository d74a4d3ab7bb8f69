"""What people say to the bot, and what they get: over real MTProto, in both languages."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from telethon.tl.types import MessageEntityTextUrl

from sandbox import Fault
from sandbox.people import Person
from tests.engine.conftest import Scene
from uploader.limits import VOLUMES

MIB = 1024 * 1024


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


async def test_link_when_sponsors_are_owed_waits_and_goes_on_by_itself(scene: Scene) -> None:
    """The whole way: lock, card, join, file, counts."""
    async with scene.engine(), scene.person(scene.admin) as admin, scene.person() as user:
        await admin.send("/lock add @sponsor_one")
        await admin.expect("Added")
        await user.send("/start")
        assert "Sara" in (await user.expect()).raw_text
        await user.send(scene.site.url("film.mp4", 3 * MIB + 17))
        card = await user.expect("Our sponsors")
        not_yet = await user.press(card, "I have joined")
        assert not_yet.alert
        assert "Sponsor One" in (not_yet.text or "")
        await user.press(card, 0)
        message = await user.expect_file()
        assert (3 * MIB + 17, await scene.site.sha256_of("film.mp4", 3 * MIB + 17)) == await user.save(
            message
        )
        assert "film.mp4" == message.file.name
        done = await user.expect("Done")
        assert card.id == done.id
        await admin.send("/lock")
        assert "1\u2069 asked, \u20681\u2069 joined" in (await admin.expect("asked")).raw_text


async def test_link_when_the_person_speaks_persian_is_answered_in_persian(scene: Scene) -> None:
    """The language is that of the person's Telegram."""
    account = scene.world.add_user("سارا", phone="989120000003", lang_code="fa")
    async with scene.engine(), scene.person(account) as user:
        await user.send("/start")
        assert "سلام" in (await user.expect()).raw_text
        await user.send("سلام")
        assert "لینکی نمی‌بینم" in (await user.expect()).raw_text
        await user.send(scene.site.url("فیلم ۱.mp4", MIB))
        message = await user.expect_file()
        assert (MIB, await scene.site.sha256_of("فیلم ۱.mp4", MIB)) == await user.save(message)
        assert "تمام شد" in (await user.expect("تمام شد")).raw_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("good morning", "I see no link"),
        ("/unheard_of", "do not know this command"),
        ("/start@another_bot", "do not know this command"),
        ("\u200f/HELP@Peyk_Bot\u200f", "Send me a link"),
        ("\u2067/can\u200ccel\u2069", "Nothing of yours"),
        ("/caption words", "No file of yours waits"),
        ("/get ftp://files.example/a.zip", "only links that start with http"),
        ("ftp://files.example/a.zip", "only links that start with http"),
        ("http://user:secret@files.example/a", "not a complete link"),
        ("http://10.0.0.7/router", "private network"),
        ("http://[::ffff:169.254.169.254]/latest/meta-data", "private network"),
        ("http://127.0.0.2:8080/x", "private network"),
        ("/cancel", "Nothing of yours"),
        ("/maintenance on", "do not know this command"),
        ("/help", "Send me a link"),
    ],
)
async def test_message_when_it_is_no_usable_link_is_answered_with_what_to_do(
    scene: Scene, text: str, expected: str
) -> None:
    """Nothing is queued for it, and admins' commands are nobody else's."""
    async with scene.engine(), scene.person() as user:
        await user.send(text)
        assert expected in (await user.expect()).raw_text


async def test_link_when_it_hides_behind_a_word_is_found(scene: Scene) -> None:
    """Forwarded posts say "here" and mean an address."""
    async with scene.engine(), scene.person() as user:
        url = scene.site.url("hidden.bin", MIB)
        await user.client.send_message(
            user.bot, "the film is here", formatting_entities=[MessageEntityTextUrl(12, 4, url)]
        )
        assert "hidden.bin" == (await user.expect_file()).file.name


async def test_message_when_its_link_is_corrected_makes_the_one_job_of_it(scene: Scene) -> None:
    """Of what held no link, or one that led to nothing; but not of what was taken: that is on its way.

    lukefx/hubot-telegram#50: a bot that heard edits acted on each message twice.
    """
    good = [scene.site.url(f"{number}.bin", 1000 + number) for number in range(4)]
    async with SlowSite() as (slow, _), scene.engine(), scene.person() as user:
        for wrong, told in (
            ("no link yet", "I see no link"),
            ("ftp://files.example/a.zip", "only links that start with http"),
            (scene.site.url("x", 1).replace("size=1", "size=none"), "no such file"),
        ):
            link = good.pop()
            message = await user.send(wrong)
            await user.expect(told)
            await message.edit(link, link_preview=False)
            assert link.rpartition("/")[2].startswith((await user.expect_file()).file.name)
            await user.expect("Done")
            await message.edit(good[0], link_preview=False)  # too late: this message had its file
        message = await user.send(slow)
        await user.expect("Accepted")
        await message.edit(good[0], link_preview=False)
        await user.send("/cancel")
        await user.expect("Cancelled one job")
        history = await user.client.get_messages(user.bot, limit=100)
    assert 3 == len([each for each in history if each.document])


async def test_message_when_its_link_is_corrected_into_several_is_a_batch_or_too_late(scene: Scene) -> None:
    """What made no job may become several; an edit to words alone, or a reaction, is nothing to answer."""
    links = [scene.site.url(f"{number}.bin", 1000) for number in range(2)]
    async with scene.engine(), scene.person() as user:
        message = await user.send("the links follow")
        await user.expect("I see no link")
        await message.edit("the links follow soon")
        await message.edit("\n".join(links), link_preview=False)
        await user.expect("All \u20682\u2069 are here")
        history = await user.client.get_messages(user.bot, limit=100)
    assert 2 == len([each for each in history if each.document])
    assert 1 == len([each for each in history if "I see no link" in each.raw_text])


async def test_message_when_its_job_was_cancelled_and_its_link_is_corrected_brings_the_other(
    scene: Scene,
) -> None:
    """Who sees the mistake first cancels; other words around the same link bring nothing back."""
    good = scene.site.url("good.bin", 1001)
    async with SlowSite() as (slow, _), scene.engine(), scene.person() as user:
        message = await user.send(slow)
        await user.press(await user.expect("Accepted"), "Cancel")
        await user.expect("Cancelled")
        await message.edit(f"the wrong one: {slow}", link_preview=False)
        await message.edit(f"the right one: {good}", link_preview=False)
        assert "good.bin" == (await user.expect_file()).file.name
        await user.expect("Done")
        await user.send("/cancel")
        await user.expect("Nothing of yours")


async def test_command_when_telegram_fails_is_answered_with_an_excuse(scene: Scene) -> None:
    """Nobody is left without an answer because a call broke."""
    error = (400, "INPUT_METHOD_INVALID")
    scene.world.faults.append(Fault(method="contacts.", user_id=scene.bot.id, error=error))
    async with scene.engine(), scene.person(scene.admin) as admin:
        await admin.send("/lock add @sponsor_one")
        await admin.expect("try again in a minute")


async def test_link_when_the_site_refuses_is_told_with_its_cause(scene: Scene) -> None:
    """A dead link, an empty file and one too large for volumes each have a text of their own."""
    async with scene.engine(), scene.person() as user:
        for link, expected in (
            (scene.site.url("x", 1).replace("size=1", "size=none"), "no such file"),
            (scene.site.url("empty.bin", 0), "0 bytes"),
            (scene.site.url("huge.bin", VOLUMES * 2_097_152_000 + 1), "too large"),
        ):
            await user.send(link)
            assert expected in (await user.expect("This did not work")).raw_text
    assert 0 == scene.world.stats.part_bytes


async def test_job_when_it_failed_is_listed_for_admins_and_tried_again_by_its_button(scene: Scene) -> None:
    """The file that was not there is there now: one press, and it comes, in the same message."""
    found = asyncio.Event()

    async def serve(_request: web.Request) -> web.Response:
        return web.Response(body=b"here" * 5000) if found.is_set() else web.Response(status=404)

    async with Site(serve) as url, scene.engine(), scene.person() as user, scene.person(scene.admin) as admin:
        await admin.send("/failed")
        await admin.expect("Nothing failed")
        await user.send(url)
        told = await user.expect("no such file")
        await admin.send("/failed")
        assert "127.0.0.1" in (await admin.expect("no such file")).raw_text
        found.set()
        await user.press(told, "Try again")
        assert 20_000 == (await user.expect_file()).file.size
        assert told.id == (await user.expect("Done")).id
        await admin.send("/failed")
        await admin.expect("Nothing failed")


async def test_link_when_the_site_is_away_is_tried_again_and_can_be_cancelled(scene: Scene) -> None:
    """A temporary failure is told with the wait; the person may give up first."""
    async with scene.engine(), scene.person() as user:
        await user.send(f"http://127.0.0.1:{free_port()}/nobody-listens")
        retrying = await user.expect("I try again in", timeout_s=20)
        await user.press(retrying, "Cancel")
        assert (await user.expect("Cancelled")).id == retrying.id


async def test_maintenance_when_on_refuses_links_and_lets_accepted_files_go_on(scene: Scene) -> None:
    """The switch in chat, by an admin."""
    async with scene.engine(), scene.person(scene.admin) as admin, scene.person() as user:
        scene.world.latency_s = 0.2
        await user.send(scene.site.url("accepted.bin", 30 * MIB))
        await user.expect("Accepted")
        await admin.send("/maintenance on")
        await admin.expect("Maintenance is on")
        await user.send(scene.site.url("late.bin", MIB))
        await user.expect("take no new links")
        scene.world.latency_s = 0.0
        assert "accepted.bin" == (await user.expect_file()).file.name
        await admin.send("/maintenance off")
        await admin.expect("Maintenance is off")
        await user.send(scene.site.url("late.bin", MIB))
        assert "late.bin" == (await user.expect_file()).file.name


async def test_cancel_when_a_transfer_runs_stops_it_at_the_source_too(scene: Scene) -> None:
    """`/cancel` ends waiting and running jobs; nothing arrives afterwards."""
    async with SlowSite() as (url, closed), scene.engine(), scene.person() as user:
        await user.send(url)
        await user.expect("slow.bin", timeout_s=20)
        await user.send("/cancel")
        await user.expect("Cancelled one job")
        await user.expect("Cancelled.")
        async with asyncio.timeout(10):
            await closed.wait()
    assert 0 == scene.world.stats.calls["messages.sendMedia"]


class Site:
    """A site whose files are all answered by `serve`; gives the address of one."""

    def __init__(self, serve: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> None:
        self.app = web.Application()
        self.app.router.add_get("/{name}", serve)

    async def __aenter__(self) -> str:
        self.runner = web.AppRunner(self.app, shutdown_timeout=0.1)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self.runner.addresses[0][1]}/file.bin"

    async def __aexit__(self, *_: object) -> None:
        await self.runner.cleanup()


class SlowSite:
    """A site that sends a little for ever; `closed` is set when its reader goes away."""

    async def __aenter__(self) -> tuple[str, asyncio.Event]:
        self.closed = asyncio.Event()
        app = web.Application()
        app.router.add_get("/slow.bin", self._serve)
        self.runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self.runner.addresses[0][1]}/slow.bin", self.closed

    async def __aexit__(self, *_: object) -> None:
        await self.runner.cleanup()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(500 * MIB)})
        try:
            await response.prepare(request)
            while True:
                await response.write(bytes(MIB))
                await asyncio.sleep(0.1)
        finally:
            self.closed.set()


async def test_links_when_they_come_too_fast_are_refused_once_with_the_wait(scene: Scene) -> None:
    """One link more than the operator grants is not taken, and nothing is said about the next."""
    links = 4
    async with scene.engine(links_per_minute=links), scene.person() as user:
        for number in range(links + 2):
            await user.send(scene.site.url(f"{number}.bin", 1000))
        refused = await user.expect("faster than I can take links", timeout_s=30)
        assert "\u20684\u2069 a minute" in refused.raw_text
        for _ in range(links):
            await user.expect("Done", timeout_s=30)
        await user.send("/start")
        history = await user.client.get_messages(user.bot, limit=100)
    assert links == len([each for each in history if each.document])
    assert 1 == len([each for each in history if "faster than" in each.raw_text])


async def test_link_when_the_days_share_is_used_up_is_refused_until_it_is_not(scene: Scene) -> None:
    """What the operator grants for a day is counted from rows, so a restart does not forget it."""
    async with scene.person() as user:
        async with scene.engine(files_per_day=1):
            await user.send(scene.site.url("first.bin", 1000))
            await user.expect("Done")
        async with scene.engine(files_per_day=1):
            await user.send(scene.site.url("second.bin", 1000))
            assert "\u206824\u2069 h" in (await user.expect("in a day")).raw_text


async def test_two_people_when_they_send_links_at_once_are_both_served(scene: Scene) -> None:
    """Jobs run side by side; each file goes to its own person."""
    other = scene.world.add_user("Ali", phone="989120000004")
    async with scene.engine(), scene.person() as sara, scene.person(other) as ali:

        async def fetch(person: Person, name: str) -> None:
            await person.send(scene.site.url(name, 5 * MIB))
            message = await person.expect_file()
            assert name == message.file.name
            assert (5 * MIB, await scene.site.sha256_of(name, 5 * MIB)) == await person.save(message)

        async with asyncio.TaskGroup() as group:
            group.create_task(fetch(sara, "one.bin"))
            group.create_task(fetch(ali, "two.bin"))
