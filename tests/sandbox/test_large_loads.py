"""What a data centre may leave out under large loads: the content of files, and the proof of who sent it."""

import hashlib
import os
from pathlib import Path

import pytest
from telethon.tl import functions, types

from sandbox import DataCentre, World
from sandbox.bench.packets import PART_BYTES, Writer
from sandbox.world.uploads import Keep
from tests.sandbox.clients import connected
from tests.sandbox.raw import Raw, raw

PARTS = 3


def _spool_bytes(folder: Path) -> int:
    """What really lies on the disk: files with holes are larger than that."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


async def _upload(client: Raw, content: bytes) -> None:
    pieces = [content[at : at + PART_BYTES] for at in range(0, len(content), PART_BYTES)]
    for number, piece in enumerate(pieces):
        request = functions.upload.SaveBigFilePartRequest(1, number, len(pieces), piece)
        assert await client.result(await client.send(bytes(request)))


@pytest.mark.parametrize("keep", [Keep.DIGESTS, Keep.SIZES])
async def test_large_file_when_only_its_measure_is_kept_takes_no_room(
    world: World, dc: DataCentre, tmp_path: Path, keep: Keep
) -> None:
    """Its size and its rules hold, its digest can be compared, and it reads as zeros."""
    world.uploads.keep = keep
    account, ada = world.add_bot(), world.add_user("Ada")
    account.heard_from.add(ada.id)
    content = os.urandom(PART_BYTES * (PARTS - 1) + 1000)
    peer = types.InputPeerUser(ada.id, world.accounts.access_hash(account, "user", ada.id))
    media = types.InputMediaUploadedDocument(types.InputFileBig(1, PARTS, "a.bin"), "video/mp4", [])
    async with raw(dc, account) as client, connected(dc, ada) as reader:
        await _upload(client, content)
        send = functions.messages.SendMediaRequest(peer, media, "", random_id=1)
        await client.result(await client.send(bytes(send)))
        (message,) = await reader.get_messages(account.username, limit=1)
        assert bytes(len(content)) == await reader.download_media(message, bytes)
    pieces = [content[at : at + PART_BYTES] for at in range(0, len(content), PART_BYTES)]
    digests = b"".join(hashlib.sha256(piece).digest() for piece in pieces)
    expected = hashlib.sha256(digests).hexdigest() if keep is Keep.DIGESTS else ""
    (record,) = world.stats.uploads.values()
    assert (len(content), expected) == (record.size_bytes, record.digest)
    assert _spool_bytes(tmp_path) < PART_BYTES


async def test_small_file_when_only_measures_are_kept_is_kept(world: World, dc: DataCentre) -> None:
    """It is checked by its MD5, and little."""
    world.uploads.keep = Keep.SIZES
    account, ada = world.add_bot(), world.add_user("Ada")
    account.heard_from.add(ada.id)
    peer = types.InputPeerUser(ada.id, world.accounts.access_hash(account, "user", ada.id))
    content = os.urandom(5000)
    async with connected(dc, account) as bot, connected(dc, ada) as reader:
        await bot.send_file(peer, content, force_document=True)
        (message,) = await reader.get_messages(account.username, limit=1)
        assert content == await reader.download_media(message, bytes)


async def test_parts_when_clients_are_trusted_are_taken_by_their_heads(world: World) -> None:
    """Sealed in full or only in front, by itself or in a wrapper; every other call is verified as ever."""
    world.uploads.keep = Keep.SIZES
    account = world.add_bot()
    async with DataCentre(world, trusting=True) as dc, raw(dc, account) as client:
        writer = Writer(client.key, client.salt)
        glanced = writer.glanced_part(1, 0, PARTS, bytes(PART_BYTES))
        # the session is the writer's own: its answer is not for this client to open
        await client.send_packet(glanced[4:])
        while not world.stats.parts:
            await client.packet()
        part = functions.upload.SaveBigFilePartRequest(1, 1, PARTS, bytes(PART_BYTES))
        wrapped = bytes(functions.InvokeWithoutUpdatesRequest(part))
    async with DataCentre(world, trusting=True) as dc, raw(dc, account) as client:
        assert await client.result(await client.send(wrapped))
        forged = bytearray(client.seal(wrapped[:100], client.message_id(), client.seq_no()))
        forged[-1] ^= 1
        await client.send_packet(bytes(forged))
        assert await client.closed()
    assert (2, 2 * PART_BYTES) == (world.stats.parts, world.stats.part_bytes)
