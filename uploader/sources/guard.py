"""The egress policy: which addresses a link may lead to. Every byte from the open internet passes here.

An address is judged when the connection to it is made: for literal addresses, for every redirect and for
every answer of the DNS alike, so that a name which changes its address between a check and its use gains
nothing. The table is IANA's special-purpose registries as `ssrfguard` has them: private, loopback,
link-local with the clouds' metadata, shared (CGNAT), multicast and reserved space, also when carried
inside an IPv6 address (mapped, 6to4, Teredo, NAT64). Of IPv6 only global unicast is open at all.
"""

import socket
from collections import Counter
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

import aiohappyeyeballs
import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from ssrfguard import DEFAULT_DENIED, AddressTable, Block, BlockedAddressError, Policy, Reach

from uploader.errors import Reason
from uploader.model import Link
from uploader.sources.wire import Wire, tls_context

#: Names that stand for a network of one's own: RFC 6761, RFC 6762, RFC 8375 and ICANN's .internal.
_OWN_NAMES: Final = ("localhost", "local", "home.arpa", "internal")

#: Sockets at once, over all jobs; a waiting request counts against its connect deadline.
SOCKETS: Final = 256

#: Each address of a name is tried; the answer of a hostile DNS can hold thousands.
_ADDRESSES: Final = 8
#: An address that does not answer is joined by the next one after this: RFC 8305.
_NEXT_ADDRESS_S: Final = 0.25

#: The longest prefix decides, so these two speak where the registries are silent: there lie old ways to
#: carry IPv4, too. https://www.rfc-editor.org/rfc/rfc4291#section-2.4
_IPV6: Final = (
    Block(ip_network("::/0"), "Unallocated", "RFC4291", Reach.DENIED),
    Block(ip_network("2000::/3"), "Global Unicast", "RFC4291", Reach.PERMITTED),
)
#: A public address that is each machine's own host in Azure, with settings and secrets of the machine.
#: https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
_HOSTS: Final = (Block(ip_network("168.63.129.16/32"), "Azure platform", "Azure", Reach.DENIED),)

_DENIED: Final = "this address is not allowed"


class Guard:
    """One policy, and the only maker of connections to the open internet."""

    def __init__(
        self, allow_networks: Sequence[IPv4Network | IPv6Network] = (), *, own_ports: Iterable[int] = ()
    ) -> None:
        """`allow_networks` are reachable besides the public internet, but for `own_ports` there.

        Raises:
            ValueError: a network lies inside a range that carries IPv4 addresses (`::ffff:0:0/96`, say);
                the IPv4 network is to be named instead.
        """
        table = AddressTable(DEFAULT_DENIED.blocks + _IPV6 + _HOSTS)
        self._policy = Policy(denied_networks=table, allowed_networks=tuple(allow_networks))
        self._public = Policy(denied_networks=table)
        self._opened = bool(allow_networks)
        self._own_ports = Counter(own_ports)  # one may be closed for two reasons
        self._wires = WeakValueDictionary[int, Wire]()

    def close_port(self, port: int) -> None:
        """Something of our own listens there: no link leads to it, not in an allowed network either."""
        self._own_ports[port] += 1

    def open_port(self, port: int) -> None:
        """Nothing of our own listens there any more."""
        self._own_ports[port] -= 1

    def static_verdict(self, link: Link) -> Reason | None:
        """Why `link` can be refused without a look at the DNS; None: only a connection will tell."""
        try:
            permitted = self._policy_of(port_of(link)).permits_address(link.host)
        except ValueError:  # a name
            own = any(f".{link.host}".endswith(f".{name}") for name in _OWN_NAMES)
            permitted = self._opened or not own
        return None if permitted else Reason.PRIVATE_ADDRESS

    async def connect(self, host: str, port: int, resolver: AbstractResolver) -> socket.socket:
        """A connection to one of the addresses of `host`, in the terms of `links.parse`.

        No deadline of its own: the caller's. The socket is the caller's to close.

        Raises:
            OSError: no address, no answer; `is_denial` tells whether the guard refused it.
        """
        try:
            version = ip_address(host).version
        except ValueError:
            found = await _FewAddresses(resolver).resolve(host, port, socket.AF_UNSPEC)
            ends = [(answer["family"], answer["host"]) for answer in found]
        else:
            ends = [(socket.AF_INET6 if version == 6 else socket.AF_INET, host)]
        if not ends:
            raise OSError("a name without addresses")
        infos = [(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (end, port)) for family, end in ends]
        return await aiohappyeyeballs.start_connection(
            infos, happy_eyeballs_delay=_NEXT_ADDRESS_S, interleave=1, socket_factory=self._socket
        )

    def connector(
        self, *, resolver: AbstractResolver | None = None, sockets: int = SOCKETS
    ) -> aiohttp.TCPConnector:
        """A connector whose sockets go nowhere else. To be made in the event loop, closed by the caller."""
        few = _FewAddresses(resolver or aiohttp.ThreadedResolver())
        return aiohttp.TCPConnector(limit=sockets, resolver=few, socket_factory=self._wire, ssl=tls_context())

    def wire(self, descriptor: int) -> Wire | None:
        """The socket of a connection that the `connector` made, by its descriptor."""
        return self._wires.get(descriptor)

    def _wire(self, info: aiohttp.AddrInfoType) -> Wire:
        self._check(info)
        wire = Wire(*info[:3])
        self._wires[wire.fileno()] = wire
        return wire

    def _socket(self, info: aiohttp.AddrInfoType) -> socket.socket:
        self._check(info)
        return socket.socket(*info[:3])

    def _check(self, info: aiohttp.AddrInfoType) -> None:
        host, port, *_rest = info[4]
        try:
            self._policy_of(port).check_address(str(host).partition("%")[0])
        except BlockedAddressError:
            # the race between addresses in aiohappyeyeballs takes OSError alone for an answer
            raise denial() from None

    def _policy_of(self, port: int) -> Policy:
        return self._public if self._own_ports[port] else self._policy


class _FewAddresses(AbstractResolver):
    """The first addresses that another resolver finds."""

    def __init__(self, resolver: AbstractResolver) -> None:
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return (await self._resolver.resolve(host, port, family))[:_ADDRESSES]

    async def close(self) -> None:
        await self._resolver.close()


def port_of(link: Link) -> int:
    """The port that `link` leads to."""
    parts = urlsplit(link.url)
    return parts.port or (443 if parts.scheme == "https" else 80)


def denial() -> PermissionError:
    """The guard's no, as an error of a connection."""
    return PermissionError(_DENIED)


def is_denial(error: OSError) -> bool:
    """Whether the connection failed because a guard refused the address.

    By the text: of several addresses that failed, aiohappyeyeballs reports a new error with all texts.
    """
    return _DENIED in str(error)
