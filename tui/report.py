"""The snapshot as a few lines of plain text: `run.py status`."""

from collections.abc import Iterator

from tui import plain, units, wording
from uploader.snapshot import Snapshot, TransferRow


def lines(snapshot: Snapshot) -> Iterator[str]:
    """How the engine is, for a terminal that is no dashboard."""
    counts = snapshot.counts
    mode = "stopping" if snapshot.stopping else "maintenance" if snapshot.maintenance else "serving"
    if snapshot.troubles and not snapshot.stopping:
        mode = "in trouble"
    yield f"@{snapshot.bot_username} {mode}, up {units.duration(snapshot.at - snapshot.started_at)}"
    yield from faults(snapshot)
    yield (
        f"{counts['running']} running, {counts['queued']} queued, "
        f"{counts['waiting_choice']} waiting for a choice, {counts['waiting_sponsors']} for sponsors; "
        f"{counts['done']} delivered, {counts['failed']} failed, {counts['cancelled']} cancelled"
    )
    for transfer in snapshot.transfers:
        yield _transfer(transfer)
    for sponsor in snapshot.sponsors:
        yield f"  sponsor @{sponsor.username}: {sponsor.asked} asked, {sponsor.joined} joined"
    for row in snapshot.resting:
        yield f"  site {plain.name(row.site)} rests after failures, {units.duration(row.wait_s)} more"


def faults(snapshot: Snapshot) -> Iterator[str]:
    """What keeps the engine from serving, or is wrong with its machine."""
    for trouble in snapshot.troubles:
        yield f"TROUBLE: {trouble}"
    if snapshot.telegram.machine_ahead_s:
        yield f"{wording.wrong_clock(snapshot.telegram.machine_ahead_s)}: set it, by NTP say"


def _transfer(row: TransferRow) -> str:
    parts = [
        f"  #{row.job_id} {plain.name(row.name or row.host)}",
        wording.phase(row.phase),
        units.percent(row.done_bytes, row.total_bytes),
        units.size(row.done_bytes),
        units.speed(row.speed_bytes_s),
        f"{units.duration(row.eta_s)} left" if row.eta_s is not None else "",
        f"waiting for Telegram, {units.duration(row.parked_s)}" if row.parked_s else "",
    ]
    return "  ".join(part for part in parts if part)
