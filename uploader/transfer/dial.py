"""A TCP connection to the data centre: straight, or through a proxy."""

import asyncio
import socket

from python_socks import ProxyError
from python_socks.async_.asyncio import Proxy

from uploader.transfer.endpoint import Endpoint


async def dialled(endpoint: Endpoint) -> socket.socket:
    """A connected socket that does not block. The caller sets the deadline.

    Raises OSError, with no word of the proxy's password.
    """
    if endpoint.proxy is None:
        sock = await _straight(endpoint.host, endpoint.port)
    else:
        sock = await _by_proxy(endpoint.proxy, endpoint.host, endpoint.port)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


async def _straight(host: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, (host, port))
    except BaseException:
        sock.close()
        raise
    return sock


async def _by_proxy(proxy: str, host: str, port: int) -> socket.socket:
    try:
        sock: socket.socket = await Proxy.from_url(proxy).connect(host, port)
    except ProxyError as error:  # what else it raises is an OSError already
        raise OSError(f"the proxy: {error}") from None
    sock.setblocking(False)
    return sock
