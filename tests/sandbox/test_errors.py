"""Every error that Peyk must live with, provoked by a rule and seen by a real client as its own class."""

import asyncio
from typing import Any, Final

import pytest
from telethon import errors
from telethon.tl import functions, types

from sandbox import DataCentre, Fault, World, tl
from tests.sandbox.clients import client, connected

_SELF: Final = types.InputPeerSelf()
_CHANNEL: Final = types.InputChannel(1, 1)
_FILE: Final = types.InputMediaUploadedDocument(types.InputFileBig(1, 1, "a"), "video/mp4", [])
_LOGIN: Final = functions.auth.ImportBotAuthorizationRequest(0, 1, "a", "b")
_PART: Final = functions.upload.SaveBigFilePartRequest(1, 3, -1, bytes(1024))
_SEND: Final = functions.messages.SendMessageRequest(_SELF, "text", random_id=1)
_MEDIA: Final = functions.messages.SendMediaRequest(_SELF, _FILE, "text", random_id=1)
_EDIT: Final = functions.messages.EditMessageRequest(_SELF, 1, message="text")
_DELETE: Final = functions.messages.DeleteMessagesRequest([1])
_ANSWER: Final = functions.messages.SetBotCallbackAnswerRequest(1, 0)
_MEMBER: Final = functions.channels.GetParticipantRequest(_CHANNEL, _SELF)
_LOOK_UP: Final = functions.contacts.ResolveUsernameRequest("somebody")
_CODE: Final = functions.auth.SendCodeRequest("+15550001", 1, "hash", types.CodeSettings())
_SIGN_IN: Final = functions.auth.SignInRequest("+15550001", "hash", "12345")
_PASSWORD: Final = functions.auth.CheckPasswordRequest(types.InputCheckPasswordEmpty())
_STATE: Final = functions.updates.GetStateRequest()

