"""The same link from many people: fetched once, uploaded once, delivered to all."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256

from aiohttp import web

from sandbox import Account
from sandbox.site import Keystream
from sandbox.world.files import Document
from sandbox.world.letters import Draft, Letter
from sandbox.world.uploads import Keep
from tests.engine.conftest import Scene
from tests.engine.test_conversations import Site
from uploader.sources.sniffing import HEAD_BYTES

MIB = 1024 * 1024
PART_BYTES = MIB // 2
PEOPLE = 50


@dataclass
class CountingSite:
    """A site with one file; counts the bytes that it serves."""

    size_bytes: int = 8 * MIB
    etag: str = '"one"'
    cache_control: str = "public"
    served_bytes: int = 0
    content: Keystream = field(default_factory=lambda: Keystream("film", 1))

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Give the range that is asked for."""
        wanted = request.http_range
        start, stop = wanted.start or 0, min(wanted.stop or self.size_bytes, self.size_bytes)
        response = web.StreamResponse(status=206)
        response.content_length = stop - start
        response.headers["ETag"] = self.etag
        response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{self.size_bytes}"
        response.headers["Cache-Control"] = self.cache_control
        await response.prepare(request)
        for at in range(start, stop, PART_BYTES):
            piece = self.content.read(at, min(PART_BYTES, stop - at))
            self.served_bytes += len(piece)
            await response.write(piece)
        return response

    def digest(self) -> str:
        """What the data centre remembers of the file if all of its parts are right."""
        parts = (sha256(self.content.read(at, PART_BYTES)) for at in range(0, self.size_bytes, PART_BYTES))
        return sha256(b"".join(part.digest() for part in parts)).hexdigest()


def write(scene: Scene, sender: Account, text: str) -> None:
    """Somebody writes to the bot."""
    scene.world.post_office.send(sender, scene.bot, Draft(text))


def files_of(person: Account) -> list[Letter]:
    """The messages with a file in a person's chat."""
    return [letter for letter in person.box.letters.values() if letter.draft.media is not None]


async def until(done: Callable[[], bool], timeout_s: float = 60.0) -> None:
    """Wait for what the data centre's books say."""
    async with asyncio.timeout(timeout_s):
        while not done():  # noqa: ASYNC110 - counters of the data centre
            await asyncio.sleep(0.02)


async def test_link_when_fifty_people_send_it_at_once_is_fetched_and_uploaded_once(scene: Scene) -> None:
    """The site serves the bytes once, the data centre takes them once, and everybody has the file."""
    site = CountingSite(size_bytes=200 * MIB)
    scene.world.uploads.keep = Keep.DIGESTS
    crowd = [scene.world.add_user(f"Person {number}") for number in range(PEOPLE)]
    async with Site(site.serve) as url, scene.engine():
        for number, person in enumerate(crowd):
            write(scene, person, f"{url}?utm_source={number}" if number % 2 else url)
        await until(lambda: all(files_of(person) for person in crowd))
        await until(lambda: all("Done" in str(letters_of(person)) for person in crowd))
        assert [1] * PEOPLE == [len(files_of(person)) for person in crowd]
        assert site.size_bytes + HEAD_BYTES == site.served_bytes  # its head asks what there is
        assert site.size_bytes == scene.world.stats.part_bytes
        files = [
            letter.draft.media.file for person in crowd for letter in files_of(person) if letter.draft.media
        ]
        held = {
            (file.id, file.blob.size_bytes, file.blob.digest) for file in files if isinstance(file, Document)
        }
        assert [(site.size_bytes, site.digest())] == [(size, digest) for _, size, digest in held]


def letters_of(person: Account) -> list[str]:
    """All texts in a person's chat."""
    return [letter.draft.text for letter in person.box.letters.values()]


async def test_link_when_references_have_expired_is_given_by_a_new_one(scene: Scene) -> None:
    """The message in which the file was first knows a new reference: nothing is uploaded again."""
    site = CountingSite()
    first, second = (scene.world.add_user(name) for name in ("Ada", "Bob"))
    async with Site(site.serve) as url, scene.engine():
        write(scene, first, url)
        await until(lambda: bool(files_of(first)))
        scene.world.expire_references()
        write(scene, second, url)
        await until(lambda: bool(files_of(second)))
        assert 1 == scene.world.stats.calls["messages.getMessages"]
        assert site.size_bytes == scene.world.stats.part_bytes


async def test_link_when_the_first_message_is_gone_is_fetched_again(scene: Scene) -> None:
    """A file that cannot be had by reference any more is dropped, and its link carried as if it were new."""
    site = CountingSite()
    first, second = (scene.world.add_user(name) for name in ("Ada", "Bob"))
    async with Site(site.serve) as url, scene.engine():
        write(scene, first, url)
        await until(lambda: bool(files_of(first)))
        (letter,) = files_of(first)
        scene.world.expire_references()
        scene.world.post_office.delete([letter], scene.bot.id, for_all=True)
        write(scene, second, url)
        await until(lambda: bool(files_of(second)))
        assert 2 * site.size_bytes == scene.world.stats.part_bytes


async def test_link_when_the_site_keeps_it_private_is_fetched_for_each(scene: Scene) -> None:
    """What a site asks not to share is not shared, however many send the link at once."""
    site = CountingSite(size_bytes=MIB, cache_control="max-age=0, Private")
    crowd = [scene.world.add_user(f"Person {number}") for number in range(3)]
    async with Site(site.serve) as url, scene.engine():
        for person in crowd:
            write(scene, person, url)
        await until(lambda: all(files_of(person) for person in crowd))
        assert 3 * MIB == scene.world.stats.part_bytes
