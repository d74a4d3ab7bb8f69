"""Bots: the commands that they offer, and the links that start them."""

import re
from typing import Any, Final

from telethon.tl import functions, types

from sandbox.rpc import peers, sending
from sandbox.rpc.registry import Call, RpcError, rpc
from sandbox.world.accounts import Account
from sandbox.world.letters import Draft

#: https://core.telegram.org/method/bots.setBotCommands, https://core.telegram.org/bots/api#botcommand
MAX_COMMANDS: Final = 100
MAX_DESCRIPTION: Final = 256
_COMMAND: Final = re.compile("[a-z0-9_]{1,32}")
#: https://core.telegram.org/api/links#bot-links
_START_PARAM: Final = re.compile("[A-Za-z0-9_-]{1,64}")


def _shelf(scope: Any, lang_code: str) -> bytes:
    """Where commands are kept; those for one person by the id, whatever way they were named."""
    if isinstance(scope, types.BotCommandScopePeer):
        scope = types.BotCommandScopePeer(types.InputPeerUser(scope.peer.user_id, 0))
    return bytes(scope) + lang_code.encode()


def _check_scope(call: Call, scope: Any) -> None:
    if isinstance(scope, types.BotCommandScopePeer):
        peers.user(call, scope.peer)


@rpc(functions.bots.SetBotCommandsRequest, users=False)
def set_bot_commands(call: Call, request: Any) -> Any:
    _check_scope(call, request.scope)
    if len(request.commands) > MAX_COMMANDS:
        raise RpcError(400, "BOT_COMMANDS_TOO_MUCH")
    for command in request.commands:
        if not _COMMAND.fullmatch(command.command):
            raise RpcError(400, "BOT_COMMAND_INVALID")
        if not 1 <= len(command.description) <= MAX_DESCRIPTION:
            raise RpcError(400, "BOT_COMMAND_DESCRIPTION_INVALID")
    call.account.commands[_shelf(request.scope, request.lang_code)] = list(request.commands)
    call.world.ledger.keep(call.account)
    return True


@rpc(functions.bots.GetBotCommandsRequest, users=False)
def get_bot_commands(call: Call, request: Any) -> Any:
    _check_scope(call, request.scope)
    return call.account.commands.get(_shelf(request.scope, request.lang_code), [])


@rpc(functions.bots.ResetBotCommandsRequest, users=False)
def reset_bot_commands(call: Call, request: Any) -> Any:
    _check_scope(call, request.scope)
    gone = call.account.commands.pop(_shelf(request.scope, request.lang_code), None)
    call.world.ledger.keep(call.account)
    return gone is not None


def offered_commands(bot: Account, person: Account) -> list[Any]:
    """The commands that a bot offers to a person in their private chat: the narrowest that there are.

    https://core.telegram.org/bots/api#determining-list-of-commands
    """
    own = types.BotCommandScopePeer(types.InputPeerUser(person.id, 0))
    for scope in (own, types.BotCommandScopeUsers(), types.BotCommandScopeDefault()):
        for lang_code in (person.lang_code, ""):
            if commands := bot.commands.get(_shelf(scope, lang_code)):
                return commands
    return []


@rpc(functions.messages.StartBotRequest, bots=False)
def start_bot(call: Call, request: Any) -> Any:
    """What a link t.me/bot?start=payload does."""
    bot = peers.user(call, request.bot, "BOT_INVALID")
    if not bot.is_bot:
        raise RpcError(400, "BOT_INVALID")
    if not _START_PARAM.fullmatch(request.start_param):
        raise RpcError(400, "START_PARAM_INVALID" if request.start_param else "START_PARAM_EMPTY")
    if sent := sending.repeated(call, request.random_id):
        return sending.answer(call, [sent])
    draft = Draft(f"/start {request.start_param}")
    return sending.answer(call, [sending.post(call, bot, draft, request.random_id, None)])
