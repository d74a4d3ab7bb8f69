"""From the world's marked ids to Telegram's Peer objects."""

from typing import Any

from telethon.tl import types

from sandbox.world.channels import CHANNEL_MARK


def peer(marked_id: int) -> Any:
    """The Peer that a marked id means."""
    if marked_id > 0:
        return types.PeerUser(marked_id)
    if marked_id < CHANNEL_MARK:
        return types.PeerChannel(CHANNEL_MARK - marked_id)
    return types.PeerChat(-marked_id)
