"""The socket file: private, taken over from the dead, never from the living."""

import asyncio
import socket
import stat
from pathlib import Path

import pytest

from tests.tui.stage import FakeEngine
from uploader.control import endpoint
from uploader.errors import ConfigError


def mode(path: Path) -> int:
    """The permissions of what is there."""
    return stat.S_IMODE(path.stat().st_mode)


def inode(path: Path) -> int | None:
    """Which file is there, if any."""
    return path.stat().st_ino if path.exists() else None


async def test_socket_when_served_is_for_its_owner_alone(engine: FakeEngine, socket_path: Path) -> None:
    """Mode 0600, and gone when the server has closed."""
    async with engine.server(socket_path):
        assert 0o600 == mode(socket_path)
    assert inode(socket_path) is None


def test_socket_when_bound_is_private_from_its_first_moment(
    socket_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mode is right before anybody listens: nothing is mended afterwards."""
    modes = []

    class Watched(socket.socket):
        def listen(self, backlog: int = 1, /) -> None:
            modes.append(mode(socket_path))
            super().listen(backlog)

    monkeypatch.setattr(socket, "socket", Watched)
    endpoint.bind(socket_path).close()
    assert [0o600] == modes


def test_folder_when_missing_is_made_private(tmp_path: Path) -> None:
    """A first start needs no preparation."""
    endpoint.bind(tmp_path / "run" / "control.sock").close()
    assert 0o700 == mode(tmp_path / "run")


async def test_socket_when_left_by_a_dead_engine_is_taken_over(engine: FakeEngine, socket_path: Path) -> None:
    """A kill -9 leaves a file behind that must not stop the next start."""
    endpoint.bind(socket_path).close()
    left = inode(socket_path)
    assert left is not None
    async with engine.server(socket_path):
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(str(socket_path))


async def test_socket_when_another_engine_lives_is_refused_and_left_alone(
    engine: FakeEngine, socket_path: Path
) -> None:
    """The second engine says so and names the setting; the first one keeps serving."""
    async with engine.server(socket_path):
        first = inode(socket_path)
        with pytest.raises(ConfigError, match=r"PEYK_CONTROL_SOCKET: .*another engine is running on it"):
            async with FakeEngine(engine.seen).server(socket_path):
                pass
        assert first == inode(socket_path)


def test_path_when_something_else_is_there_is_refused_and_left_alone(socket_path: Path) -> None:
    """A file of the operator's is never removed."""
    socket_path.write_text("mine")
    with pytest.raises(ConfigError, match="is no socket"):
        endpoint.bind(socket_path)
    assert socket_path.read_text() == "mine"


def test_path_when_too_long_for_a_socket_is_refused(tmp_path: Path) -> None:
    """The kernel's own words for this would help nobody."""
    with pytest.raises(ConfigError, match="longer than 103 bytes"):
        endpoint.bind(tmp_path / ("x" * 104))


def test_path_when_its_folder_cannot_be_made_is_refused(tmp_path: Path) -> None:
    """A file where the folder should be."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be used"):
        endpoint.bind(tmp_path / "file" / "control.sock")


async def test_socket_when_replaced_by_another_is_not_removed_at_the_end(
    engine: FakeEngine, socket_path: Path
) -> None:
    """An operator who removed our file and started another engine keeps that one's."""
    async with engine.server(socket_path):
        await asyncio.to_thread(socket_path.unlink)
        successor = endpoint.bind(socket_path)
        theirs = inode(socket_path)
    assert theirs == inode(socket_path)
    successor.close()
