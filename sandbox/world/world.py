"""The world that data centres share."""

import itertools
from pathlib import Path

from sandbox.world.accounts import Account, Accounts
from sandbox.world.box import Logged
from sandbox.world.buttons import Buttons
from sandbox.world.channels import SEEING, Channel, Role
from sandbox.world.events import ChannelChanged, LetterArrived, MemberChanged
from sandbox.world.faults import Fault
from sandbox.world.files import Documents
from sandbox.world.network import Network
from sandbox.world.post_office import Listener, PostOffice
from sandbox.world.stats import Stats
from sandbox.world.travels import Travels
from sandbox.world.uploads import Uploads


class World:
    """Accounts, chats, channels and files. Content lies in `spool`, a folder; all else in memory.

    `faults` and `network` may be changed at any time; `stats` only grows.
    """

    def __init__(self, spool: Path) -> None:
        spool.mkdir(parents=True, exist_ok=True)
        self.accounts = Accounts()
        self.uploads = Uploads(spool)
        self.documents = Documents()
        self.buttons = Buttons()
        self.post_office = PostOffice(self.tell)
        self.stats = Stats()
        self.travels = Travels()
        self.faults: list[Fault] = []
        self.network = Network()
        #: host and port of each data centre that is running, by its id
        self.addresses: dict[int, tuple[str, int]] = {}
        self.listeners: list[Listener] = []
        self._channels: dict[int, Channel] = {}
        self._channel_ids = itertools.count(1_500_000_001)

    def add_user(self, first_name: str, phone: str | None = None, lang_code: str = "en") -> Account:
        """A new user; the login code is LOGIN_CODE. Raises ValueError when the phone number is taken."""
        return self.accounts.add_user(first_name, phone, lang_code)

    def add_bot(
        self, username: str = "peyk_bot", first_name: str = "Peyk", token: str | None = None
    ) -> Account:
        """A new bot with a token. Raises ValueError when the username is taken."""
        if self.resolve(username) is not None:
            raise ValueError(f"@{username} is taken")
        return self.accounts.add_bot(username, first_name, token)

    def add_channel(
        self, username: str | None, title: str, admins: list[Account] | tuple[Account, ...] = ()
    ) -> Channel:
        """A new broadcast channel: public with a username, else private. Raises ValueError."""
        if username is not None and self.resolve(username) is not None:
            raise ValueError(f"@{username} is taken")
        channel = Channel(next(self._channel_ids), title, username)
        for admin in admins:
            channel.seat(admin.id, Role.ADMIN)
        self._channels[channel.id] = channel
        return channel

    def channel(self, channel_id: int) -> Channel | None:
        """The channel with this id."""
        return self._channels.get(channel_id)

    def resolve(self, username: str) -> Account | Channel | None:
        """Whom a username belongs to; its case does not matter."""
        name = username.lower()
        owners: list[Account | Channel] = [*self.accounts, *self._channels.values()]
        return next((owner for owner in owners if owner.username and owner.username.lower() == name), None)

    def seat(self, channel: Channel, user: Account, role: Role, actor: Account | None = None) -> None:
        """Change what somebody is in a channel, from joining to being banned. Bots that see it are told."""
        seeing = {member.user_id for member in channel.members.values() if member.role in SEEING}
        before, after = channel.seat(user.id, role)
        event = MemberChanged(channel, (actor or user).id, before, after)
        # a bot hears of its own rights too
        for watcher_id in sorted(seeing | {user.id}):
            watcher = self.accounts.get(watcher_id)
            if watcher is not None and watcher.is_bot:
                self.tell(watcher, watcher.box.record_secondary(event))
        if not user.is_bot:
            self.tell(user, Logged(ChannelChanged(channel), 0, 0, 0))

    @property
    def latency_s(self) -> float:
        """How long every answer is held back."""
        return self.network.latency_s

    @latency_s.setter
    def latency_s(self, seconds: float) -> None:
        self.network.latency_s = seconds

    def close(self) -> None:
        """Close the files that are open; they stay in the spool."""
        self.uploads.close()

    def tell(self, account: Account, logged: Logged) -> None:
        """Something happened to an account: every data centre hears of it."""
        if isinstance(logged.event, LetterArrived) and account.id == logged.event.letter.recipient_id:
            self.stats.messages += 1
        for listener in self.listeners:
            listener(account, logged)
