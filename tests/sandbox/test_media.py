"""Photos, thumbs, albums and forwards: what Telegram keeps of a file, and how it is found again."""

import io
import struct
import zlib
from typing import Any

import pytest
from telethon import functions, types, utils
from telethon.errors import BadRequestError, FilePart0MissingError

from sandbox import Account, DataCentre, World
from sandbox.people import Person
from sandbox.world.images import size
from sandbox.world.uploads import UPLOAD_LASTS_S
from tests.sandbox.clients import connected, peer, refused


def png(width: int, height: int) -> bytes:
    """The head of a PNG of this size."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = b"IHDR" + head
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))


def jpeg(width: int, height: int) -> bytes:
    """The head of a JPEG of this size, with something before the frame."""
    extra = b"\xff\xe0" + struct.pack(">H", 16) + bytes(14)
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, height, width, 1) + bytes(3)
    return b"\xff\xd8" + extra + frame + b"\xff\xd9"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (png(7, 9), (7, 9)),
        (jpeg(320, 180), (320, 180)),
        (b"", None),
        (b"\xff\xd8", None),
        (b"\xff\xd8\xff\xe0\x00\x04xx\x00", None),
        (b"GIF89a", None),
        (png(7, 9)[:20], None),
    ],
)
def test_picture_when_its_head_is_read_tells_its_size(
    content: bytes, expected: tuple[int, int] | None
) -> None:
    """PNG and JPEG; whatever else there is, nothing."""
    assert expected == size(content)


async def _uploaded(bot: Any, content: bytes, name: str) -> Any:
    return await bot.upload_file(io.BytesIO(content), file_name=name)


async def _send(bot: Any, to: Any, media: Any, random_id: int) -> Any:
    answer = await bot(functions.messages.SendMediaRequest(to, media, "", random_id=random_id))
    return answer.updates[-1].message


async def test_document_when_sent_keeps_its_attributes_and_its_thumb(world: World, dc: DataCentre) -> None:
    """Attributes as sent, but a name that is too long; who got the message can fetch the thumb."""
    account, user = world.add_bot(), world.add_user("Ada")
    async with connected(dc, account) as bot, Person.connect(dc, user) as ada:
        await ada.send("hi")
        thumb = jpeg(320, 180)
        video = types.DocumentAttributeVideo(61.5, 1920, 1080, supports_streaming=True)
        name = types.DocumentAttributeFilename("n" * 100 + ".mp4")
        media = types.InputMediaUploadedDocument(
            await _uploaded(bot, b"content", "x"),
            "video/mp4",
            [video, name],
            thumb=await _uploaded(bot, thumb, "t.jpg"),
        )
        await _send(bot, peer(world, account, user), media, 1)
        document = (await ada.expect_file()).document
        kept = {type(attribute): attribute for attribute in document.attributes}
        assert bytes(video) == bytes(kept[types.DocumentAttributeVideo])
        assert "n" * 56 + ".mp4" == kept[types.DocumentAttributeFilename].file_name
        (shown,) = document.thumbs
        assert ("m", 320, 180, len(thumb)) == (shown.type, shown.w, shown.h, shown.size)
        place = types.InputDocumentFileLocation(
            document.id, document.access_hash, document.file_reference, thumb_size="m"
        )
        got = await ada.client(functions.upload.GetFileRequest(place, offset=0, limit=4096))
        assert thumb == got.bytes


@pytest.mark.parametrize("thumb", [b"no picture", jpeg(321, 10), jpeg(10, 10) + bytes(200 * 1024)])
async def test_thumb_when_telegram_would_not_show_it_is_left_out(
    world: World, dc: DataCentre, thumb: bytes
) -> None:
    """The message is sent all the same."""
    account, user = world.add_bot(), world.add_user("Ada")
    async with connected(dc, account) as bot, Person.connect(dc, user) as ada:
        await ada.send("hi")
        media = types.InputMediaUploadedDocument(
            await _uploaded(bot, b"content", "x"), "video/mp4", [], thumb=await _uploaded(bot, thumb, "t.jpg")
        )
        sent = await _send(bot, peer(world, account, user), media, 1)
        assert None is sent.media.document.thumbs


async def test_photo_when_sent_can_be_fetched_and_sent_again(world: World, dc: DataCentre) -> None:
    """By Telethon's own ways."""
    account, user = world.add_bot(), world.add_user("Ada")
    content = jpeg(1280, 720) + bytes(5000)
    async with connected(dc, account) as bot, Person.connect(dc, user) as ada:
        await ada.send("hi")
        media = types.InputMediaUploadedPhoto(await _uploaded(bot, content, "p.jpg"))
        sent = await _send(bot, peer(world, account, user), media, 1)
        await bot.send_file(user.id, sent.photo, caption="again")
        message = await ada.expect("again")
        assert sent.photo.id == message.photo.id
        assert (1280, 720) == (message.photo.sizes[0].w, message.photo.sizes[0].h)
        assert content == await message.download_media(bytes)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"no picture", "IMAGE_PROCESS_FAILED"),
        (png(9000, 1001), "PHOTO_INVALID_DIMENSIONS"),
        (png(21, 1), "PHOTO_INVALID_DIMENSIONS"),
        (jpeg(10, 10) + bytes(10 * 1024 * 1024), "PHOTO_SAVE_FILE_INVALID"),
    ],
    ids=["other", "large", "thin", "heavy"],
)
async def test_photo_when_it_breaks_a_rule_is_refused(
    world: World, dc: DataCentre, content: bytes, error: str
) -> None:
    """Each rule with its name."""
    account, user = world.add_bot(), world.add_user("Ada")
    async with connected(dc, account) as bot, Person.connect(dc, user) as ada:
        await ada.send("hi")
        media = types.InputMediaUploadedPhoto(await _uploaded(bot, content, "p.jpg"))
        with refused(error):
            await _send(bot, peer(world, account, user), media, 1)


