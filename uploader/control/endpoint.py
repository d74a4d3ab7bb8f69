"""The unix socket of the control API: made private, taken over from the dead, never from the living."""

import fcntl
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from uploader.errors import ConfigError

#: The shortest `sun_path` among the systems we run on (macOS: 104 with its closing NUL; Linux: 108).
#: https://man7.org/linux/man-pages/man7/unix.7.html
PATH_BYTES: Final = 103

#: How long a listening engine may take to accept before it counts as living all the same.
PROBE_S: Final = 1.0


def bind(path: Path) -> socket.socket:
    """Return a listening socket at `path`, mode 0600 from its first moment.

    The socket that a dead engine left there is removed. Raises ConfigError when a living engine listens
    there, when something else than a socket is there, or when the place cannot be used.
    """
    if len(os.fsencode(path)) > PATH_BYTES:
        raise _refusal(path, f"the path is longer than {PATH_BYTES} bytes; choose a shorter one")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone_in(path):
            _clear(path)
            return _listen(path)
    except OSError as error:
        raise _refusal(path, f"cannot be used ({error.strerror or error}); choose another place") from error


def release(path: Path, inode: int) -> None:
    """Remove the file of a socket that still listens, unless another one stands in its place.

    While it listens no successor takes its place, and its `inode` number is given to no other file.
    """
    try:
        if path.lstat().st_ino == inode:
            path.unlink()
    except FileNotFoundError:
        return


@contextmanager
def _alone_in(path: Path) -> Iterator[None]:
    """Keep two engines that start at once from clearing each other's socket away."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise _refusal(path, "another engine is starting there; try again in a moment") from error
    finally:
        os.close(folder)


def _clear(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise _refusal(path, "exists and is no socket; remove it or choose another path")
    if _answers(path):
        raise _refusal(path, "another engine is running on it; stop that one or choose another path")
    path.unlink()


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(PROBE_S)
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            return False
        except TimeoutError:
            return True  # someone listens and is slow to accept
    return True


def _listen(path: Path) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX)
    umask = os.umask(
        0o177
    )  # the kernel makes the file with this mask: no moment in which others could open it
    try:
        listening.bind(os.fspath(path))
        listening.listen(64)
    except OSError:
        listening.close()
        raise
    finally:
        os.umask(umask)
    listening.setblocking(False)
    return listening


def _refusal(path: Path, problem: str) -> ConfigError:
    return ConfigError([f"PEYK_CONTROL_SOCKET: {path}: {problem}"])
