"""`run.py backup` and `run.py restore`."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from commands import refuse

app = typer.Typer()


@app.command()
def backup(
    folder: Annotated[Path, typer.Argument(help="Where to; made if it is not there.")] = Path("backups"),
    keep: Annotated[int, typer.Option(help="So many stay in the folder, the newest.", min=1)] = 7,
    every: Annotated[float, typer.Option(help="Hours until the next, until stopped; 0: once.", min=0)] = 0.0,
) -> None:
    """Write a sealed copy of the database and the sessions, while the engine runs or not."""
    from uploader import backup as backups
    from uploader.config import Config
    from uploader.errors import BackupError, ConfigError

    while True:
        try:
            path = backups.take(Config.load(), folder, keep)
        except ConfigError as error:
            refuse("The settings cannot be used:", error.problems, status=2)
        except BackupError as error:
            if not every:
                refuse("No backup was made:", [str(error)], status=1)
            typer.echo(f"No backup was made: {error}", err=True)
        else:
            typer.echo(f"{path} ({path.stat().st_size / 1e6:.1f} MB)")
        if not every:
            return
        time.sleep(every * 3600)


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A backup.", exists=True, dir_okay=False)],
) -> None:
    """Put a backup in the place of database and sessions; what is there is kept aside. No engine may run."""
    from uploader import backup as backups
    from uploader.config import Config
    from uploader.errors import BackupError, ConfigError

    try:
        manifest, aside = backups.restore(Config.load(), file)
    except ConfigError as error:
        refuse("The settings cannot be used:", error.problems, status=2)
    except BackupError as error:
        refuse("Nothing was restored:", [str(error)], status=1)
    made_at = datetime.fromtimestamp(manifest.made_at, UTC)
    typer.echo(
        f"Restored what was there on {made_at:%Y-%m-%d at %H:%M:%S} UTC. What was here lies in {aside}."
    )
