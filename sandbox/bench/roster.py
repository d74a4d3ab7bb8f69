"""Who is measured: how each client's process is started, or why it is left out."""

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sandbox.bench.figures import LIMIT, OURS

RUN: Final = Path(__file__).parents[2] / "run.py"
_SCRIPTS: Final = Path(__file__).parent / "clients"
#: The npm packages live beside the Python ones, outside the sources; `make clean` takes them along.
_NPM_FOLDER: Final = Path(sys.prefix) / "bench"
_NPM_PATIENCE_S: Final = 300.0
_NPM_VERSIONS: Final = (("@mtcute/node", "0.30.3"), ("telegram", "2.26.22"))


@dataclass(frozen=True, slots=True)
class Client:
    """One client: `shape` is connections x parts in flight, part size; `lacking` says why it cannot run."""

    name: str
    title: str
    shape: str
    command: Sequence[str]
    lacking: Callable[[], str | None]


def ours_and_limit() -> list[Client]:
    """Those that are always measured."""
    return [
        Client(OURS, "Peyk", "adaptive, 512K", _python(OURS), _nothing),
        Client(LIMIT, "limit", "16 x 4, 512K", _python(LIMIT), _nothing),
    ]


def peers() -> list[Client]:
    """The others, as their projects publish them."""
    return [
        Client("telethon", "Telethon", "1 x 1, 256K", _python("telethon"), _nothing),
        Client("fast", "FastTelethon-style", "20 x 1, 256K", _python("fast"), _nothing),
        Client("kurigram", "Kurigram", "1 x 4, 512K", _python("kurigram"), _lacking_kurigram),
        Client("mtcute", "mtcute", "4 x 3, 256K", _node("mtcute.mjs"), _lacking_node),
        Client("gramjs", "GramJS", "1 x 4, 128-256K", _node("gramjs.mjs"), _lacking_node),
    ]


def _python(name: str) -> list[str]:
    return [sys.executable, str(RUN), "bench", "client", name]


def _node(script: str) -> list[str]:
    return ["node", str(_SCRIPTS / script), str(_NPM_FOLDER / "package.json")]


def _nothing() -> str | None:
    return None


def _lacking_kurigram() -> str | None:
    if importlib.util.find_spec("pyrogram") is None:
        return "not installed: pip install -c constraints.txt -e '.[bench]'"
    return None


def _lacking_node() -> str | None:
    """Install the npm packages when they are not there yet; what is in the way of that."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        return "node and npm are not installed"
    if all((_NPM_FOLDER / "node_modules" / name / "package.json").exists() for name, _ in _NPM_VERSIONS):
        return None
    _NPM_FOLDER.mkdir(parents=True, exist_ok=True)
    wanted = [f"{name}@{version}" for name, version in _NPM_VERSIONS]
    # no scripts: what they would build, a database and faster masks for websockets, is not used
    options = ["--prefix", str(_NPM_FOLDER), "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    try:
        done = subprocess.run(  # noqa: S603 - npm itself, with our own arguments
            [npm, "install", *options, *wanted],
            capture_output=True,
            text=True,
            timeout=_NPM_PATIENCE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"npm took more than {_NPM_PATIENCE_S:.0f} s"
    return None if done.returncode == 0 else f"npm install failed: {done.stderr.strip()[-300:]}"
