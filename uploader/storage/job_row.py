"""The only door from SQL to `model.Job`, and from what it holds to SQL."""

from typing import Any, Final

import sqlalchemy as sa
from pydantic import TypeAdapter

from uploader.errors import Reason
from uploader.model import Checkpoint, Job, JobState, Link
from uploader.storage.tables import Row
from uploader.wishes import UNDECIDED, Offer, Wish

_WISH: Final = TypeAdapter(Wish)
_OFFER: Final = TypeAdapter(Offer)


def from_row(row: Row) -> Job:
    """Return the job of a whole row of `jobs`."""
    return Job(
        id=row.id,
        user_id=row.user_id,
        chat_id=row.chat_id,
        message_id=row.message_id,
        language=row.language,
        link=Link(url=row.url, host=row.host),
        state=JobState(row.state),
        attempt=row.attempt,
        failures=row.failures,
        worker=row.worker,
        lease_until=row.lease_until,
        run_at=row.run_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
        status_message_id=row.status_message_id,
        random_id=row.random_id,
        name=row.name,
        size_bytes=row.size_bytes,
        checkpoint=_checkpoint(row),
        reason=None if row.reason is None else Reason(row.reason),
        cancel_requested=row.cancel_requested,
        link_key=row.link_key,
        fetching=row.fetching,
        wish=UNDECIDED if row.wish is None else _WISH.validate_json(row.wish),
        batch_id=row.batch_id,
        item=row.item,
        dues_shown=row.dues_shown,
        offer=None if row.offer is None else _OFFER.validate_json(row.offer),
    )


def _checkpoint(row: Row) -> Checkpoint | None:
    if row.checkpoint_file_id is None:
        return None
    return Checkpoint(
        file_id=row.checkpoint_file_id,
        size_bytes=row.checkpoint_size_bytes,
        validator=row.checkpoint_validator,
        acked=row.checkpoint_acked,
        account=row.checkpoint_account or "",
    )


def checkpoint_values(checkpoint: Checkpoint | None, now: sa.ColumnElement[float]) -> dict[str, Any]:
    """Return what the columns of a checkpoint are to hold; all NULL for None."""
    return {
        "checkpoint_at": checkpoint and now,
        "checkpoint_file_id": checkpoint and checkpoint.file_id,
        "checkpoint_size_bytes": checkpoint and checkpoint.size_bytes,
        "checkpoint_validator": checkpoint and checkpoint.validator,
        "checkpoint_acked": checkpoint and checkpoint.acked,
        "checkpoint_account": checkpoint and checkpoint.account,
    }


def wish_value(wish: Wish) -> str | None:
    """Return what the column `wish` is to hold."""
    return None if wish == UNDECIDED else _WISH.dump_json(wish, exclude_defaults=True).decode()


def offer_value(offer: Offer | None) -> str | None:
    """Return what the column `offer` is to hold."""
    return None if offer is None else _OFFER.dump_json(offer, exclude_defaults=True).decode()
