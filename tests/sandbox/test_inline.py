"""Inline queries and what starts a bot: links with a payload, commands in the menu."""

from typing import Any

import pytest
from telethon import events, functions, types

from sandbox import DataCentre, World
from sandbox.people import Person
from tests.sandbox.clients import Seen, connected, peer, refused


def _article(result_id: str, text: str) -> Any:
    said = types.InputBotInlineMessageText(text)
    return types.InputBotInlineResult(result_id, "article", said, title=f"About {result_id}")


async def test_result_when_chosen_is_sent_in_the_persons_name_via_the_bot(
    world: World, dc: DataCentre
) -> None:
    """Query, results with a text and a file that Telegram has, the choice, and who is told of it."""
    account, user = world.add_bot(inline=True), world.add_user("Ada")
    friend = world.add_user("Grace")
    async with connected(dc, account) as bot, Person.connect(dc, user) as ada, connected(dc, friend) as grace:
        seen, chosen = Seen(grace, events.NewMessage()), Seen(bot, events.Raw(types.UpdateBotInlineSend))
        await grace.get_me()
        await ada.send("hi")
        file = (await bot.send_file(user.id, b"content", force_document=True)).document
        known = types.InputDocument(file.id, file.access_hash, file.file_reference)

        async def answer(event: Any) -> None:
            media = types.InputBotInlineMessageMediaAuto("the film")
            results = [
                _article("a", "an answer"),
                types.InputBotInlineResultDocument("b", "file", known, media),
            ]
            await bot(functions.messages.SetInlineBotResultsRequest(event.query.query_id, results, 60))

        bot.add_event_handler(answer, events.InlineQuery())
        to = peer(world, user, friend)
        found = await ada.client.inline_query(ada.bot, "film", entity=to)
        assert ["About a", None] == [result.title for result in found]
        for number, text in ((0, "an answer"), (1, "the film")):
            await found[number].click(to)
            message = (await seen.next()).message
            assert (text, account.id) == (message.raw_text, message.via_bot_id)
            assert (user.id, "film") == ((update := await chosen.next()).user_id, update.query)
        assert file.id == message.document.id
        gone = functions.messages.SendInlineBotResultRequest(to, 1, "a", random_id=77)
        with refused("QUERY_ID_INVALID"):
            await ada.client(gone)


@pytest.mark.parametrize(
    ("results", "error"),
    [
        ([_article("a", "x"), _article("a", "y")], "RESULT_ID_DUPLICATE"),
        ([_article("", "x")], "RESULT_ID_EMPTY"),
        ([_article(str(number), "x") for number in range(51)], "RESULTS_TOO_MUCH"),
        ([_article("a", " ")], "MESSAGE_EMPTY"),
        (
            [types.InputBotInlineResultGame("a", "x", types.InputBotInlineMessageGame())],
            "RESULT_TYPE_INVALID",
        ),
    ],
    ids=["twice", "nameless", "many", "empty", "other"],
)
async def test_results_when_they_break_a_rule_are_refused(
    world: World, dc: DataCentre, results: Any, error: str
) -> None:
    """Each rule with its name."""
    async with connected(dc, world.add_bot(inline=True)) as bot:
        with refused(error):
            await bot(functions.messages.SetInlineBotResultsRequest(1, results, 0))


async def test_query_when_the_bot_does_not_do_that_or_is_silent_is_told(
    world: World, dc: DataCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BotFather's switch, and the deadline."""
    monkeypatch.setattr("sandbox.world.questions.ANSWER_S", 0.05)
    world.add_bot()
    world.add_bot("other_bot", inline=True)
    async with connected(dc, world.add_user("Ada")) as ada:
        with refused("BOT_INLINE_DISABLED"):
            await ada.inline_query("peyk_bot", "x")
        with refused("BOT_RESPONSE_TIMEOUT"):
            await ada.inline_query("other_bot", "x")


async def test_bot_when_started_by_a_link_gets_the_payload_once(world: World, dc: DataCentre) -> None:
    """The same random_id is the same start; other letters than Telegram's are refused."""
    account, user = world.add_bot(), world.add_user("Ada")
    async with connected(dc, account) as bot, Person.connect(dc, user) as ada:
        seen = Seen(bot, events.NewMessage())
        await bot.get_me()
        await ada.start("from-Sponsor_1")
        event = await seen.next()
        assert "/start from-Sponsor_1" == event.raw_text
        await event.respond("welcome")
        await ada.expect("welcome")
        for payload, error in (("", "EMPTY"), ("سلام", "INVALID"), ("a" * 65, "INVALID")):
            with refused(f"START_PARAM_{error}"):
                await ada.start(payload)


async def test_commands_when_offered_are_shown_in_the_persons_language(world: World, dc: DataCentre) -> None:
    """By language, else the ones for all; a bot's own are given back as set."""
    account = world.add_bot()
    user, other = world.add_user("سارا", lang_code="fa"), world.add_user("Ada")
    scope = types.BotCommandScopeDefault()
    async with connected(dc, account) as bot, connected(dc, user) as sara, connected(dc, other) as ada:
        for lang, text in (("", "Help"), ("fa", "کمک")):
            commands = [types.BotCommand("help", text)]
            await bot(functions.bots.SetBotCommandsRequest(scope, lang, commands))
        shown = []
        for client in (sara, ada):
            full = await client(functions.users.GetFullUserRequest("peyk_bot"))
            shown += [command.description for command in full.full_user.bot_info.commands]
        assert ["کمک", "Help"] == shown
        access_hash = world.accounts.access_hash(account, "user", user.id)
        own = types.BotCommandScopePeer(types.InputPeerUser(user.id, access_hash))
        await bot(functions.bots.SetBotCommandsRequest(own, "", [types.BotCommand("status", "Hers")]))
        full = await sara(functions.users.GetFullUserRequest("peyk_bot"))
        assert ["status"] == [command.command for command in full.full_user.bot_info.commands]
        full = await ada(functions.users.GetFullUserRequest("peyk_bot"))
        assert ["help"] == [command.command for command in full.full_user.bot_info.commands]
        with refused("PEER_ID_INVALID"):
            nobody = types.BotCommandScopePeer(types.InputPeerUser(user.id, access_hash + 1))
            await bot(functions.bots.SetBotCommandsRequest(nobody, "", []))
        assert await bot(functions.bots.ResetBotCommandsRequest(own, ""))
        await bot(functions.bots.ResetBotCommandsRequest(scope, "fa"))
        assert [] == await bot(functions.bots.GetBotCommandsRequest(scope, "fa"))
        for command, error in (
            (types.BotCommand("Help!", "x"), "BOT_COMMAND_INVALID"),
            (types.BotCommand("help", ""), "BOT_COMMAND_DESCRIPTION_INVALID"),
        ):
            with refused(error):
                await bot(functions.bots.SetBotCommandsRequest(scope, "", [command]))
