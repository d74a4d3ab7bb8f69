"""What survives a restart: JSON in SQLite, committed before the call that changed it is answered."""

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Protocol

from sandbox.world.box import REMEMBERED_EVENTS, Box, Logged
from sandbox.world.written import Reader, Writer

#: A folder of another version is refused: there is nothing in it that could not be made again.
_VERSION: Final = 1
_SCHEMA: Final = "CREATE TABLE kept (kind TEXT, key TEXT, row TEXT, PRIMARY KEY (kind, key)) WITHOUT ROWID"
_LOCK_S: Final = 0.5


class LedgerError(Exception):
    """The folder of a state cannot be used; the message says why."""


class Kept(Protocol):
    """A thing with a row of its own: its kind and its key in that."""

    @property
    def kind(self) -> str: ...

    @property
    def key(self) -> str: ...


class Ledger:
    """Changed things, until they are committed. Without a path nothing is kept at all.

    A process that is killed loses nothing that it answered; a machine that falls may lose the last seconds.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Raises LedgerError: it is another's, of another version, or no database."""
        #: how things become rows and back; a world brings its own
        self.writer, self.reader = Writer(Path()), Reader((), Path(), lambda kind, key: None)
        self._changed: dict[tuple[str, str], Any] = {}
        self._database = None if path is None else _opened(path)

    @property
    def keeps(self) -> bool:
        """Whether anything is kept."""
        return self._database is not None

    def keep(self, thing: Kept) -> None:
        """A thing has changed."""
        self.put(thing.kind, thing.key, thing)

    def drop(self, thing: Kept) -> None:
        """A thing is gone."""
        self.put(thing.kind, thing.key, None)

    def log(self, box: Box, logged: Logged) -> None:
        """Something happened to a box, just now."""
        if self._database is not None:
            self.keep(box)
            self.put("event", f"{box.owner_id}/{box.logged:020d}", logged)
            self.put("event", f"{box.owner_id}/{box.logged - REMEMBERED_EVENTS:020d}", None)

    def put(self, kind: str, key: str, thing: Any) -> None:
        """Write a row at the next commit; None: take it out."""
        if self._database is None:
            return
        if not self._changed:
            self._commit_soon()
        self._changed[kind, key] = thing

    def _commit_soon(self) -> None:
        """Calls are committed by whoever answers them; whatever else changes the world, by this."""
        try:
            asyncio.get_running_loop().call_soon(self.commit)
        except RuntimeError:
            return  # before the loop runs; the next commit takes it along

    def commit(self) -> None:
        """Make all changes good at once."""
        if self._database is None or not self._changed:
            return
        changed, self._changed = self._changed, {}
        rows = [
            (kind, key, json.dumps(self.writer.row(thing), ensure_ascii=False, separators=(",", ":")))
            for (kind, key), thing in changed.items()
            if thing is not None
        ]
        gone = [at for at, thing in changed.items() if thing is None]
        with self._database:
            self._database.executemany("REPLACE INTO kept VALUES (?, ?, ?)", rows)
            self._database.executemany("DELETE FROM kept WHERE kind = ? AND key = ?", gone)

    def things(self, kind: str) -> Iterator[tuple[str, Any]]:
        """All that is kept of a kind, in the order of the keys: key and thing."""
        if self._database is not None:
            query = "SELECT key, row FROM kept WHERE kind = ? ORDER BY key"
            for key, row in self._database.execute(query, (kind,)):
                yield key, self.reader.thing(json.loads(row))

    def close(self) -> None:
        """Commit, and give the file free."""
        self.commit()
        if self._database is not None:
            self._database.close()


def _opened(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = sqlite3.connect(path, timeout=_LOCK_S)
    try:
        # held until it is closed: two data centres on one state would write over each other
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = OFF")
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version not in (0, _VERSION):
            raise LedgerError(f"{path} is of another version of the sandbox: take another folder")
        with database:
            database.execute("BEGIN IMMEDIATE")
            if not version:
                database.execute(_SCHEMA)
                database.execute(f"PRAGMA user_version = {_VERSION}")
    except sqlite3.OperationalError as error:
        database.close()
        raise LedgerError(f"{path} cannot be used ({error}): is another sandbox at work there?") from error
    except sqlite3.DatabaseError as error:
        database.close()
        raise LedgerError(f"{path} is no state of a sandbox ({error})") from error
    return database
