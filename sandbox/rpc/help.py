"""help.*: what the data centre says of itself."""

import time
from types import MappingProxyType
from typing import Any, Final

from telethon.tl import functions, types

from sandbox import tl
from sandbox.rpc.limits import MAX_CAPTION, MAX_TEXT
from sandbox.rpc.registry import Call, rpc

#: What Telegram's own servers say; clients refuse some of these when they are 0.
#: https://core.telegram.org/constructor/config
_NUMBERS: Final = MappingProxyType(
    {
        "chat_size_max": 200,
        "megagroup_size_max": 200_000,
        "forwarded_count_max": 100,
        "online_update_period_ms": 210_000,
        "offline_blur_timeout_ms": 5_000,
        "offline_idle_timeout_ms": 30_000,
        "online_cloud_timeout_ms": 300_000,
        "notify_cloud_delay_ms": 30_000,
        "notify_default_delay_ms": 1_500,
        "push_chat_period_ms": 60_000,
        "push_chat_limit": 2,
        "edit_time_limit": 172_800,
        "revoke_time_limit": 2**31 - 1,
        "revoke_pm_time_limit": 2**31 - 1,
        "rating_e_decay": 2_419_200,
        "stickers_recent_limit": 200,
        "channels_read_media_period": 604_800,
        "call_receive_timeout_ms": 20_000,
        "call_ring_timeout_ms": 90_000,
        "call_connect_timeout_ms": 30_000,
        "call_packet_timeout_ms": 10_000,
        "webfile_dc_id": 4,
        "caption_length_max": MAX_CAPTION,
        "message_length_max": MAX_TEXT,
    }
)


@rpc(functions.help.GetConfigRequest, anonymous=True, passive=True)
def get_config(call: Call, request: Any) -> Any:
    now = int(time.time())
    return tl.filled(
        types.Config,
        date=now,
        expires=now + 3600,
        this_dc=call.dc.id,
        dc_options=_options(call),
        me_url_prefix="https://t.me/",
        **_NUMBERS,
    )


def _options(call: Call) -> list[Any]:
    addresses = sorted(call.world.addresses.items())
    return [types.DcOption(dc_id, host, port, static=True) for dc_id, (host, port) in addresses]


@rpc(functions.help.GetNearestDcRequest, anonymous=True, passive=True)
def get_nearest_dc(call: Call, request: Any) -> Any:
    return types.NearestDc(country="IR", this_dc=call.dc.id, nearest_dc=call.dc.id)
