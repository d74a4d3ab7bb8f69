"""What this machine gives to one process, and how much that bears at once: looked at when it starts."""

import errno
import os
import resource
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_MIB: Final = 1024 * 1024
#: More open files than this are of no use.
_MOST_DESCRIPTORS: Final = 65_536
#: A control group's own bounds: https://docs.kernel.org/admin-guide/cgroup-v2.html
_CGROUP: Final = Path("/sys/fs/cgroup")

#: Open files besides those of jobs: database, log, control API, Telegram, and some to spare.
_OTHER_DESCRIPTORS: Final = 56
#: Of one job: its connection to the site, and what a child needs.
_DESCRIPTORS_OF_JOB: Final = 5

#: Too many open files, here or on the machine; no buffers, no memory; no room on a disk.
_SCARCE: Final = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.ENOSPC, errno.EDQUOT}
)

#: Jobs that bring something at once, for each core, at most; and with those that wait for their sources.
_JOBS_OF_CORE: Final = 8
_MOST_SWIFT: Final = 64
_JOBS_ASIDE: Final = 8
#: Memory of a job that brings something, and of one that waits: parts, buffers, its share of children.
_SWIFT_BYTES: Final = 64 * _MIB
_ASIDE_BYTES: Final = 8 * _MIB


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """What there is."""

    cores: int
    memory_bytes: int
    descriptors: int  # files and sockets that may be open at once


@dataclass(frozen=True, kw_only=True, slots=True)
class Room:
    """What may be at once in one process."""

    swift: int = 8  # jobs that bring something
    all: int = 64  # ... and with those whose sources keep them waiting
    site_connections: int = 256
    upload_connections: int = 64  # of all accounts together
    is_small: bool = False  # there are so few descriptors that people will notice


def look() -> Machine:
    """What there is for this process; as many open files are allowed to it as the system lets it allow."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    return Machine(
        cores=_cores(),
        memory_bytes=_memory_bytes(),
        descriptors=_MOST_DESCRIPTORS if soft == resource.RLIM_INFINITY else soft,
    )


def room(machine: Machine) -> Room:
    """How much the machine bears; at least two jobs, however small it is."""
    for_uploads = max(2, min(64, (machine.descriptors - _OTHER_DESCRIPTORS) // 5))
    left = machine.descriptors - _OTHER_DESCRIPTORS - for_uploads
    swift = min(_MOST_SWIFT, _JOBS_OF_CORE * machine.cores, machine.memory_bytes // 2 // _SWIFT_BYTES)
    most = min(_JOBS_ASIDE * swift, machine.memory_bytes // 4 // _ASIDE_BYTES, left // _DESCRIPTORS_OF_JOB)
    most = max(2, most)
    return Room(
        swift=max(2, min(swift, most)),
        all=most,
        site_connections=max(4, min(256, left // 2)),
        upload_connections=for_uploads,
        is_small=left // _DESCRIPTORS_OF_JOB < min(16, _JOBS_ASIDE * swift),
    )


def sentence(machine: Machine, room: Room) -> str:
    """How much runs at once, and why, for an operator."""
    told = (
        f"{room.swift} jobs at once, {room.all} with those that wait for slow sites ({machine.cores} cores, "
        f"{machine.memory_bytes // _MIB} MiB, {machine.descriptors} open files)"
    )
    return f"{told}: few, for so few files may be open; raise `ulimit -n` to 1024" if room.is_small else told


def is_scarce(error: BaseException) -> bool:
    """Whether the machine has no descriptor, no memory or no room on a disk left: no fault of any site."""
    return isinstance(error, OSError) and error.errno in _SCARCE


def is_starved() -> bool:
    """Whether this process can open nothing more: some errors of resolvers and children only come of that."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return is_scarce(error)
    return False


def _cores() -> int:
    cores = len(os.sched_getaffinity(0))
    with suppress(OSError, ValueError):
        quota, period = (_CGROUP / "cpu.max").read_text().split()
        cores = min(cores, -(-int(quota) // int(period)))  # "max" is no number, and no bound
    return max(1, cores)


def _memory_bytes() -> int:
    memory_bytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with suppress(OSError, ValueError):
        memory_bytes = min(memory_bytes, int((_CGROUP / "memory.max").read_text()))
    return memory_bytes
