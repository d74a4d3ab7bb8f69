"""Archives that were cut, changed, swapped or made to do harm: a sentence, and nothing is changed."""

import asyncio
import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.backup.conftest import SECRET
from uploader import backup
from uploader.backup import archive
from uploader.backup.seal import CHUNK_BYTES, MAGIC, SALT_BYTES, Sealer, Unsealer
from uploader.config import Config
from uploader.errors import BackupError

ABOUT = {"made_at": 1.0, "version": "1", "kind": "sqlite", "revision": "0001", "bot_id": 77}


def unsealed(sealed: bytes, secret: str = SECRET) -> bytes:
    """All that is in a sealed stream."""
    return Unsealer(io.BytesIO(sealed), secret).read(1 << 30)


def sealed(content: bytes) -> bytes:
    """A sealed stream."""
    out = io.BytesIO()
    sealer = Sealer(out, SECRET, bytes(SALT_BYTES))
    for at in range(0, len(content), 10_000):
        sealer.write(content[at : at + 10_000])
    sealer.close()
    return out.getvalue()


@pytest.mark.parametrize(
    "size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 200_000]
)
def test_stream_when_sealed_and_opened_is_the_same(size: int) -> None:
    """At every border of a chunk."""
    content = bytes(range(256)) * (size // 256) + bytes(size % 256)
    assert content == unsealed(sealed(content))


def test_stream_when_any_part_is_changed_or_missing_is_refused() -> None:
    """Each byte of the header and of a chunk, each length, chunks swapped or repeated, another secret."""
    content = sealed(bytes(3 * CHUNK_BYTES))
    chunk = CHUNK_BYTES + 16
    head, chunks = content[: len(MAGIC) + SALT_BYTES], content[len(MAGIC) + SALT_BYTES :]
    first, second, third = (chunks[at : at + chunk] for at in range(0, 3 * chunk, chunk))
    spoiled = [
        *(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :] for at in (0, 20, 31, 70_000)),
        *(
            content[:length]
            for length in (0, 5, len(head), len(head) + 1, len(head) + chunk, len(content) - 1)
        ),
        head + second + first + third,
        head + first + third,
        head + first + first + second + third,
        content + third,
        content + b"x",
    ]
    for each in spoiled:
        with pytest.raises(BackupError):
            unsealed(each)
    with pytest.raises(BackupError, match="the key is another"):
        unsealed(content, "another secret altogether")


def packed(path: Path, members: list[tuple[Any, bytes]], digests: dict[str, str] | None = None) -> Path:
    """A backup with these members behind a manifest that names them all, or what `digests` says."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        named = {header.name: hashlib.sha256(content).hexdigest() for header, content in members}
        manifest = json.dumps({**ABOUT, "digests": named if digests is None else digests}).encode()
        for header, content in [(tarfile.TarInfo("manifest.json"), manifest), *members]:
            header.size = len(content)
            tar.addfile(header, io.BytesIO(content))
    path.write_bytes(sealed(out.getvalue()))
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    """A header of a member."""
    header = tarfile.TarInfo(name)
    header.type, header.linkname = kind, target
    return header


GOOD = (member("database"), b"x")


@pytest.mark.parametrize(
    "members",
    [
        [],
        [(member("../database"), b"x")],
        [GOOD, (member("/etc/passwd"), b"x")],
        [GOOD, (member("sessions/../../x.session"), b"x")],
        [GOOD, (member("sessions/a/b.session"), b"x")],
        [GOOD, (member("sessions/.session"), b"x")],
        [GOOD, (member("sessions/x.py"), b"x")],
        [GOOD, GOOD],
        [(member("database", tarfile.SYMTYPE, "/etc/passwd"), b"")],
        [(member("database", tarfile.LNKTYPE, "/etc/passwd"), b"")],
        [(member("database", tarfile.DIRTYPE), b"")],
        [(member("database", tarfile.CHRTYPE), b"")],
        [GOOD, (member("sessions/a.session", tarfile.FIFOTYPE), b"")],
    ],
)
def test_archive_when_its_members_are_hostile_writes_nothing_outside(
    tmp_path: Path, members: list[tuple[tarfile.TarInfo, bytes]]
) -> None:
    """Paths that lead out, links, devices, folders, doubles: refused, although the key is right."""
    folder = tmp_path / "deep" / "folder"
    folder.mkdir(parents=True)
    path = packed(tmp_path / "hostile", members)
    with pytest.raises(BackupError):
        archive.unpack(path, folder, SECRET)
    outside = {each for each in tmp_path.rglob("*") if folder not in each.parents}
    assert {path, folder.parent, folder} == outside
    assert all(each.is_file() and not each.is_symlink() for each in folder.glob("*") if each.is_file())


@pytest.mark.parametrize(
    "digests",
    [{}, {"database": "0" * 64}, {"database": "x"}, {"database": None}, {"other": "0" * 64}, ["database"], 5],
)
def test_archive_when_the_manifest_lies_is_refused(tmp_path: Path, digests: Any) -> None:
    """What is inside has to be what is named."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(BackupError):
        archive.unpack(packed(tmp_path / "lie", [GOOD], digests), tmp_path / "folder", SECRET)


async def test_restore_when_the_archive_is_no_good_changes_nothing(
    config_of: Callable[..., Config], tmp_path: Path
) -> None:
    """Another key, another bot, cut short, no database inside: all is as before."""
    config = config_of()
    file, session = config.data_dir / "peyk.db", config.sessions_dir / "bot-77.session"
    file.write_bytes(b"as it was")
    session.write_bytes(b"as it was")
    good = packed(tmp_path / "good", [GOOD])
    cut = tmp_path / "cut"
    cut.write_bytes(good.read_bytes()[:-1])
    for settings, path, why in (
        (config, good, "no such table"),
        (config, cut, "cut off|changed"),
        (config_of(backup_key="another secret altogether"), good, "key is another"),
        (config_of(bot_token="78:token"), good, "of bot 77"),
    ):
        with pytest.raises(BackupError, match=why):
            await asyncio.to_thread(backup.restore, settings, path)
        assert b"as it was" == file.read_bytes() == session.read_bytes()
        left = {each.name for each in config.data_dir.iterdir()}
        assert {"peyk.db"} == left
