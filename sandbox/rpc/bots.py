"""bots.*: the commands that a bot offers."""

from typing import Any

from telethon.tl import functions

from sandbox.rpc.registry import Call, RpcError, rpc

#: https://core.telegram.org/method/bots.setBotCommands
_MAX_COMMANDS = 100


def _shelf(request: Any) -> bytes:
    return bytes(request.scope) + str(request.lang_code).encode()


@rpc(functions.bots.SetBotCommandsRequest, users=False)
def set_bot_commands(call: Call, request: Any) -> Any:
    if len(request.commands) > _MAX_COMMANDS:
        raise RpcError(400, "BOT_COMMANDS_TOO_MUCH")
    call.account.commands[_shelf(request)] = list(request.commands)
    return True


@rpc(functions.bots.GetBotCommandsRequest, users=False)
def get_bot_commands(call: Call, request: Any) -> Any:
    return call.account.commands.get(_shelf(request), [])


@rpc(functions.bots.ResetBotCommandsRequest, users=False)
def reset_bot_commands(call: Call, request: Any) -> Any:
    return call.account.commands.pop(_shelf(request), None) is not None
