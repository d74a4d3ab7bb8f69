"""Starts engines at once: `python -m tests.engine.nursery` imports what they need, and each is a fork of it.

A line of JSON, {"settings", "folder"}, starts `run.py bot` with these settings, and is answered with its pid.
"""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import uploader.app  # noqa: F401 - so that its children have it
from run import bot


def become_engine(settings: dict[str, str], folder: Path) -> None:
    """The rest of this process is an engine, with its log in `folder`."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    log = os.open(folder / "engine.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.chdir(folder)
    os.environ.update(settings)
    bot()


def main() -> None:
    """Fork until standard input ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead are not waited for
    for line in sys.stdin:
        order: dict[str, Any] = json.loads(line)
        child = os.fork()
        if not child:
            become_engine(order["settings"], Path(order["folder"]))
            return
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
