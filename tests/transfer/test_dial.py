"""The way to the data centre: straight, through a proxy, and hidden from onlookers."""

from dataclasses import replace

import pytest

from sandbox import DataCentre
from tests.proxies import forward_proxy
from tests.transfer.server import QUICK, Responder, endpoint_at
from tests.transfer.source import Source
from uploader.errors import TransferTemporary
from uploader.model import Checkpoint
from uploader.transfer import Endpoint, UploadPool, upload
from uploader.transfer.parts import PART_BYTES, SMALL_FILE_BYTES


async def carry(endpoint: Endpoint, data: bytes) -> int:
    """Upload over a pool of its own; the file id."""

    async def save(_checkpoint: Checkpoint) -> None:
        """Nowhere."""

    patience = replace(QUICK, tries_lost=2)
    async with UploadPool(endpoint, connections=2, most=2, patience=patience) as pool:
        source = Source(data)
        uploaded = await upload(source.remote, pool, checkpoint=None, save=save, report=lambda _done: None)
    return uploaded.file_id


@pytest.mark.parametrize("scheme", ["socks5", "http"])
@pytest.mark.parametrize("login", [("", ""), ("peyk", "s3cret")])
async def test_upload_when_a_proxy_is_set_then_every_connection_goes_through_it(
    responder: Responder, endpoint: Endpoint, scheme: str, login: tuple[str, str]
) -> None:
    """With and without a password; the bytes are the same."""
    data = bytes(range(256)) * 4096
    async with forward_proxy(*login) as proxy:
        file_id = await carry(replace(endpoint, proxy=proxy.url(scheme)), data)
        assert [("127.0.0.1", responder.port)] * responder.connections == proxy.passed
    assert data == responder.content(file_id)
    assert responder.connections


@pytest.mark.parametrize("scheme", ["socks5", "http"])
async def test_upload_when_the_proxy_refuses_then_fails_for_now_without_telling_the_password(
    responder: Responder, endpoint: Endpoint, scheme: str
) -> None:
    """A wrong password is in no error, and nothing goes around the proxy."""
    async with forward_proxy("peyk", "s3cret") as proxy:
        url = proxy.url(scheme).replace("s3cret", "wr0ng")
        with pytest.raises(TransferTemporary) as caught:
            await carry(replace(endpoint, proxy=url), b"data")
        assert proxy.refused >= 2
    assert 0 == responder.connections
    assert "wr0ng" not in f"{caught.value!r} {caught.value.__cause__!r} {replace(endpoint, proxy=url)!r}"


async def test_upload_when_the_proxy_is_away_then_fails_for_now(endpoint: Endpoint) -> None:
    """A port where nobody listens."""
    with pytest.raises(TransferTemporary):
        await carry(replace(endpoint, proxy="socks5://127.0.0.1:1"), b"data")


async def test_upload_when_obfuscated_then_the_data_centre_takes_it_all_the_same(dc: DataCentre) -> None:
    """Parts long and short over the obfuscated intermediate transport, through the sandbox."""
    data = bytes(range(251)) * (SMALL_FILE_BYTES // 251 + 3000)
    key = dc.logins.mint(dc.world.add_bot())
    endpoint = replace(endpoint_at(dc.port, key), obfuscated=True)
    await carry(endpoint, data)
    assert len(data) == dc.world.stats.part_bytes
    assert -(-len(data) // PART_BYTES) == dc.world.stats.parts
