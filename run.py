"""Peyk's programs. Alone: starts the bot if none is running here, and opens the dashboard on it."""

import asyncio
import functools
import json
import subprocess
import sys
import time
from contextlib import nullcontext
from dataclasses import asdict
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer

# heavy modules are imported by the command that needs them: `status` must not load the engine

app = typer.Typer(
    help=__doc__, add_completion=False, no_args_is_help=False, pretty_exceptions_show_locals=False
)

START_S = 90.0


@app.callback(invoke_without_command=True)
def main(context: typer.Context) -> None:
    """Start the bot if none is running here, and open the dashboard on it."""
    if context.invoked_subcommand is None:
        socket = _socket_path()
        if not _answers(socket):
            _start_bot(socket)
        _open_dashboard(socket)
        if _answers(socket):
            typer.echo("The bot goes on. See it with `python run.py`, ask it with `python run.py status`.")


@app.command()
def bot() -> None:
    """Serve users until SIGTERM or ctrl-c; a second one stops at once."""
    from uploader import logs
    from uploader.app import serve, stop_on_signals
    from uploader.config import Config
    from uploader.errors import ConfigError, PeykError

    async def run(config: Config) -> None:
        stop = asyncio.Event()
        with stop_on_signals(stop):
            await serve(config, stop)

    try:
        config = Config.load()
        logs.configure(config.log_level, config.log_format, config.secrets)
        asyncio.run(run(config))
    except ConfigError as error:
        _refuse("The settings cannot be used:", error.problems, status=2)
    except PeykError as error:
        _refuse("The bot cannot run:", [str(error)], status=1)
    except ExceptionGroup as errors:
        known = errors.subgroup(PeykError)
        if known is None:
            raise
        _refuse("The bot cannot run:", [str(error) for error in known.exceptions], status=1)


@app.command()
def dashboard(
    socket: Annotated[Path | None, typer.Option(help="Control socket of the engine.")] = None,
    chat: Annotated[str, typer.Option(help="host:port of a sandbox's control port.", hidden=True)] = "",
    sample_link: Annotated[str, typer.Option(hidden=True)] = "",
) -> None:
    """Open the dashboard on the engine that runs here."""
    _open_dashboard(socket or _socket_path(), chat, sample_link)


@app.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole snapshot.")] = False,
) -> None:
    """Say how the engine that runs here is."""
    from tui.client import ControlClient, ControlError
    from tui.report import lines

    async def ask() -> None:
        async with ControlClient(_socket_path()) as client:
            snapshot = await client.snapshot()
        typer.echo(snapshot.model_dump_json(indent=2) if as_json else "\n".join(lines(snapshot)))

    try:
        asyncio.run(ask())
    except ControlError as error:
        _refuse("No answer from the engine:", [f"{error}. Start it with: python run.py bot"], status=1)


@app.command()
def demo(
    link: Annotated[list[str] | None, typer.Option(help="A link to deliver; may be repeated.")] = None,
    size: Annotated[int, typer.Option(help="Bytes of the sample file, if no link is given.", min=0)] = 256
    * 1024
    * 1024,
    keep: Annotated[Path | None, typer.Option(help="Save what arrives into this folder.")] = None,
    headless: Annotated[bool, typer.Option(help="Print the steps even on a terminal.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, nothing else.")] = False,
) -> None:
    """Show the main job: a local Telegram, a media site, the engine, and a user who sends a link."""
    from sandbox.demo import Demo

    plan = Demo(links=tuple(link or ()), size_bytes=size, keep=keep, as_json=as_json)
    watched = sys.stdout.isatty() and not (headless or as_json)
    raise typer.Exit(asyncio.run(plan.play() if watched else plan.run()))


@app.command()
def sandbox(
    port: Annotated[int, typer.Option(help="Port of the data centre; 0: any free one.")] = 0,
    key: Annotated[Path | None, typer.Option(help="RSA key file; made if it is not there.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Say where it is in one JSON line.")] = False,
    state: Annotated[
        Path | None, typer.Option(help="Folder that keeps everything for the next start.")
    ] = None,
    limits: Annotated[bool, typer.Option(help="Make bots wait as Telegram does.")] = True,
) -> None:
    """Run a local Telegram data centre on loopback until stopped."""
    from sandbox.serve import serve
    from sandbox.world.ledger import LedgerError

    try:
        asyncio.run(serve(port=port, key=key, as_json=as_json, state=state, limits=limits))
    except LedgerError as error:
        _refuse("The state cannot be used:", [str(error)], status=2)


bench = typer.Typer(help="Measure uploads, and the queue.", no_args_is_help=True)
app.add_typer(bench, name="bench")


@bench.command("upload")
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


@bench.command("pipeline")
def bench_pipeline(
    size: Annotated[int, typer.Option(help="MiB of the file.", min=1, max=2000)] = 2000,
    rounds: Annotated[int, typer.Option(help="How often, for the median.", min=1)] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, nothing else.")] = False,
) -> None:
    """Measure a file's way from link to chat beside its upload alone, at the local data centre."""
    from sandbox.bench.pipeline import bench_pipeline

    raise typer.Exit(bench_pipeline(size * 1024 * 1024, rounds, as_json))


