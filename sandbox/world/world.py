"""The world that data centres share."""

from collections.abc import Iterable
from pathlib import Path

from sandbox.world.accounts import Account, Accounts
from sandbox.world.box import Logged
from sandbox.world.channels import Channel, Chats, Group
from sandbox.world.clock import Clock
from sandbox.world.events import ChatChanged, JoinRequested, MemberChanged
from sandbox.world.faults import Fault
from sandbox.world.files import Document, Files, Photo
from sandbox.world.floodgate import Floodgate, Limits
from sandbox.world.invites import Invite, JoinRequest
from sandbox.world.ledger import Ledger
from sandbox.world.members import ALL_RIGHTS, SEEING, Right, Role
from sandbox.world.network import Network
from sandbox.world.passwords import Challenges, Verifier
from sandbox.world.post_office import Listener, PostOffice
from sandbox.world.questions import CallbackAnswer, InlineAnswer, Offers, Questions
from sandbox.world.restore import restore
from sandbox.world.stats import Stats
from sandbox.world.travels import Travels
from sandbox.world.uploads import Uploads

#: How long a bot may write to somebody who asked to join.
#: https://core.telegram.org/constructor/updateBotChatInviteRequester
_OPEN_FOR_REQUESTER_S = 300.0


class World:
    """Accounts, chats and files. Content lies in `spool`, a folder; all else in memory and in the `ledger`.

    `faults`, `network` and `floodgate.limits` may be changed at any time; `stats` only grows.
    """

    def __init__(self, spool: Path, ledger: Ledger | None = None, limits: Limits | None = None) -> None:
        """What the ledger holds is taken up. `limits` None: everybody may be as fast as they like."""
        spool.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.spool = spool
        self.ledger = ledger or Ledger()
        self.clock = Clock()
        self.accounts = Accounts()
        self.chats = Chats()
        self.uploads = Uploads(spool, self.clock, self.ledger)
        self.files = Files(self.clock)
        self.buttons = Questions[CallbackAnswer]()
        self.inline = Questions[InlineAnswer]()
        self.offers = Offers()
        self.challenges = Challenges()
        self.floodgate = Floodgate(limits, self.clock)
        self.stats = Stats()
        self.travels = Travels()
        self.post_office = PostOffice(
            self.accounts,
            self.chats,
            ledger=self.ledger,
            clock=self.clock,
            stats=self.stats,
            tell=self.tell,
        )
        self.faults: list[Fault] = []
        self.network = Network()
        #: host and port of each data centre that is running, by its id
        self.addresses: dict[int, tuple[str, int]] = {}
        self.listeners: list[Listener] = []
        restore(self)

    def add_user(
        self,
        first_name: str,
        phone: str | None = None,
        lang_code: str = "en",
        *,
        premium: bool = False,
        password: str | None = None,
    ) -> Account:
        """A new user; the login code is LOGIN_CODE. Raises ValueError when the phone number is taken."""
        user = self.accounts.add_user(first_name, phone, lang_code)
        user.premium = premium
        user.password = Verifier.of(password) if password else None
        self.ledger.keep(user)
        return user

    def add_bot(
        self,
        username: str = "peyk_bot",
        first_name: str = "Peyk",
        token: str | None = None,
        *,
        inline: bool = False,
    ) -> Account:
        """A new bot with a token. Raises ValueError when the username is taken."""
        self._check_free(username)
        bot = self.accounts.add_bot(username, first_name, token)
        bot.inline = inline
        self.ledger.keep(bot)
        return bot

    def add_channel(
        self,
        username: str | None,
        title: str,
        admins: list[Account] | tuple[Account, ...] = (),
        *,
        broadcast: bool = True,
        by_request: bool = False,
    ) -> Channel:
        """A new channel, or supergroup if not `broadcast`; private without a username. Raises ValueError."""
        if username is not None:
            self._check_free(username)
        channel = Channel(
            self.chats.new_id(),
            title,
            self.clock.date(),
            username=username,
            broadcast=broadcast,
            by_request=by_request,
        )
        self._found(channel, admins, Role.ADMIN)
        return channel

    def add_group(self, title: str, members: list[Account] | tuple[Account, ...] = ()) -> Group:
        """A new basic group."""
        group = Group(self.chats.new_id(), title, self.clock.date())
        self._found(group, members, Role.MEMBER)
        return group

    def _found(self, chat: Group | Channel, people: list[Account] | tuple[Account, ...], role: Role) -> None:
        for account in people:
            chat.seat(account.id, role, account.id, chat.created_at)
        self.chats.add(chat)
        self.ledger.keep(chat)

    def _check_free(self, username: str) -> None:
        if self.resolve(username) is not None:
            raise ValueError(f"@{username} is taken")

    def channel(self, channel_id: int) -> Channel | None:
        """The channel or supergroup with this id."""
        return self.chats.channel(channel_id)

    def resolve(self, username: str) -> Account | Channel | None:
        """Whom a username belongs to; its case does not matter."""
        name = username.lower()
        channels = [chat for chat in self.chats if isinstance(chat, Channel)]
        owners: list[Account | Channel] = [*self.accounts, *channels]
        return next((owner for owner in owners if owner.username and owner.username.lower() == name), None)

    def seat(
        self,
        chat: Group | Channel,
        user: Account,
        role: Role,
        actor: Account | None = None,
        *,
        rights: frozenset[Right] = ALL_RIGHTS,
        invite: Invite | None = None,
    ) -> None:
        """Change what somebody is in a chat, from joining to being banned. Bots that see it are told.

        `actor`: who did it, if not the person; `rights`: of an admin; `invite`: the link that was used.
        """
        seeing = {member.user_id for member in chat.members.values() if member.role in SEEING}
        actor = actor or user
        before, after = chat.seat(user.id, role, actor.id, self.clock.date(), rights)
        if invite is not None:
            invite.usage += 1
        self.ledger.keep(chat)
        # a bot hears of its own rights too
        self._tell_bots(seeing | {user.id}, MemberChanged(chat, actor.id, before, after, invite))
        if not user.is_bot:
            self.tell(user, Logged(ChatChanged(chat), 0, 0, 0))

    def ask_to_join(self, chat: Group | Channel, user: Account, invite: Invite | None = None) -> None:
        """Somebody waits to be let in. Bots that may invite are told, and may write for five minutes."""
        if user.id in chat.requests:
            return
        request = JoinRequest(user.id, self.clock.date(), invite.hash if invite is not None else None)
        chat.requests[user.id] = request
        self.ledger.keep(chat)
        admins = {user_id for user_id in chat.inside if chat.may(user_id, Right.INVITE)}
        for bot in self._bots(admins):
            bot.open_until[user.id] = self.clock.now() + _OPEN_FOR_REQUESTER_S
            self.ledger.keep(bot)
        self._tell_bots(admins, JoinRequested(chat, request))

    def answer_request(self, chat: Group | Channel, user: Account, actor: Account, *, let_in: bool) -> bool:
        """An admin's word on a request to join. False: there is none."""
        request = chat.requests.pop(user.id, None)
        if request is None:
            return False
        if let_in:
            invite = chat.invites.get(request.invite_hash or "")
            self.seat(chat, user, Role.MEMBER, actor, invite=invite)
        self.ledger.keep(chat)
        return True

    def _bots(self, account_ids: Iterable[int]) -> list[Account]:
        found = (self.accounts.get(account_id) for account_id in sorted(account_ids))
        return [account for account in found if account is not None and account.is_bot]

    def _tell_bots(self, account_ids: Iterable[int], event: MemberChanged | JoinRequested) -> None:
        logged = [(bot, bot.box.record_secondary(event)) for bot in self._bots(account_ids)]
        for bot, entry in logged:
            self.ledger.log(bot.box, entry)
        for bot, entry in logged:
            self.tell(bot, entry)

    def add_file(self, file: Document | Photo) -> None:
        """Enter a new file."""
        self.files.add(file)
        self.ledger.keep(file)

    def expire_references(self) -> None:
        """Every file_reference that was given so far is expired from now on."""
        self.files.era += 1
        self.keep_secrets()

    def keep_secrets(self) -> None:
        """Write down what access hashes and references are made with."""
        secrets = {"hashes": self.accounts.secret, "references": self.files.secret, "era": self.files.era}
        self.ledger.put("world", "secrets", secrets)

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
        self.ledger.close()

    def tell(self, account: Account, logged: Logged) -> None:
        """Something happened to an account: every data centre hears of it, once it is written down."""
        self.ledger.commit()
        for listener in self.listeners:
            listener(account, logged)
