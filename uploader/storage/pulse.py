"""Whether a database answers, told from how its transactions fare: nothing is asked for that alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Final

import structlog

from uploader.errors import StorageUnavailable

#: Silence that long is trouble; shorter ones are other writers, or a busy machine.
TROUBLE_S: Final = 2.0
#: What failed so long ago, and was not tried since, may be well again.
STALE_S: Final = 15.0

_log = structlog.get_logger(__name__)


class Pulse:
    """Of the writes to a database, or of the reads: the one may go while the other does not."""

    def __init__(self, what: str) -> None:
        """`what` it is the pulse of, for the log."""
        self._what = what
        self._under_way: dict[object, float] = {}  # when each transaction began, the oldest first
        self._failing_since: float | None = None
        self._missed_at = 0.0
        self.cause = ""  # of what was missed last; "": all is well
        self._is_told = False

    def trouble(self) -> str | None:
        """Why nothing is answered at present; None: all is well, or nothing was asked."""
        now = monotonic()
        since = next(iter(self._under_way.values()), now)
        if self._failing_since is not None and now - self._missed_at < STALE_S:
            since = min(since, self._failing_since)
        silent_s = now - since
        if silent_s < TROUBLE_S:
            return None
        return f"{self._what} have failed for {silent_s:.0f} s ({self.cause or 'no answer'})"

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One transaction. An error that is not StorageUnavailable is an answer as well."""
        this = object()
        self._under_way[this] = monotonic()
        try:
            yield
        except StorageUnavailable as error:
            self.missed(str(error))
            self._tell()
            raise
        except Exception:
            self._answered()
            raise
        else:
            self._answered()
        finally:
            del self._under_way[this]

    def missed(self, cause: str) -> None:
        """Note a try that was not answered; there may be more of the same transaction."""
        self.cause, self._missed_at = cause, monotonic()
        if self._failing_since is None:
            self._failing_since = next(iter(self._under_way.values()), monotonic())

    def _tell(self) -> None:
        if not self._is_told:
            self._is_told = True
            _log.error("the database does not answer", what=self._what, cause=self.cause)

    def _answered(self) -> None:
        if self._is_told and self._failing_since is not None:
            away_s = round(monotonic() - self._failing_since, 1)
            _log.warning("the database answers again", what=self._what, away_s=away_s)
        self._failing_since, self.cause, self._is_told = None, "", False