async def _known(bot: Any, to: Any, content: bytes, mime_type: str, attributes: list[Any]) -> Any:
    """A file that Telegram has, by uploadMedia: an album's items must be such."""
    file = await _uploaded(bot, content, "x")
    media = types.InputMediaUploadedDocument(file, mime_type, attributes)
    uploaded = await bot(functions.messages.UploadMediaRequest(to, media))
    return types.InputMediaDocument(utils.get_input_document(uploaded.document))


async def test_album_when_sent_is_one_and_never_twice(world: World, dc: DataCentre) -> None:
    """One grouped_id, captions of their own; repeated after a lost answer it is the same messages."""
    account, user = world.add_bot(), world.add_user("Ada")
    async with connected(dc, account) as bot, Person.connect(dc, user) as ada:
        await ada.send("hi")
        to = peer(world, account, user)
        files = [await _known(bot, to, b"%d" % number, "text/plain", []) for number in range(3)]
        items = [types.InputSingleMedia(file, f"part {n}", random_id=n + 1) for n, file in enumerate(files)]
        request = functions.messages.SendMultiMediaRequest(to, items)
        first = await bot(request)
        messages = [await ada.expect_file() for _ in items]
        assert 1 == len({message.grouped_id for message in messages})
        assert ["part 0", "part 1", "part 2"] == [message.raw_text for message in messages]
        assert [b"0", b"1", b"2"] == [await message.download_media(bytes) for message in messages]
        again = await bot(request)
        assert [u.id for u in first.updates[:3]] == [u.id for u in again.updates[:3]]
        assert 4 == len(user.box.letters)


async def test_album_when_it_breaks_a_rule_is_refused(world: World, dc: DataCentre) -> None:
    """Ten items, of kinds that go together, all of them uploaded before; an old reference names its item."""
    account, user = world.add_bot(), world.add_user("Ada")
    async with connected(dc, account) as bot, Person.connect(dc, user) as ada:
        await ada.send("hi")
        to = peer(world, account, user)
        text = await _known(bot, to, b"t", "text/plain", [])
        music = await _known(bot, to, b"m", "audio/mpeg", [types.DocumentAttributeAudio(1)])
        new = types.InputMediaUploadedDocument(await _uploaded(bot, b"n", "x"), "text/plain", [])

        async def send(*files: Any) -> None:
            items = [types.InputSingleMedia(file, "", random_id=n + 1) for n, file in enumerate(files)]
            await bot(functions.messages.SendMultiMediaRequest(to, items))

        for files, error in (
            ([text] * 11, "MULTI_MEDIA_TOO_LONG"),
            ([], "MEDIA_EMPTY"),
            ([text, music], "MEDIA_GROUPED_INVALID"),
            ([text, new], "MEDIA_INVALID"),
        ):
            with refused(error):
                await send(*files)
        world.expire_references()
        fresh = await _known(bot, to, b"f", "text/plain", [])
        # Telethon has no class for this one
        with pytest.raises(BadRequestError, match="FILE_REFERENCE_1_EXPIRED"):
            await send(fresh, text)
        assert 1 == len(user.box.letters)


