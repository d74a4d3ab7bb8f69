"""The engine's ways to Telegram: through a proxy, and hidden from the network between."""

from typing import Any

import pytest

from tests.engine.conftest import Scene
from tests.proxies import forward_proxy
from tests.sources.sites import reply, site

MIB = 1024 * 1024


@pytest.mark.parametrize("transport", ["abridged", "obfuscated"])
async def test_engine_when_a_proxy_is_set_then_speaks_to_telegram_through_it_only(
    scene: Scene, transport: str
) -> None:
    """Messages and parts alike; the file arrives whole, and the link is fetched straight."""
    async with forward_proxy("peyk", "s3cr:t") as proxy, scene.person() as user:
        before = scene.world.stats.connections
        changes: dict[str, Any] = {
            "proxy": proxy.url("socks5").replace("s3cr:t", "s3cr%3At"),
            "transport": transport,
        }
        async with scene.engine(**changes):
            await user.send(scene.site.url("film.mp4", 11 * MIB))
            size_and_digest = await user.save(await user.expect_file())
        assert (11 * MIB, await scene.site.sha256_of("film.mp4", 11 * MIB)) == size_and_digest
        assert scene.world.stats.connections - before == len(proxy.passed)
        assert {(scene.dc.host, scene.dc.port)} == set(proxy.passed)


async def test_link_to_a_port_of_our_own_when_its_network_is_allowed_then_is_refused(scene: Scene) -> None:
    """Neither the data centre nor what the operator closes is asked, though links may reach the address."""
    async with (
        site(reply(200, body=b"ours")) as ours,
        scene.engine(closed_ports=str(ours.port)),
        scene.person() as user,
    ):
        before = scene.world.stats.connections
        for url in (ours.url(), f"http://127.0.0.1:{scene.dc.port}/"):
            await user.send(url)
            await user.expect("private network")
        assert before == scene.world.stats.connections
    assert 0 == ours.connections
