"""A fixed engine to look at: one moment, its data, and a real control server that serves it."""

import asyncio
import html
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from tui.app import DashboardApp
from uploader.control.server import ControlServer
from uploader.snapshot import JobRow, SiteRow, Snapshot, SponsorRow, TransferRow

#: 2026-11-24 09:30 UTC: the moment at which all fixed pictures are taken.
NOW = 1_795_512_600.0
MIB = 1 << 20


class FakeEngine:
    """The lowest door: says `seen`, takes maintenance, and begins to stop."""

    def __init__(self, seen: Snapshot) -> None:
        self.seen = seen

    async def snapshot(self) -> Snapshot:
        """How the engine is."""
        return self.seen

    async def set_maintenance(self, on: bool) -> None:
        """Switch maintenance."""
        self.seen = self.seen.model_copy(update={"maintenance": on})

    def drain(self) -> None:
        """Begin to stop."""
        self.seen = self.seen.model_copy(update={"stopping": True})

    def server(self, socket_path: Path) -> ControlServer:
        """A real control server in front of this engine."""
        return ControlServer(
            socket_path, snapshot=self.snapshot, set_maintenance=self.set_maintenance, drain=self.drain
        )


def transfer(job_id: int, **changes: object) -> TransferRow:
    """A running job, half way."""
    row = TransferRow(
        job_id=job_id,
        user_id=7,
        host="files.example.org",
        name=f"file-{job_id}.bin",
        phase="uploading",
        done_bytes=50 * MIB,
        total_bytes=100 * MIB,
        speed_bytes_s=10.0 * MIB,
        eta_s=5.0,
        attempt=1,
        started_at=NOW - 5,
    )
    return row.model_copy(update=changes)


def job(job_id: int, state: str, **changes: object) -> JobRow:
    """A job that waits or has ended."""
    row = JobRow(
        job_id=job_id,
        user_id=7,
        host="files.example.org",
        name=None,
        state=state,
        reason=None,
        size_bytes=None,
        attempt=1,
        created_at=NOW - 60,
        updated_at=NOW - 30,
        run_at=NOW - 60,
    )
    return row.model_copy(update=changes)


def ended(job_id: int, state: str, ago_s: float, **changes: object) -> JobRow:
    """A job that ended `ago_s` seconds ago, and took a second for each of its number's last two digits."""
    end = NOW - ago_s
    return job(job_id, state, created_at=end - 10 - job_id % 100, updated_at=end, **changes)


def idle(**changes: object) -> Snapshot:
    """An engine that has nothing to do."""
    seen = Snapshot(
        at=NOW,
        started_at=NOW - 11_520,
        bot_username="peyk_bot",
        maintenance=False,
        stopping=False,
        counts=dict.fromkeys(
            ("waiting_sponsors", "waiting_choice", "queued", "running", "done", "failed", "cancelled"), 0
        ),
        transfers=(),
        queue=(),
        recent=(),
        sponsors=(),
    )
    return seen.model_copy(update=changes)


