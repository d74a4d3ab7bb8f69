"""An engine that reserves room and holds it until it is killed: `reserving_process.py ROOT BYTES`."""

import asyncio
import sys
from pathlib import Path

from uploader.sources.media.workshop import Workshop


async def main() -> None:
    """Reserve, write some of it, say so, and wait."""
    async with Workshop(Path(sys.argv[1]), 1000) as workshop, workshop.folder() as folder:
        await folder.reserve(int(sys.argv[2]))
        (folder.path / "film.part").write_bytes(b"x" * 100)
        print("reserved", flush=True)  # noqa: T201 - the test waits for it
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
