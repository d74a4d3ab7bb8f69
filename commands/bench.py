"""`run.py bench`: measure uploads, and the queue."""

import asyncio
import functools
import json
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from commands import refuse

app = typer.Typer(help="Measure uploads, and the queue.", no_args_is_help=True)


@app.command("upload")
def bench_upload(
    quick: Annotated[bool, typer.Option(help="One short round beside Telethon and Kurigram.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, nothing else.")] = False,
    docs: Annotated[Path | None, typer.Option(help="Write table and picture into this folder.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="A peer to measure; may be repeated.")] = None,
    rounds: Annotated[int, typer.Option(help="How often, for the medians; 0: as planned.", min=0)] = 0,
    live: Annotated[bool, typer.Option(help="Upload to the configured data centre instead.")] = False,
    size: Annotated[int, typer.Option(help="MiB to upload with --live.", min=11, max=2000)] = 256,
) -> None:
    """Measure uploads beside other clients', against a data centre that only counts (about 15 minutes)."""
    if live:
        _bench_live(size)
        return
    from sandbox.bench.show import Wish, bench_upload

    wish = Wish(quick=quick, rounds=rounds, as_json=as_json, docs=docs, only=tuple(only or ()))
    raise typer.Exit(bench_upload(wish))


@app.command("pipeline")
def bench_pipeline(
    size: Annotated[int, typer.Option(help="MiB of the file.", min=1, max=2000)] = 2000,
    rounds: Annotated[int, typer.Option(help="How often, for the median.", min=1)] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, nothing else.")] = False,
) -> None:
    """Measure a file's way from link to chat beside its upload alone, at the local data centre."""
    from sandbox.bench.pipeline import bench_pipeline

    raise typer.Exit(bench_pipeline(size * 1024 * 1024, rounds, as_json))


@app.command("queue")
def bench_queue(
    url: Annotated[str, typer.Option(help="An empty PostgreSQL database; unset: one of its own.")] = "",
    queued: Annotated[int, typer.Option(help="Jobs in the queue.", min=100)] = 20_000,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, nothing else.")] = False,
) -> None:
    """Measure claims and finishes of a long queue on both databases, beside procrastinate's."""
    from uploader.bench.queue import Load, measure, own_postgresql

    load = Load(queued=queued, people=queued // 20, jobs=queued // 10)
    report = functools.partial(typer.echo, err=True)
    with nullcontext(url) if url else own_postgresql() as postgresql_url:
        figures = asyncio.run(measure(load, postgresql_url, report))
    if as_json:
        typer.echo(json.dumps({"load": asdict(load), "figures": [asdict(figure) for figure in figures]}))
        return
    typer.echo(f"{load.queued} jobs of {load.people} people in the queue, {load.workers} at once:")
    for figure in figures:
        typer.echo(
            f"  {figure.queue} on {figure.database}: {figure.jobs_per_s:.0f} claims and finishes a second"
        )


@app.command("pacing")
def bench_pacing(
    messages: Annotated[int, typer.Option(help="Messages to 300 chats and 20 groups.", min=1)] = 2_000,
    progress: Annotated[int, typer.Option(help="Seconds of progress of 60 jobs.", min=10)] = 60,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, nothing else.")] = False,
) -> None:
    """Measure how fast chats are served and people answered, at a data centre with Telegram's limits."""
    from sandbox.bench.crowd import crowd
    from uploader.bench.pacing import Figures, Load, measure

    async def run() -> tuple[Figures, int]:
        async with crowd(300, 20) as chats:
            load = Load(messages=messages, progress_s=progress)
            return await measure(chats.client, chats.people, chats.groups, load), chats.floods

    figures, floods = asyncio.run(run())
    if as_json:
        typer.echo(json.dumps({**asdict(figures), "flood_waits": floods}))
    else:
        typer.echo(
            f"{figures.messages} messages to {figures.chats} chats: {figures.messages_per_s:.1f} a second\n"
            f"progress of {figures.jobs} jobs: {figures.edits_per_s:.1f} edits a second, at most "
            f"{figures.most_edits_in_a_second}\n"
            f"{figures.answers} answers meanwhile: p50 {figures.answer_p50_ms:.0f} ms, "
            f"p99 {figures.answer_p99_ms:.0f} ms\n"
            f"FLOOD_WAITs: {floods}"
        )
    raise typer.Exit(1 if floods else 0)


@app.command("sources")
def bench_sources(
    full: Annotated[bool, typer.Option(help="A film of 500 MiB instead of 64.")] = False,
    rounds: Annotated[int, typer.Option(help="How often, for the medians.", min=1, max=9)] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, nothing else.")] = False,
) -> None:
    """Measure how fast a film comes as a file, from a page and in parts, beside yt-dlp and aria2c."""
    from uploader.bench.sources import measure, sizes
    from uploader.errors import PeykError

    try:
        figures = asyncio.run(measure(sizes(full), rounds, functools.partial(typer.echo, err=True)))
    except PeykError as error:
        refuse("The benchmark broke off:", [str(error)], status=1)
    if as_json:
        typer.echo(json.dumps({"figures": [{**asdict(figure), "mb_s": figure.mb_s} for figure in figures]}))


@app.command("links")
def bench_links(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, nothing else.")] = False,
) -> None:
    """Measure how long it takes to know whose 10,000 links are (some seconds; no network)."""
    from uploader.bench.links import links, measure

    figures = measure(links())
    if as_json:
        typer.echo(json.dumps(asdict(figures)))
    else:
        typer.echo(
            f"{figures.links} links explained in {figures.explain_s:.1f} s "
            f"({figures.explain_cpu_s:.1f} s of CPU)\n"
            f"asked of an engine's child in {figures.engine_s:.1f} s, {figures.differences} differences"
        )


@app.command("client", hidden=True)
def bench_client(name: str) -> None:
    """Be one of the measured clients: orders on standard input, samples on standard output."""
    from sandbox.bench import clients
    from sandbox.bench.clients import ours
    from sandbox.bench.probe import serve

    if name == "peyk":
        from uploader.bench.uploads import uploads

        connect = ours.connecting(uploads)
    else:
        connect = clients.connect_of(name)
    asyncio.run(serve(connect))


def _bench_live(size_mib: int) -> None:
    """Upload random bytes as the configured bot, and say how fast that was."""
    from rich.progress import Progress

    from uploader.bench.uploads import try_live
    from uploader.config import Config
    from uploader.errors import ConfigError, PeykError

    size_bytes = size_mib * 1024 * 1024
    try:
        with Progress(transient=True) as progress:
            task = progress.add_task("uploading", total=size_bytes)
            trial = asyncio.run(
                try_live(Config.load(), size_bytes, lambda done: progress.update(task, completed=done))
            )
    except ConfigError as error:
        refuse("The settings cannot be used:", error.problems, status=2)
    except PeykError as error:
        refuse("The upload failed:", [str(error)], status=1)
    typer.echo(
        f"{trial.size_bytes / trial.seconds / 1e6:.1f} MB/s: {size_mib} MiB in {trial.seconds:.1f} s, "
        f"{trial.cpu_s / trial.size_bytes * 1e9:.1f} CPU-s/GB"
    )
