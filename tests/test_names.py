"""File names: safe on every system, readable in the chat, and still the name that the file had."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.naughty import naughty_strings
from uploader.names import (
    NAME_BYTES,
    NAME_CHARACTERS,
    joined_name,
    piece_name,
    safe_name,
    volume_name,
)

RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}
NAUGHTY = [
    "",
    " ",
    ".",
    "..",
    "...",
    "-",
    "--help",
    "-rf",
    "~",
    "$HOME",
    "`id`.txt",
    "$(id).txt",
    "../../etc/passwd",
    "..\\..\\windows\\system32",
    "C:\\dir\\video.mp4",
    "/etc/passwd",
    "dir/",
    "a/../b.txt",
    "con",
    "CON.txt",
    "nul.tar.gz",
    "COM1",
    "lpt9.log",
    "aux .txt",
    "a\x00b.mp4",
    "a\r\nb.mp4",
    "a\tb.mp4",
    "\u202etxt.exe",
    "photo\u202egpj.exe",
    "\ufeffname.txt",
    "zero\u200bwidth.txt",
    "\u200f\u200e.mp4",
    "\u2066isolate\u2069.mp4",
    "\ud800.mp4",
    "caf\udce9.mp4",
    "\ue000private.mp4",
    "\u3164.mp4",
    "\u2800",
    "e\u0301" * 80 + ".mp4",
    "z" + "\u0335" * 300 + ".mp4",
    "👨\u200d👩\u200d👧.mp4",
    "😀" * 100 + ".mkv",
    "ف" * 300 + ".mp4",
    "a" * 5000,
    "a" * 5000 + ".tar.gz",
    "." * 500 + "mp4",
    ".htaccess",
    ".mp4",
    "name.",
    "name ",
    "name .mp4",
    "name.mp4 ",
    "a<b>c:d\"e|f?g*h.mp4",
    "<script>alert(1)</script>.html",
    "'; DROP TABLE jobs;--.sql",
    "%2e%2e%2f.txt",
    "file.exe\u00a0",
    "\u00a0\u2003x.txt",
    "name\u2028two.txt",
    "a.b.c.d.e.f.g",
    "x" * 59 + ".7z",
    "x" * 60 + ".7z",
    "ext." + "y" * 200,
    "\u0301\u0301\u0301",
    "\u200c",
    "a\u200cb.mp4",
    "می\u200cخواهم\u200c.mp4",
]  # fmt: skip


def assert_is_safe(name: str) -> None:
    """Every rule that a name keeps, whatever it was made of."""
    assert 0 < len(name) <= NAME_CHARACTERS
    assert len(name.encode()) <= NAME_BYTES
    assert unicodedata.normalize("NFC", name) == name
    assert [] == [letter for letter in name if unicodedata.category(letter)[0] == "C" and letter != "\u200c"]
    assert set('/\\:*?"<>|\n').isdisjoint(name)
    assert name[0] not in ".- \u200c"
    assert name[-1] not in ". \u200c"
    assert name.partition(".")[0].strip().lower() not in RESERVED


@pytest.mark.parametrize("raw", NAUGHTY)
@pytest.mark.parametrize("mime_type", [None, "video/mp4", "application/octet-stream", "no/such"])
def test_safe_name_of_a_naughty_string_keeps_every_rule(raw: str, mime_type: str | None) -> None:
    """A hand-made list of what breaks shells, file systems, screens and eyes."""
    assert_is_safe(safe_name(raw, fallback="file", mime_type=mime_type))


def test_safe_name_of_each_naughty_string_keeps_every_rule_and_is_final() -> None:
    """A corpus made here, of all classes of strings that ever broke something."""
    corpus = naughty_strings()
    assert len(corpus) > 5000
    for raw in corpus:
        name = safe_name(raw, fallback="file", mime_type="video/mp4")
        assert_is_safe(name)
        assert name == safe_name(name, fallback="other", mime_type="video/mp4")


@settings(deadline=None, max_examples=400)
@given(
    st.text(max_size=120) | st.text(alphabet="./\\-con1 mp4\u200c\u202eیé\u0301:", max_size=90),
    st.text(max_size=5),
    st.sampled_from([None, "video/mp4", "text/html"]),
)
def test_safe_name_of_any_text_is_safe_and_final(raw: str, fallback: str, mime_type: str | None) -> None:
    """The rules hold for every text, and a name that keeps them is not changed again."""
    name = safe_name(raw, fallback=fallback, mime_type=mime_type)
    assert_is_safe(name)
    assert name == safe_name(name, fallback="other", mime_type=mime_type)


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=200), st.sampled_from([".mp4", ".7z", ".tar.gz", ".PDF", ".001", ".jpeg"]))
def test_safe_name_with_an_extension_keeps_it_however_long_the_stem(stem: str, extension: str) -> None:
    """What is too long loses the end of its stem."""
    assert safe_name(f"x{stem}y{extension}", fallback="file", mime_type="video/webm").endswith(extension)


@pytest.mark.parametrize(
    ("raw", "mime_type", "expected"),
    [
        ("video.mp4", None, "video.mp4"),
        ("video.mp4", "text/html", "video.mp4"),
        ("video", "video/mp4", "video.mp4"),
        ("video", "application/octet-stream", "video"),
        ("Chapter 1.5", "audio/mpeg", "Chapter 1.5.mp3"),
        ("Mr. Smith", "application/pdf", "Mr. Smith.pdf"),
        ("archive.zip.001", "application/zip", "archive.zip.001"),
        ("archive.tar.gz", "application/gzip", "archive.tar.gz"),
        (".mp4", "video/mp4", "mp4.mp4"),
        ("", "video/mp4", "file.mp4"),
        ("..", None, "file"),
        ("../../etc/passwd", None, "passwd"),
        ("C:\\films\\one.mkv", None, "one.mkv"),
        ("folder/", None, "folder"),
        ("two  spaces\tand\nlines.txt", None, "two spaces and lines.txt"),
        ("0 \x1b\r0", None, "0 0"),
        ("--help.txt", None, "help.txt"),
        ("CON.txt", None, "CON_.txt"),
        ("a:b?.mp4", None, "a_b_.mp4"),
        ("photo\u202egpj.exe", None, "photogpj.exe"),
        ("e\u0301te\u0301.txt", None, "été.txt"),
        ("فیلم من.mp4", None, "فیلم من.mp4"),
        ("می\u200cخواهم.mp4", None, "می\u200cخواهم.mp4"),
        ("\u200cمی\u200c\u200cخواهم\u200c.mp4", None, "می\u200cخواهم.mp4"),
        ("pay\u200cpal.exe", None, "paypal.exe"),
        ("A\u0300\u200c\u0300.exe", None, "\u00c0\u0300.exe"),
        ("\u0628\u064e\u200c\u0628.exe", None, "\u0628\u064e\u200c\u0628.exe"),
        ("a" * 100 + ".mp4", None, "a" * 56 + ".mp4"),
        ("a" * 55 + "e\u0323\u0301" * 9 + ".mp4", None, "a" * 55 + ".mp4"),
    ],
)
def test_safe_name_of_a_usual_name_is_that_name(raw: str, mime_type: str | None, expected: str) -> None:
    """Names that people give survive; the rest is changed no more than needed."""
    assert expected == safe_name(raw, fallback="file", mime_type=mime_type)


def test_safe_name_with_a_hostile_fallback_is_safe() -> None:
    """The fallback passes the same rules, and has one of its own behind it."""
    assert "evil.exe" == safe_name("", fallback="../evil.exe", mime_type=None)
    assert "file" == safe_name("/", fallback="\u202e/", mime_type=None)


@given(st.text(max_size=90), st.sampled_from(["", ".mkv", ".tar.gz", ".mp4"]), st.integers(1, 20))
def test_names_of_parts_when_made_of_any_name_are_safe_and_keep_what_they_must(
    raw: str, extension: str, number: int
) -> None:
    """Telegram cuts none of them; volumes begin with the joined file's name, pieces have its ending."""
    name = safe_name(raw + extension, fallback="file", mime_type=None)
    volume, piece = volume_name(name, number), piece_name(name, number)
    assert f"{joined_name(name)}.{number:03}" == volume
    assert f".part{number}" in piece
    for each in (volume, piece):
        assert each == safe_name(each, fallback="other", mime_type=None)
    if extension and name.endswith(extension):
        assert piece.endswith(extension)
        assert joined_name(name).endswith(extension)
