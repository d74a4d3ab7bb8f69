"""Who came and left while nobody heard: asked for, because Telethon drops it.

Such updates are numbered apart from messages, by their `qts`. When Telethon catches up, after a start or a
gap, it takes the new number first and then passes over the updates as if they had been handled.
"""

from typing import Any, Final

from telethon.tl import functions, types

from uploader.telegram.gateway import Gateway

#: Answers that one look asks for; what is left comes with the next.
SLICES: Final = 20


class Missed:
    """What one account was told by other means than messages. https://core.telegram.org/api/updates"""

    def __init__(self, gateway: Gateway) -> None:
        self._calls = gateway.calls

    async def moves(self, qts: int | None) -> tuple[list[Any], int]:
        """UpdateChannelParticipants after number `qts`, and the number to go on from; None: the latest.

        Raises:
            FloodWait, TelegramError
        """
        state = await self._calls.call(functions.updates.GetStateRequest())
        # the number in a state can be an old one: only a difference is sure to tell the latest
        qts = state.qts if qts is None else qts
        moves: list[Any] = []
        for _ in range(SLICES):
            request = functions.updates.GetDifferenceRequest(state.pts, state.date, qts)
            found = await self._calls.call(request)
            if not isinstance(found, types.updates.Difference | types.updates.DifferenceSlice):
                break
            kind = types.UpdateChannelParticipant
            moves += [update for update in found.other_updates if isinstance(update, kind)]
            is_last = isinstance(found, types.updates.Difference)
            state = found.state if is_last else found.intermediate_state
            qts = state.qts or qts
            if is_last:
                break
        return moves, qts
