"""Strangers' words in our texts: Telegram makes no link, mention or tag of them, in any text or language."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon.tl import types

from sandbox.rpc.linking import linked
from tests.test_texts import entries
from uploader.quoting import MOST_ENTITIES, TEXT_UNITS, Said, bare, quoted, spoken, units
from uploader.telegram.media import as_entities
from uploader.texts import LANGUAGES, Texts

HOSTILE = (
    "evil.com",
    "README.md and backup.sh",
    "@durov.mp4",
    "#tag",
    "join t.me/spam now",
    "/start",
    "$USD",
    "a@evil.com",
    "tg://user?id=7",
    "4111 1111 1111 1111",
    "👩‍👩‍👧 evil.com",
    "\u202eevil.com",
    "a\ufdd1 evil.com \ufdd0",
)


def found_in(text: str) -> list[tuple[type[Any], str]]:
    """What the server makes of a text as it is sent: kinds, each with what it covers."""
    said = spoken(text)
    raw = said.text.encode("utf-16-le")
    return [
        (type(each), raw[2 * each.offset : 2 * (each.offset + each.length)].decode("utf-16-le"))
        for each in linked(said.text, as_entities(said) or ())
        if not isinstance(each, types.MessageEntityCode)
    ]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_parser_when_words_are_hostile_and_not_quoted_makes_something_of_them(hostile: str) -> None:
    """What the next test looks for is found when it is there."""
    assert found_in(bare(hostile))


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_when_words_are_hostile_say_them_without_links(language: str, hostile: str) -> None:
    """Whatever variable of whatever text holds them: only what is Said by us is not quoted.

    openclaw/openclaw#8649: names of files such as README.md were shown as domains of Moldova.
    """
    texts = Texts("en")
    for key, arguments in entries(language).items():
        numbers = {f"{name}-text": Said("5") for name in arguments}  # of what is an int
        plain, said = (
            found_in(texts.get(language, key, **numbers, **dict.fromkeys(arguments, words)))
            for words in ("x", hostile)
        )
        assert plain == said, key


def test_texts_when_put_into_texts_keep_what_is_quoted_and_quote_nothing_of_ours() -> None:
    """A reason within a failure is ours; the name within it is not."""
    texts = Texts("en")
    inner = texts.get("en", "manifest-volume", name="evil.com", size=texts.size("en", 5))
    outer = texts.get("en", "failed", reason=inner)
    said = spoken("\n".join(["👍", outer]))
    raw = said.text.encode("utf-16-le")
    covered = [raw[2 * e.offset : 2 * (e.offset + e.length)].decode("utf-16-le") for e in said.entities]
    assert covered == ["evil.com"]
    assert found_in(outer) == []


@given(st.lists(st.tuples(st.text(), st.text())))
def test_spoken_when_words_are_quoted_anywhere_covers_just_them(pieces: list[tuple[str, str]]) -> None:
    """Places are counted as Telegram counts, whatever stands before; no mark is left."""
    text = "".join(bare(ours) + quoted(theirs) for ours, theirs in pieces)
    said = spoken(text)
    raw = said.text.encode("utf-16-le", "surrogatepass")
    covered = [
        raw[2 * e.offset : 2 * (e.offset + e.length)].decode("utf-16-le", "surrogatepass")
        for e in said.entities
    ]
    assert units(said.text) <= TEXT_UNITS
    assert bare(said.text) == said.text
    expected = [bare(theirs) for _, theirs in pieces if bare(theirs).strip()]
    assert covered == expected[: len(covered)]
    if units(bare(text)) <= TEXT_UNITS and len(expected) <= MOST_ENTITIES:
        assert (said.text, covered) == (bare(text), expected)


def test_spoken_when_there_are_more_names_than_telegram_shows_ends_before_the_next() -> None:
    """An entity that is not shown would let the last names become links."""
    said = spoken("\n".join(quoted(f"{number}.com") for number in range(3 * MOST_ENTITIES)))
    assert len(said.entities) == MOST_ENTITIES
    assert found_in("\n".join(quoted(f"{number}.com") for number in range(3 * MOST_ENTITIES))) == []
