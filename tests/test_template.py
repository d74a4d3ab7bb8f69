"""Captions from templates: what the operator wrote, with values that stay values."""

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uploader.captions import Captions
from uploader.links import parse
from uploader.model import Caption, Document, Entity, Job, JobState, KeptFile, MediaFacts, Uploaded
from uploader.template import CAPTION_UNITS, FIELDS, STYLES, Template, units
from uploader.texts import Texts

VALUES = {"name": "a.mp4", "size": "5 MiB", "title": "A Film", "duration": "1:02", "host": "example.com"}
#: What Telegram's servers make a link, a mention, a tag, a cashtag or a command of.
LINKED = re.compile(r"://\w|\w[.。．｡]\w|[@#$/]\w")


def in_units(text: str, entity: Entity) -> str:
    """What of `text` the entity covers, as Telegram counts; fails inside a surrogate pair."""
    raw = text.encode("utf-16-le")
    return raw[2 * entity.offset : 2 * (entity.offset + entity.length)].decode("utf-16-le")


@pytest.mark.parametrize(
    ("source", "changes", "expected"),
    [
        ("{title}", {}, "A Film"),
        ("", {}, ""),
        ("From us", {}, "From us"),
        ("{{{size}}}", {}, "{5 MiB}"),
        (r"{title}\n{size}", {}, "A Film\n5 MiB"),
        ("{title}\n{size}", {"title": None}, "5 MiB"),
        ("{title}\n{duration}, {size}\nby us", {"duration": ""}, "A Film\nby us"),
        ("  {title}  \n\n{size}\n", {}, "A Film  \n\n5 MiB"),
        ("{title}", {"title": "{size} {0} {title.__class__} %s"}, "{size} {0} {title.\u2060__class__} %s"),
        ("{title}", {"title": "**a** [b](tg://user?id=1)"}, "**a** [b](tg://\u2060user?id=1)"),
        ("{title}", {"title": "<a href='x'>y</a>"}, "<a href='x'>y</\u2060a>"),
        ("{title}", {"title": "@spam #ad t.me/x"}, "@\u2060spam #\u2060ad t.\u2060me/\u2060x"),
        ("{name:code}", {"name": "a.zip"}, "a.zip"),
    ],
)
def test_caption_when_filled_is_the_template_with_its_values(
    source: str, changes: dict[str, str | None], expected: str
) -> None:
    """Lines without a value go; values are no template, no markup and no links."""
    assert expected == Template(source).fill({**VALUES, **changes}).text


def test_caption_when_styled_marks_the_values_alone() -> None:
    """Places count as UTF-16 does: a smile is two."""
    caption = Template("😀 {title:bold} / {name:code}\n{host:italic}").fill({**VALUES, "title": "é😀"})
    assert [("bold", "é😀"), ("code", "a.mp4"), ("italic", "example.\u2060com")] == [
        (each.kind, in_units(caption.text, each)) for each in caption.entities
    ]


@pytest.mark.parametrize(
    ("source", "wrong"),
    [
        ("{titel}", "{titel}"),
        ("{}", "{}"),
        ("{0}", "{0}"),
        ("{title!r}", "{title}"),
        ("{title.x}", "{title.x}"),
        ("{title:red}", "{title:red}"),
        ("{title:{size}}", "{title:{size}}"),
        ("{title", "'}'"),
        ("title}", "'}'"),
    ],
)
def test_template_when_it_cannot_be_filled_says_what_is_wrong(source: str, wrong: str) -> None:
    """An operator learns it at the start, and which placeholder it is."""
    with pytest.raises(ValueError, match=re.escape(wrong)):
        Template(source)


ANY = st.text(max_size=400) | st.text(alphabet="aé😀e\u0301\u200d🇮🇷👍🏽@#./ \n", max_size=1500)
SOURCES = st.lists(
    st.sampled_from([f"{{{field}:{style}}}" for field in FIELDS for style in ("", *STYLES)])
    | st.sampled_from([" ", "\n", "x", "😀", "·"]),
    max_size=8,
).map("".join)


@settings(deadline=None, max_examples=300)
@given(SOURCES, st.dictionaries(st.sampled_from(FIELDS), ANY))
def test_caption_of_any_values_is_within_telegrams_rules(source: str, values: dict[str, str]) -> None:
    """Length, entities, characters; nothing of a value begins to link."""
    caption = Template(source).fill(values)
    text = caption.text
    assert units(text) <= CAPTION_UNITS
    assert text == text.strip()
    for entity in caption.entities:
        covered = in_units(text, entity)
        assert covered
        assert 0 <= entity.offset
        assert entity.offset + entity.length <= units(text)
    plain = text
    for entity in reversed(caption.entities):
        if entity.kind == "code":
            plain = plain.replace(in_units(text, entity), " ")
    assert LINKED.search(plain) is None


