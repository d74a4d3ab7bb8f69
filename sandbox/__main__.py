"""`python -m sandbox`: a local Telegram data centre on loopback."""

import argparse
import asyncio
from pathlib import Path

from sandbox.rpc import manual
from sandbox.serve import serve
from sandbox.world.ledger import LedgerError
from sandbox.world.uploads import Keep


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port of the data centre; 0: any free one")
    parser.add_argument("--key", type=Path, default=None, help="RSA key file; made if it is not there")
    parser.add_argument("--state", type=Path, default=None, help="folder that keeps everything for next time")
    parser.add_argument("--json", action="store_true", help="say where it is in one JSON line")
    parser.add_argument("--dc", type=int, action="append", help="id of a data centre; may be repeated; 2")
    parser.add_argument("--faults", type=Path, default=None, help="JSON file of faults: docs/SANDBOX.md")
    parser.add_argument(
        "--keep", type=Keep, choices=list(Keep), default=Keep.CONTENT, help="what stays of large files"
    )
    parser.add_argument("--trust-clients", action="store_true", help="read only the heads of file parts")
    parser.add_argument("--no-control", action="store_true", help="open no control port")
    parser.add_argument("--no-limits", action="store_true", help="let bots be as fast as they like")
    parser.add_argument(
        "--layer", type=Path, action="append", help="TL text of an older API layer; may be repeated"
    )
    parser.add_argument("--manual", type=Path, default=None, help="write the table of RPCs into this file")
    chosen = parser.parse_args()
    if chosen.manual is not None:
        manual.write(chosen.manual)
        return
    serving = serve(
        chosen.port,
        chosen.key,
        as_json=chosen.json,
        control=not chosen.no_control,
        faults=chosen.faults,
        dc_ids=chosen.dc or (2,),
        keep=chosen.keep,
        trusting=chosen.trust_clients,
        state=chosen.state,
        limits=not chosen.no_limits,
        layers=chosen.layer or (),
    )
    try:
        asyncio.run(serving)
    except (LedgerError, OSError, ValueError) as error:
        parser.exit(2, f"{error}\n")


if __name__ == "__main__":
    main()
