"""Backups: taken while the engine works, sealed with the operator's secret; put back while none does."""

import fcntl
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from uploader import __version__
from uploader.backup import archive, copies
from uploader.backup.archive import DATABASE, SEAL_FILE, SESSIONS, Manifest
from uploader.config import Config
from uploader.errors import BackupError, ConfigError
from uploader.storage import migrate
from uploader.telegram.client import alone

#: A secret shorter than this can be guessed.
SECRET_CHARACTERS: Final = 16
_FILE: Final = re.compile(r"peyk-\d{8}-\d{6}-\d{3}\.backup")


def take(config: Config, folder: Path, keep: int) -> Path:
    """Write a backup into `folder`, and delete all but the newest `keep` there; returns its path.

    The engine may run meanwhile. Raises ConfigError, BackupError.
    """
    secret = _secret(config)
    with _workshop(folder) as work:
        content = work / "content"
        (content / SESSIONS).mkdir(mode=0o700, parents=True)
        kind = copies.kind_of(config.database)
        if kind == "sqlite":
            copies.copy_sqlite(copies.file_of(config.database), content / DATABASE)
            revision = copies.revision_of(f"sqlite:///{content / DATABASE}")
        else:
            revision = copies.revision_of(config.database)
            copies.dump_postgresql(config.database, content / DATABASE)
        for session in sorted(config.sessions_dir.glob("*.session")):
            copies.copy_sqlite(session, content / SESSIONS / session.name)
        if config.secret_path.exists():
            shutil.copy(config.secret_path, content / SEAL_FILE)
        made_at = time.time()
        about = {"kind": kind, "revision": revision, "bot_id": config.bot_id, "version": __version__}
        archive.pack(content, work / "sealed", secret, made_at=made_at, **about)
        path = folder / f"peyk-{_stamp(made_at)}.backup"
        (work / "sealed").rename(path)
    for old in sorted(each for each in folder.iterdir() if _FILE.fullmatch(each.name))[:-keep]:
        old.unlink()
    return path


def restore(config: Config, path: Path) -> tuple[Manifest, str]:
    """Put a backup in the place of what is there; returns it, and where what was there lies now.

    Everything is verified before anything is replaced. Raises ConfigError, BackupError; then nothing was.
    """
    secret = _secret(config)
    config.make_folders()
    with alone(config), _workshop(config.data_dir) as work:
        users = copies.users_of(config.database)
        if users:
            raise BackupError(
                f"an engine works on this database ({', '.join(users)}), or did so within the last seconds: "
                "stop it, and try again"
            )
        content = work / "content"
        content.mkdir(mode=0o700)
        manifest = archive.unpack(path, content, secret)
        _verify(config, manifest, content)
        return manifest, _replace(config, content)


def _verify(config: Config, manifest: Manifest, content: Path) -> None:
    kind = copies.kind_of(config.database)
    if manifest.kind != kind:
        raise BackupError(f"the backup is of {manifest.kind}, and PEYK_DATABASE_URL names {kind}")
    if manifest.bot_id != config.bot_id:
        raise BackupError(f"the backup is of bot {manifest.bot_id}, and PEYK_BOT_TOKEN of {config.bot_id}")
    if manifest.revision not in migrate.revisions():
        raise BackupError(f"the backup was taken by a newer Peyk ({manifest.version}): update this one first")
    for session in content.glob(f"{SESSIONS}/*"):
        copies.check_sqlite(session)
    if kind == "postgresql":
        copies.check_postgresql(content / DATABASE, config.database)
        return
    copies.check_sqlite(content / DATABASE)
    if copies.revision_of(f"sqlite:///{content / DATABASE}") != manifest.revision:
        raise BackupError("the database in the backup is not the one that its manifest names")


def _replace(config: Config, content: Path) -> str:
    """Move what is there aside and the new in its place; returns where it lies."""
    stamp = _stamp(time.time())
    aside = config.data_dir / f"replaced-{stamp}"
    aside.mkdir(mode=0o700)
    (aside / SESSIONS).mkdir(mode=0o700)
    told = str(aside)
    if copies.kind_of(config.database) == "postgresql":
        schema = f"peyk_replaced_{stamp.replace('-', '_')}"
        copies.restore_postgresql(content / DATABASE, config.database, schema)
        told = f"{aside}, and the schema {schema}"
    else:
        file = copies.file_of(config.database)
        for each in (file, *(file.with_name(file.name + end) for end in ("-wal", "-shm"))):
            _move(each, aside)
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _move(content / DATABASE, file)
    for session in config.sessions_dir.glob("*.session*"):
        _move(session, aside / SESSIONS)
    for session in (content / SESSIONS).glob("*"):
        _move(session, config.sessions_dir)
    if (content / SEAL_FILE).exists():  # the cookies in the database are of no use without it
        _move(config.secret_path, aside)
        _move(content / SEAL_FILE, config.secret_path)
    return told


def _move(source: Path, target: Path) -> None:
    if source.exists():
        shutil.move(source, target)


@contextmanager
def _workshop(folder: Path) -> Iterator[Path]:
    """An empty folder below `folder` for what is not sealed yet; what a killed one left there is deleted."""
    work = folder / ".peyk-backup"
    try:
        work.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (work / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise BackupError(f"another backup is under way in {folder}") from None
            try:
                _clear(work)
                yield work
            finally:
                shutil.rmtree(work, ignore_errors=True)
    except OSError as error:
        raise BackupError(f"{folder} cannot be used: {error.strerror or error}") from error


def _clear(work: Path) -> None:
    for left in work.iterdir():
        if left.is_dir():
            shutil.rmtree(left)
        elif left.name != "lock":
            left.unlink()


def _secret(config: Config) -> str:
    secret = config.backup_key.get_secret_value()
    if len(secret) < SECRET_CHARACTERS:
        raise ConfigError(
            [
                "PEYK_BACKUP_KEY is missing or short: set a secret of at least "
                f"{SECRET_CHARACTERS} characters, and keep it in another place than the backups"
            ]
        )
    return secret


def _stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y%m%d-%H%M%S-%f")[:-3]
