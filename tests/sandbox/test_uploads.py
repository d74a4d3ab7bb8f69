"""The rules of file parts, one by one and in any order."""

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from telethon import functions, types
from telethon.errors import FilePartMissingError

from sandbox import DataCentre, Ledger, World
from sandbox.world.clock import Clock
from sandbox.world.uploads import MAX_PART_BYTES, UNKNOWN_TOTAL, PartRefused, Uploads
from tests.sandbox.clients import connected, refused

KIB = 1024


def _uploads(spool: Path) -> Uploads:
    """Uploads of which nothing is kept."""
    return Uploads(spool, Clock(), Ledger())


def _save(uploads: Uploads, part: int, size: int, total: int = UNKNOWN_TOTAL, *, big: bool = True) -> None:
    uploads.save(1, 77, part, total, memoryview(bytes(size)), big=big, premium=False)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_parts_when_they_arrive_in_any_order_make_the_file(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Big or small, of any part size, the short last part first or last, and some of them twice."""
    part_bytes = data.draw(st.sampled_from([KIB, 4 * KIB, 32 * KIB, MAX_PART_BYTES]))
    size = data.draw(st.integers(1, 5 * part_bytes))
    content = os.urandom(size)
    parts = [content[at : at + part_bytes] for at in range(0, size, part_bytes)]
    order = data.draw(st.permutations(range(len(parts))))
    repeated = data.draw(st.lists(st.sampled_from(range(len(parts))), max_size=3))
    big = data.draw(st.booleans())
    uploads = _uploads(tmp_path_factory.mktemp("spool"))
    for number in [*order, *repeated]:
        uploads.save(1, 2, number, len(parts), memoryview(parts[number]), big=big, premium=False)
    blob = uploads.finish(1, 2, len(parts), big=big, md5_checksum=hashlib.md5(content).hexdigest())
    assert content == blob.read(0, size + 100)
    start = data.draw(st.integers(0, size))
    assert content[start : start + 3000] == blob.read(start, 3000)


@pytest.mark.parametrize(
    ("part", "total", "size", "error"),
    [
        (0, 1, 0, "FILE_PART_EMPTY"),
        (0, 1, MAX_PART_BYTES + 1, "FILE_PART_TOO_BIG"),
        (0, 2, 1000, "FILE_PART_SIZE_INVALID"),  # not divisible by 1024
        (0, 2, 3 * KIB, "FILE_PART_SIZE_INVALID"),  # 524288 is not divisible by it
        (0, UNKNOWN_TOTAL, 1000, "FILE_PART_SIZE_INVALID"),  # streamed: only the last part may be short
        (-1, 2, KIB, "FILE_PART_INVALID"),
        (2, 2, KIB, "FILE_PART_INVALID"),
        (4000, UNKNOWN_TOTAL, KIB, "FILE_PART_INVALID"),
        (0, 4001, MAX_PART_BYTES, "FILE_PARTS_INVALID"),
        (0, 0, KIB, "FILE_PARTS_INVALID"),
    ],
)
def test_part_when_it_breaks_a_rule_is_refused_by_name(
    tmp_path: Path, part: int, total: int, size: int, error: str
) -> None:
    """Each rule that one part can break by itself."""
    with pytest.raises(PartRefused, match=error):
        _save(_uploads(tmp_path), part, size, total)


@pytest.mark.parametrize(
    ("arrivals", "error"),
    [
        ([(0, 8 * KIB, 3), (1, 4 * KIB, 3)], "FILE_PART_SIZE_CHANGED"),
        ([(0, 4 * KIB, 3), (1, 8 * KIB, 3)], "FILE_PART_SIZE_CHANGED"),
        ([(2, 8 * KIB, 3), (0, 4 * KIB, 3)], "FILE_PART_SIZE_CHANGED"),
        ([(0, 4 * KIB, 3), (0, 8 * KIB, 3)], "FILE_PART_SIZE_CHANGED"),
        ([(0, 4 * KIB, 3), (1, 4 * KIB, 4)], "FILE_PARTS_INVALID"),
        ([(3, 4 * KIB, UNKNOWN_TOTAL), (1, 100, 2)], "FILE_PARTS_INVALID"),
    ],
)
def test_parts_when_they_do_not_fit_together_are_refused_by_name(
    tmp_path: Path, arrivals: list[tuple[int, int, int]], error: str
) -> None:
    """Each rule that parts can break together."""
    uploads = _uploads(tmp_path)
    part, size, total = arrivals[0]
    _save(uploads, part, size, total)
    part, size, total = arrivals[1]
    with pytest.raises(PartRefused, match=error):
        _save(uploads, part, size, total)


def test_streamed_upload_when_its_last_part_tells_the_total_is_whole(tmp_path: Path) -> None:
    """Every part says -1 but the last; also a file of exactly full parts."""
    uploads = _uploads(tmp_path)
    for part in range(3):
        _save(uploads, part, KIB, UNKNOWN_TOTAL if part < 2 else 3)
    assert 3 * KIB == uploads.finish(1, 77, 3, big=True).size_bytes


def test_upload_when_parts_are_missing_names_the_first(tmp_path: Path) -> None:
    """Missing at the beginning, in the middle, and all of them."""
    uploads = _uploads(tmp_path)
    with pytest.raises(PartRefused, match="FILE_PART_0_MISSING"):
        uploads.finish(1, 77, 3, big=True)
    _save(uploads, 0, KIB, 3)
    _save(uploads, 2, KIB, 3)
    with pytest.raises(PartRefused, match="FILE_PART_1_MISSING"):
        uploads.finish(1, 77, 3, big=True)
    with pytest.raises(PartRefused, match="FILE_PARTS_INVALID"):
        uploads.finish(1, 77, 2, big=True)


def test_upload_when_it_belongs_to_another_key_is_not_found(tmp_path: Path) -> None:
    """Parts of one login are none of another's."""
    uploads = _uploads(tmp_path)
    _save(uploads, 0, KIB, 1)
    with pytest.raises(PartRefused, match="FILE_PART_0_MISSING"):
        uploads.finish(2, 77, 1, big=True)


def test_small_upload_when_it_is_over_its_bound_is_refused(tmp_path: Path) -> None:
    """More than 10 MiB must go by saveBigFilePart."""
    uploads = _uploads(tmp_path)
    for part in range(21):
        _save(uploads, part, MAX_PART_BYTES, big=False)
    with pytest.raises(PartRefused, match="FILE_PARTS_INVALID"):
        uploads.finish(1, 77, 21, big=False)


async def _send(bot: Any, peer: Any, file: Any, random_id: int) -> Any:
    media = types.InputMediaUploadedDocument(file, "application/octet-stream", [])
    return await bot(functions.messages.SendMediaRequest(peer, media, "", random_id=random_id))


async def test_media_when_parts_are_missing_or_wrong_is_refused_as_telethon_knows_it(
    world: World, dc: DataCentre
) -> None:
    """The errors arrive as the client's own classes."""
    account, user = world.add_bot(), world.add_user("Ada")
    async with connected(dc, account) as bot, connected(dc, user) as ada:
        await ada.send_message("peyk_bot", "hi")
        peer = await bot.get_input_entity(user.id)
        await bot(functions.upload.SaveFilePartRequest(5, 0, b"content"))
        with pytest.raises(FilePartMissingError) as missing:
            await _send(bot, peer, types.InputFile(5, 2, "name", ""), 1)
        assert 1 == missing.value.which
        with refused("MD5_CHECKSUM_INVALID"):
            await _send(bot, peer, types.InputFile(5, 1, "name", "0" * 32), 2)
        checksum = hashlib.md5(b"content").hexdigest()
        sent = await _send(bot, peer, types.InputFile(5, 1, "name", checksum), 3)
        again = await _send(bot, peer, types.InputFile(99, 7, "no parts", ""), 3)
        assert sent.updates[0].id == again.updates[0].id
        assert 2 == len(user.box.letters)


async def test_document_when_named_by_another_account_or_reference_is_not_given(
    world: World, dc: DataCentre
) -> None:
    """access_hash and file_reference are checked, at re-sending and at downloading."""
    account, user = world.add_bot(), world.add_user("Ada")
    async with connected(dc, account) as bot, connected(dc, user) as ada:
        await ada.send_message("peyk_bot", "hi")
        sent = (await bot.send_file(user.id, b"content", force_document=True)).document
        (mine,) = await ada.get_messages("peyk_bot", limit=1)
        assert (sent.id, True) == (mine.document.id, sent.access_hash != mine.document.access_hash)
        resent = await bot.send_file(user.id, sent)
        assert sent.id == resent.document.id

        async def get(document: Any, **range_: Any) -> Any:
            place = types.InputDocumentFileLocation(
                document.id, document.access_hash, document.file_reference, thumb_size=""
            )
            return await ada(functions.upload.GetFileRequest(place, **range_))

        with refused("LOCATION_INVALID"):
            await get(sent, offset=0, limit=4096)
        for reference, error in ((b"", "EMPTY"), (b"forged", "INVALID")):
            old = types.Document(**{**vars(mine.document), "file_reference": reference})
            with refused(f"FILE_REFERENCE_{error}"):
                await get(old, offset=0, limit=4096)


@pytest.mark.parametrize(
    ("offset", "limit", "precise", "error"),
    [
        (1, 4096, False, "OFFSET_INVALID"),
        (1024, 4096, False, "OFFSET_INVALID"),
        (0, 1000, True, "LIMIT_INVALID"),
        (0, 12288, False, "LIMIT_INVALID"),
        (0, 2 * KIB * KIB, False, "LIMIT_INVALID"),
        (KIB * KIB - 4096, 8192, False, "LIMIT_INVALID"),
    ],
)
async def test_download_when_its_range_breaks_a_rule_is_refused(
    world: World, dc: DataCentre, offset: int, limit: int, precise: bool, error: str
) -> None:
    """Alignment, divisibility, and the window of one mebibyte."""
    user = world.add_user("Ada")
    world.add_bot()
    async with connected(dc, user) as ada:
        document = (await ada.send_file("peyk_bot", b"content", force_document=True)).document
        place = types.InputDocumentFileLocation(
            document.id, document.access_hash, document.file_reference, thumb_size=""
        )
        with refused(error):
            await ada(functions.upload.GetFileRequest(place, offset=offset, limit=limit, precise=precise))
        whole = await ada(functions.upload.GetFileRequest(place, offset=0, limit=4096))
        assert b"content" == whole.bytes
