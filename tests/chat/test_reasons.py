"""What people read of causes: what went wrong, and apart from it what they can do."""

import re
from dataclasses import replace

import pytest

from tests.chat.test_progress import PROGRESS, job
from uploader.chat.status_words import cause_text, progress_text, reason_text, state_text
from uploader.errors import Reason
from uploader.model import JobState
from uploader.texts import LANGUAGES, Texts
from uploader.verdicts import Place

TEXTS = Texts("en")
#: What tells a person to do something.
ADVICE = {
    "en": r"\b(again|[Ss]end a|Send|Check|Copy|[Cc]hoose|Forward|take another|tell the)\b",
    "fa": r"\b(دوباره|بفرست|ببین|کپی کن|انتخاب کن|فوروارد|بگو)\b",
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", Reason)
def test_retrying_when_a_job_is_tried_again_by_itself_tells_its_person_to_do_nothing(
    reason: Reason, language: str
) -> None:
    """A text such as "Try again later... I try again in 17 s" contradicts itself."""
    waits = replace(job(language), state=JobState.QUEUED, reason=reason, run_at=17.0)
    said = state_text(TEXTS, waits, Place(ahead=0), 0.0)
    cause = cause_text(TEXTS, language, reason)
    assert cause in said
    assert [] == re.findall(ADVICE[language], cause)


@pytest.mark.parametrize("language", LANGUAGES)
def test_failed_when_there_is_something_to_do_says_that_as_well(language: str) -> None:
    """The advice is where it helps."""
    cause, reason = (say(TEXTS, language, Reason.UNREACHABLE) for say in (cause_text, reason_text))
    assert reason.startswith(cause)
    assert re.search(ADVICE[language], reason)
    assert "7" in reason_text(TEXTS, "en", Reason.INTERNAL, 7)


@pytest.mark.parametrize("total_bytes", [None, 100 * 1024 * 1024])
@pytest.mark.parametrize("language", LANGUAGES)
def test_progress_when_the_speed_is_not_known_says_nothing_of_it(
    language: str, total_bytes: int | None
) -> None:
    """A line such as "0 B/s, ... left" is no news, and may be untrue."""
    begun = replace(PROGRESS, total_bytes=total_bytes)
    unknown, known = (progress_text(TEXTS, job(language), begun, speed, 0.0) for speed in (0.0, 1024.0))
    for said in ("/s", "در ثانیه", "…", "left", "مانده"):
        assert said not in unknown
    assert "/s" in known or "در ثانیه" in known
