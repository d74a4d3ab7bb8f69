"""help.*: what the data centre says of itself."""

import time
from typing import Any

from telethon.tl import functions, types

from sandbox import tl
from sandbox.rpc.limits import MAX_CAPTION, MAX_TEXT
from sandbox.rpc.registry import Call, rpc


@rpc(functions.help.GetConfigRequest, anonymous=True, passive=True)
def get_config(call: Call, request: Any) -> Any:
    now = int(time.time())
    return tl.filled(
        types.Config,
        date=now,
        expires=now + 3600,
        this_dc=call.dc.id,
        dc_options=_options(call),
        caption_length_max=MAX_CAPTION,
        message_length_max=MAX_TEXT,
        me_url_prefix="https://t.me/",
    )


def _options(call: Call) -> list[Any]:
    addresses = sorted(call.world.addresses.items())
    return [types.DcOption(dc_id, host, port, static=True) for dc_id, (host, port) in addresses]


@rpc(functions.help.GetNearestDcRequest, anonymous=True, passive=True)
def get_nearest_dc(call: Call, request: Any) -> Any:
    return types.NearestDc(country="IR", this_dc=call.dc.id, nearest_dc=call.dc.id)