@pytest.mark.parametrize(
    "character",
    ["é", "e\u0301", "😀", "👍🏽", "🇮🇷", "👨\u200d👩\u200d👧", "z" + "\u0335" * 9, "ف\u0651\u064e"],
)
@pytest.mark.parametrize("before", range(12))
def test_caption_when_it_is_too_long_is_cut_between_characters(character: str, before: int) -> None:
    """What people see as one character stays or goes as a whole; the entity ends with the text."""
    caption = Template("{title:bold}").fill({"title": "a" * before + character * 1100})
    rest = caption.text.removeprefix("a" * before).removesuffix("…")
    assert CAPTION_UNITS - 2 * units(character) <= units(caption.text) <= CAPTION_UNITS
    assert character * (len(rest) // len(character)) == rest
    assert (Entity(kind="bold", offset=0, length=units(caption.text)),) == caption.entities


def job(language: str) -> Job:
    """A job of a person with that language."""
    link = parse("https://films.example/watch")
    return Job(
        id=1,
        user_id=1,
        chat_id=1,
        message_id=1,
        language=language,
        link=link,
        state=JobState.RUNNING,
        attempt=1,
        worker="w",
        lease_until=None,
        run_at=0,
        created_at=0,
        updated_at=0,
        status_message_id=None,
        random_id=None,
        name=None,
        size_bytes=None,
        checkpoint=None,
        reason=None,
        cancel_requested=False,
    )


def uploaded(facts: MediaFacts | None) -> Uploaded:
    """A file of 5 MiB."""
    return Uploaded(
        file_id=1,
        part_count=10,
        size_bytes=5 * 2**20,
        name="a.mp4",
        mime_type="video/mp4",
        md5_hex=None,
        facts=facts,
    )


@pytest.mark.parametrize(("language", "second"), [("en", "1:02:03 · 5 MiB"), ("fa", "۱:۰۲:۰۳ · ۵ مگابایت")])
def test_caption_of_a_film_when_none_is_set_is_in_the_language_of_the_person(
    language: str, second: str
) -> None:
    """Title, duration, size; a title on many lines is one line."""
    facts = MediaFacts(kind="video", duration_s=3723, title="One\nTwo\u202e")
    caption = Captions(None, Texts("en")).of_upload(job(language), uploaded(facts))
    seen = "".join(each for each in caption.text if unicodedata.category(each) != "Cf" or each == "\u200c")
    assert f"One Two\n{second}" == seen
    assert (Entity(kind="bold", offset=0, length=7),) == caption.entities


def test_caption_of_a_kept_file_is_the_one_that_it_had() -> None:
    """Whoever gets it by reference reads the same."""
    facts = MediaFacts(kind="video", duration_s=60, title="One", performer="A\nB", width=1920, height=1080)
    every = ", ".join(f"{{{field}}}" for field in FIELDS)
    captions, document = Captions(every, Texts("en")), uploaded(facts)
    kept = KeptFile(
        key="k",
        document=Document(id=1, access_hash=1, file_reference=b""),
        message_id=1,
        name=document.name,
        size_bytes=document.size_bytes,
        validator=None,
        title=facts.title,
        performer=facts.performer,
        duration_s=facts.duration_s,
        width=facts.width,
        height=facts.height,
    )
    caption = captions.of_upload(job("en"), document)
    assert caption == captions.of_kept(job("en"), kept)
    assert caption.text.endswith("One, A B, 1:00, 1920×1080, 1920, 1080")


def test_caption_of_a_song_has_no_line_about_its_picture() -> None:
    """Digits are those of the language."""
    template = "{performer}\n{resolution}\n{width}\n{height}"
    captions, texts = Captions(template, Texts("en")), []
    for size in (0, 720):
        facts = MediaFacts(kind="audio", duration_s=60, performer="Anna", width=size, height=size)
        texts.append(captions.of_upload(job("fa"), uploaded(facts)).text)
    assert ["Anna", "Anna\n۷۲۰×۷۲۰\n۷۲۰\n۷۲۰"] == texts


def test_caption_of_a_plain_file_when_none_is_set_is_empty() -> None:
    """Its name and size are shown by Telegram itself."""
    assert Caption() == Captions(None, Texts("en")).of_upload(job("en"), uploaded(None))


def test_caption_when_the_operator_wants_none_is_empty() -> None:
    """An empty setting, not a missing one."""
    facts = MediaFacts(kind="video", duration_s=60, title="One")
    assert Caption() == Captions("", Texts("en")).of_upload(job("en"), uploaded(facts))
