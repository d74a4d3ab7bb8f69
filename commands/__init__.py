"""Groups of `run.py`'s commands, and how all of them refuse.

Heavy modules are imported by the command that needs them: `run.py status` must not load the engine.
"""

from typing import NoReturn

import typer


def refuse(what: str, problems: list[str], status: int) -> NoReturn:
    """Say on standard error what cannot be done and why, and leave with `status`."""
    typer.echo(what, err=True)
    for problem in problems:
        typer.echo(f"  {problem}", err=True)
    raise typer.Exit(status)
