"""What breaks data centres on demand, asked for in JSON: over the control port, or by a file at the start."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from sandbox.dc import DataCentre
from sandbox.world.accounts import Account
from sandbox.world.faults import Fault
from sandbox.world.world import World

_MAX_FAULTS: Final = 1000


class Refused(Exception):
    """A request that cannot be done; the message says why."""


class Levers:
    """All that can be done to the data centres of one world: docs/SANDBOX.md."""

    def __init__(self, world: World, centres: Sequence[DataCentre]) -> None:
        self._world = world
        self._centres = centres

    async def pull(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do what a request asks for; gives what to answer. Raises Refused, ValueError."""
        match request:
            case {"op": "faults", "rules": list(rules)}:
                self._world.faults[:] = _rules(rules)
            case {"op": "network", **values}:
                self._world.network.change(values)
            case {"op": "latency", "seconds": int() | float() as seconds}:
                if not 0 <= seconds < math.inf:
                    raise Refused("a latency is 0 or more")
                self._world.latency_s = float(seconds)
            case {"op": "refuse", "refuse": bool(refuse)}:
                for centre in self._centres:
                    await centre.refuse(refuse)
            case {"op": "salts"}:
                for centre in self._centres:
                    centre.logins.replace_salts()
            case _:
                return self._about_accounts(request)
        return {}

    def _about_accounts(self, request: dict[str, Any]) -> dict[str, Any]:
        match request:
            case {"op": "kill", "account_id": None}:
                return {"killed": sum(centre.kill() for centre in self._centres)}
            case {"op": "kill", "account_id": int(account_id)}:
                account = self._account(account_id)
                return {"killed": sum(centre.kill(account) for centre in self._centres)}
            case {"op": "revoke", "account_id": int(account_id)}:
                for centre in self._centres:
                    centre.revoke(self._account(account_id))
            case {"op": "forget", "account_id": int(account_id)}:
                for centre in self._centres:
                    centre.forget(self._account(account_id))
            case {"op": "stats"}:
                return {"stats": self._world.stats.as_json()}
            case {"op": "files"}:
                return {"files": [record.as_json() for record in self._world.stats.uploads.values()]}
            case _:
                raise Refused("no such request; see docs/SANDBOX.md")
        return {}

    def _account(self, account_id: int) -> Account:
        account = self._world.accounts.get(account_id)
        if account is None:
            raise Refused(f"there is no account {account_id}")
        return account


def read_faults(world: World, path: Path) -> None:
    """Set what a file says: `{"rules": [...], "network": {...}}`, either may be missing.

    Raises OSError, or ValueError naming what is wrong.
    """
    wanted = json.loads(path.read_bytes())
    if not isinstance(wanted, dict) or wanted.keys() - {"rules", "network"}:
        raise ValueError(f'{path} holds no object of "rules" and "network"')
    rules, network = wanted.get("rules", []), wanted.get("network", {})
    if not isinstance(rules, list) or not isinstance(network, dict):
        raise ValueError(f'{path}: "rules" is a list, "network" an object')
    world.network.change(network)
    world.faults[:] = _rules(rules)


def _rules(rules: list[Any]) -> list[Fault]:
    if len(rules) > _MAX_FAULTS:
        raise ValueError(f"at most {_MAX_FAULTS} rules")
    return [Fault.from_json(rule) for rule in rules]
