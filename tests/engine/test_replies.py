"""What the bot says about a message answers that message."""

from typing import Any

import pytest

from sandbox import Fault
from sandbox.people import Person
from tests.engine import shelf
from tests.engine.conftest import Scene

KIB = 1024


def is_file(message: Any) -> bool:
    """Whether it is no text."""
    return message.document is not None


async def expect_answer(user: Person, to: Any, text: str) -> Any:
    """The message with that text that answers one of the person's."""

    def fits(message: Any) -> bool:
        return text in (message.raw_text or "") and message.reply_to_msg_id == to.id

    return await user.expect_that(fits, f"{text!r} as an answer to {to.id}", 30)


async def test_answers_when_several_messages_are_under_way_each_tell_which_is_meant(scene: Scene) -> None:
    """The status message and the file of each link, one of them out of the store, a batch, a refusal."""
    links = [scene.site.url(f"{number}.bin", 100 * KIB + number) for number in range(3)]
    async with scene.engine(), scene.person() as user:
        sent = [await user.send(link) for link in (*links[:2], links[0])]
        for _ in sent:
            await user.expect("Done")
        answers = [each for each in await user.client.get_messages(user.bot, limit=20) if not each.out]
        for message, name in zip(sent, ("0.bin", "1.bin", "0.bin"), strict=True):
            status, file = sorted(
                (each for each in answers if each.reply_to_msg_id == message.id), key=is_file
            )
            assert "Done" in status.raw_text
            assert name == file.file.name
        batch = await user.send("\n".join(links))
        await expect_answer(user, batch, "All \u20683\u2069 are here")
        await expect_answer(user, await user.send("no link"), "I see no link")
        await expect_answer(user, await user.send("ftp://a.example/b"), "only links that start with http")
        shelf.post(scene, scene.user, scene.bot, shelf.document(scene, b"x" * KIB))
        card = await user.expect("report.pdf")
        await user.press(card, "Send")
        file = await user.expect_that(lambda each: each.document and each.file.name == "report.pdf", "it", 30)
        assert None is not card.reply_to_msg_id == file.reply_to_msg_id


async def test_answer_when_the_message_was_deleted_comes_all_the_same(scene: Scene) -> None:
    """What is sent after that answers nothing, and comes once.

    tdlib/telegram-bot-api#469: whether a reply to a deleted message is refused, or sent without it, differs.
    """
    scene.world.faults.append(Fault("upload.saveFilePart", count=1, delay_s=2))
    async with scene.engine(), scene.person() as user:
        message = await user.send(scene.site.url("gone.bin", 100 * KIB))
        await expect_answer(user, message, "Accepted")
        await message.delete(revoke=True)
        file = await user.expect_file()
        assert ("gone.bin", None) == (file.file.name, file.reply_to_msg_id)
        await user.expect("Done")
        answers = [each for each in await user.client.get_messages(user.bot, limit=20) if not each.out]
    assert 2 == len(answers)


@pytest.mark.parametrize("refusal", ["REPLY_MESSAGE_ID_INVALID", "MESSAGE_ID_INVALID"])
async def test_answer_when_telegram_refuses_to_reply_comes_without(scene: Scene, refusal: str) -> None:
    """The status message and the file, once each."""
    for method in ("messages.sendMessage", "messages.sendMedia"):
        scene.world.faults.append(Fault(method, count=1, user_id=scene.bot.id, error=(400, refusal)))
    async with scene.engine(), scene.person() as user:
        await user.send(scene.site.url("here.bin", 100 * KIB))
        await user.expect("Done")
        answers = [each for each in await user.client.get_messages(user.bot, limit=20) if not each.out]
    assert [None, None] == [each.reply_to_msg_id for each in answers]
