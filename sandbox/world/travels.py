"""Accounts on their way from one data centre to another: what one gives out, the other takes, once."""

import secrets
from collections import OrderedDict
from typing import Final

from sandbox.world.accounts import Account

#: Tickets that nobody has redeemed yet; the oldest goes first.
_OPEN_TICKETS: Final = 1024
_TICKET_BYTES: Final = 128


class Travels:
    """Open tickets: https://core.telegram.org/method/auth.exportAuthorization"""

    def __init__(self) -> None:
        self._open: OrderedDict[bytes, tuple[int, int]] = OrderedDict()

    def export(self, account: Account, dc_id: int) -> bytes:
        """A ticket for an account to a data centre."""
        ticket = secrets.token_bytes(_TICKET_BYTES)
        self._open[ticket] = account.id, dc_id
        while len(self._open) > _OPEN_TICKETS:
            self._open.popitem(last=False)
        return ticket

    def redeem(self, ticket: bytes, dc_id: int) -> int | None:
        """The account that a ticket brings to this data centre; None: it is used, or for another one."""
        account_id, meant_for = self._open.pop(ticket, (None, dc_id))
        return account_id if meant_for == dc_id else None
