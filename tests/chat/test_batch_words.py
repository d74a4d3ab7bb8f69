"""The card of a batch and its report: whatever is in it, they fit into a message."""

from hypothesis import given, settings
from hypothesis import strategies as st

from uploader.batch import Batch, LeftOut, Unusable
from uploader.chat.batch_words import card_text, report_text
from uploader.errors import Reason
from uploader.model import Job, JobState, Link, Phase, Progress
from uploader.quoting import TEXT_UNITS, units
from uploader.texts import LANGUAGES, Texts

TEXTS = Texts("en")
STATES = (
    *(JobState.WAITING_SPONSORS, JobState.QUEUED, JobState.RUNNING),
    *(JobState.DONE, JobState.FAILED, JobState.CANCELLED),
)


def job(number: int, state: JobState, name: str | None, reason: Reason | None) -> Job:
    """One item."""
    return Job(
        id=number,
        user_id=1,
        chat_id=1,
        message_id=1,
        language="en",
        link=Link(url=f"https://example.com/a/{number}.bin?key=secret", host="example.com"),
        state=state,
        attempt=0,
        worker=None,
        lease_until=None,
        run_at=0.0,
        created_at=0.0,
        updated_at=0.0,
        status_message_id=None,
        random_id=None,
        name=name,
        size_bytes=10,
        checkpoint=None,
        reason=reason,
        cancel_requested=False,
        batch_id=1,
        item=number,
    )


def batch(language: str, title: str = "", unusable: tuple[Unusable, ...] = ()) -> Batch:
    """A batch of which much was left out."""
    return Batch(
        id=1,
        user_id=1,
        chat_id=1,
        message_id=1,
        language=language,
        title=title,
        unusable=unusable,
        left_out=LeftOut(count=12, why="items"),
        status_message_id=1,
        created_at=0.0,
        told_at=None,
    )


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(LANGUAGES),
    st.text(max_size=300),
    st.lists(
        st.tuples(st.sampled_from(STATES), st.text(max_size=200), st.sampled_from(Reason)), max_size=300
    ),
    st.lists(st.builds(Unusable, shown=st.text(max_size=60), reason=st.sampled_from(Reason)), max_size=100),
)
def test_card_and_report_when_anything_is_in_the_batch_fit_into_a_message(
    language: str,
    title: str,
    items: list[tuple[JobState, str, Reason]],
    unusable: list[Unusable],
) -> None:
    """All hundreds of files of any names; what was left out is always said."""
    jobs = [job(number, *item) for number, item in enumerate(items)]
    shown = batch(language, title, tuple(unusable))
    card = card_text(TEXTS, shown, jobs, {})
    assert units(card) <= TEXT_UNITS
    assert card.endswith(TEXTS.get(language, "left-out-items", count=12))
    assert units(report_text(TEXTS, shown, jobs)) <= TEXT_UNITS


def test_card_names_what_runs_and_what_failed_first_and_no_query() -> None:
    """Of fifty files the two that matter are seen; keys in links stay where they are."""
    done = [job(number, JobState.DONE, f"{number}.bin", None) for number in range(48)]
    failed, running = job(48, JobState.FAILED, None, Reason.NOT_FOUND), job(49, JobState.RUNNING, "r", None)
    seen = Progress(job_id=49, phase=Phase.UPLOADING, name="r", done_bytes=5, total_bytes=10)
    lines = card_text(TEXTS, batch("en"), [*done, failed, running], {49: seen}).splitlines()
    assert "50" in lines[3]
    assert "secret" not in "".join(lines)
    assert ["▸", "✗", "✓"] == [line[:1] for line in lines[3:6]]


def test_card_when_hundreds_failed_fits_into_a_message_and_says_how_many_more() -> None:
    """The longest names and reasons there are."""
    jobs = [job(number, JobState.FAILED, "n" * 200, Reason.TOO_LARGE) for number in range(300)]
    card = card_text(TEXTS, batch("fa"), jobs, {})
    assert units(card) <= TEXT_UNITS
    shown = card.count("✗")
    assert TEXTS.get("fa", "batch-more", count=300 - shown) in card


def test_report_when_many_failed_for_one_reason_says_it_once() -> None:
    """Grouped by causes, ten names of each."""
    jobs = [job(number, JobState.FAILED, f"n{number}", Reason.NOT_FOUND) for number in range(30)]
    report = report_text(TEXTS, batch("en"), [*jobs, job(30, JobState.DONE, "x", None)])
    assert 1 == report.count("no such file")
    assert "20" in report.splitlines()[2]
    assert "" == report_text(TEXTS, batch("en"), [job(30, JobState.DONE, "x", None)])
