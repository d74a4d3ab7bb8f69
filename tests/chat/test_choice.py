"""The card of a film: what it shows, and what may come back from its buttons."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.chat.test_progress import job
from uploader.chat import choice, keyboards
from uploader.chat.choice import (
    AlwaysWanted,
    Card,
    CardAsked,
    CutAsked,
    PageAsked,
    Picked,
    SubtitleChosen,
    WholeWanted,
)
from uploader.chat.keyboards import CancelPressed, Preset
from uploader.model import Job, JobState, OverCap
from uploader.quoting import bare, spoken, units
from uploader.telegram.gateway import Button, Keyboard
from uploader.texts import Texts
from uploader.wishes import SOUNDS, UNDECIDED, Offer, Option, Wish

MIB = 1024 * 1024
TEXTS = Texts("en")
LARGE = Option(key="v2160", height=2160, fps=60.0, size_bytes=2600 * MIB, is_over_cap=True)
FILM = Offer(
    kind="film",
    title="A Film @spam t.me/x",
    duration_s=200.0,
    options=(
        LARGE,
        Option(key="v1080", height=1080, fps=59.94, size_bytes=400 * MIB),
        Option(key="v720", height=720, fps=30.0, size_bytes=100 * MIB, is_about=True),
        Option(key="v480", height=480),
        *(Option(key=sound) for sound in SOUNDS),
        Option(key="original", size_bytes=400 * MIB),
    ),
    subtitles=("en", "fa", "de"),
)


def asked(wish: Wish = UNDECIDED, offer: Offer = FILM, language: str = "en") -> Job:
    """A job whose person was asked."""
    return replace(job(language), state=JobState.WAITING_CHOICE, wish=wish, offer=offer)


def card(
    wish: Wish = UNDECIDED, offer: Offer = FILM, over_cap: OverCap = OverCap.SPLIT, language: str = "en"
) -> Card:
    """The card of that job."""
    return Card(TEXTS, asked(wish, offer, language), offer, over_cap)


def plain(text: str) -> str:
    """Without what nobody sees."""
    return "".join(character for character in bare(text) if character not in "\u2066\u2067\u2068\u2069")


def labels(keyboard: Keyboard) -> list[list[str]]:
    """What stands on the buttons."""
    return [[plain(button.text) for button in row] for row in keyboard]


def buttons(keyboard: Keyboard) -> list[Button]:
    """All of them."""
    return [button for row in keyboard for button in row]


def test_card_when_shown_has_a_button_for_each_format_with_its_size() -> None:
    """Frames a second where they are unusual; marks on estimates and on what is too large."""
    assert labels(card().keyboard()) == [
        ["✂ 2160p60 · 2.5 GiB", "1080p60 · 400 MiB"],
        ["720p · ~100 MiB", "480p"],
        ["♪ m4a", "♪ mp3"],
        ["♪ opus"],
        ["Original file · 400 MiB"],
        ["Only a part", "Subtitles: –"],
        ["Cancel"],
    ]
    text = card().text()
    assert plain(text).startswith("A Film @spam t.me/x\n3:20 · example.com\n")
    assert [(0, units("A Film @spam t.me/x")), (27, 11)] == [
        (each.offset, each.length) for each in spoken(text).entities
    ]
    assert "✂ – larger than 2000 MiB: it comes in several parts." in plain(text)
    assert "I wait 6 h" in plain(text)


def test_card_when_the_person_speaks_persian_has_its_digits_and_words() -> None:
    """Heights are names, and stay as the world writes them; sizes are not."""
    shown = card(language="fa")
    assert labels(shown.keyboard())[:2] == [
        ["✂ 2160p60 · ۲٫۵ گیگابایت", "1080p60 · ۴۰۰ مگابایت"],
        ["720p · حدود ۱۰۰ مگابایت", "480p"],
    ]
    assert "\u20681080p60\u2069" in bare(shown.keyboard()[0][1].text)
    assert "کدام را بیاورم؟" in shown.text()
    part = card(Wish(start_s=80.0, stop_s=155.0), language="fa")
    assert "فقط این بخش: ۱:۲۰-۲:۳۵" in plain(part.text())


def test_card_when_the_person_wants_no_volumes_does_not_offer_them() -> None:
    """It says which are missing, and where that can be changed."""
    shown = card(over_cap=OverCap.REFUSE)
    assert "2160p60" not in str(labels(shown.keyboard()))
    assert "not offered: 2160p60. In /settings" in plain(shown.text())
    assert "✂" not in shown.text()


def test_card_when_a_part_is_wanted_shows_it_and_its_share_of_the_size() -> None:
    """A part may fit where the whole does not; the original is none of it."""
    shown = card(Wish(start_s=50.0, stop_s=100.0, subtitles="fa"))
    assert labels(shown.keyboard()) == [
        ["2160p60 · ~650 MiB", "1080p60 · ~100 MiB"],
        ["720p · ~25 MiB", "480p"],
        ["♪ m4a", "♪ mp3"],
        ["♪ opus"],
        ["The whole film", "Subtitles: Persian"],
        ["Cancel"],
    ]
    assert "Only this part: 0:50-1:40\nWith subtitles: Persian" in plain(shown.text())
    rest = card(Wish(start_s=50.0), offer=replace(FILM, duration_s=None))
    assert labels(rest.keyboard())[0] == ["✂ 2160p60", "1080p60"]


def test_languages_when_there_are_many_come_in_pages() -> None:
    """Each names its own place in the offer, and the chosen one is marked."""
    many = replace(FILM, subtitles=tuple(f"x-{number}" for number in range(60)))
    _, first = card(Wish(subtitles="x-1"), many).languages(0)
    _, last = card(Wish(subtitles="x-1"), many).languages(2)
    assert labels(first)[0] == ["None"]
    assert labels(first)[1] == ["x-0", "✓ x-1", "x-2"]
    assert labels(first)[-2:] == [["Page 2"], ["Back"]]
    assert labels(last)[-2:] == [["Page 2"], ["Back"]]
    pressed = [choice.pressed(button.data) for button in buttons(last)]
    assert pressed[1:3] == [SubtitleChosen(1, 49), SubtitleChosen(1, 50)]
    assert labels(card(offer=many).languages(999)[1]) == [["✓ None"], ["Back"]]


OPTIONS = st.builds(
    Option,
    key=st.integers(1, 99_999).map("v{}".format) | st.sampled_from([*SOUNDS, "original", "best"]),
    height=st.none() | st.integers(1, 99_999),
    fps=st.none() | st.floats(0, 1e6),
    size_bytes=st.none() | st.integers(0, 2**50),
    is_about=st.booleans(),
    is_over_cap=st.booleans(),
)
OFFERS = st.builds(
    Offer,
    kind=st.just("film"),
    title=st.text(max_size=500),
    duration_s=st.none() | st.floats(0, 1e9),
    options=st.lists(OPTIONS, max_size=100).map(tuple),
    subtitles=st.lists(st.text(max_size=100), max_size=300).map(tuple),
)
WISHES = st.builds(Wish, subtitles=st.sampled_from(["", "fa"]), start_s=st.floats(0, 100))


@given(OFFERS, WISHES, st.sampled_from(OverCap), st.integers(0, 9999), st.integers(1, 10**18 - 1))
def test_card_when_a_site_offers_anything_fits_into_a_message(
    offer: Offer, wish: Wish, over_cap: OverCap, page: int, job_id: int
) -> None:
    """Within Telegram's bounds: 4096 characters, 100 buttons, 8 a row, 64 bytes each."""
    shown = Card(TEXTS, replace(asked(wish, offer, "fa"), id=job_id), offer, over_cap)
    for text, keyboard in ((shown.text(), shown.keyboard()), shown.languages(page)):
        assert 0 < len(text) <= 4096
        assert len(buttons(keyboard)) <= 100
        for row in keyboard:
            assert 1 <= len(row) <= 8
        for button in buttons(keyboard):
            assert len(button.data) <= 64
            assert button.data.split(b":")[1] == b"%d" % job_id
            assert choice.pressed(button.data) or keyboards.pressed(button.data) == CancelPressed(job_id)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"pick:7:v480", Picked(7, "v480")),
        (b"pick:7:opus", Picked(7, "opus")),
        (b"page:7:2", PageAsked(7, 2)),
        (b"sub:7:0", SubtitleChosen(7, 0)),
        (b"card:7", CardAsked(7)),
        (b"cut:7", CutAsked(7)),
        (b"whole:7", WholeWanted(7)),
        (b"always:7", AlwaysWanted(7)),
        *((data, None) for data in (b"", b"pick:7", b"pick:7:", b"pick::mp3", b"pick:-7:mp3", b"card:7:1")),
        *((data, None) for data in (b"pick:7:V480", b"pick:7:mp3\n", b"sub:7:99999", b"page:7:-1", b"cut:x")),
        *((data, None) for data in (b"cut:" + b"9" * 19, b"pick:7:" + b"a" * 40, b"card:7 ", b"\xff\x00")),
    ],
)
def test_pressed_when_data_is_read_means_this_or_nothing(data: bytes, expected: object) -> None:
    """Forged data is neither an error nor a choice."""
    assert expected == choice.pressed(data)


@given(st.binary(max_size=64))
def test_pressed_when_data_is_random_never_fails(data: bytes) -> None:
    """Whatever a client sends: a press of a known kind, or nothing."""
    press = choice.pressed(data)
    assert press is None or 0 <= press.job_id < 10**18


def test_settings_when_a_button_is_pressed_change_what_it_says() -> None:
    """Every button comes back as itself, and what is chosen is marked."""
    keyboard = keyboards.settings(TEXTS, "en", "v720", OverCap.REFUSE)
    assert labels(keyboard) == [
        ["Ask me", "Best that fits"],
        ["1080p", "✓ 720p", "480p"],
        ["♪ m4a", "♪ mp3", "♪ opus"],
        ["Large files: in parts"],
        ["✓ Large files: not at all"],
    ]
    presets = ["", "best", "v1080", "v720", "v480", "m4a", "mp3", "opus"]
    assert [keyboards.chosen(button.data) for button in buttons(keyboard)] == [
        *map(Preset, presets),
        *OverCap,
    ]
    assert [None] * 3 == [keyboards.chosen(data) for data in (b"preset:", b"preset:v721", b"preset:ask ")]
