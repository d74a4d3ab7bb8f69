"""Sites that an operator can help are told of once, and only when it is the site and not a link."""

from contextlib import suppress

from uploader import limits
from uploader.errors import Reason, SiteFails, SourceError
from uploader.sources.breakers import Breakers
from uploader.sources.troubles import Trouble, Troubles


def meets(troubles: Troubles, breakers: Breakers, error: SourceError, link: str = "") -> None:
    """A link of a family ends with `error`."""
    with suppress(SourceError), troubles.seen("youtube"), breakers.asking("youtube", link, is_host=False):
        raise error


def test_family_when_it_takes_us_for_a_robot_is_told_once_it_rests() -> None:
    """One odd link is no news; told once, however long it lasts."""
    breakers = Breakers()
    troubles = Troubles(breakers)
    for number in range(limits.SITE_FAILURES):
        assert [] == troubles.fresh()
        meets(troubles, breakers, SiteFails(Reason.ROBOT, "x", wait_s=900), str(number))
    assert [Trouble("youtube", Reason.ROBOT)] == troubles.fresh()
    assert [] == troubles.fresh()


def test_family_when_something_is_missing_here_is_told_at_once_and_goes_on() -> None:
    """Its other links may need nothing; what a site refuses for its own reasons is no trouble of ours."""
    breakers = Breakers()
    troubles = Troubles(breakers)
    meets(troubles, breakers, SourceError(Reason.NEEDS_LOGIN))
    assert [] == troubles.fresh()
    for _ in range(3):
        meets(troubles, breakers, SourceError(Reason.SET_UP))
    assert [Trouble("youtube", Reason.SET_UP)] == troubles.fresh()
    assert [] == troubles.fresh()
    assert [] == breakers.resting()