def busy() -> Snapshot:
    """An engine in the middle of its day, as in the README's picture."""
    return idle(
        counts={
            "running": 4,
            "queued": 2,
            "waiting_choice": 1,
            "waiting_sponsors": 2,
            "done": 1284,
            "failed": 17,
            "cancelled": 5,
        },
        transfers=(
            transfer(
                1307,
                name="debian-12.8.0-amd64-DVD-1.iso",
                host="cdimage.example.org",
                done_bytes=1240 * MIB,
                total_bytes=1995 * MIB,
                speed_bytes_s=38.4 * MIB,
                eta_s=755 / 38.4,
            ),
            transfer(
                1310,
                name="کنسرت همایون شجریان ۱۴۰۴.mkv",
                host="media.example.ir",
                done_bytes=312 * MIB,
                total_bytes=734 * MIB,
                speed_bytes_s=21.7 * MIB,
                eta_s=422 / 21.7,
                attempt=2,
            ),
            transfer(
                1312,
                name="backup-2026-11.tar.zst",
                host="nas.example.net",
                done_bytes=96 * MIB,
                total_bytes=None,
                speed_bytes_s=12.1 * MIB,
                eta_s=None,
            ),
            transfer(
                1313,
                name="lecture-07.mp4",
                host="cs.example.edu",
                phase="finishing",
                done_bytes=182 * MIB,
                total_bytes=182 * MIB,
                speed_bytes_s=0.0,
                eta_s=None,
            ),
        ),
        queue=(
            job(1314, "queued", host="cs.example.edu", created_at=NOW - 8),
            job(1311, "queued", name="dataset-v3.parquet", run_at=NOW + 42, attempt=2, created_at=NOW - 96),
            job(1299, "waiting_choice", host="films.example.org", created_at=NOW - 64),
            job(1309, "waiting_sponsors", host="music.example.com", created_at=NOW - 410),
            job(1302, "waiting_sponsors", host="video.example.tv", created_at=NOW - 5120),
        ),
        recent=(
            ended(1306, "done", 9, name="ubuntu-26.04-desktop.iso", size_bytes=1998 * MIB),
            ended(1308, "failed", 25, name="season-2.zip", reason="not-found"),
            ended(1305, "done", 48, name="گزارش پاییز.pdf", size_bytes=int(9.4 * MIB)),
            ended(1304, "cancelled", 130, name="huge-render.mov", size_bytes=900 * MIB),
            ended(1303, "failed", 200, host="10.0.0.5", reason="private-address"),
            ended(1301, "done", 260, name="podcast-112.mp3", size_bytes=74 * MIB),
        ),
        sponsors=(
            SponsorRow(channel_id=1, title="Daily Tech", username="daily_tech", asked=412, joined=318),
            SponsorRow(channel_id=2, title="سینمای ایران", username="cinema_ir", asked=96, joined=41),
            SponsorRow(channel_id=3, title="Music Box", username="musicbox", asked=0, joined=0),
        ),
        resting=(SiteRow(site="films.example.org", wait_s=48), SiteRow(site="vimeo", wait_s=12)),
    )


@contextmanager
def engine_elsewhere(engine: FakeEngine, socket_path: Path) -> Iterator[None]:
    """Serve `engine` from a thread with its own loop, for tests that run their app to its end."""
    up, over = threading.Event(), threading.Event()

    async def serve() -> None:
        async with engine.server(socket_path):
            up.set()
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert up.wait(timeout=10)
        yield
    finally:
        over.set()
        thread.join(timeout=10)


async def until(pilot: Pilot[None], condition: Callable[[], object]) -> None:
    """Let the app work until the condition holds."""
    async with asyncio.timeout(60):
        while not condition():
            await pilot.pause()


def shown(app: DashboardApp) -> str:
    """The text on the terminal, line by line."""
    lines: dict[float, str] = {}
    for found in re.finditer(r'<text [^>]*? y="([\d.]+)"[^>]*>(.*?)</text>', app.export_screenshot()):
        y = float(found[1])
        lines[y] = lines.get(y, "") + html.unescape(found[2]).replace("\xa0", " ")
    return "\n".join(text for _, text in sorted(lines.items()))


class StillApp(DashboardApp):
    """The dashboard with its clock stopped and nothing moving, for pictures that are always the same."""

    def __init__(self, socket_path: Path, chat: tuple[str, int] | None = None, **options: Any) -> None:
        super().__init__(socket_path, chat, **{"clock": lambda: NOW, **options})
        self.animation_level = "none"

    def export_screenshot(self, *, title: str | None = None, simplify: bool = False) -> str:
        """The picture, with the fonts of the machine it is looked at instead of ones from the web."""
        picture = super().export_screenshot(title=title, simplify=simplify)
        return re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)