async def test_reference_when_expired_is_had_again_from_the_message(world: World, dc: DataCentre) -> None:
    """After some hours the triple of old is no good; the message that it came from gives a new one."""
    account, user = world.add_bot(), world.add_user("Ada")
    storage = world.add_channel(None, "Storage", [account])
    async with connected(dc, account) as bot, Person.connect(dc, user) as ada:
        await ada.send("hi")
        place = peer(world, account, storage)
        kept = await bot.send_file(place, b"content", force_document=True)
        world.clock.skip(3 * 3600)
        with refused("FILE_REFERENCE_EXPIRED"):
            await bot.send_file(user.id, kept.document)
        (found,) = await bot.get_messages(place, ids=[kept.id])
        assert (kept.document.id, kept.document.access_hash) == (
            found.document.id,
            found.document.access_hash,
        )
        await bot.send_file(user.id, found.document)
        assert b"content" == await (await ada.expect_file()).download_media(bytes)


async def test_forward_when_made_names_its_origin_and_is_not_made_twice(world: World, dc: DataCentre) -> None:
    """From a channel: post and channel; without the author or the caption if so wished."""
    account, user = world.add_bot(), world.add_user("Ada")
    channel = world.add_channel("news", "News", [account])
    async with connected(dc, account) as bot, Person.connect(dc, user) as ada:
        await ada.send("hi")
        place, to = peer(world, account, channel), peer(world, account, user)
        post = await bot.send_file(place, b"content", caption="the film", force_document=True)

        async def forward(random_id: int, **options: Any) -> Any:
            request = functions.messages.ForwardMessagesRequest(
                place, [post.id], to, random_id=[random_id], **options
            )
            return (await bot(request)).updates[-1].message

        first = await forward(1)
        assert (channel.id, post.id) == (first.fwd_from.from_id.channel_id, first.fwd_from.channel_post)
        assert first.id == (await forward(1)).id
        bare = await forward(2, drop_author=True, drop_media_captions=True)
        assert ("", None) == (bare.raw_text, bare.fwd_from)
        onward = functions.messages.ForwardMessagesRequest(to, [first.id], place, random_id=[3])
        back = (await bot(onward)).updates[-1].message
        assert channel.id == back.fwd_from.from_id.channel_id
        assert b"content" == await (await ada.expect_file()).download_media(bytes)
        with refused("MESSAGE_ID_INVALID"):
            await bot(functions.messages.ForwardMessagesRequest(place, [99], to, random_id=[4]))
        channel.noforwards = True
        with refused("CHAT_FORWARDS_RESTRICTED"):
            await forward(5)
        assert (await bot.get_entity(channel.peer_id)).noforwards


async def test_parts_when_nobody_goes_on_for_hours_are_gone(world: World, dc: DataCentre) -> None:
    """While parts come, the first ones stay."""
    account, user = world.add_bot(), world.add_user("Ada")
    async with connected(dc, account) as bot, Person.connect(dc, user) as ada:
        await ada.send("hi")
        for part in range(2):
            await bot(functions.upload.SaveFilePartRequest(5, part, bytes(1024)))
            world.clock.skip(UPLOAD_LASTS_S - 60)
        file = types.InputFile(5, 2, "x", "")
        media = types.InputMediaUploadedDocument(file, "text/plain", [])
        world.clock.skip(61)
        with pytest.raises(FilePart0MissingError):
            await _send(bot, peer(world, account, user), media, 1)
        assert [] == list(world.spool.iterdir())


async def test_premium_when_had_allows_eight_thousand_parts(world: World, dc: DataCentre) -> None:
    """4000 for everybody else, and longer captions, too."""
    free, premium = world.add_user("Ada"), world.add_user("Grace", premium=True)

    async def save(account: Account, total: int) -> None:
        async with connected(dc, account) as client:
            await client(functions.upload.SaveBigFilePartRequest(9, total - 1, total, bytes(1024)))

    await save(free, 4000)
    await save(premium, 8000)
    for account, total in ((free, 4001), (premium, 8001)):
        with refused("FILE_PARTS_INVALID"):
            await save(account, total)
