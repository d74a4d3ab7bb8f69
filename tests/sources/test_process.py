"""Child processes: what they may do, and that nothing of them is left."""

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.sources.sites import HASTY, LOOPBACK, ranged, reply, site
from uploader.limits import MIB
from uploader.sources.guard import Guard
from uploader.sources.media.process import Cell, Cells, Child, ChildFailed
from uploader.sources.proxy import Proxy

CONTENT = bytes(range(256)) * 100

#: What a child can find out about its surroundings, said as one line of JSON.
LOOK_AROUND = """
import json, os, socket, sys

def tried(act):
    try:
        act()
    except OSError as error:
        return type(error).__name__
    return None

def dial(host, port):
    with socket.create_connection((host, int(port)), timeout=5):
        pass

host, port, secret, pid = sys.argv[1:]
open("mine", "w").write("x")
print(json.dumps({
    "environment": sorted(os.environ),
    "outside": tried(lambda: open(secret).read()),
    "elsewhere": tried(lambda: open(secret + ".new", "w")),
    "truncated": tried(lambda: os.truncate(secret, 0)),
    "parent": tried(lambda: open(f"/proc/{pid}/environ").read()),
    "dialled": tried(lambda: dial(host, port)),
    "user": os.getuid(),
}), flush=True)
"""

THROUGH_PROXY = """
import json, sys, urllib.request
order = json.loads(sys.stdin.readline())
opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": order["proxy"]}))
print(json.dumps(len(opener.open(order["url"], timeout=10).read())), flush=True)
"""

WITH_A_CHILD_OF_ITS_OWN = """
import subprocess, sys, time
child = subprocess.Popen(["sleep", "1000"])
print(child.pid, flush=True)
time.sleep(1000)
"""


@pytest.fixture
def cell(tmp_path: Path) -> Cell:
    """Room for anything that a test does."""
    folder = tmp_path / "job"
    folder.mkdir()
    return Cell(folder=folder, wall_s=30, cpu_s=20, memory_bytes=256 * MIB, file_bytes=MIB)


def python(code: str, *arguments: str) -> tuple[str, ...]:
    """A child that runs `code`."""
    return (sys.executable, "-I", "-c", code, *arguments)


def allows_namespaces() -> bool:
    """Whether this machine lets us make networks."""
    return not subprocess.run(["unshare", "-Un", "true"], capture_output=True, check=False).returncode


def has_landlock() -> bool:
    """Whether this kernel shuts files away."""
    return int(ctypes.CDLL(None).syscall(444, None, 0, 1)) >= 3


async def gone(pid: int) -> bool:
    """Whether the process ends within a second; one that only waits to be counted has ended."""
    async with asyncio.timeout(10):
        while True:  # the kernel tells nobody but the parent, which is dead
            if state_of(pid) in "ZX":
                return True
            await asyncio.sleep(0.01)


def state_of(pid: int) -> str:
    """The letter by which the kernel calls the state of a process; X: it is no more."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"


async def test_child_sees_nothing_but_its_folder(
    cell: Cell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No settings, no other file, no network, no other process's memory."""
    monkeypatch.setenv("PEYK_BOT_TOKEN", "123:secret")
    secret = tmp_path / "session"
    secret.write_text("secret")
    async with site(reply(200), "127.0.0.1") as served:
        around = (served.host, str(served.port), str(secret), str(os.getpid()))
        async with Cells().start(python(LOOK_AROUND, *around), cell) as child:
            told = await child.hear()
    names = ["HOME", "LANG", "PATH", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "YTDLP_NO_PLUGINS"]
    assert names == [name for name in told["environment"] if name != "LC_CTYPE"]
    if has_landlock():
        assert ["PermissionError"] * 4 == [
            told[what] for what in ("outside", "elsewhere", "truncated", "parent")
        ]
        assert "secret" == secret.read_text()
    if allows_namespaces():
        assert ("ConnectionRefusedError", 65534, 0) == (told["dialled"], told["user"], served.connections)


@pytest.mark.parametrize("isolated", [True, False])
async def test_child_reaches_sites_through_the_proxy(cell: Cell, isolated: bool) -> None:
    """In a network of its own or in the machine's: the proxy is there, with the guard behind it."""
    async with (
        site(ranged(CONTENT)) as served,
        Proxy(Guard(LOOPBACK), HASTY) as proxy,
        Cells(isolated=isolated).start(python(THROUGH_PROXY), cell, proxy) as child,
    ):
        with proxy.admit(size_bytes=10**6, duration_s=30) as granted:
            await child.say({"url": served.url(), "proxy": granted.url(child.port)})
            assert len(CONTENT) == await child.hear()
        networks = {os.stat(f"/proc/{pid}/ns/net").st_ino for pid in (child.pid, os.getpid())}  # noqa: PTH116 - of a link
    if allows_namespaces():
        assert isolated == (len(networks) == 2)


