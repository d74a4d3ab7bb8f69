"""What `run.py bench links` measures: how long it takes to know whose 10,000 links are. No network."""

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from time import monotonic, process_time
from typing import Final

from yt_dlp.extractor import gen_extractor_classes

from uploader.errors import NotALink
from uploader.links import parse
from uploader.sources.guard import Guard
from uploader.sources.media.chooser import Chooser
from uploader.sources.media.extractors import Extractors
from uploader.sources.media.process import Cells
from uploader.sources.media.versions import Trial
from uploader.sources.media.workshop import Workshop
from uploader.sources.routing import explain

LINKS: Final = 10_000
#: Of an engine, so many ask at once.
_ASKING: Final = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """How long all links took; seconds of the clock, and of this process' CPU time."""

    links: int
    explain_s: float  # `run.py explain`, its start included
    explain_cpu_s: float
    engine_s: float  # as an engine asks: of a child, whose start is included
    differences: int  # links that the two ways call differently


def measure(texts: Sequence[str]) -> Figures:
    """Explain `texts` here, as `run.py explain` does, then ask the child of an engine for each."""
    began, cpu_began = monotonic(), process_time()
    choose = Extractors().choose
    guard = Guard()
    told = [explain(text, guard, choose).extractor for text in texts]
    ended, cpu_ended = monotonic(), process_time()
    by_child = asyncio.run(_asked(texts))
    return Figures(
        links=len(texts),
        explain_s=ended - began,
        explain_cpu_s=cpu_ended - cpu_began,
        engine_s=monotonic() - ended,
        differences=sum(here not in {None, there} for here, there in zip(told, by_child, strict=True)),
    )


def links() -> list[str]:
    """The links that yt-dlp's extractors are tested with, again until there are `LINKS`."""
    cases = [case for each in gen_extractor_classes() for case in each.get_testcases(True)]
    urls = {str(case["url"]) for case in cases}
    return list(islice(cycle(sorted(url for url in urls if url.startswith("http"))), LINKS))


async def _asked(texts: Sequence[str]) -> list[str | None]:
    """What the child says of each; None: it is no link."""
    said: list[str | None] = [None] * len(texts)
    left = iter(enumerate(texts))
    with tempfile.TemporaryDirectory(prefix="peyk-bench-") as folder:
        async with Workshop(Path(folder)) as workshop, Chooser(Cells(), workshop, Trial()) as chooser:

            async def ask() -> None:
                for at, text in left:
                    try:
                        said[at] = await chooser.choose(parse(text, fragment=True))
                    except NotALink:
                        continue

            async with asyncio.TaskGroup() as tasks:
                for _ in range(_ASKING):
                    tasks.create_task(ask())
    return said
