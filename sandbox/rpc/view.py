"""How the world looks to one account: its users, messages and events as TL objects."""

import time
from collections.abc import Iterable
from typing import Any

from telethon.tl import types

from sandbox.world import events
from sandbox.world.accounts import Account
from sandbox.world.box import Logged
from sandbox.world.channels import Channel, Member, Role
from sandbox.world.files import Document
from sandbox.world.letters import Letter, Media
from sandbox.world.world import World


class View:
    """The eyes of one account."""

    def __init__(self, world: World, dc_id: int, viewer: Account) -> None:
        self._world = world
        self._dc_id = dc_id
        self._viewer = viewer

    def user(self, account: Account) -> Any:
        """A User with the access hash of this viewer."""
        is_self = account is self._viewer
        return types.User(
            id=account.id,
            is_self=is_self,
            access_hash=self._world.accounts.access_hash(self._viewer, "user", account.id),
            first_name=account.first_name,
            username=account.username,
            phone=account.phone if is_self else None,
            premium=account.premium,
            bot=account.is_bot,
            bot_info_version=1 if account.is_bot else None,
            # Telegram tells bots the language of the people who write to them
            lang_code=account.lang_code if self._viewer.is_bot and not account.is_bot else None,
        )

    def channel(self, channel: Channel) -> Any:
        """A Channel with the access hash of this viewer."""
        member = channel.member(self._viewer.id)
        is_admin = member is not None and member.role in (Role.ADMIN, Role.CREATOR)
        return types.Channel(
            id=channel.id,
            title=channel.title,
            photo=types.ChatPhotoEmpty(),
            date=channel.created_at,
            broadcast=True,
            creator=member is not None and member.role is Role.CREATOR,
            left=not channel.holds(self._viewer.id),
            access_hash=self._world.accounts.access_hash(self._viewer, "channel", channel.id),
            username=channel.username,
            admin_rights=admin_rights() if is_admin else None,
            participants_count=channel.size,
        )

    def document(self, document: Document) -> Any:
        """A Document with the access hash of this viewer."""
        return types.Document(
            id=document.id,
            access_hash=self._world.accounts.access_hash(self._viewer, "document", document.id),
            file_reference=self._world.documents.reference(document),
            date=document.created_at,
            mime_type=document.mime_type,
            size=document.blob.size_bytes,
            dc_id=document.dc_id,
            attributes=list(document.attributes),
        )

    def media(self, media: Media) -> Any:
        """A MessageMediaDocument."""
        return types.MessageMediaDocument(
            document=self.document(media.document), spoiler=media.spoiler, ttl_seconds=media.ttl_s
        )

    def message(self, letter: Letter) -> Any:
        """A Message, numbered as in this viewer's box."""
        out = letter.sender_id == self._viewer.id
        reply_id = letter.reply_to.ids.get(self._viewer.id) if letter.reply_to is not None else None
        return types.Message(
            id=letter.ids[self._viewer.id],
            peer_id=types.PeerUser(letter.other(self._viewer.id)),
            from_id=types.PeerUser(letter.sender_id) if out else None,
            out=out,
            date=letter.sent_at,
            message=letter.draft.text,
            entities=list(letter.draft.entities) or None,
            media=self.media(letter.draft.media) if letter.draft.media is not None else None,
            reply_markup=letter.draft.markup,
            reply_to=types.MessageReplyHeader(reply_to_msg_id=reply_id) if reply_id is not None else None,
            edit_date=letter.edited_at,
        )

    def participant(self, channel: Channel, member: Member) -> Any:
        """A ChannelParticipant of the kind that fits."""
        match member.role:
            case Role.CREATOR:
                return types.ChannelParticipantCreator(member.user_id, admin_rights())
            case Role.ADMIN:
                return types.ChannelParticipantAdmin(
                    member.user_id, promoted_by=channel.id, date=member.since, admin_rights=admin_rights()
                )
            case Role.LEFT:
                return types.ChannelParticipantLeft(types.PeerUser(member.user_id))
            case Role.BANNED:
                rights = types.ChatBannedRights(until_date=0, view_messages=True)
                peer = types.PeerUser(member.user_id)
                return types.ChannelParticipantBanned(
                    peer, kicked_by=channel.id, date=member.since, banned_rights=rights, left=True
                )
        if member.user_id == self._viewer.id:
            return types.ChannelParticipantSelf(member.user_id, inviter_id=member.user_id, date=member.since)
        return types.ChannelParticipant(member.user_id, date=member.since)

    def update(self, logged: Logged) -> Any:
        """The update that tells of an event."""
        match logged.event:
            case events.LetterArrived(letter):
                return types.UpdateNewMessage(self.message(letter), logged.pts, logged.pts_count)
            case events.LetterEdited(letter):
                return types.UpdateEditMessage(self.message(letter), logged.pts, logged.pts_count)
            case events.LettersDeleted(message_ids):
                return types.UpdateDeleteMessages(list(message_ids), logged.pts, logged.pts_count)
            case events.LettersRead(peer_id, max_id):
                peer = types.PeerUser(peer_id)
                return types.UpdateReadHistoryOutbox(peer, max_id, logged.pts, logged.pts_count)
            case events.ChannelChanged(channel):
                return types.UpdateChannel(channel.id)
            case events.ButtonPressed(query_id, user_id, message_id, data):
                peer = types.PeerUser(user_id)
                return types.UpdateBotCallbackQuery(query_id, user_id, peer, message_id, user_id, data=data)
            case events.MemberChanged() as event:
                return self._member_changed(event, logged.qts)

    def _member_changed(self, event: events.MemberChanged, qts: int) -> Any:
        before = self.participant(event.channel, event.before) if event.before is not None else None
        return types.UpdateChannelParticipant(
            channel_id=event.channel.id,
            date=event.after.since,
            actor_id=event.actor_id,
            user_id=event.after.user_id,
            qts=qts,
            prev_participant=before,
            new_participant=self.participant(event.channel, event.after),
        )

    def users(self, ids: Iterable[int]) -> list[Any]:
        """The Users with these ids."""
        found = (self._world.accounts.get(account_id) for account_id in sorted(set(ids)))
        return [self.user(account) for account in found if account is not None]

    def updates(self, updates: list[Any], log: Iterable[Logged]) -> Any:
        """An Updates with everybody whom the events name. Its seq of 0 says: in no order with others."""
        people, channels = named_in(log)
        chats = [self.channel(channel) for channel in channels]
        return types.Updates(updates, self.users(people | {self._viewer.id}), chats, int(time.time()), seq=0)


def named_in(log: Iterable[Logged]) -> tuple[set[int], list[Channel]]:
    """Ids of the people, and the channels, that events speak of."""
    people: set[int] = set()
    channels: dict[int, Channel] = {}
    for logged in log:
        match logged.event:
            case events.LetterArrived(letter) | events.LetterEdited(letter):
                people |= {letter.sender_id, letter.recipient_id}
            case events.MemberChanged(channel, actor_id, _, after):
                people |= {actor_id, after.user_id}
                channels[channel.id] = channel
            case events.ChannelChanged(channel):
                channels[channel.id] = channel
            case events.LettersRead(peer_id):
                people.add(peer_id)
            case events.ButtonPressed(user_id=user_id):
                people.add(user_id)
    return people, list(channels.values())


def admin_rights() -> Any:
    """What an admin may do in a channel here."""
    return types.ChatAdminRights(
        post_messages=True, edit_messages=True, delete_messages=True, invite_users=True, ban_users=True
    )
