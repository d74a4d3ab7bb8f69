"""Peyk's programs. Alone: starts the bot if none is running here, and opens the dashboard on it."""

import asyncio
import json
import subprocess
import sys
import time
from dataclasses import asdict
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer

from commands import bench, keeping, media, refuse

# heavy modules are imported by the command that needs them: `status` must not load the engine

app = typer.Typer(
    help=__doc__, add_completion=False, no_args_is_help=False, pretty_exceptions_show_locals=False
)

START_S = 90.0
#: Longer than the engine's own deadline for running transfers.
DRAIN_S = 60.0


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
    from uploader.app import serve
    from uploader.config import Config
    from uploader.errors import ConfigError, PeykError
    from uploader.service import stop_on_signals

    async def run(config: Config) -> None:
        stop = asyncio.Event()
        with stop_on_signals(stop):
            await serve(config, stop)

    try:
        config = Config.load()
        logs.configure(config.log_level, config.log_format, config.secrets)
        asyncio.run(run(config))
    except ConfigError as error:
        refuse("The settings cannot be used:", error.problems, status=2)
    except PeykError as error:
        refuse("The bot cannot run:", [str(error)], status=1)
    except ExceptionGroup as errors:
        known = errors.subgroup(PeykError)
        if known is None:
            raise
        refuse("The bot cannot run:", [str(error) for error in known.exceptions], status=1)


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
    from tui.client import ControlClient, ControlError, EngineTroubled
    from tui.report import lines

    async def ask() -> None:
        async with ControlClient(_socket_path()) as client:
            snapshot = await client.snapshot()
        typer.echo(snapshot.model_dump_json(indent=2) if as_json else "\n".join(lines(snapshot)))

    try:
        asyncio.run(ask())
    except EngineTroubled as error:
        refuse("The engine runs, and cannot serve now:", [str(error)], status=1)
    except ControlError as error:
        refuse("No answer from the engine:", [f"{error}. Start it with: python run.py bot"], status=1)


@app.command()
def drain() -> None:
    """Stop the engine that runs here, as SIGTERM does: its jobs go on at the next start."""
    from tui.client import ControlClient, ControlError, EngineTroubled

    async def ask() -> bool:
        async with ControlClient(_socket_path()) as client:
            try:
                running = (await client.drain()).counts.get("running", 0)
            except EngineTroubled as trouble:  # it stops all the same
                typer.echo(f"Stopping: {trouble}")
            else:
                typer.echo(f"Stopping: {running} running, nothing new is taken…")
        try:
            async with asyncio.timeout(DRAIN_S):
                while _socket_path().exists():  # noqa: ASYNC110 - a file of another process
                    await asyncio.sleep(0.1)
        except TimeoutError:
            return False
        return True

    try:
        ended = asyncio.run(ask())
    except ControlError as error:
        refuse("No answer from the engine:", [f"{error}. It may have stopped already."], status=1)
    if not ended:
        refuse("The engine still runs:", [f"it did not end within {DRAIN_S:.0f} s; see its log"], status=1)
    typer.echo("The engine has stopped.")


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
    layer: Annotated[
        list[Path] | None,
        typer.Option(help="TL text of an older API layer of clients; repeatable."),
    ] = None,
) -> None:
    """Run a local Telegram data centre on loopback until stopped."""
    from sandbox.serve import serve
    from sandbox.world.ledger import LedgerError

    try:
        asyncio.run(serve(port, key, as_json, state=state, limits=limits, layers=layer or ()))
    except (LedgerError, OSError, ValueError) as error:
        refuse("The sandbox cannot run:", [str(error)], status=2)


app.add_typer(bench.app, name="bench")
app.add_typer(media.app, name="media")
app.add_typer(keeping.app)


@app.command()
def explain(
    link: Annotated[list[str], typer.Argument(help="Links; `-` reads them from standard input, one a line.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per link.")] = False,
) -> None:
    """Say what would be done with links, without fetching them."""
    from uploader.config import Config
    from uploader.errors import ConfigError
    from uploader.sources import routing
    from uploader.sources.guard import Guard

    if (version := media.versions_here().folder()) is not None:
        sys.path.insert(0, str(version))  # the yt-dlp that the engine uses
    from uploader.sources.media.extractors import Extractors

    try:
        config = Config.load()
        guard = Guard(config.allow_networks, own_ports=config.own_ports)
    except (ConfigError, ValueError):
        guard = Guard()  # links can be explained where no bot is set up
    choose = Extractors().choose
    stream = TextIOWrapper(sys.stdin.buffer, encoding="utf-8", errors="replace")
    for text in link:
        for one in map(str.strip, stream) if text == "-" else [text]:
            if one:
                told = routing.explain(one, guard, choose)
                typer.echo(json.dumps(asdict(told)) if as_json else told.sentence)


@app.command()
def login() -> None:
    """Log a user account in: with Premium it carries files up to 4000 MiB."""
    from uploader.terminal_login import main

    raise typer.Exit(main())


@app.command()
def check() -> None:
    """Read the settings and say what is wrong with them, and with the engine if it runs; start nothing."""
    from commands import keys
    from uploader import machine
    from uploader.config import Config
    from uploader.errors import ConfigError
    from uploader.storage.engines import url_of

    try:
        config = Config.load()
        url_of(config.database)
    except ConfigError as error:
        refuse("The settings cannot be used:", [*error.problems, *keys.unknown()], status=2)
    if strange := keys.unknown():
        refuse("These settings have no effect:", strange, status=2)
    for name, value in config:
        shown = ",".join(map(str, value)) if isinstance(value, frozenset | tuple) else value
        typer.echo(f"PEYK_{name.upper()} = {'' if shown is None else shown}")
    found = machine.look()
    typer.echo(f"Here: {machine.sentence(found, machine.room(found))}")
    for fault in _faults(config.socket_path):
        typer.echo(fault, err=True)


def _faults(socket: Path) -> list[str]:
    """What the engine that runs here, if one does, says is wrong."""
    from tui.client import ControlClient, ControlError
    from tui.report import faults

    async def ask() -> list[str]:
        async with ControlClient(socket) as client:
            return list(faults(await client.snapshot()))

    try:
        return asyncio.run(ask())
    except ControlError:
        return []


def _socket_path() -> Path:
    from uploader.config import ControlAddress

    return ControlAddress().socket_path


def _answers(socket: Path) -> bool:
    from tui.client import ControlClient, ControlError, EngineTroubled

    async def ask() -> bool:
        async with ControlClient(socket) as client:
            try:
                await client.snapshot()
            except EngineTroubled:
                return True
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
            refuse(f"The bot did not start within {START_S:.0f} s; see", [str(log_path)], status=1)
        time.sleep(0.3)
    if child.poll() is not None:
        with log_path.open("rb") as log:
            log.seek(begin)
            refuse("The bot stopped while it started:", [log.read().decode(errors="replace")], status=1)


def _open_dashboard(socket: Path, chat: str = "", sample_link: str = "") -> None:
    from tui.app import DashboardApp

    host, _, port = chat.rpartition(":")
    DashboardApp(socket, chat=(host, int(port)) if chat else None, sample_link=sample_link or None).run()


if __name__ == "__main__":
    app()
