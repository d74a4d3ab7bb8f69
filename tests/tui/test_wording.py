"""The engine's words in the admin's."""

import pytest

from tui import wording
from uploader.errors import Reason
from uploader.model import Phase


@pytest.mark.parametrize("reason", Reason)
def test_reason_when_the_engine_has_it_has_words_that_fit_a_column(reason: Reason) -> None:
    """A new reason needs its words here: the screen may not import the tree."""
    assert reason.value not in (wording.reason(reason.value), "-")
    assert len(wording.reason(reason.value)) <= 23


def test_reason_when_unknown_or_missing_is_shown_all_the_same() -> None:
    """An older dashboard on a newer engine still says something."""
    assert ("brand new", "failed") == (wording.reason("brand-new"), wording.reason(None))


@pytest.mark.parametrize("phase", Phase)
def test_phase_when_the_engine_has_it_has_words(phase: Phase) -> None:
    """And one that is not known is shown as it is."""
    assert wording.phase(phase.value)
    assert "resting" == wording.phase("resting")
