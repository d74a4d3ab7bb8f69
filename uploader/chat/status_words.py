"""What status messages say of a job, in the words of its person."""

from uploader import limits
from uploader.errors import Reason
from uploader.model import Job, JobState, Phase, Progress
from uploader.quoting import Said
from uploader.speed import eta_s
from uploader.texts import Texts, bar
from uploader.verdicts import Place, Refused


def state_text(texts: Texts, job: Job, place: Place, now: float) -> str:
    """What is said at `now`, in epoch seconds, of a job that does not run, and asks nothing."""
    get, language = texts.get, job.language
    if job.state is JobState.DONE:
        size = texts.size(language, job.size_bytes or 0)
        return get(language, "done", name=job.name or job.link.host, total=size)
    if job.state is JobState.FAILED:
        reason = reason_text(texts, language, job.reason or Reason.INTERNAL, job.id)
        return get(language, "failed", reason=reason)
    if job.state is JobState.CANCELLED:
        return _cancelled_text(texts, job)
    if job.reason is not None:
        wait = texts.duration(language, job.run_at - now)
        return get(language, "retrying", reason=cause_text(texts, language, job.reason), wait=wait)
    return queued_text(texts, language, place)


def _cancelled_text(texts: Texts, job: Job) -> str:
    """Its person wanted that, or did not do in time what the job waited for."""
    if job.reason is not Reason.WAITED_TOO_LONG:
        return texts.get(job.language, "cancelled")
    if job.dues_shown is not None or job.offer is None:
        was_unsure = (job.dues_shown or "").startswith("?")
        return texts.get(job.language, "sponsors-unknown" if was_unsure else "sponsors-expired")
    wait = texts.duration(job.language, limits.WAITING_CHOICE_S)
    return texts.get(job.language, "choice-expired", wait=wait)


def queued_text(texts: Texts, language: str, place: Place) -> str:
    """Where a queued job stands, in the person's words."""
    if place.behind_own:
        return texts.get(language, "queued-own")
    if place.wait_s is None:
        return texts.get(language, "queued", ahead=place.ahead)
    wait = texts.duration(language, place.wait_s)
    return texts.get(language, "queued-wait", ahead=place.ahead, wait=wait)


def reason_text(texts: Texts, language: str, reason: Reason, job_id: int = 0) -> Said:
    """A cause in the person's words, with what they can do next."""
    key, cause = f"reason-{reason.value}", cause_text(texts, language, reason)
    if not texts.has_advice(key):
        return cause
    return Said(f"{cause} {texts.get(language, f'{key}.advice', cap=texts.cap(language), job=job_id)}")


def cause_text(texts: Texts, language: str, reason: Reason) -> Said:
    """A cause in the person's words, who need do nothing."""
    return texts.get(language, f"reason-{reason.value}", cap=texts.cap(language))


def refusal_text(texts: Texts, language: str, refused: Refused) -> str:
    """Why nothing was kept of what the person asked for, and when it may go better."""
    wait = texts.duration(language, refused.wait_s)
    return texts.get(language, f"refused-{refused.reason}", count=refused.count, wait=wait)


def progress_text(texts: Texts, job: Job, progress: Progress, speed_bytes_s: float, now: float) -> str:
    """What the status message of a running job says at `now`, in epoch seconds."""
    language, total_bytes = job.language, progress.total_bytes
    name = progress.name or job.link.host
    if progress.phase is Phase.OPENING:
        return texts.get(language, "opening", host=job.link.host)
    done = texts.size(language, progress.done_bytes)
    if progress.phase is Phase.PREPARING and total_bytes is None:
        return texts.get(language, "making", name=name, done=done)
    if progress.phase is Phase.PREPARING:
        total = texts.size(language, total_bytes or 0)
        return texts.get(language, "preparing", name=name, done=done, total=total)
    parked_s = (progress.parked_until or 0.0) - now
    if parked_s > 0:
        return texts.get(language, "parked", name=name, done=done, wait=texts.duration(language, parked_s))
    if progress.phase is Phase.FINISHING:
        return texts.get(language, "finishing", name=name, total=done)
    said = {"name": name, "done": done}
    if total_bytes is not None:
        said["bar"], said["total"] = bar(progress.done_bytes, total_bytes), texts.size(language, total_bytes)
        said["percent"] = texts.percent(language, progress.done_bytes, total_bytes)
    key = "uploading-unknown" if total_bytes is None else "uploading"
    if speed_bytes_s <= 0:  # not known yet, or it stands still: nothing is said that would be made up
        return texts.get(language, f"{key}-begun", **said)
    left_s = eta_s(progress.done_bytes, total_bytes, speed_bytes_s)
    eta = "" if left_s is None else texts.duration(language, left_s)
    return texts.get(language, key, speed=texts.size(language, speed_bytes_s), eta=eta, **said)
