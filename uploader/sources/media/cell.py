"""Shuts itself in and becomes another program: `python -I -S cell.py SETTINGS PROGRAM ARGUMENT...`

A program of its own, from the standard library alone, so that it starts in a few milliseconds. SETTINGS is
the JSON of `process.Cell`. What the kernel does not know is left out, but for a network of its own when that
is asked for: then the exit status is `NO_NETWORK`, and whoever started it decides.
"""

import ctypes
import fcntl
import json
import os
import resource
import signal
import socket
import struct
import sys
from contextlib import suppress
from typing import Any, Final

NO_NETWORK: Final = 71

_NEW_USER: Final = 0x10000000
_NEW_NETWORK: Final = 0x40000000
_SET_FLAGS: Final = 0x8914  # SIOCSIFFLAGS
_UP: Final = 0x1 | 0x40  # IFF_UP, IFF_RUNNING
_DIES_WITH_PARENT: Final = 1  # PR_SET_PDEATHSIG
_NO_NEW_RIGHTS: Final = 38  # PR_SET_NO_NEW_PRIVS
#: The same number on all machines that have them: https://docs.kernel.org/userspace-api/landlock.html
_LANDLOCK_CREATE: Final = 444
_LANDLOCK_ADD: Final = 445
_LANDLOCK_RESTRICT: Final = 446
_READS: Final = 0b1101  # execute, read files, read folders
_WRITES: Final = 0b1_1111_1111_1111
_TRUNCATE: Final = 1 << 14  # since the third version


def main() -> None:
    """Shut in, then go on as the program."""
    settings = json.loads(sys.argv[1])
    libc = ctypes.CDLL(None, use_errno=True)
    if settings["isolated"]:
        try:
            _leave_network(libc)
            if settings["listener"] is not None:
                _hand_over_listener(*settings["listener"])
        except OSError:
            if settings["listener"] is not None:
                sys.exit(NO_NETWORK)
    libc.prctl(_DIES_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != settings["parent"]:
        sys.exit(1)  # it died before it could take us with it
    libc.prctl(_NO_NEW_RIGHTS, 1, 0, 0, 0)
    _leave_files(libc, settings["reads"], settings["writes"])
    _limit(settings)
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 - our own list of arguments, no shell


def _leave_network(libc: ctypes.CDLL) -> None:
    """A network with nothing but a loopback of its own, and no rights in it after `execv`."""
    user, group = os.getuid(), os.getgid()
    if libc.unshare(_NEW_USER | _NEW_NETWORK):
        raise OSError(ctypes.get_errno(), "unshare")
    maps = {"setgroups": "deny", "uid_map": f"65534 {user} 1", "gid_map": f"65534 {group} 1"}
    for name, text in maps.items():
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:  # noqa: PTH123 - pathlib loads slowly
            file.write(text)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sH14x", b"lo", _UP))


def _hand_over_listener(descriptor: int, port: int) -> None:
    """Listen in the new network, and let the parent, outside of it, take the connections."""
    with socket.socket(fileno=descriptor) as parent, socket.socket() as listener:
        listener.bind(("127.0.0.1", port))  # nobody else is in this network
        listener.listen()
        socket.send_fds(parent, [b"!"], [listener.fileno()])


def _leave_files(libc: ctypes.CDLL, reads: list[str], writes: list[str]) -> None:
    """No file but these, where the kernel has Landlock."""
    version = libc.syscall(_LANDLOCK_CREATE, None, 0, 1)
    all_writes = _WRITES | (_TRUNCATE if version >= 3 else 0)
    handled = ctypes.c_uint64(all_writes)
    rules = libc.syscall(_LANDLOCK_CREATE, ctypes.byref(handled), ctypes.sizeof(handled), 0)
    if rules < 0:
        return
    for paths, rights in ((reads, _READS), (writes, all_writes)):
        for path in paths:
            with suppress(FileNotFoundError):
                _allow(libc, rules, path, rights)
    if libc.syscall(_LANDLOCK_RESTRICT, rules, 0):
        raise OSError(ctypes.get_errno(), "landlock")
    os.close(rules)


def _allow(libc: ctypes.CDLL, rules: int, path: str, rights: int) -> None:
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    if not os.path.isdir(path):  # noqa: PTH112 - pathlib loads slowly
        rights &= 0b111 | _TRUNCATE  # what folders alone can have is refused for files
    # packed: the kernel reads twelve bytes
    rule = struct.pack("=Qi", rights, descriptor)
    if libc.syscall(_LANDLOCK_ADD, rules, 1, rule, 0):
        raise OSError(ctypes.get_errno(), path)
    os.close(descriptor)


def _limit(settings: dict[str, Any]) -> None:
    for what, most in (
        (resource.RLIMIT_CPU, settings["cpu_s"]),
        (resource.RLIMIT_DATA, settings["memory_bytes"]),
        (resource.RLIMIT_FSIZE, settings["file_bytes"]),
        (resource.RLIMIT_NOFILE, settings["files"]),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


if __name__ == "__main__":
    main()
