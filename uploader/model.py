"""What Peyk talks about: links, jobs and their legal moves, files on their way.

Frozen data without I/O. Sizes are bytes, times are seconds since the epoch.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Literal
from urllib.parse import urlsplit

from uploader.errors import Reason
from uploader.wishes import UNDECIDED, Offer, Wish


class JobState(StrEnum):
    """Where a job stands."""

    WAITING_SPONSORS = "waiting_sponsors"  # the person still has channels to join
    WAITING_CHOICE = "waiting_choice"  # the person was asked which of several things they want
    QUEUED = "queued"  # ready for a worker from `run_at` on
    RUNNING = "running"  # a worker holds the lease
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


#: The legal moves. A lost lease and a retry both lead from RUNNING back to QUEUED; a wish of the person does
#: so from FAILED, and from CANCELLED once its message names another link. Who has left a sponsor's channel
#: meanwhile waits for it first. Whatever waits has a deadline: `limits.WAITING_SPONSORS_S` for sponsors and
#: `limits.WAITING_CHOICE_S` for a choice, then CANCELLED; `limits.PROMISE_S` in the queue, then FAILED. That
#: of a running job is its lease.
MOVES: Mapping[JobState, frozenset[JobState]] = MappingProxyType(
    {
        JobState.WAITING_SPONSORS: frozenset({JobState.QUEUED, JobState.CANCELLED}),
        JobState.WAITING_CHOICE: frozenset({JobState.QUEUED, JobState.CANCELLED, JobState.WAITING_SPONSORS}),
        JobState.QUEUED: frozenset({JobState.RUNNING, JobState.CANCELLED, JobState.FAILED}),
        JobState.RUNNING: frozenset(
            {
                *(JobState.DONE, JobState.FAILED, JobState.CANCELLED),
                *(JobState.QUEUED, JobState.RUNNING, JobState.WAITING_CHOICE),
            }
        ),
        JobState.DONE: frozenset(),
        JobState.FAILED: frozenset({JobState.QUEUED, JobState.WAITING_SPONSORS}),
        JobState.CANCELLED: frozenset({JobState.QUEUED, JobState.WAITING_SPONSORS}),
    }
)

#: States in which nothing is done for a job, or will be by itself.
ENDED = frozenset({JobState.DONE, JobState.FAILED, JobState.CANCELLED})


class Phase(StrEnum):
    """What a running job is doing."""

    OPENING = "opening"  # asking the source for the file
    PREPARING = "preparing"  # fetching what is put together here, or cut into volumes that play
    UPLOADING = "uploading"
    FINISHING = "finishing"  # all bytes acknowledged; the message is being sent


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """A link in the form that is fetched; made only by `links.parse`."""

    url: str
    host: str  # the only part of a link that logs and dashboards may show

    @property
    def site(self) -> str:
        """The host, with its port where that is not the usual one."""
        return urlsplit(self.url).netloc


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """How far an upload came: enough to send only what is missing."""

    file_id: int  # chosen by us, known to Telegram
    size_bytes: int
    validator: str  # the source's ETag or Last-Modified: the same file, or start anew
    acked: bytes  # bitmap of acknowledged parts: part n is bit n % 8 of byte n // 8
    account: str = ""  # of the login that sent them (`UploadPool.account`): parts are of no use to another


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One link on its way to one chat. `from_row` of `storage.jobs` is the only door from SQL."""

    id: int
    user_id: int
    chat_id: int
    message_id: int  # of the person's message with the link; (chat_id, message_id, item) is unique
    language: str  # of the person, when the job was accepted
    link: Link
    state: JobState
    attempt: int  # counts claims; with `worker` it fences every write
    failures: int = 0  # attempts before this one that failed or died; one that a stop cut short is none
    worker: str | None
    lease_until: float | None
    run_at: float
    created_at: float
    updated_at: float  # of the last change of `state`; of a running job: its claim
    status_message_id: int | None  # our message in the chat that shows how the job fares
    random_id: int | None  # of the message that delivers the file; stored before it is sent
    name: str | None
    size_bytes: int | None
    checkpoint: Checkpoint | None
    reason: Reason | None  # why it failed
    cancel_requested: bool  # asked for while running; the worker's heartbeat sees it
    link_key: str | None = None  # the same for all jobs whose file can be shared; None: for this person alone
    fetching: str | None = None  # the key that it fetches for all others; None: see `storage.files`
    wish: Wish = UNDECIDED
    offer: Offer | None = None  # what its person was asked
    batch_id: int | None = None  # of the batch whose card shows it; None: it has a status message of its own
    item: int = 0  # its number in the batch
    dues_shown: str | None = None  # what its card says is owed (`Dues.written`); None: no card was shown


@dataclass(frozen=True, kw_only=True, slots=True)
class MediaFacts:
    """What a chat shows of a film or a song before it is opened."""

    kind: Literal["video", "audio"]
    duration_s: float
    width: int = 0  # as it is seen: upright, in square pixels
    height: int = 0
    streamable: bool = False  # plays while it arrives
    silent: bool = False
    subtitles: str = ""  # the language of those that were put in, in three letters; "": none were
    audio_codec: str | None = None  # as ffmpeg calls it
    title: str | None = None
    performer: str | None = None
    thumbnail: bytes | None = None  # a small JPEG


