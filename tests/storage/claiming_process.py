"""A worker process without the work: claims jobs of a database until it has `quota` of them.

    python -m tests.storage.claiming_process URL NAME LEASE_S QUOTA

Prints "ready", waits for a line, then prints the id of each job that it claims. A quota below 0 means: claim
one job, hold it, and do nothing more. Otherwise each job is finished before the next one is claimed.
"""

import asyncio
import sys

from uploader.storage.database import Database
from uploader.storage.jobs import Jobs


def say(word: object) -> None:
    """Tell the test."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


async def main(url: str, name: str, lease_s: str, quota: str) -> None:
    """Do as told."""
    async with await Database.open(url) as database:
        jobs = Jobs(database, lease_s=float(lease_s))
        say("ready")
        sys.stdin.readline()
        for _ in range(abs(int(quota))):
            job = await jobs.claim(name)
            if job is None:
                break
            say(job.id)
            if int(quota) < 0:
                sys.stdin.readline()
            await jobs.finish(job, None)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
