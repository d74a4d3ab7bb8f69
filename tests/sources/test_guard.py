"""No link leads inside: hostile addresses, redirects and names, observed at a trap that counts."""

from ipaddress import ip_network

import pytest

from tests.sources.attacks import INSIDE, NO_LINKS
from tests.sources.sites import HASTY, Names, collected, in_turn, ranged, reply, site, sources
from tests.sources.traps import trap
from uploader.errors import NotALink, Reason, SourceError
from uploader.links import parse
from uploader.model import Link
from uploader.sources import Sources
from uploader.sources.guard import Guard

pytestmark = pytest.mark.usefixtures("chosen_here")

CONTENT = b"what must not get out" * 100


async def outcome(opener: Sources, link: Link) -> Reason:
    """Why the link cannot be opened."""
    with pytest.raises(SourceError) as caught:
        async with opener.open(link):
            pass
    return caught.value.reason


@pytest.mark.parametrize("raw", INSIDE)
async def test_open_of_an_address_inside_is_refused_without_a_connection(raw: str) -> None:
    """Every spelling of every private address is refused, and at once: nothing needs to be asked."""
    async with trap() as caught, Sources((), "Peyk/test", patience=HASTY) as opener:
        link = parse(raw.format(port=caught.port))
        assert Reason.PRIVATE_ADDRESS is opener.static_verdict(link)
        assert Reason.PRIVATE_ADDRESS is await outcome(opener, link)
    assert 0 == caught.connections


@pytest.mark.parametrize("raw", NO_LINKS)
def test_parse_of_a_hostile_text_is_no_link(raw: str) -> None:
    """What cannot be read in one way alone is not read at all."""
    with pytest.raises(NotALink):
        parse(raw.format(port=8080))


@pytest.mark.parametrize("raw", [*INSIDE, "//127.0.0.2:{port}/"])
async def test_redirect_to_an_address_inside_is_refused_without_a_connection(raw: str) -> None:
    """One address is opened by the operator; a redirect from there to any other is still refused."""
    async with trap() as caught:
        location = raw.format(port=caught.port).encode()
        first = reply(302, b"Location: /second")
        second = reply(307, b"Location: " + location)
        async with site(in_turn(first, second), "127.0.0.9") as open_site, sources("127.0.0.9/32") as opener:
            reason = await outcome(opener, parse(open_site.url()))
    assert reason in {Reason.PRIVATE_ADDRESS, Reason.NO_SUCH_HOST, Reason.SITE_BROKEN}
    assert (2, 0) == (open_site.connections, caught.connections)


async def test_name_with_an_address_inside_is_refused_at_the_connection() -> None:
    """A public name may have any address; what counts is the one that would be connected to."""
    async with trap() as caught:
        names = {
            "four.example": [["127.0.0.1"]],
            "six.example": [["::1"]],
            "mapped.example": [["::ffff:127.0.0.1"]],
            "scoped.example": [["fe80::1%lo"]],
            "both.example": [["127.0.0.1", "::1", "10.0.0.1"]],
            "many.example": [[f"127.0.1.{n}" for n in range(200)]],
        }
        async with Sources((), "Peyk/test", patience=HASTY, resolver=Names(names)) as opener:
            reasons = {name: await outcome(opener, parse(f"http://{name}:{caught.port}/")) for name in names}
    assert dict.fromkeys(names, Reason.PRIVATE_ADDRESS) == reasons
    assert 0 == caught.connections


async def test_name_with_an_open_and_a_forbidden_address_reaches_the_open_one_alone() -> None:
    """Mixed answers of the DNS do not smuggle the forbidden one in, whichever comes first."""
    async with (
        site(ranged(CONTENT), "127.0.0.9") as open_site,
        site(reply(200), "127.0.0.2", open_site.port) as caught,
        sources("127.0.0.9/32", resolver=Names({"a.example": [["127.0.0.2", "127.0.0.9"]]})) as opener,
        opener.open(parse(f"http://a.example:{open_site.port}/x")) as remote,
    ):
        assert CONTENT == await collected(remote)
    assert (1, 0) == (open_site.connections, caught.connections)


async def test_name_that_changes_its_address_is_refused_when_it_points_inside() -> None:
    """DNS rebinding: the first answer is open, the next one is not, and each is judged when used."""
    async with trap() as caught:
        names = Names({"rebind.example": [["127.0.0.9"], ["127.0.0.2"]]})
        leads = reply(302, f"Location: http://rebind.example:{caught.port}/inside")
        async with (
            site(leads, "127.0.0.9") as open_site,
            sources("127.0.0.9/32", resolver=names) as opener,
        ):
            reason = await outcome(opener, parse(f"http://rebind.example:{open_site.port}/"))
    assert Reason.PRIVATE_ADDRESS is reason
    assert ["rebind.example"] * 2 == names.asked
    assert (1, 0) == (open_site.connections, caught.connections)


async def test_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would connect in our place, where no guard sees it."""
    async with trap() as caught, site(ranged(CONTENT), "127.0.0.9") as open_site:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{caught.port}")
        async with sources("127.0.0.9/32") as opener, opener.open(parse(open_site.url())) as remote:
            assert CONTENT == await collected(remote)
    assert 0 == caught.connections


async def test_trap_is_reached_when_its_network_is_allowed() -> None:
    """The control of all tests above: nothing but the guard keeps links away from the trap."""
    async with trap() as caught, sources("127.0.0.0/8", "::1/128") as opener:
        for host in ("127.0.0.1", "127.0.0.2", "localhost", "2130706433", "0x7f.1"):
            async with opener.open(parse(f"http://{host}:{caught.port}/")) as remote:
                assert CONTENT == await collected(remote)
    assert 5 == caught.connections


@pytest.mark.parametrize(
    "host",
    [
        "1.1.1.1",
        "192.0.0.9",
        "[2606:4700::1]",
        "[::ffff:8.8.8.8]",
        "[64:ff9b::808:808]",
        "example.com",
    ],
)
def test_static_verdict_of_a_public_host_is_open(host: str) -> None:
    """The public internet is open, also through a translator's prefix."""
    assert Guard().static_verdict(parse(f"http://{host}/")) is None


@pytest.mark.parametrize(
    ("network", "host", "expected"),
    [
        ("10.0.0.0/8", "10.1.2.3", None),
        ("10.0.0.0/8", "192.168.1.1", Reason.PRIVATE_ADDRESS),
        ("10.0.0.0/8", "[::ffff:192.168.1.1]", Reason.PRIVATE_ADDRESS),
        ("127.0.0.1/32", "127.0.0.2", Reason.PRIVATE_ADDRESS),
        ("fd00::/8", "[fd00::1]", None),
        ("10.0.0.0/8", "files.internal", None),
        ("10.0.0.0/8", "localhost", None),
    ],
)
def test_static_verdict_with_allowed_networks_opens_these_alone(
    network: str, host: str, expected: Reason | None
) -> None:
    """What the operator opens is open; names of one's own are then judged by their address."""
    assert expected is Guard([ip_network(network)]).static_verdict(parse(f"http://{host}/"))


def test_guard_with_a_network_of_carried_addresses_is_refused() -> None:
    """Such a network would open every IPv4 address that can be written inside of it."""
    with pytest.raises(ValueError, match="IPv4"):
        Guard([ip_network("::ffff:0:0/96")])
