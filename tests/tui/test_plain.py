"""Text from outside, made safe to show."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui import plain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("film.mkv", "film.mkv"),
        ("[red]film[/red]", "[red]film[/red]"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("\u2067\u2068a\u2069", "a"),
        ("\x1b[31mred", "[31mred"),
        ("a\r\nb\tc\x00d", "a b c d"),
        ("a\u2028b\x85c", "a b c"),
        ("  a   b  ", "a b"),
        ("می\u200cروم.pdf", "می\u200cروم.pdf"),
        ("lone \ud800 half", "lone half"),
        ("\u200b\u200b", ""),
        ("", ""),
    ],
)
def test_name_when_made_plain_is_one_safe_line(text: str, expected: str) -> None:
    """Markup stays as it is: whoever shows it must not read it."""
    assert expected == plain.name(text)


def test_paragraphs_when_made_plain_keep_their_lines() -> None:
    """Fluent's isolates around arguments go, line breaks stay."""
    assert "سلام Sara\n\nb c" == plain.paragraphs("سلام \u2068Sara\u2069\r\n\nb\tc")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("abcdefghij.mkv", "abcdefghij.mkv"), ("abcdefghijklmnopqrstuvwxyz.mkv", "abcdefghijkl….mkv")],
)
def test_name_when_shortened_keeps_its_extension(text: str, expected: str) -> None:
    """Beginning and end tell files apart."""
    assert expected == plain.short(text, 17)


@given(st.text(st.characters()))
def test_text_when_made_plain_holds_nothing_that_steers_a_terminal(text: str) -> None:
    """Whatever comes in, and doing it twice changes nothing."""
    for made in (plain.name(text), plain.paragraphs(text).replace("\n", "")):
        assert made == made.encode().decode()
        assert not {
            unicodedata.category(letter) for letter in made if letter != plain.ZERO_WIDTH_NON_JOINER
        } & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert plain.name(text) == plain.name(plain.name(text))
    assert len(plain.short(plain.name(text), 20)) <= 20
