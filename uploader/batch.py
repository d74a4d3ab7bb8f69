"""Several files that come together: the links of one message or text file, or entries of a list. Pure."""

from dataclasses import dataclass
from typing import Literal

from uploader.errors import Reason
from uploader.model import Dues, Job, Link
from uploader.wishes import Wish

#: Why some links of a batch are left out: a text `left-out-<why>` names each. More than a batch may hold,
#: than this person may have waiting or within a day, than the queue has room for.
Why = Literal["items", "waiting", "day", "full"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Unusable:
    """A link of a batch that made no job."""

    shown: str  # the beginning of what was sent
    reason: Reason


@dataclass(frozen=True, kw_only=True, slots=True)
class LeftOut:
    """Links of a batch that were not looked at."""

    count: int
    why: Why


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """What one job of a new batch is made of."""

    link: Link
    link_key: str | None  # see `storage.Jobs.add`
    wish: Wish
    name: str | None = None  # until the source tells a better one


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Jobs under one card. `from_row` of `storage.batches` is the only door from SQL."""

    id: int
    user_id: int
    chat_id: int
    message_id: int  # of the person's message; (chat_id, message_id) is unique
    language: str
    title: str  # "": it has none
    unusable: tuple[Unusable, ...]
    left_out: LeftOut | None
    status_message_id: int | None  # the card
    created_at: float
    told_at: float | None  # when its person was told how it ended


@dataclass(frozen=True, kw_only=True, slots=True)
class Batched:
    """A verdict of `intake`: the batch is kept. Its jobs wait while something is owed."""

    batch: Batch
    jobs: tuple[Job, ...]
    dues: Dues
