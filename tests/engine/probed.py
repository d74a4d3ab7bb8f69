"""`run.py bot` with a probe at the lowest door of its event loop.

    python -m tests.engine.probed FIGURES

What each callback cost the processor while the engine serves is measured where the loop calls it, so that a
busy machine does not count; the worst of them are written to the file FIGURES, again and again, as JSON.
"""

import asyncio
import gc
import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

from run import bot

#: No callback may take longer, says issue 11; those above it are counted.
LONG_S = 0.05
WORST = 10
WRITE_S = 1.0


class Probe:
    """The costs of callbacks."""

    def __init__(self) -> None:
        self._worst: list[tuple[float, str]] = []
        self._callbacks = 0
        self._long = 0
        self._cpu_s = 0.0
        self._is_serving = False

    def install(self) -> None:
        """Measure what any loop of this process calls while the engine serves: from freeze to unfreeze."""
        run = asyncio.Handle._run  # noqa: SLF001 - the lowest door: no other sees each callback
        freeze, unfreeze = gc.freeze, gc.unfreeze

        def measured(handle: Any) -> None:
            was_serving, began_s = self._is_serving, time.thread_time()
            run(handle)
            if was_serving and self._is_serving:
                self._count(time.thread_time() - began_s, handle)

        def begin() -> None:
            freeze()
            self._is_serving = True

        def end() -> None:
            self._is_serving = False
            unfreeze()

        gc.freeze, gc.unfreeze = begin, end

        setattr(asyncio.Handle, "_run", measured)  # noqa: B010 - plainer than what it takes to type it

    def _count(self, cost_s: float, handle: Any) -> None:
        self._callbacks += 1
        self._cpu_s += cost_s
        self._long += cost_s > LONG_S
        if len(self._worst) < WORST or cost_s > self._worst[-1][0]:
            self._worst = sorted([*self._worst, (cost_s, _named(handle))], reverse=True)[:WORST]

    def write(self, path: Path) -> None:
        """Write down what was found so far."""
        found = {"callbacks": self._callbacks, "cpu_s": self._cpu_s, "long": self._long, "worst": self._worst}
        part = path.with_suffix(".part")
        part.write_text(json.dumps(found))
        part.replace(path)


def _named(handle: Any) -> str:
    callback = handle._callback  # noqa: SLF001 - there is no other way to tell
    task = getattr(callback, "__self__", None)
    if isinstance(task, asyncio.Task):
        return f"{task.get_name()}: {getattr(task.get_coro(), '__qualname__', task.get_coro())}"
    return str(getattr(callback, "__qualname__", callback))


def main(path: Path) -> None:
    """Be an engine."""
    probe = Probe()
    probe.install()

    def keep_writing() -> None:
        while True:
            time.sleep(WRITE_S)
            probe.write(path)

    threading.Thread(target=keep_writing, daemon=True).start()
    bot()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
