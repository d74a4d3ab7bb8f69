"""What is in a backup: a manifest, the database and the sessions, as a sealed and compressed tar stream.

The reader believes nothing that is in it: names are matched, sizes and digests compared, and nothing but
plain files is written, into an empty folder.
"""

import hashlib
import io
import json
import os
import re
import secrets
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from uploader.backup.seal import SALT_BYTES, Sealer, Unsealer
from uploader.errors import BackupError

DATABASE: Final = "database"
SESSIONS: Final = "sessions"
SEAL_FILE: Final = "secret.key"
_MANIFEST: Final = "manifest.json"
_MANIFEST_BYTES: Final = 1 << 20
_NAME: Final = re.compile(rf"{DATABASE}|{SEAL_FILE}|{SESSIONS}/[A-Za-z0-9][A-Za-z0-9._-]{{0,200}}\.session")
_PIECE_BYTES: Final = 1 << 20
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """What a backup says of itself."""

    made_at: float
    version: str  # of Peyk
    kind: str  # "sqlite" or "postgresql"
    revision: str  # of the tables
    bot_id: int
    digests: dict[str, str]  # SHA-256 in hexadecimal, by the name of the file


def pack(folder: Path, target: Path, secret: str, **about: Any) -> Manifest:
    """Seal all files below `folder` into the new file `target`, mode 0600; `about`: fields of `Manifest`."""
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    manifest = Manifest(**about, digests={name: _digest(folder / name) for name in names})
    with _new_private(target) as out:
        sealer: Any = Sealer(
            out, secret, secrets.token_bytes(SALT_BYTES)
        )  # tarfile's types want a whole file
        with tarfile.open(fileobj=sealer, mode="w|gz") as tar:
            text = json.dumps(asdict(manifest)).encode()
            header = tarfile.TarInfo(_MANIFEST)
            header.size = len(text)
            tar.addfile(header, io.BytesIO(text))
            for name in names:
                tar.add(folder / name, arcname=name, recursive=False)
        sealer.close()
        out.flush()
        os.fsync(out.fileno())
    return manifest


def unpack(source: Path, folder: Path, secret: str) -> Manifest:
    """Open a backup into the empty `folder`, its files with mode 0600.

    Raises BackupError: it is none, the key is another, or it is not whole. What was written until then is of
    no use.
    """
    with _readable(), source.open("rb") as file:
        unsealer: Any = Unsealer(file, secret)
        with tarfile.open(fileobj=unsealer, mode="r|gz") as tar:
            members = iter(tar)
            manifest = _manifest(tar, members)
            left = dict(manifest.digests)
            for member in members:
                if left.pop(member.name, None) is None:
                    raise BackupError("the backup holds what its manifest does not name")
                _write(tar, member, folder / member.name, manifest.digests[member.name])
        while unsealer.read(_PIECE_BYTES):
            pass  # to the mark of the end
    if left:
        raise BackupError("the backup holds less than its manifest names")
    return manifest


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise BackupError(f"the backup is damaged: {error}") from error
    except OSError as error:
        raise BackupError(f"the backup cannot be read: {error.strerror or error}") from error


def _manifest(tar: tarfile.TarFile, members: Iterator[tarfile.TarInfo]) -> Manifest:
    first = next(members, None)
    content = tar.extractfile(first) if first and first.isreg() and first.name == _MANIFEST else None
    if first is None or content is None or first.size > _MANIFEST_BYTES:
        raise BackupError("the backup has no manifest")
    try:
        manifest = Manifest(**json.loads(content.read()))
        names = {str(name) for name in manifest.digests}
        whole = all(map(_NAME.fullmatch, names)) and all(map(_SHA256.fullmatch, manifest.digests.values()))
    except (ValueError, TypeError, AttributeError) as error:
        raise BackupError("the manifest of the backup cannot be read: it may be of a newer Peyk") from error
    if not whole or DATABASE not in names:
        raise BackupError("the manifest of the backup names files that Peyk has not")
    return manifest


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path, sha256: str) -> None:
    content = tar.extractfile(member) if member.isreg() else None
    if content is None:
        raise BackupError("the backup holds something else than plain files")
    target.parent.mkdir(mode=0o700, exist_ok=True)
    if member.size > shutil.disk_usage(target.parent).free:
        raise BackupError("the disk has no room for what is in the backup")
    with _new_private(target) as out:
        shutil.copyfileobj(content, out, _PIECE_BYTES)
    if _digest(target) != sha256:
        raise BackupError("a file in the backup is not the one that its manifest names")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _new_private(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600), "wb")
