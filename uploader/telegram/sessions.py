"""The files that logins are kept in, and which data centre each of them leads to."""

import os
import re
import sqlite3
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from telethon.crypto import rsa
from telethon.sessions import MemorySession, SQLiteSession
from telethon.tl.types import updates

from uploader.config import Config
from uploader.errors import ConfigError

_log = structlog.get_logger(__name__)


class KeptSession(SQLiteSession):
    """A login in a file, which only its owner may read. It remembers by which address it came in.

    Telegram sends an account on to its home: there it stays, until it is configured to come in elsewhere.
    https://core.telegram.org/api/datacenter#user-migration
    """

    @classmethod
    def opened(cls, config: Config, path: Path) -> Self:
        """Open or make the file of an account. Close it at the end.

        A file that is damaged, or was left half made by a kill, is set aside, and another made.
        """
        _make(path)
        try:
            session = cls(str(path))
        except (sqlite3.DatabaseError, TypeError) as error:
            if not _is_damaged(error):
                raise
            _set_aside(path)
            _log.error("a login's file is damaged: it was set aside, the login is lost", file=str(path))
            session = cls(str(path))
        if config.dc_host_port is not None:
            session._come_in(config.dc_id, *config.dc_host_port)
        return session

    def _come_in(self, dc_id: int | None, host: str, port: int) -> None:
        entrance = f"{dc_id} {host}:{port}"
        cursor = self._cursor()
        cursor.execute("create table if not exists entrance (address text)")
        known = cursor.execute("select address from entrance").fetchone()
        if known is None or known[0] != entrance or not self.server_address:
            cursor.execute("delete from entrance")
            cursor.execute("insert into entrance values (?)", (entrance,))
            self.set_dc(dc_id, host, port)
        cursor.close()
        self.save()

    def copied(self) -> MemorySession:
        """The login without the state of its updates, in memory."""
        session = MemorySession()
        session.set_dc(self.dc_id, self.server_address, self.port)
        session.auth_key = self.auth_key
        return session

    def take(self, session: Any) -> None:
        """Keep the login of another session."""
        self.set_dc(session.dc_id, session.server_address, session.port)
        self.auth_key = session.auth_key
        self.save()

    def begin_updates(self, there: updates.State) -> None:
        """Note up to where the updates were heard, if it is not noted yet.

        Without a note, whoever starts after a crash hears from then on only. A note that is ahead of the data
        centre is of another time of it: all would be taken for known.
        """
        here = self.get_update_state(0) or there
        counts = {name: min(getattr(here, name), getattr(there, name)) for name in ("pts", "qts", "date")}
        self.set_update_state(0, updates.State(**counts, seq=there.seq, unread_count=0))
        self.save()


def session_path(config: Config, account: str) -> Path:
    """The session file of an account ("bot-1", "user-2") at the configured data centre."""
    trusted = "" if config.dc_public_key is None else "-" + trust(config.dc_public_key)
    return config.sessions_dir / f"{account}{trusted}.session"


def user_sessions(config: Config) -> list[Path]:
    """The session files of user accounts at the configured data centre."""
    name = re.compile(session_path(config, "user-0").name.replace("user-0", "user-[0-9]+"))
    return sorted(path for path in config.sessions_dir.iterdir() if name.fullmatch(path.name))


def keep(session: Any, config: Config, path: Path) -> None:
    """Write a session that is in memory to a file, in the place of what is there."""
    path.unlink(missing_ok=True)
    kept = KeptSession.opened(config, path)
    kept.take(session)
    kept.close()


def trust(pem: Path) -> str:
    """Accept a data centre's key for the handshake; returns a short name of the key.

    Raises ConfigError if the file holds no such key.
    """
    try:
        key = load_pem_public_key(pem.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError([f"PEYK_DC_PUBLIC_KEY is no public key in PEM form: {error}"]) from None
    if not isinstance(key, RSAPublicKey):
        raise ConfigError(["PEYK_DC_PUBLIC_KEY is no RSA key: take the data centre's own"])
    text = key.public_bytes(Encoding.PEM, PublicFormat.PKCS1)
    rsa.add_key(text.decode(), old=False)
    return sha256(text).hexdigest()[:8]


def _is_damaged(error: Exception) -> bool:
    """Whether it is no database. Telethon looks for a row that it writes a moment after the table."""
    return isinstance(error, TypeError) or (
        getattr(error, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
    )


def _set_aside(path: Path) -> None:
    """Move the file, and the log of changes beside it, which would be applied to the next one."""
    for file in (path, path.with_name(f"{path.name}-journal")):
        if file.exists():
            file.replace(file.with_name(f"{file.name}.damaged"))
    _make(path)


def _make(path: Path) -> None:
    """Make a file with mode 0600 before Telethon opens it."""
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    path.chmod(0o600)
