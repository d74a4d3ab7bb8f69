"""`run.py media`: yt-dlp, replaced without a release of Peyk."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands import refuse

if TYPE_CHECKING:
    from uploader.sources.media.versions import Versions

NO_RUNTIME = "none: YouTube gives next to nothing without one; make setup brings deno"

app = typer.Typer(help="Update yt-dlp, and say which version is used.", no_args_is_help=True)


@app.command("update")
def update(
    version: Annotated[str, typer.Option(help="Which; unset: the newest.")] = "",
    canary: Annotated[
        list[str] | None, typer.Option(help="A link to try it on, instead of those in the settings.")
    ] = None,
    find_links: Annotated[
        Path | None, typer.Option(help="Take it from this folder, without network.")
    ] = None,
) -> None:
    """Install a version of yt-dlp beside Peyk's own, try it, and use it if it works."""
    from uploader.sources.media.canary import trouble
    from uploader.sources.media.versions import CannotUpdate

    versions, links = versions_here(), canary or _canaries()
    options = () if find_links is None else ("--no-index", "--find-links", str(find_links))
    try:
        installed, folder = versions.install(version, options)
    except CannotUpdate as error:
        refuse("yt-dlp was not updated:", [str(error)], status=1)
    if why := asyncio.run(trouble(folder, links, versions.root / "work")):
        versions.drop(installed)
        used = versions.chosen() or "Peyk's own"
        refuse(f"yt-dlp {installed} does not work here; {used} is used as before:", [why], status=1)
    versions.choose(installed)
    tried = f"{len(links)} links" if links else "a page of our own: PEYK_MEDIA_CANARIES is empty"
    typer.echo(f"yt-dlp {installed} is used from now on (tried on {tried}).")


@app.command("status")
def status() -> None:
    """Say which yt-dlp is used, which one would be after it, and what runs the JavaScript of sites for it."""
    from importlib.metadata import version

    from uploader.errors import SourceError
    from uploader.sources.media.canary import runtimes

    typer.echo(f"Peyk's own: {version('yt-dlp')}")
    kept = versions_here().kept()
    typer.echo("used: " + (kept[0] if kept else "Peyk's own"))
    for each in kept[1:]:
        typer.echo(f"kept: {each}")
    try:
        found = asyncio.run(runtimes(versions_here().folder(), versions_here().root / "work"))
    except SourceError as error:
        refuse("yt-dlp does not start:", [str(error)], status=1)
    typer.echo(f"JavaScript: {', '.join(found) or NO_RUNTIME}")


@app.command("look")
def look(link: str) -> None:
    """Look at a link as for a person, without cookies: say what yt-dlp finds, warns of and fails with."""
    from uploader.sources.media.canary import found_behind

    text, is_there = asyncio.run(found_behind(link, versions_here().folder(), versions_here().root / "work"))
    typer.echo(text)
    if not is_there:
        raise typer.Exit(1)


def _canaries() -> list[str]:
    from uploader.config import ControlAddress

    return ControlAddress().media_canaries.split()


def versions_here() -> "Versions":
    """The versions of this folder's engine."""
    from uploader.config import ControlAddress
    from uploader.sources.media.versions import Versions

    return Versions(ControlAddress().data_dir / "yt-dlp")
