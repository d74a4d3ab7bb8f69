"""When the operator's cookies are taken: a site that wants a login is asked again with them, not before."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from uploader.errors import NotSignedIn, Reason, SourceError
from uploader.sources.cookies import CookiePool, Jar
from uploader.sources.routing import Route
from uploader.wishes import ChoiceNeeded

#: What a site says that wants a login, or whose patience with strangers is over.
_LOCKED: Final = frozenset({Reason.NEEDS_LOGIN, Reason.FORBIDDEN})

_Found = TypeVar("_Found")


async def lend(
    pool: CookiePool | None, way: Route, ask: Callable[[Jar | None], Awaitable[_Found]]
) -> tuple[_Found, Jar | None]:
    """What `ask` finds, without cookies or with some of the pool's that may open the link; and with which.

    Raises:
        ChoiceNeeded: as `ask` does; a private one if cookies were needed.
        SourceError: what `ask` raises, of the first time if none of the cookies opens the link.
    """
    try:
        return await ask(None), None
    except SourceError as error:
        if pool is None or error.reason not in _LOCKED:
            raise
        locked = error
    for jar in await pool.choose(way.link, way.family):
        try:
            found = await ask(jar)
        except ChoiceNeeded as needed:
            await pool.worked(jar)
            raise ChoiceNeeded(needed.offer, is_private=True) from None
        except SourceError as error:
            if error.reason not in _LOCKED:
                raise
            # only this says that the session has ended; others may not see the link, signed in or not
            if isinstance(error, NotSignedIn):
                await pool.rejected(jar, way.link)
        else:
            await pool.worked(jar)
            return found, jar
    raise locked