@bench.command("queue")
def bench_queue(
    url: Annotated[str, typer.Option(help="An empty PostgreSQL database; unset: one of its own.")] = "",
    queued: Annotated[int, typer.Option(help="Jobs in the queue.", min=100)] = 20_000,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, nothing else.")] = False,
) -> None:
    """Measure claims and finishes of a long queue on both databases, beside procrastinate's."""
    from uploader.bench_queue import Load, measure, own_postgresql

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


@bench.command("client", hidden=True)
def bench_client(name: str) -> None:
    """Be one of the measured clients: orders on standard input, samples on standard output."""
    from sandbox.bench import clients
    from sandbox.bench.clients import ours
    from sandbox.bench.probe import serve

    if name == "peyk":
        from uploader.bench import uploads

        connect = ours.connecting(uploads)
    else:
        connect = clients.connect_of(name)
    asyncio.run(serve(connect))


@app.command()
def explain(
    link: Annotated[list[str], typer.Argument(help="Links; `-` reads them from standard input, one a line.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per link.")] = False,
) -> None:
    """Say what would be done with links, without fetching them."""
    from uploader.config import Config
    from uploader.errors import ConfigError
    from uploader.sources import routing
    from uploader.sources.extractors import Extractors
    from uploader.sources.guard import Guard

    try:
        guard = Guard(Config.load().allow_networks)
    except (ConfigError, ValueError):
        guard = Guard()  # links can be explained where no bot is set up
    extractors = Extractors()
    stream = TextIOWrapper(sys.stdin.buffer, encoding="utf-8", errors="replace")
    for text in link:
        for one in map(str.strip, stream) if text == "-" else [text]:
            if one:
                told = routing.explain(one, guard, extractors)
                typer.echo(json.dumps(asdict(told)) if as_json else told.sentence)


@app.command()
def check() -> None:
    """Read the settings and say what is wrong with them, without starting anything."""
    from uploader.config import Config
    from uploader.errors import ConfigError

    try:
        config = Config.load()
    except ConfigError as error:
        _refuse("The settings cannot be used:", error.problems, status=2)
    for name, value in config:
        shown = ",".join(map(str, value)) if isinstance(value, frozenset | tuple) else value
        typer.echo(f"PEYK_{name.upper()} = {'' if shown is None else shown}")


def _bench_live(size_mib: int) -> None:
    """Upload random bytes as the configured bot, and say how fast that was."""
    from rich.progress import Progress

    from uploader.bench import try_live
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
        _refuse("The settings cannot be used:", error.problems, status=2)
    except PeykError as error:
        _refuse("The upload failed:", [str(error)], status=1)
    typer.echo(
        f"{trial.size_bytes / trial.seconds / 1e6:.1f} MB/s: {size_mib} MiB in {trial.seconds:.1f} s, "
        f"{trial.cpu_s / trial.size_bytes * 1e9:.1f} CPU-s/GB"
    )


def _socket_path() -> Path:
    from uploader.config import ControlAddress

    return ControlAddress().socket_path


def _answers(socket: Path) -> bool:
    from tui.client import ControlClient, ControlError

    async def ask() -> bool:
        async with ControlClient(socket) as client:
            try:
                await client.snapshot()
            except ControlError:
                return False
            return True

    return asyncio.run(ask())


def _start_bot(socket: Path) -> None:
    """Start the bot in the background, its log in the data folder, and wait until it answers."""
    log_path = socket.parent / "peyk.log"
    log_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with log_path.open("ab") as log:
        log_path.chmod(0o600)
        begin = log.tell()
        child = subprocess.Popen(  # noqa: S603 - our own interpreter and file, no input
            [sys.executable, __file__, "bot"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    typer.echo("Starting the bot…")
    deadline = time.monotonic() + START_S
    while child.poll() is None and not _answers(socket):
        if time.monotonic() > deadline:
            child.terminate()
            _refuse(f"The bot did not start within {START_S:.0f} s; see", [str(log_path)], status=1)
        time.sleep(0.3)
    if child.poll() is not None:
        with log_path.open("rb") as log:
            log.seek(begin)
            _refuse("The bot stopped while it started:", [log.read().decode(errors="replace")], status=1)


def _open_dashboard(socket: Path, chat: str = "", sample_link: str = "") -> None:
    from tui.app import DashboardApp

    host, _, port = chat.rpartition(":")
    DashboardApp(socket, chat=(host, int(port)) if chat else None, sample_link=sample_link or None).run()


def _refuse(what: str, problems: list[str], status: int) -> None:
    typer.echo(what, err=True)
    for problem in problems:
        typer.echo(f"  {problem}", err=True)
    raise typer.Exit(status)


if __name__ == "__main__":
    app()
