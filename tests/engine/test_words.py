"""The words around a delivered file: its name and its caption, whatever a site says."""

import asyncio
import random
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from telethon.tl.types import MessageEntityCode

from tests.engine.conftest import Scene
from tests.naughty import naughty_strings
from tests.sources.conftest import films as films
from tests.sources.films import PAGE, web
from tests.sources.sites import Asked, Site, head, reply, site
from uploader.names import safe_name

#: Messages to one chat take a second each, so it is a few.
NAMES = 4


def name_of(message: Any) -> str:
    """The name that the chat shows."""
    return str(message.file.name)


async def test_names_in_the_chat_when_they_are_naughty_are_those_of_the_rule(scene: Scene) -> None:
    """Some of the corpus, as sites say them; what arrives is the rule's result, to the letter."""
    corpus = [raw for raw in naughty_strings() if raw.isprintable() or "\u202e" in raw]
    raws = random.Random(7).sample([raw for raw in corpus if raw and len(raw) < 900], NAMES)

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        raw = raws[int(asked.path.strip("/").removesuffix(".zip"))]
        named = f"attachment; filename*=UTF-8''{quote(raw, safe='', errors='surrogatepass')}"
        writer.write(head(200, f"Content-Disposition: {named}", "Content-Length: 5") + b"bytes")

    async with site(answer) as there, scene.engine(), scene.person() as user:
        for number, raw in enumerate(raws):
            await user.send(there.url(f"/{number}.zip"))
            expected = safe_name(raw, fallback="file", mime_type=None)
            assert expected == name_of(await user.expect_file())


def page_titled(title: str) -> Any:
    """The page of a film under a hostile title."""
    body = PAGE.replace("The Tone: a Film", title).encode()
    return reply(200, "Content-Type: text/html; charset=utf-8", body=body)


async def caption_of(user: Any, there: Site, path: str) -> tuple[str, list[tuple[str, str]]]:
    """The text under the file that comes, and its entities with what they cover."""
    await user.send(there.url(path))
    message = await user.expect_file()
    entities = [(type(entity).__name__, text) for entity, text in message.get_entities_text()]
    return message.message, entities


async def test_caption_in_the_chat_when_a_title_is_hostile_is_plain_text(scene: Scene, films: Path) -> None:
    """No markup, no link, no mention comes out of a page's title; the bold part is the title, whole."""
    title = "**x** [y](tg://user?id=7) @spam t.me/join &lt;b&gt; {size}"
    async with web(films, {"page_html": page_titled(title)}) as there, scene.engine(), scene.person() as user:
        text, entities = await caption_of(user, there, "/page.html")
    first, second = text.split("\n")
    assert "**x** [y](tg://user?id=7) @spam t.me/join <b> {size}" == first.replace("\u2060", "")
    assert second.startswith("0:03 · ")
    assert [("MessageEntityBold", first)] == entities
    assert not any(link in text for link in ("://u", "@s", "t.m", "/j"))


@pytest.mark.parametrize(
    ("template", "expected"), [("{title:italic}\\n{name:code} {host}", 2), ("Brought by us", 0), ("", 0)]
)
async def test_caption_in_the_chat_when_the_operator_has_a_template_is_that(
    template: str, expected: int, scene: Scene, films: Path
) -> None:
    """For him who sent the link first, and for who gets the file by reference."""
    async with web(films) as there, scene.engine(caption=template), scene.person() as user:
        first = await caption_of(user, there, "/page.html")
        await user.expect("Done")
        async with scene.person(scene.admin) as other:
            second = await caption_of(other, there, "/page.html")
    assert first == second
    assert expected == len(first[1])
    assert bool(template) == bool(first[0])


async def test_messages_when_names_are_hostile_hold_no_links(scene: Scene) -> None:
    """In a status message, a card, its report and what admins read: names are code, nothing else is found."""

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        if "gone" in asked.path:
            writer.write(head(404, "Content-Length: 0"))
            return
        named = "attachment; filename*=UTF-8''%40durov%20t.me%20%23tag.zip"
        writer.write(head(200, f"Content-Disposition: {named}", "Content-Length: 5") + b"bytes")

    heard = []
    async with (
        site(answer) as there,
        scene.engine(),
        scene.person() as user,
        scene.person(scene.admin) as admin,
    ):
        await user.send(there.url("/a"))
        heard.append(await user.expect("Done"))
        await user.send(f"{there.url('/b')}\n{there.url('/gone/@durov.mp4')}")
        heard.append(await user.expect(re.compile("Done.*are here", re.DOTALL)))
        heard.append(await user.expect("did not come"))
        await admin.send("/failed")
        heard.append(await admin.expect("no such file"))
    kinds = [{type(each) for each in message.entities or ()} for message in heard]
    assert kinds == [{MessageEntityCode}] * 4
    assert ["@durov t.me #tag.zip"] == [text for _, text in heard[0].get_entities_text()]
