"""The texts: complete in both languages, filled by what the code gives them, readable from right to left."""

import re
from importlib.resources import files

import pytest

from uploader.errors import Reason
from uploader.quoting import bare
from uploader.texts import LANGUAGES, Texts, bar

ENTRY = re.compile(r"^([a-z][a-z0-9-]*) =((?:.|\n(?=[ \n]|$))*)", re.MULTILINE)
ARGUMENT = re.compile(r"\{ *\$([a-z-]+)")


def entries(language: str) -> dict[str, set[str]]:
    """Every key of a language with the arguments that its text uses."""
    source = files("uploader.texts").joinpath(f"{language}.ftl").read_text(encoding="utf-8")
    return {
        key: {name.removesuffix("-text") for name in ARGUMENT.findall(body)}
        for key, body in ENTRY.findall(source)
    }


def test_texts_when_languages_are_compared_have_the_same_keys_and_arguments() -> None:
    """What can be said in one language can be said in the other."""
    english, persian = entries("en"), entries("fa")
    assert len(english) > 50
    assert english == persian


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_when_all_are_read_need_only_their_own_arguments(language: str) -> None:
    """Each text can be filled, for zero, one and many."""
    texts = Texts("en")
    for key, arguments in entries(language).items():
        for number in (0, 1, 5):
            assert texts.get(language, key, **dict.fromkeys(arguments, number))


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_when_a_reason_is_told_exist_for_each_of_them(language: str) -> None:
    """No failure leaves a person without words."""
    assert {f"reason-{reason.value}" for reason in Reason} == {
        key for key in entries(language) if key.startswith("reason-")
    }


@pytest.mark.parametrize(
    ("code", "expected"),
    [("fa", "fa"), ("fa-IR", "fa"), ("EN-gb", "en"), ("de", "fa"), (None, "fa"), ("", "fa")],
)
def test_language_when_telegram_names_one_is_that_or_the_default(code: str | None, expected: str) -> None:
    """People whose client speaks neither language get the operator's choice."""
    assert expected == Texts("fa").language_of(code)


def test_text_when_it_holds_a_name_isolates_it_from_the_writing_direction() -> None:
    """A Latin file name inside Persian text keeps its order, and its digits."""
    assert "\u2068video 2024.mp4\u2069" in bare(
        Texts("en").get("fa", "done", name="video 2024.mp4", total="x")
    )


def test_numbers_when_shown_in_persian_have_persian_digits() -> None:
    """Counts, sizes and percentages alike."""
    texts = Texts("en")
    assert "۱۲" in texts.get("fa", "queued", ahead=12)
    assert "۱٫۵" in texts.size("fa", 1.5 * 1024 * 1024)
    assert "۹۹٪" == texts.percent("fa", 999, 1000)


@pytest.mark.parametrize(
    ("size_bytes", "expected"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1 KiB"),
        (1536, "1.5 KiB"),
        (268_435_456, "256 MiB"),
        (2_097_152_000, "2000 MiB"),
        (5 * 1024**3, "5 GiB"),
    ],
)
def test_size_when_shown_has_the_unit_that_people_use(size_bytes: int, expected: str) -> None:
    """The cap reads as Telegram writes it."""
    assert expected == Texts("en").size("en", size_bytes).replace("\u2068", "").replace("\u2069", "")


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "1 s"), (0.2, "1 s"), (59.1, "60 s"), (90, "90 s"), (91, "2 min"), (5400, "90 min"), (5401, "2 h")],
)
def test_duration_when_shown_is_never_less_than_it_takes(seconds: float, expected: str) -> None:
    """Rounded up, in one unit."""
    assert expected == Texts("en").duration("en", seconds).replace("\u2068", "").replace("\u2069", "")


def test_bar_when_not_all_is_done_is_not_full() -> None:
    """Full means all bytes acknowledged."""
    assert ("▱" * 12, "▰" * 11 + "▱", "▰" * 12) == (bar(0, 100), bar(99, 100), bar(100, 100))