@dataclass(frozen=True, kw_only=True, slots=True)
class RemoteFile:
    """An open source: what is known of the file, and how to read it."""

    name: str  # safe to show and to send (see `names`)
    size_bytes: int | None  # None: the source did not say
    mime_type: str
    validator: str | None  # None: a later read cannot be trusted to be the same file
    #: Seconds for which anybody else who sends the link may have these bytes unasked. 0: they are for nobody
    #: else, because of a login or by the site's wish.
    fresh_s: float = 0.0
    #: Found with an account of the operator's.
    is_private: bool = False
    #: Where its bytes lie on our disk, perhaps in another order; None: they do not.
    path: Path | None = None
    #: `read(start, stop)` yields the bytes [start, stop) in chunks of any size; stop None = to the end.
    #: start > 0 needs a `validator`. Raises SourceError. Ends early only by raising.
    read: Callable[[int, int | None], AsyncIterator[bytes]]
    #: Asked when all was read, within the same context; the answer None: it is no film and no song. Never
    #: raises SourceError.
    facts: Callable[[], Awaitable[MediaFacts | None]] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Uploaded:
    """A file whose parts the data centre has acknowledged."""

    file_id: int
    part_count: int
    size_bytes: int
    name: str
    mime_type: str
    md5_hex: str | None  # only for small files (saveFilePart); None: sent with saveBigFilePart
    sha256_hex: str | None = None  # of all bytes; None: not asked for, or not all were read this time
    facts: MediaFacts | None = None
    thumbnail: "Uploaded | None" = None  # the picture of `facts`, uploaded as well


@dataclass(frozen=True, kw_only=True, slots=True)
class Entity:
    """A part of a text that is shown in another way. Places are counted in UTF-16 code units."""

    kind: str  # "bold", "italic" or "code"
    offset: int
    length: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Caption:
    """What stands under a file."""

    text: str = ""
    entities: tuple[Entity, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """A file that Telegram holds, as one account may send it again."""

    id: int
    access_hash: int
    file_reference: bytes  # expires; the message that it came in has a new one
    is_photo: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptFile:
    """A file that was delivered, and may be given to others who send the same link."""

    key: str  # see `sameness.key`
    document: Document
    message_id: int  # where it was delivered first: gives new references
    name: str
    size_bytes: int
    validator: str | None  # of the source, when it was fetched
    title: str | None = None  # of a film or a song, as what follows
    performer: str | None = None
    duration_s: float | None = None
    width: int = 0  # 0: it has none
    height: int = 0
    is_fresh: bool = True  # so new that the source need not be asked whether it still has the same


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivered:
    """The message that holds the file. All None: sent by an earlier attempt, and not told again."""

    message_id: int | None
    size_bytes: int | None = None  # of the file that Telegram holds
    name: str | None = None  # of that file
    document: Document | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """One look at a running job. `done_bytes` counts acknowledged bytes only."""

    job_id: int
    phase: Phase
    name: str | None
    done_bytes: int
    total_bytes: int | None
    parked_until: float | None = None  # Telegram wants no parts before; it may have passed


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """A user of the bot, as the bot's account knows them."""

    user_id: int
    access_hash: int  # valid for the account (bot) that saw the person, and no other
    language: str  # "en" or "fa"
    name: str


class OverCap(StrEnum):
    """What becomes of a person's files that are too large for one message."""

    SPLIT = "split"  # they come in volumes
    REFUSE = "refuse"


@dataclass(frozen=True, kw_only=True, slots=True)
class Volume:
    """One of the messages that a file above the cap comes in."""

    number: int  # from 1
    name: str
    size_bytes: int
    validator: str | None  # the same for the same bytes; None: only the digest can tell
    sha256_hex: str | None  # None: not all of it was read in one go
    plays: bool  # by itself; else it is a span of the file
    is_sent: bool = False  # it is in the chat
    message_id: int | None = None  # where; None also if Telegram did not tell


@dataclass(frozen=True, kw_only=True, slots=True)
class Sponsor:
    """A channel that people join before they are served."""

    channel_id: int
    access_hash: int
    username: str  # "": it has none any more, and people cannot be sent there
    title: str
    broken: str | None = None  # why its lock is open; None: it is not


@dataclass(frozen=True, kw_only=True, slots=True)
class Dues:
    """What stands between a person and their files. Only `sponsors.SponsorLocks` says what that is."""

    missing: tuple[Sponsor, ...] = ()  # the person is outside of these channels
    unsure: tuple[Sponsor, ...] = ()  # whether the person is inside of these, Telegram does not tell now
    wait_s: float = 0.0  # until it may tell

    def __bool__(self) -> bool:
        return bool(self.missing or self.unsure)

    def held(self, ready: JobState = JobState.QUEUED) -> JobState:
        """The state of a job that would be `ready` if nothing were owed."""
        return JobState.WAITING_SPONSORS if self else ready

    @property
    def written(self) -> str:
        """The channels by id and name, those that are unsure first, each with a question mark."""
        unsure = [f"?{sponsor.channel_id}" for sponsor in self.unsure]
        return " ".join([*unsure, *(f"{each.channel_id}@{each.username}" for each in self.missing)])


@dataclass(frozen=True, kw_only=True, slots=True)
class SponsorCount:
    """What a sponsor got: people who were asked to join, and those of them who were members after that."""

    sponsor: Sponsor
    asked: int
    joined: int
