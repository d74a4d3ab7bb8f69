"""Sites that an operator can help: they take us for a robot, or want something that is missing here."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from cachetools import LRUCache, TTLCache

from uploader.errors import Reason, SourceError
from uploader.sources.breakers import Breakers

_TOLD_S: Final = 24 * 3600.0
_SITES: Final = 100


class Trouble(NamedTuple):
    """What is wrong with a site: ROBOT or SET_UP."""

    site: str
    reason: Reason


class Troubles:
    """What was seen, and what was told of it."""

    def __init__(self, breakers: Breakers) -> None:
        """A site is in trouble as a robot's enemy only when `breakers` let it rest: one link may be odd."""
        self._breakers = breakers
        self._lacking: LRUCache[str, None] = LRUCache(_SITES)
        self._told: TTLCache[Trouble, None] = TTLCache(2 * _SITES, _TOLD_S)

    @contextmanager
    def seen(self, site: str) -> Iterator[None]:
        """Note what is raised within, about `site`."""
        try:
            yield
        except SourceError as error:
            if error.reason is Reason.SET_UP:
                self._lacking[site] = None
            raise

    def fresh(self) -> list[Trouble]:
        """The troubles that were not returned within a day."""
        resting = [each.site for each in self._breakers.resting() if each.reason is Reason.ROBOT]
        found = [Trouble(site, Reason.ROBOT) for site in resting]
        found += [Trouble(site, Reason.SET_UP) for site in self._lacking]
        self._lacking.clear()
        fresh = [trouble for trouble in found if trouble not in self._told]
        self._told.update(dict.fromkeys(fresh))
        return fresh