#: Of uploads, media, messages, callbacks, membership and logins.
ERRORS: Final = [
    (_PART, 400, "FILE_PARTS_INVALID", errors.FilePartsInvalidError),
    (_PART, 400, "FILE_PART_INVALID", errors.FilePartInvalidError),
    (_PART, 400, "FILE_PART_TOO_BIG", errors.FilePartTooBigError),
    (_PART, 400, "FILE_PART_EMPTY", errors.FilePartEmptyError),
    (_PART, 400, "FILE_PART_SIZE_INVALID", errors.FilePartSizeInvalidError),
    (_PART, 400, "FILE_PART_SIZE_CHANGED", errors.FilePartSizeChangedError),
    (_PART, 400, "FILE_PART_LENGTH_INVALID", errors.FilePartLengthInvalidError),
    (_PART, 401, "AUTH_KEY_UNREGISTERED", errors.AuthKeyUnregisteredError),
    (_PART, 401, "SESSION_REVOKED", errors.SessionRevokedError),
    (_MEDIA, 400, "FILE_PART_0_MISSING", errors.FilePart0MissingError),
    (_MEDIA, 400, "FILE_PART_3_MISSING", errors.FilePartMissingError),
    (_MEDIA, 400, "FILE_PARTS_INVALID", errors.FilePartsInvalidError),
    (_MEDIA, 400, "MD5_CHECKSUM_INVALID", errors.Md5ChecksumInvalidError),
    (_MEDIA, 400, "FILE_REFERENCE_EXPIRED", errors.FileReferenceExpiredError),
    (_MEDIA, 400, "FILE_REFERENCE_INVALID", errors.FileReferenceInvalidError),
    (_MEDIA, 400, "FILE_REFERENCE_EMPTY", errors.FileReferenceEmptyError),
    # the numbered one of an album is unknown to Telethon, which keeps its name
    (_MEDIA, 400, "FILE_REFERENCE_1_EXPIRED", errors.BadRequestError),
    (_MEDIA, 400, "MEDIA_EMPTY", errors.MediaEmptyError),
    (_MEDIA, 400, "MEDIA_INVALID", errors.MediaInvalidError),
    (_MEDIA, 400, "MEDIA_CAPTION_TOO_LONG", errors.MediaCaptionTooLongError),
    (_SEND, 400, "MESSAGE_TOO_LONG", errors.MessageTooLongError),
    (_SEND, 400, "BUTTON_DATA_INVALID", errors.ButtonDataInvalidError),
    (_SEND, 400, "PEER_ID_INVALID", errors.PeerIdInvalidError),
    (_SEND, 400, "PEER_FLOOD", errors.PeerFloodError),
    (_SEND, 400, "INPUT_USER_DEACTIVATED", errors.InputUserDeactivatedError),
    (_SEND, 400, "USER_IS_BOT", errors.UserIsBotError),
    (_SEND, 403, "USER_IS_BLOCKED", errors.UserIsBlockedError),
    (_SEND, 403, "CHAT_WRITE_FORBIDDEN", errors.ChatWriteForbiddenError),
    (_SEND, 401, "USER_DEACTIVATED", errors.UserDeactivatedError),
    (_SEND, 401, "USER_DEACTIVATED_BAN", errors.UserDeactivatedBanError),
    (_SEND, 406, "AUTH_KEY_DUPLICATED", errors.AuthKeyDuplicatedError),
    (_EDIT, 400, "MESSAGE_NOT_MODIFIED", errors.MessageNotModifiedError),
    (_EDIT, 400, "MESSAGE_ID_INVALID", errors.MessageIdInvalidError),
    (_ANSWER, 400, "QUERY_ID_INVALID", errors.QueryIdInvalidError),
    (_MEMBER, 400, "USER_NOT_PARTICIPANT", errors.UserNotParticipantError),
    (_MEMBER, 400, "CHAT_ADMIN_REQUIRED", errors.ChatAdminRequiredError),
    (_MEMBER, 400, "CHANNEL_PRIVATE", errors.ChannelPrivateError),
    (_MEMBER, 400, "CHANNEL_PUBLIC_GROUP_NA", errors.ChannelPublicGroupNaError),
    (_MEMBER, 400, "CHANNEL_INVALID", errors.ChannelInvalidError),
    (_MEMBER, 400, "PARTICIPANT_ID_INVALID", errors.ParticipantIdInvalidError),
    (_MEMBER, 400, "USER_ID_INVALID", errors.UserIdInvalidError),
    (_LOOK_UP, 400, "USERNAME_NOT_OCCUPIED", errors.UsernameNotOccupiedError),
    (_LOOK_UP, 400, "USERNAME_INVALID", errors.UsernameInvalidError),
    (_LOGIN, 400, "ACCESS_TOKEN_INVALID", errors.AccessTokenInvalidError),
    (_LOGIN, 400, "ACCESS_TOKEN_EXPIRED", errors.AccessTokenExpiredError),
    (_LOGIN, 400, "API_ID_INVALID", errors.ApiIdInvalidError),
    (_CODE, 400, "PHONE_NUMBER_INVALID", errors.PhoneNumberInvalidError),
    (_CODE, 400, "PHONE_NUMBER_BANNED", errors.PhoneNumberBannedError),
    (_SIGN_IN, 400, "PHONE_CODE_EMPTY", errors.PhoneCodeEmptyError),
    (_SIGN_IN, 400, "PHONE_CODE_INVALID", errors.PhoneCodeInvalidError),
    (_SIGN_IN, 400, "PHONE_CODE_EXPIRED", errors.PhoneCodeExpiredError),
    (_SIGN_IN, 400, "PHONE_NUMBER_UNOCCUPIED", errors.PhoneNumberUnoccupiedError),
    (_SIGN_IN, 401, "SESSION_PASSWORD_NEEDED", errors.SessionPasswordNeededError),
    (_PASSWORD, 400, "PASSWORD_HASH_INVALID", errors.PasswordHashInvalidError),
    (_STATE, 303, "FILE_MIGRATE_4", errors.FileMigrateError),
]