async def ends_alone(child: Child) -> None:
    """Leave the child as it is."""


async def kills(child: Child) -> None:
    """Kill the child itself, and not what it started."""
    os.kill(child.pid, signal.SIGKILL)
    assert await gone(child.pid)


@pytest.mark.parametrize("way", [ends_alone, kills])
async def test_child_at_the_end_leaves_no_process(cell: Cell, way: Callable[[Child], Any]) -> None:
    """Whatever it started dies with it, also when it was killed before."""
    async with Cells().start(python(WITH_A_CHILD_OF_ITS_OWN), cell) as child:
        grandchild = await child.hear()
        await way(child)
    assert await gone(child.pid)
    assert await gone(grandchild)


async def test_child_of_a_cancelled_job_leaves_no_process(cell: Cell) -> None:
    """A cancel in the middle of a wait ends the child, too."""
    pids = []

    async def work() -> None:
        async with Cells().start(python(WITH_A_CHILD_OF_ITS_OWN), cell) as child:
            pids.extend([child.pid, await child.hear()])
            heard.set()
            await child.hear()

    heard = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(work())
        await heard.wait()
        task.cancel()
    assert [await gone(pid) for pid in pids] == [True, True]


async def test_child_of_an_engine_that_was_killed_dies_with_it(cell: Cell) -> None:
    """`kill -9` leaves nobody to clean up: the kernel does."""
    engine = f"""
import asyncio, os, signal
from pathlib import Path
from uploader.sources.media.process import Cell, Cells
async def main():
    cell = Cell(folder=Path({str(cell.folder)!r}), wall_s=60, cpu_s=9, memory_bytes=10**9, file_bytes=9)
    async with Cells().start({python("import time; print(1, flush=True); time.sleep(99)")!r}, cell) as child:
        await child.hear()
        print(child.pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""
    ran = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", engine), stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    told, _ = await ran.communicate()
    assert await gone(int(told))


async def test_child_that_takes_too_long_is_ended(cell: Cell) -> None:
    """The deadline is the cell's, whatever the child does."""
    with pytest.raises(TimeoutError):
        async with Cells().start(python(WITH_A_CHILD_OF_ITS_OWN), replace(cell, wall_s=0.5)) as child:
            await child.ended()
    assert await gone(child.pid)


@pytest.mark.parametrize(
    ("code", "limits"),
    [
        ("x = bytearray(10**9); print(1)", {}),
        ("while True: pass", {"cpu_s": 1}),
        ("f = open('big', 'wb')\nwhile True: f.write(bytes(10**6))", {}),
        ("import os\nkept = [os.open('/dev/null', 0) for _ in range(1000)]\nprint(1)", {}),
    ],
    ids=["memory", "processor", "disk", "files"],
)
async def test_child_that_takes_too_much_is_ended(cell: Cell, code: str, limits: dict[str, Any]) -> None:
    """Memory, processor, disk and open files are bounded by the kernel."""
    with pytest.raises(ChildFailed):
        async with Cells().start(python(code), replace(cell, **limits)) as child:
            await child.hear()
    assert sum(file.stat().st_size for file in cell.folder.rglob("*") if file.is_file()) <= cell.file_bytes


@pytest.mark.parametrize("noise", ["'no json'", "'{' * 100", "'\\xff'", "'x' * 9_000_000"])
async def test_child_that_talks_nonsense_has_failed(cell: Cell, noise: str) -> None:
    """Neither broken nor endless lines go further."""
    code = f"import sys; sys.stdout.write({noise} + '\\n'); sys.stdout.flush(); sys.stdin.read()"
    with pytest.raises(ChildFailed):
        async with Cells().start(python(code), cell) as child:
            await child.hear()


async def test_child_that_has_ended_hears_nothing(cell: Cell) -> None:
    """Talking to the dead is a failure, not a hang."""
    async with Cells().start(python("raise SystemExit(3)"), cell) as child:
        assert 3 == await child.ended()
        with pytest.raises(ChildFailed, match="3"):
            await child.hear()
        with suppress(ChildFailed):  # the pipe may take a line that nobody reads
            await child.say({"x": "y" * MIB})
