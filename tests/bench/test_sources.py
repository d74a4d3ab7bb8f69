"""`run.py bench sources`, in small: real sites, real programs, and figures of what they brought."""

import shutil

from uploader.bench.sources import measure


async def test_measure_when_run_fetches_the_film_in_every_way() -> None:
    """The same film each time; what streams lies not on disk, and what is joined is there twice at most."""
    said: list[str] = []
    figures = await measure(1, 1, said.append)
    found = {(figure.what, figure.program): figure for figure in figures}
    ways = {
        (what, "Peyk") for what in ("plain file", "capped file", "on a page", "HLS segments", "DASH pair")
    }
    peers = {(what, "yt-dlp") for what in ("on a page", "HLS segments", "DASH pair")}
    aria2c = {("plain file", "aria2c"), ("capped file", "aria2c")} if shutil.which("aria2c") else set()
    assert ways | peers | aria2c == set(found)
    size_bytes = found["plain file", "Peyk"].size_bytes
    assert all(abs(figure.size_bytes - size_bytes) < size_bytes / 10 for figure in figures)
    assert found["on a page", "Peyk"].disk_ratio < 1
    assert found["DASH pair", "Peyk"].disk_ratio <= 2.1
    assert all(figure.mb_s > 0 for figure in figures)
    assert len(said) >= len(figures)
