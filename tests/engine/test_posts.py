"""Links to messages on Telegram: what the bot and its person can see comes by reference, the rest is told."""

import pytest
from telethon.tl import types

from sandbox import Account, Channel
from sandbox.world.members import Role
from tests.engine import shelf
from tests.engine.conftest import Scene

MIB = 1024 * 1024


@pytest.fixture
def writer(scene: Scene) -> Account:
    """Who posts in channels."""
    return scene.world.add_user("Mina", phone="989120000008")


@pytest.fixture
def films(scene: Scene, writer: Account) -> Channel:
    """A public channel in which the bot is."""
    return scene.world.add_channel("films_one", "Films", admins=[writer, scene.bot])


@pytest.fixture
def den(scene: Scene, writer: Account) -> Channel:
    """A private channel in which the bot is."""
    return scene.world.add_channel(None, "Den", admins=[writer, scene.bot])


def number_of(channel: Channel) -> int:
    """The number of a channel's last post."""
    return max(channel.box.letters)


async def test_link_to_a_post_when_public_then_its_file_comes_without_a_byte_of_it(
    scene: Scene, writer: Account, films: Channel
) -> None:
    """The same document, with the words under it; in every form of the link, the app's too."""
    content = shelf.film(3 * MIB + 5)
    shelf.post(scene, writer, films, None, "hello")
    bold = types.MessageEntityBold(0, 3)
    shelf.post(scene, writer, films, shelf.document(scene, content), "The report", bold)
    number = number_of(films)
    async with scene.engine(), scene.person() as user:
        before = scene.world.stats.calls["contacts.resolveUsername"]
        for link in (
            f"https://t.me/Films_One/{number}?single",
            f"tg://resolve?domain=films_one&post={number}",
        ):
            await user.send(link)
            message = await user.expect_file()
            assert ("The report", [bold]) == (message.message, message.entities)
            assert "report.pdf" == message.file.name
            await user.expect("Done")
        assert {} == shelf.moved(scene)
        assert 1 == scene.world.stats.calls["contacts.resolveUsername"] - before
        assert (len(content), shelf.digest(content)) == await user.save(message)


async def test_link_to_a_post_when_the_reference_expires_at_once_then_is_looked_at_again(
    scene: Scene, writer: Account, films: Channel
) -> None:
    """The file comes in spite of it, once, and still no byte of it moves."""
    shelf.post(scene, writer, films, shelf.document(scene, shelf.film(MIB)))
    expired = (400, "FILE_REFERENCE_EXPIRED")
    scene.world.faults.append(shelf.fault("messages.sendMedia", count=1, error=expired))
    async with scene.engine(), scene.person() as user:
        await user.send(f"https://t.me/films_one/{number_of(films)}")
        message = await user.expect_file()
        await user.expect("Done")
        assert {} == shelf.moved(scene)
        history = await user.client.get_messages(user.bot, limit=20)
    assert [message.id] == [each.id for each in history if each.document]
    assert 2 == scene.world.stats.calls["channels.getMessages"]


async def test_link_to_a_private_post_when_sent_by_a_member_comes_and_to_nobody_else(
    scene: Scene, writer: Account, den: Channel
) -> None:
    """That the bot sees it is not enough: the person must be inside, or it would tell on its members."""
    shelf.post(scene, writer, den, shelf.document(scene, shelf.film(MIB)))
    link = f"https://t.me/c/{den.id}/{number_of(den)}"
    async with scene.engine(), scene.person() as user, scene.person(scene.admin) as other:
        scene.world.seat(den, scene.user, Role.MEMBER)
        await user.send(link)
        assert "report.pdf" == (await user.expect_file()).file.name
        await user.expect("Done")
        await other.send(link)
        assert "Forward it to me" in (await other.expect("did not work")).raw_text
        assert {} == shelf.moved(scene)


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("https://t.me/nobody_here/5", "Forward it to me"),
        ("https://t.me/peyk_bot/5", "Forward it to me"),
        ("https://t.me/films_one/77", "Forward it to me"),
        ("https://t.me/films_one/1", "no file in that message"),
        ("https://t.me/c/1999999999/5", "Forward it to me"),
    ],
)
async def test_link_to_a_post_when_nothing_can_be_seen_is_told_with_what_to_do(
    scene: Scene, writer: Account, films: Channel, link: str, expected: str
) -> None:
    """No such channel, no channel at all, no such post, a post without a file, a channel without the bot."""
    shelf.post(scene, writer, films, None, "hello")
    async with scene.engine(), scene.person() as user:
        await user.send(link)
        assert expected in (await user.expect("did not work")).raw_text


async def test_link_to_a_post_when_its_channel_keeps_its_content_is_refused(
    scene: Scene, writer: Account, films: Channel
) -> None:
    """Neither by reference nor by its bytes."""
    films.noforwards = True
    shelf.post(scene, writer, films, shelf.document(scene, shelf.film(MIB)))
    async with scene.engine(), scene.person() as user:
        await user.send(f"https://t.me/films_one/{number_of(films)}")
        assert "pass its files on" in (await user.expect("did not work")).raw_text
        assert {} == shelf.moved(scene)
    assert 0 == scene.world.stats.calls["messages.sendMedia"]
