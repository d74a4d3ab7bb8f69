"""What the card of a batch says, and the message that tells what of it did not come.

The card names what runs and what failed first: of a long batch not all fits into one message.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from uploader.batch import Batch
from uploader.chat.status_words import reason_text
from uploader.errors import Reason
from uploader.model import ENDED, Job, JobState, Phase, Progress
from uploader.names import one_line
from uploader.quoting import MOST_ENTITIES, TEXT_UNITS
from uploader.texts import Texts, bar

#: What is left of a message for lines, beside its head, the end and a caption of what was left out.
_LINES_CHARACTERS: Final = TEXT_UNITS - 700
_NAME_CHARACTERS: Final = 60
_NAMES: Final = 10
#: Each line quotes a name; so does the head.
_LINES: Final = MOST_ENTITIES - 10
_ORDER: Final = (
    JobState.RUNNING,
    JobState.FAILED,
    JobState.QUEUED,
    JobState.WAITING_SPONSORS,
    JobState.CANCELLED,
    JobState.DONE,
)


def card_text(texts: Texts, batch: Batch, jobs: Sequence[Job], running: Mapping[int, Progress]) -> str:
    """What the card says now; `running` is what is known of jobs by their numbers."""
    lines = [
        _line(texts, batch.language, job, running.get(job.id))
        for job in sorted(jobs, key=lambda job: (_ORDER.index(job.state), job.item))
    ]
    for unusable in batch.unusable:
        reason = reason_text(texts, batch.language, unusable.reason)
        lines.append(
            texts.get(batch.language, "batch-line-failed", name=_short(unusable.shown), reason=reason)
        )
    parts = [_head(texts, batch, jobs), "", *_fitting(texts, batch.language, lines)]
    if batch.left_out is not None:
        why = f"left-out-{batch.left_out.why}"
        parts += ["", texts.get(batch.language, why, count=batch.left_out.count)]
    return "\n".join(parts)


def report_text(texts: Texts, batch: Batch, jobs: Sequence[Job]) -> str:
    """What did not come, by its causes; "" if everything did."""
    causes: dict[Reason, list[str]] = {}
    numbers: dict[Reason, int] = {}
    for job in jobs:
        if job.state is JobState.FAILED:
            reason = job.reason or Reason.INTERNAL
            causes.setdefault(reason, []).append(_name(job))
            numbers.setdefault(reason, job.id)
    for unusable in batch.unusable:
        causes.setdefault(unusable.reason, []).append(_short(unusable.shown))
    if not causes:
        return ""
    language, failed = batch.language, sum(map(len, causes.values()))
    total = len(jobs) + len(batch.unusable)
    lines = [
        texts.get(
            language,
            "batch-line-failed",
            name=_names(texts, language, names),
            reason=reason_text(texts, language, reason, numbers.get(reason, 0)),
        )
        for reason, names in causes.items()
    ]
    head = texts.get(language, "batch-report", title=_title(texts, batch, total), count=failed, total=total)
    return "\n".join([head, "", *_fitting(texts, language, lines)])


def _head(texts: Texts, batch: Batch, jobs: Sequence[Job]) -> str:
    """The title and how far it came."""
    language, total = batch.language, len(jobs) + len(batch.unusable)
    states = [job.state for job in jobs]
    done = states.count(JobState.DONE)
    head = "batch-waiting"
    if all(state in ENDED for state in states):
        head = "batch-cancelled" if JobState.CANCELLED in states else "batch-ended"
    return texts.get(
        language,
        head,
        title=_title(texts, batch, total),
        bar=bar(done, total),
        count=done,
        total=total,
        failed=states.count(JobState.FAILED) + len(batch.unusable),
    )


def _title(texts: Texts, batch: Batch, total: int) -> str:
    return _short(batch.title) or texts.get(batch.language, "batch-title", count=total)


def _line(texts: Texts, language: str, job: Job, progress: Progress | None) -> str:
    """One file of the batch."""
    key, known = f"batch-line-{job.state.value.replace('_', '-')}", {"name": _name(job)}
    if job.state is JobState.DONE:
        known["size"] = texts.size(language, job.size_bytes or 0)
    elif job.state is JobState.FAILED:
        known["reason"] = reason_text(texts, language, job.reason or Reason.INTERNAL, job.id)
    elif progress is not None and progress.phase is not Phase.OPENING and progress.total_bytes:
        key = "batch-line-percent"
        known["percent"] = texts.percent(language, progress.done_bytes, progress.total_bytes)
    return texts.get(language, key, **known)


def _name(job: Job) -> str:
    """What is known of a file: its name, or where it lies."""
    if job.name:
        return _short(job.name)
    last = urlsplit(job.link.url).path.rstrip("/").rpartition("/")[2]
    return _short(f"{job.link.host}/…/{last}" if last else job.link.host)


def _names(texts: Texts, language: str, names: Sequence[str]) -> str:
    shown = list(names[:_NAMES])
    if len(names) > _NAMES:
        shown.append(texts.get(language, "batch-more", count=len(names) - _NAMES))
    return ", ".join(shown)


def _short(name: str) -> str:
    name = one_line(name)
    return name if len(name) <= _NAME_CHARACTERS else name[: _NAME_CHARACTERS - 1] + "…"


def _fitting(texts: Texts, language: str, lines: Iterable[str]) -> list[str]:
    """As many lines as fit into one message, and how many more there are."""
    shown, left, rest = list[str](), _LINES_CHARACTERS, list(lines)
    while rest and len(rest[0]) < left and len(shown) < _LINES:
        left -= len(rest[0]) + 1
        shown.append(rest.pop(0))
    return [*shown, texts.get(language, "batch-more", count=len(rest))] if rest else shown
