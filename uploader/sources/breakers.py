"""A site that fails is let rest: after some failures in a row nobody asks it for a while, then one does.

Of the libraries at hand none gives what the queue needs: when it is this job's turn again, exactly one probe,
and a list for admins. (cashews' breaker lets half of the calls through while half open, by a coin, and tells
neither the time nor the sites.)
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from cachetools import LRUCache

from uploader import limits
from uploader.errors import NotYet, Reason, SiteFails, SourceError
from uploader.wishes import ChoiceNeeded

#: With these a site has answered, and works: the link was bad, or is not for us.
_ANSWERS: Final = frozenset(
    {Reason.NOT_FOUND, Reason.FORBIDDEN, Reason.EMPTY, Reason.TOO_LARGE, Reason.NO_MEDIA, Reason.PLAYLIST}
    | {
        Reason.NO_SOUND,
        Reason.OUT_OF_RANGE,
        Reason.LIVE,
        Reason.UPCOMING,
        Reason.NEEDS_LOGIN,
        Reason.GEO_BLOCKED,
        Reason.DRM,
        Reason.PAID,
        Reason.NOT_LIVE,
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Resting:
    """A site that is not asked for now; `wait_s` 0: the next job tries whether it works again."""

    site: str
    wait_s: float
    reason: Reason = Reason.SITE_BUSY  # of the last failure


@dataclass(slots=True)
class _Breaker:
    failures: list[tuple[float, str]] = field(
        default_factory=list
    )  # in a row, within the window: when, of what
    reason: Reason = Reason.SITE_BUSY  # of the last one
    open_until: float | None = None  # None: closed; past: half open
    probe_until: float = 0.0


class Breakers:
    """The sites that failed of late, the last `limits.FAILING_SITES` of them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._sites: LRUCache[str, _Breaker] = LRUCache(limits.FAILING_SITES)

    @contextmanager
    def asking(self, site: str, link: str = "", *, is_host: bool = True) -> Iterator[None]:
        """Ask `site` for `link` within: what is raised there tells how it is.

        A host may lead on to others, whose failures are theirs; else whatever fails belongs to `site`.

        Raises:
            NotYet: SITE_RESTS: the site rests, or somebody else is just trying it.
        """
        is_probe = self._admit(site)
        try:
            yield
        except SiteFails as error:
            failed = (is_host and error.site) or site
            if failed != site:
                self._worked(site)
            self.failed(failed, error, link)
            raise
        except ChoiceNeeded:
            self._worked(site)
            raise
        except SourceError as error:
            if error.reason in _ANSWERS:
                self._worked(site)
            raise
        else:
            self._worked(site)
        finally:
            if is_probe and (breaker := self._sites.get(site)) is not None:
                breaker.probe_until = 0.0

    def failed(self, site: str, error: SiteFails, link: str = "") -> None:
        """The site failed over `link` by its own fault.

        A link counts once: one at which a site stumbles each time says nothing of its others.
        """
        now = self._clock()
        rest_s = min(limits.SITE_LONGEST_REST_S, max(limits.SITE_REST_S, error.wait_s))
        breaker = self._sites.setdefault(site, _Breaker())
        breaker.reason = error.reason
        if breaker.open_until is None:
            window_s = max(limits.SITE_WINDOW_S, rest_s if error.wait_s else 0.0)
            recent = [
                (at, of) for at, of in breaker.failures if now - at < window_s and (of != link or not of)
            ]
            breaker.failures = [*recent, (now, link)]
            if len(breaker.failures) < limits.SITE_FAILURES:
                return
        elif now < breaker.open_until:
            return  # a job that was under way when it was closed to others
        breaker.open_until, breaker.failures = now + rest_s, []

    def resting(self) -> list[Resting]:
        """The sites that rest, those that rest longest first."""
        now = self._clock()
        resting = [
            Resting(site=site, wait_s=max(0.0, each.open_until - now), reason=each.reason)
            for site, each in self._sites.items()
            if each.open_until
        ]
        return sorted(resting, key=lambda each: (-each.wait_s, each.site))

    def _admit(self, site: str) -> bool:
        """Whether the caller is the one that tries a site after its rest."""
        breaker = self._sites.get(site)
        if breaker is None or breaker.open_until is None:
            return False
        now = self._clock()
        if now < breaker.open_until:
            raise NotYet(Reason.SITE_RESTS, site, wait_s=breaker.open_until - now)
        if now < breaker.probe_until:
            raise NotYet(Reason.SITE_RESTS, f"{site}: tried just now", wait_s=limits.SITE_PROBE_REST_S)
        breaker.probe_until = now + limits.SITE_REST_S
        return True

    def _worked(self, site: str) -> None:
        self._sites.pop(site, None)
