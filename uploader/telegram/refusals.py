"""Telegram's errors in Peyk's words: the only place that knows them all."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from telethon import errors

from uploader.errors import (
    ChannelUnusable,
    ChatUnreachable,
    FloodWait,
    LoggedOut,
    MessageGone,
    NoAnswer,
    Reason,
    TelegramError,
    TransferError,
)

_UNREACHABLE = (
    errors.UserIsBlockedError,
    errors.InputUserDeactivatedError,
    errors.PeerIdInvalidError,
    errors.ChatWriteForbiddenError,
    errors.UserIsBotError,
)
_CHANNEL = (
    errors.ChannelPrivateError,
    errors.ChannelInvalidError,
    errors.ChannelPublicGroupNaError,
    errors.ChatAdminRequiredError,
)

_MEANINGS: Final[tuple[tuple[tuple[type[Exception], ...], type[TelegramError]], ...]] = (
    (_UNREACHABLE, ChatUnreachable),
    ((errors.MessageIdInvalidError,), MessageGone),
    (_CHANNEL, ChannelUnusable),
    ((errors.UnauthorizedError, errors.AuthKeyError), LoggedOut),
    ((errors.ServerError, errors.TimedOutError), NoAnswer),  # it stumbles, and may take the same call later
)

#: https://core.telegram.org/api/file-references
REFERENCE = (
    errors.FileReferenceExpiredError,
    errors.FileReferenceEmptyError,
    errors.FileReferenceInvalidError,
)
GONE = (errors.MediaEmptyError, errors.MediaInvalidError)


class ReferenceLost(TelegramError):
    """A document cannot be sent again by what is known of it. `may_be_renewed`: its message knows more."""

    def __init__(self, name: str, *, may_be_renewed: bool) -> None:
        super().__init__(name)
        self.may_be_renewed = may_be_renewed


@asynccontextmanager
async def translated() -> AsyncIterator[None]:
    """Telegram's errors in Peyk's words. Those with a meaning of their own for one call pass unchanged."""
    try:
        yield
    except (
        errors.MessageNotModifiedError,
        errors.QueryIdInvalidError,
        errors.RandomIdDuplicateError,
        errors.FilePartMissingError,
        errors.FilePart0MissingError,
        errors.UserNotParticipantError,
        errors.UsernameNotOccupiedError,
        errors.UsernameInvalidError,
        *REFERENCE,
        *GONE,
    ):
        raise
    except (errors.FloodWaitError, errors.SlowModeWaitError, errors.FloodPremiumWaitError) as error:
        raise FloodWait(error.seconds) from None
    except (errors.FilePartsInvalidError, errors.Md5ChecksumInvalidError) as error:
        raise TransferError(Reason.UPLOAD_FAILED, type(error).__name__) from None
    except errors.AuthKeyNotFound as error:
        raise LoggedOut(type(error).__name__) from None
    except errors.RPCError as error:
        raise _meant(error) from None
    except (OSError, TimeoutError, ValueError, BufferError) as error:
        # Telethon ends its own retries with a ValueError, and a connection with what broke it
        raise NoAnswer(f"no answer: {type(error).__name__}") from None


def _meant(error: errors.RPCError) -> TelegramError:
    if error.message == "REPLY_MESSAGE_ID_INVALID":  # Telethon has no class for it
        return MessageGone(error.message)
    for kinds, meaning in _MEANINGS:
        if isinstance(error, kinds):
            return meaning(type(error).__name__)
    return TelegramError(f"{type(error).__name__} ({error.message})")
