"""No link leads inside: hostile addresses, redirects and names, observed at a trap that counts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from ipaddress import ip_network

import pytest

from tests.sources.sites import HASTY, Names, Site, collected, in_turn, ranged, reply, site, sources
from uploader.errors import NotALink, Reason, SourceError
from uploader.links import parse
from uploader.model import Link
from uploader.sources import Sources
from uploader.sources.guard import Guard

CONTENT = b"what must not get out" * 100

#: Ways to write addresses of this machine and of private space. `{port}` is the trap's.
INSIDE = [
    # loopback, as IPv4 in every spelling
    "http://127.0.0.1:{port}/",
    "http://127.0.0.2:{port}/",
    "http://127.255.255.254:{port}/",
    "http://127.1:{port}/",
    "http://127.0.1:{port}/",
    "http://2130706433:{port}/",
    "http://2130706434:{port}/",
    "http://0x7f000001:{port}/",
    "http://0X7F000001:{port}/",
    "http://0x7f.0.0.1:{port}/",
    "http://0x7f.1:{port}/",
    "http://017700000001:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://0177.0.0.01:{port}/",
    "http://0177.0x0.0.1:{port}/",
    "http://127.0.0.1.:{port}/",
    "http://１２７.０.０.１:{port}/",
    "http://①②⑦.⓪.⓪.①:{port}/",
    "http://127。0。0。1:{port}/",
    "http://0.0.0.0:{port}/",
    "http://0:{port}/",
    "http://0x0:{port}/",
    "http://0.1.2.3:{port}/",
    # loopback by name
    "http://localhost:{port}/",
    "http://LOCALHOST:{port}/",
    "http://localhost.:{port}/",
    "http://ⓁⓄⒸⒶⓁⒽⓄⓈⓉ:{port}/",
    "http://any.localhost:{port}/",
    "http://printer.local:{port}/",
    "http://db.internal:{port}/",
    "http://nas.home.arpa:{port}/",
    # loopback as IPv6, and IPv4 inside of it
    "http://[::1]:{port}/",
    "http://[0:0:0:0:0:0:0:1]:{port}/",
    "http://[0000::0001]:{port}/",
    "http://[::]:{port}/",
    "http://[::127.0.0.1]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://[::ffff:0:7f00:1]:{port}/",
    "http://[0:0:0:0:0:ffff:7f00:0001]:{port}/",
    "http://[::ffff:0.0.0.0]:{port}/",
    "http://[::ffff:10.0.0.1]:{port}/",
    "http://[::ffff:169.254.169.254]:{port}/",
    "http://[64:ff9b::127.0.0.1]:{port}/",
    "http://[64:ff9b::7f00:1]:{port}/",
    "http://[64:ff9b::a9fe:a9fe]:{port}/",
    "http://[64:ff9b:1::7f00:1]:{port}/",
    "http://[2002:7f00:1::]:{port}/",
    "http://[2002:a9fe:a9fe::]:{port}/",
    "http://[2002:0a00:0001::1]:{port}/",
    "http://[2001:0:7f00:1::]:{port}/",
    "http://[2001:0:4136:e378:8000:63bf:80ff:fffe]:{port}/",
    # private, link-local, shared, multicast, reserved, documentation
    "http://10.0.0.1:{port}/",
    "http://172.16.0.1:{port}/",
    "http://172.31.255.255:{port}/",
    "http://192.168.1.1:{port}/",
    "http://100.64.0.1:{port}/",
    "http://100.127.255.255:{port}/",
    "http://169.254.0.1:{port}/",
    "http://198.18.0.1:{port}/",
    "http://192.0.0.1:{port}/",
    "http://192.0.2.1:{port}/",
    "http://224.0.0.1:{port}/",
    "http://239.255.255.250:{port}/",
    "http://240.0.0.1:{port}/",
    "http://255.255.255.255:{port}/",
    "http://[fe80::1]:{port}/",
    "http://[fec0::1]:{port}/",
    "http://[4000::1]:{port}/",
    "http://[1::7f00:1]:{port}/",
    "http://[fc00::1]:{port}/",
    "http://[fd12:3456:789a::1]:{port}/",
    "http://[ff02::1]:{port}/",
    "http://[2001:db8::1]:{port}/",
    "http://[100::1]:{port}/",
    # metadata of the clouds
    "http://169.254.169.254/latest/meta-data/",
    "http://2852039166/latest/meta-data/",
    "http://0xa9fea9fe/latest/meta-data/",
    "http://0251.0376.0251.0376/",
    "http://169.254.170.2/v2/credentials",
    "http://100.100.100.200/latest/meta-data/",
    "http://192.0.0.192/latest/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://metadata.google.internal/computeMetadata/v1/",
]

#: Texts that are no links at all, though a careless reader might connect for them.
NO_LINKS = [
    "http://user@127.0.0.1:{port}/",
    "http://user:pass@127.0.0.1:{port}/",
    "http://example.com@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}@example.com/",
    "http://example.com\\@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}\\@example.com/",
    "http://example.com%40127.0.0.1:{port}/",
    "http://%31%32%37.0.0.1:{port}/",
    "http://127.0.0.1%00.example.com:{port}/",
    "http://127.0.0.1:{port}/\r\nHost: example.com",
    "http://127.0.0.1\r\n:{port}/",
    "http://127.0.0.1:{port}/\x00",
    "http://127.0.0.1\t:{port}/",
    "http://[::1%25lo]:{port}/",
    "http://[::1%lo]:{port}/",
    "http://[127.0.0.1]:{port}/",
    "http://[::1]evil:{port}/",
    "http://127.0.0.1:25/",
    "http://127.0.0.1:22/",
    "http://127.0.0.256:{port}/",
    "http://127.0.0.1.1:{port}/",
    "http:127.0.0.1:{port}/",
    "http:///127.0.0.1:{port}/",
    "//127.0.0.1:{port}/",
    "127.0.0.1:{port}/",
    "file:///etc/passwd",
    "ftp://127.0.0.1:{port}/",
    "gopher://127.0.0.1:{port}/_GET",
    "dict://127.0.0.1:{port}/",
    "data:text/plain,127.0.0.1",
    "javascript:127.0.0.1",
    "unix:///var/run/docker.sock",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock/",
    "http://127.0.0.1:{port}/" + "a" * 10_000,
    "http://" + "a" * 10_000 + ".127.0.0.1:{port}/",
]


@dataclass(frozen=True)
class Trap:
    """A port on every address of this machine that must not be reached."""

    sites: tuple[Site, ...]

    @property
    def port(self) -> int:
        return self.sites[0].port

    @property
    def connections(self) -> int:
        return sum(listening.connections for listening in self.sites)


@asynccontextmanager
async def trap() -> AsyncIterator[Trap]:
    """A trap, set."""
    answer = reply(200, body=CONTENT)
    async with AsyncExitStack() as stack:
        sites = [await stack.enter_async_context(site(answer, "0.0.0.0"))]
        with suppress(OSError):  # a machine without IPv6 has one way less to be reached
            sites.append(await stack.enter_async_context(site(answer, "::1", sites[0].port)))
        yield Trap(tuple(sites))


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
    assert (2, 0) == (open_site.connections, caught.connections)


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


async def test_open_of_many_hostile_links_at_once_reaches_nothing() -> None:
    """Jobs share one guard; their number does not matter."""
    async with trap() as caught, Sources((), "Peyk/test", patience=HASTY) as opener:
        async with asyncio.TaskGroup() as group:
            links = [parse(raw.format(port=caught.port)) for raw in INSIDE]
            tasks = [group.create_task(outcome(opener, link)) for link in links]
        assert {Reason.PRIVATE_ADDRESS} == {task.result() for task in tasks}
    assert 0 == caught.connections