#: Waits that a client is told, and for how long; after one Telethon sends no more calls of this kind.
WAITS: Final = [
    (_PART, "FLOOD_PREMIUM_WAIT_5", errors.FloodPremiumWaitError, 5),
    (_MEDIA, "FLOOD_WAIT_115", errors.FloodWaitError, 115),
    (_SEND, "SLOWMODE_WAIT_30", errors.SlowModeWaitError, 30),
    (_EDIT, "FLOOD_WAIT_237", errors.FloodWaitError, 237),
    (_LOGIN, "FLOOD_WAIT_3135", errors.FloodWaitError, 3135),
    (_LOOK_UP, "FLOOD_WAIT_390", errors.FloodWaitError, 390),
]

#: The server's own troubles, after each of which Telethon sleeps.
TROUBLES: Final = [
    (_PART, 500, "WORKER_BUSY_TOO_LONG_RETRY", errors.WorkerBusyTooLongRetryError),
    (_SEND, 500, "RANDOM_ID_DUPLICATE", errors.RandomIdDuplicateError),
    (_EDIT, 500, "INTERNAL", errors.ServerError),
    (_DELETE, 500, "STORAGE_CHECK_FAILED", errors.StorageCheckFailedError),
    (_ANSWER, -503, "Timeout", errors.TimeoutError),
]


async def test_error_when_provoked_is_the_clients_own_class(world: World, dc: DataCentre) -> None:
    """Name by name, on the method that gives it."""
    seen = []
    async with connected(dc, world.add_bot()) as bot:
        for request, code, name, _ in ERRORS:
            world.faults[:] = [Fault(error=(code, name))]
            with pytest.raises(errors.RPCError) as caught:
                await bot(request)
            seen.append((name, type(caught.value)))
    assert [(name, kind) for _, _, name, kind in ERRORS] == seen


async def test_key_when_unknown_is_the_clients_own_class(world: World, dc: DataCentre) -> None:
    """-404, which no RPC answers: a key that was made elsewhere is none here."""
    async with DataCentre(world, dc_id=4) as elsewhere:
        telethon = client(elsewhere, world.add_bot())
    telethon.session.set_dc(dc.id, dc.host, dc.port)
    with pytest.raises(errors.AuthKeyNotFound):
        await telethon.connect()
    with pytest.raises(errors.AuthKeyNotFound):
        await telethon.disconnected


async def test_flood_of_packets_when_provoked_is_known_and_survived(
    world: World, dc: DataCentre, caplog: pytest.LogCaptureFixture
) -> None:
    """-429 in place of an answer: a real client connects anew, and asks again."""
    async with connected(dc, world.add_bot()) as bot:
        world.faults[:] = [Fault("updates.", count=1, transport_error=-429)]
        assert (await bot(_STATE)).pts
    assert world.stats.connections > 1
    assert "HTTP code 429" in caplog.text


async def test_wait_when_provoked_tells_its_seconds(world: World, dc: DataCentre) -> None:
    """As FLOOD_WAIT, FLOOD_PREMIUM_WAIT and SLOWMODE_WAIT."""
    seen = []
    async with connected(dc, world.add_bot(), flood_sleep_threshold=0) as bot:
        for request, name, _, _ in WAITS:
            world.faults[:] = [Fault(error=(420, name))]
            with pytest.raises((errors.FloodError, errors.BadRequestError)) as caught:
                await bot(request)
            seen.append((type(caught.value), caught.value.seconds))
    assert [(kind, seconds) for _, _, kind, seconds in WAITS] == seen


async def test_trouble_of_the_server_when_provoked_is_the_clients_own_class(
    world: World, dc: DataCentre
) -> None:
    """500, and timeouts inside of Telegram: to be tried again later."""
    world.faults[:] = [
        Fault(tl.name_of(type(request)), error=(code, name)) for request, code, name, _ in TROUBLES
    ]
    async with connected(dc, world.add_bot(), request_retries=0, raise_last_call_error=True) as bot:
        seen: list[Any] = await asyncio.gather(
            *(bot(request) for request, *_ in TROUBLES), return_exceptions=True
        )
    assert [kind for *_, kind in TROUBLES] == [type(error) for error in seen]
