"""A local Telegram data centre: real TCP, real MTProto, real RPCs, on loopback."""

from sandbox.dc import DataCentre
from sandbox.world.accounts import LOGIN_CODE, Account
from sandbox.world.channels import Channel, Group
from sandbox.world.faults import Fault
from sandbox.world.floodgate import Limits, Rate
from sandbox.world.ledger import Ledger
from sandbox.world.members import Right, Role
from sandbox.world.world import World

__all__ = [
    "LOGIN_CODE",
    "Account",
    "Channel",
    "DataCentre",
    "Fault",
    "Group",
    "Ledger",
    "Limits",
    "Rate",
    "Right",
    "Role",
    "World",
]
