"""Callback data comes from the person's client and may be anything."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uploader.chat import keyboards
from uploader.chat.keyboards import AgainPressed, CancelPressed, JoinedPressed
from uploader.model import Sponsor
from uploader.texts import Texts


@given(st.integers(min_value=1, max_value=10**18 - 1))
def test_cancel_button_when_pressed_names_its_job(job_id: int) -> None:
    """What goes out comes back as the same job, within Telegram's 64 bytes."""
    ((button,),) = keyboards.cancel(Texts("en"), "fa", job_id)
    assert len(button.data) <= 64
    assert CancelPressed(job_id) == keyboards.pressed(button.data)


def test_again_button_when_pressed_names_its_job() -> None:
    """The retry button is told apart from the others."""
    ((button,),) = keyboards.again(Texts("en"), "en", 7)
    assert AgainPressed(7) == keyboards.pressed(button.data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"cancel:",
        b"cancel:-1",
        b"cancel:1 ",
        b"cancel:1\n",
        b"cancel:" + b"9" * 19,
        b"Joined",
        b"\xff\x00",
    ],
)
def test_pressed_when_data_is_not_ours_is_nothing(data: bytes) -> None:
    """Forged data is neither an error nor a job."""
    assert keyboards.pressed(data) is None


@given(st.binary(max_size=64))
def test_pressed_when_data_is_random_never_fails(data: bytes) -> None:
    """Whatever a client sends, the answer is one of four."""
    assert isinstance(keyboards.pressed(data), CancelPressed | AgainPressed | JoinedPressed | None)


def test_sponsor_card_when_two_channels_are_missing_offers_both_and_a_way_on() -> None:
    """One join button a channel, in order, then "I have joined"."""
    sponsors = [
        Sponsor(channel_id=number, access_hash=1, username=f"channel_{number}", title=f"T{number}")
        for number in (1, 2)
    ]
    rows = keyboards.sponsor_card(Texts("en"), "en", sponsors)
    assert ["https://t.me/channel_1", "https://t.me/channel_2", ""] == [row[0].url for row in rows]
    assert JoinedPressed() == keyboards.pressed(rows[-1][0].data)
