"""How the world looks to one account: its users, chats, files and messages as TL objects."""

import time
from collections.abc import Iterable
from typing import Any

from telethon.tl import types

from sandbox.rpc import news
from sandbox.rpc.marks import peer
from sandbox.world.accounts import Account
from sandbox.world.box import Logged
from sandbox.world.channels import Channel, Group
from sandbox.world.files import Document, Photo, Picture
from sandbox.world.invites import Invite
from sandbox.world.letters import Forward, Letter, Media
from sandbox.world.members import ALL_RIGHTS, Member, Role
from sandbox.world.talks import Talk
from sandbox.world.world import World


class View:
    """The eyes of one account."""

    def __init__(self, world: World, viewer: Account) -> None:
        self._world = world
        self.viewer = viewer

    def _access_hash(self, kind: str, of_id: int) -> int:
        return self._world.accounts.access_hash(self.viewer, kind, of_id)

    def user(self, account: Account) -> Any:
        """A User with the access hash of this viewer."""
        is_self = account is self.viewer
        return types.User(
            id=account.id,
            is_self=is_self,
            access_hash=self._access_hash("user", account.id),
            first_name=account.first_name,
            username=account.username,
            phone=account.phone if is_self else None,
            premium=account.premium,
            bot=account.is_bot,
            bot_info_version=1 if account.is_bot else None,
            bot_inline_placeholder="" if account.inline else None,
            # Telegram tells bots the language of the people who write to them
            lang_code=account.lang_code if self.viewer.is_bot and not account.is_bot else None,
        )

    def chat(self, chat: Group | Channel) -> Any:
        """A Channel with the access hash of this viewer, or a Chat."""
        return self._group(chat) if isinstance(chat, Group) else self._channel(chat)

    def _group(self, group: Group) -> Any:
        return types.Chat(
            id=group.id,
            title=group.title,
            photo=types.ChatPhotoEmpty(),
            participants_count=group.size,
            date=group.created_at,
            version=1,
            left=not group.holds(self.viewer.id),
            admin_rights=_rights(group.member(self.viewer.id)),
        )

    def _channel(self, channel: Channel) -> Any:
        member = channel.member(self.viewer.id)
        if channel.bars(self.viewer.id):
            return types.ChannelForbidden(
                id=channel.id,
                access_hash=self._access_hash("channel", channel.id),
                title=channel.title,
                broadcast=channel.broadcast,
                megagroup=not channel.broadcast,
            )
        return types.Channel(
            id=channel.id,
            title=channel.title,
            photo=types.ChatPhotoEmpty(),
            date=channel.created_at,
            broadcast=channel.broadcast,
            megagroup=not channel.broadcast,
            creator=member is not None and member.role is Role.CREATOR,
            left=not channel.holds(self.viewer.id),
            join_request=channel.by_request,
            noforwards=channel.noforwards,
            access_hash=self._access_hash("channel", channel.id),
            username=channel.username,
            admin_rights=_rights(member),
            participants_count=channel.size,
        )

    def media(self, media: Media) -> Any:
        """A MessageMediaDocument or MessageMediaPhoto."""
        shown: dict[str, Any] = {"spoiler": media.spoiler, "ttl_seconds": media.ttl_s}
        if isinstance(media.file, Photo):
            return types.MessageMediaPhoto(photo=self._photo(media.file), **shown)
        return types.MessageMediaDocument(document=self.document(media.file), **shown)

    def document(self, document: Document) -> Any:
        """A Document with the access hash of this viewer."""
        thumbs = [_size("m", document.thumb)] if document.thumb is not None else None
        return types.Document(
            id=document.id,
            access_hash=self._access_hash("document", document.id),
            file_reference=self._world.files.reference(document),
            date=document.created_at,
            mime_type=document.mime_type,
            size=document.blob.size_bytes,
            dc_id=document.dc_id,
            attributes=list(document.attributes),
            thumbs=thumbs,
        )

    def _photo(self, photo: Photo) -> Any:
        return types.Photo(
            id=photo.id,
            access_hash=self._access_hash("photo", photo.id),
            file_reference=self._world.files.reference(photo),
            date=photo.created_at,
            sizes=[_size("y", photo.picture)],
            dc_id=photo.dc_id,
        )

    def message(self, letter: Letter) -> Any:
        """A Message, numbered as this viewer knows it."""
        viewer_id, draft = self.viewer.id, letter.draft
        out, is_broadcast = letter.sender_id == viewer_id, self._is_broadcast(letter)
        # in a private chat it is clear whose a message is that is not one's own
        is_signed = out if letter.recipient_id > 0 else not is_broadcast
        replied = letter.reply_to.number(viewer_id) if letter.reply_to is not None else None
        return types.Message(
            id=letter.number(viewer_id),
            peer_id=peer(letter.other(viewer_id)),
            from_id=types.PeerUser(letter.sender_id) if is_signed else None,
            out=out,
            post=is_broadcast,
            date=letter.sent_at,
            message=draft.text,
            entities=list(draft.entities) or None,
            media=self.media(draft.media) if draft.media is not None else None,
            reply_markup=draft.markup,
            reply_to=types.MessageReplyHeader(reply_to_msg_id=replied) if replied is not None else None,
            edit_date=letter.edited_at,
            grouped_id=draft.album_id,
            fwd_from=_forward(draft.forward) if draft.forward is not None else None,
            via_bot_id=draft.via_bot_id,
        )

    def _is_broadcast(self, letter: Letter) -> bool:
        chat = self._world.chats.get(letter.recipient_id) if letter.is_post else None
        return isinstance(chat, Channel) and chat.broadcast

    def dialog(self, one: Talk) -> Any:
        """The Dialog of a chat."""
        return types.Dialog(
            peer=peer(one.place.peer_id),
            top_message=one.number,
            read_inbox_max_id=one.read_by_owner,
            read_outbox_max_id=one.read_by_other,
            unread_count=one.unread,
            unread_mentions_count=0,
            unread_reactions_count=0,
            unread_poll_votes_count=0,
            notify_settings=types.PeerNotifySettings(),
            pts=one.place.box.pts if isinstance(one.place, Channel) else None,
        )

    def participant(self, member: Member) -> Any:
        """A ChannelParticipant of the kind that fits."""
        match member.role:
            case Role.CREATOR:
                return types.ChannelParticipantCreator(member.user_id, _rights(member))
            case Role.ADMIN:
                return types.ChannelParticipantAdmin(
                    member.user_id, promoted_by=member.by_id, date=member.since, admin_rights=_rights(member)
                )
            case Role.LEFT:
                return types.ChannelParticipantLeft(types.PeerUser(member.user_id))
            case Role.BANNED:
                rights = types.ChatBannedRights(until_date=0, view_messages=True)
                who = types.PeerUser(member.user_id)
                return types.ChannelParticipantBanned(who, member.by_id, member.since, rights, left=True)
        if member.user_id == self.viewer.id:
            return types.ChannelParticipantSelf(member.user_id, inviter_id=member.by_id, date=member.since)
        return types.ChannelParticipant(member.user_id, date=member.since)

    def group_participant(self, member: Member) -> Any:
        """A ChatParticipant; None for somebody who is not in the basic group."""
        match member.role:
            case Role.CREATOR:
                return types.ChatParticipantCreator(member.user_id)
            case Role.ADMIN:
                return types.ChatParticipantAdmin(member.user_id, member.by_id, member.since)
            case Role.MEMBER:
                return types.ChatParticipant(member.user_id, member.by_id, member.since)
        return None

    def invite(self, invite: Invite, asked: int = 0) -> Any:
        """A ChatInviteExported. `asked`: how many wait for an admin's word by it."""
        return types.ChatInviteExported(
            link=invite.link,
            admin_id=invite.creator_id,
            date=invite.created_at,
            revoked=invite.revoked,
            permanent=invite.permanent,
            request_needed=invite.request_needed,
            expire_date=invite.expires_at,
            usage_limit=invite.usage_limit,
            usage=invite.usage or None,
            requested=asked or None,
            title=invite.title,
        )

    def update(self, logged: Logged) -> Any:
        """The update that tells of an event."""
        return news.update(self, logged)

    def messages(
        self, letters: Iterable[Letter], also: Iterable[int] = ()
    ) -> tuple[list[Any], list[Any], list[Any]]:
        """Messages, and the chats and users that they name, or that `also` does."""
        letters = list(letters)
        named = {self.viewer.id, *also}.union(*map(news.in_letter, letters))
        return list(map(self.message, letters)), self.chats(named), self.people(named)

    def people(self, marked_ids: Iterable[int]) -> list[Any]:
        """The Users among these ids."""
        found = (self._world.accounts.get(account_id) for account_id in sorted(set(marked_ids)))
        return [self.user(account) for account in found if account is not None]

    def chats(self, marked_ids: Iterable[int]) -> list[Any]:
        """The Chats and Channels among these ids."""
        found = (self._world.chats.get(peer_id) for peer_id in sorted(set(marked_ids)))
        return [self.chat(chat) for chat in found if chat is not None]

    def updates(self, updates: list[Any], log: Iterable[Logged]) -> Any:
        """An Updates with everybody whom the events name. Its seq of 0 says: in no order with others."""
        named = news.named_in(log) | {self.viewer.id}
        return types.Updates(updates, self.people(named), self.chats(named), int(time.time()), seq=0)


def _rights(member: Member | None) -> Any:
    """The ChatAdminRights of a member; None: it is no admin."""
    if member is None or member.role not in (Role.ADMIN, Role.CREATOR):
        return None
    rights = ALL_RIGHTS if member.role is Role.CREATOR else member.rights
    return types.ChatAdminRights(**{right.value: True for right in rights}, other=True)


def _size(name: str, picture: Picture) -> Any:
    return types.PhotoSize(name, picture.width, picture.height, picture.blob.size_bytes)


def _forward(forward: Forward) -> Any:
    return types.MessageFwdHeader(
        date=forward.at, from_id=peer(forward.from_id), channel_post=forward.post_id
    )
