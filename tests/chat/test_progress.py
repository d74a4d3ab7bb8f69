"""What the status message says."""

import time
from dataclasses import replace

from uploader.chat.status_words import progress_text
from uploader.errors import Reason
from uploader.model import Job, JobState, Link, Phase, Progress
from uploader.texts import Texts

MIB = 1024 * 1024


def job(language: str) -> Job:
    """A running job of a person who speaks this."""
    return Job(
        id=1,
        user_id=7,
        chat_id=7,
        message_id=1,
        language=language,
        link=Link(url="https://example.com/film.mp4", host="example.com"),
        state=JobState.RUNNING,
        attempt=1,
        worker="me",
        lease_until=None,
        run_at=0.0,
        created_at=0.0,
        updated_at=0.0,
        status_message_id=2,
        random_id=None,
        name="film.mp4",
        size_bytes=100 * MIB,
        checkpoint=None,
        reason=None,
        cancel_requested=False,
    )


PROGRESS = Progress(
    job_id=1, phase=Phase.UPLOADING, name="film.mp4", done_bytes=20 * MIB, total_bytes=100 * MIB
)


def test_text_when_telegram_wants_no_parts_says_for_how_long() -> None:
    """Nobody takes a wait that Telegram asked for as a failure, in either language."""
    parked = replace(PROGRESS, parked_until=time.time() + 29.9)
    english = progress_text(Texts("en"), job("en"), parked, 0.0, time.time())
    assert "waiting for Telegram" in english
    assert "30" in english
    assert "20" in english
    assert "در انتظار تلگرام" in progress_text(Texts("en"), job("fa"), parked, 0.0, time.time())


def test_text_when_the_wait_is_over_shows_the_upload_again() -> None:
    """A wait that has passed is no wait, also before the next part is acknowledged."""
    over = replace(PROGRESS, parked_until=time.time() - 1)
    now = time.time()
    assert progress_text(Texts("en"), job("en"), PROGRESS, 0.0, now) == progress_text(
        Texts("en"), job("en"), over, 0.0, now
    )


def test_text_when_all_is_acknowledged_has_a_phase_of_its_own() -> None:
    """A file at 100 % whose message is not there yet is being finished."""
    finishing = replace(PROGRESS, phase=Phase.FINISHING, done_bytes=100 * MIB)
    assert "Sending the message" in progress_text(Texts("en"), job("en"), finishing, 0.0, time.time())
    assert str(Reason.UPLOAD_FAILED) not in progress_text(Texts("en"), job("en"), finishing, 0.0, time.time())


def test_text_when_a_film_is_put_together_says_how_much_of_it_is_there() -> None:
    """Of how much nobody knows, and nothing is cut: that is said of films above the cap alone."""
    making = replace(PROGRESS, phase=Phase.PREPARING, total_bytes=None)
    english = progress_text(Texts("en"), job("en"), making, 0.0, time.time())
    assert ("20" in english, "fetched" in english, "cut" in english) == (True, True, False)
    assert "دریافت شد" in progress_text(Texts("en"), job("fa"), making, 0.0, time.time())
    cut = replace(making, total_bytes=100 * MIB)
    assert "cut" in progress_text(Texts("en"), job("en"), cut, 0.0, time.time())
