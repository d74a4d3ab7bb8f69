"""The pipeline from a source to acknowledged parts, against a data centre on a real socket."""

import asyncio
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from tests.transfer.server import DOUBLE, DROP, QUICK, Arrival, Responder, Said, error
from tests.transfer.source import Source
from uploader.errors import (
    LeaseLost,
    PartsLost,
    PeykError,
    Reason,
    SourceError,
    SourceTemporary,
    TransferError,
    TransferTemporary,
)
from uploader.model import Checkpoint, Uploaded
from uploader.transfer import Endpoint, UploadPool, parts, upload
from uploader.transfer.parts import CAP_BYTES, PART_BYTES, SMALL_FILE_BYTES
from uploader.transfer.seal import AuthKey


def digest(content: bytes) -> str:
    """Digests are compared, not bytes: pytest would print the bytes."""
    return hashlib.sha256(content).hexdigest()


BIG = os.urandom(SMALL_FILE_BYTES + 3 * PART_BYTES + 17)
COUNT = parts.part_count(len(BIG))


@dataclass
class Desk:
    """What an upload tells its owner, and how its owner answers."""

    saved: list[Checkpoint] = field(default_factory=list)
    reported: list[int] = field(default_factory=list)
    failure: Exception | None = None

    async def save(self, checkpoint: Checkpoint) -> None:
        self.saved.append(checkpoint)
        if self.failure is not None:
            raise self.failure

    def acked(self) -> set[int]:
        """The parts that the last checkpoint holds as acknowledged."""
        return {part for part in range(COUNT) if parts.is_marked(self.saved[-1].acked, part)}


async def carry(
    source: Source,
    endpoint: Endpoint,
    desk: Desk | None = None,
    *,
    checkpoint: Checkpoint | None = None,
    cap_bytes: int = CAP_BYTES,
) -> Uploaded:
    """Upload a source over a pool of its own."""
    desk = desk or Desk()
    async with UploadPool(endpoint, connections=2, most=2, window=2, patience=QUICK) as pool:
        return await upload(
            source.remote,
            pool,
            checkpoint=checkpoint,
            save=desk.save,
            report=desk.reported.append,
            cap_bytes=cap_bytes,
        )


@pytest.mark.parametrize(
    "size",
    [
        1,
        PART_BYTES - 1,
        PART_BYTES,
        PART_BYTES + 1,
        10_000_000,
        SMALL_FILE_BYTES - 1,
        SMALL_FILE_BYTES,
        SMALL_FILE_BYTES + 1,
        len(BIG),
    ],
)
@pytest.mark.parametrize("known", [True, False])
async def test_upload_when_the_size_is_at_a_boundary_then_the_bytes_are_equal(
    responder: Responder, endpoint: Endpoint, size: int, known: bool
) -> None:
    """Every byte arrives, by the right call, whether the size was known or not."""
    source, desk = Source(BIG[:size], known=known), Desk()
    uploaded = await carry(source, endpoint, desk)
    small = known and size <= SMALL_FILE_BYTES
    assert (
        Uploaded(
            file_id=uploaded.file_id,
            part_count=parts.part_count(size),
            size_bytes=size,
            name="file.bin",
            mime_type="application/octet-stream",
            md5_hex=hashlib.md5(BIG[:size]).hexdigest() if small else None,
        )
        == uploaded
    )
    assert digest(BIG[:size]) == digest(responder.content(uploaded.file_id))
    assert small == (None in {arrival.total for arrival in responder.arrivals})
    assert size == desk.reported[-1]
    assert 1 == source.closed


async def test_stream_when_it_ends_then_only_the_last_part_tells_the_count_and_comes_last(
    responder: Responder, endpoint: Endpoint
) -> None:
    """All other parts say -1 and are acknowledged before the last one leaves."""
    answered: set[int] = set()

    async def script(arrival: Arrival) -> Said:
        if arrival.total != -1:
            assert set(range(COUNT - 1)) == answered
        answered.add(arrival.part)
        return True

    responder.script = script
    await carry(Source(BIG, known=False), endpoint)
    assert {-1: COUNT - 1, COUNT: 1} == {
        total: sum(arrival.total == total for arrival in responder.arrivals) for total in (-1, COUNT)
    }
    assert COUNT - 1 == responder.arrivals[-1].part


async def test_stream_when_one_slot_is_all_there_is_then_still_arrives(
    responder: Responder, endpoint: Endpoint
) -> None:
    """Looking whether more comes needs no second slot, so streams cannot lock each other out."""
    async with (
        UploadPool(endpoint, connections=1, most=1, window=1, patience=QUICK) as pool,
        asyncio.TaskGroup() as tasks,
    ):
        for _ in range(3):
            source = Source(BIG[: 3 * PART_BYTES], known=False)
            desk = Desk()
            tasks.create_task(
                upload(source.remote, pool, checkpoint=None, save=desk.save, report=desk.reported.append)
            )
    assert [digest(BIG[: 3 * PART_BYTES])] * 3 == [
        digest(responder.content(file_id)) for file_id in responder.saved
    ]


@pytest.mark.parametrize(
    ("size", "known", "reason"),
    [(0, True, Reason.EMPTY), (0, False, Reason.EMPTY), (CAP_BYTES + 1, True, Reason.TOO_LARGE)],
)
async def test_upload_when_the_size_is_impossible_then_refuses_before_any_part(
    responder: Responder, endpoint: Endpoint, size: int, known: bool, reason: Reason
) -> None:
    """Nothing and too much are refused; a known size without reading a byte."""
    source = Source(b"", known=known)
    remote = replace(source.remote, size_bytes=size if known else None)
    async with UploadPool(endpoint, patience=QUICK) as pool:
        with pytest.raises(SourceError) as caught:
            await upload(remote, pool, checkpoint=None, save=Desk().save, report=lambda _done: None)
    assert reason == caught.value.reason
    assert [] == responder.arrivals
    assert (0 if known else 1) == len(source.reads)


async def test_stream_when_it_goes_beyond_the_cap_then_is_stopped_there(
    responder: Responder, endpoint: Endpoint
) -> None:
    """A stream of exactly the cap is taken; one byte more is TOO_LARGE (with a small cap, for speed)."""
    cap = 3 * PART_BYTES
    uploaded = await carry(Source(BIG[:cap], known=False), endpoint, cap_bytes=cap)
    assert cap == uploaded.size_bytes
    source = Source(BIG, known=False)
    with pytest.raises(SourceError) as caught:
        await carry(source, endpoint, cap_bytes=cap)
    assert Reason.TOO_LARGE == caught.value.reason
    assert source.pulled_bytes < cap + 800_000
    assert 1 == source.closed


@pytest.mark.parametrize(
    ("more", "reason"), [(-1, Reason.SITE_BROKEN), (-len(BIG), Reason.SITE_BROKEN), (1, Reason.CHANGED)]
)
async def test_upload_when_the_source_breaks_its_promise_then_fails_for_now(
    responder: Responder, endpoint: Endpoint, more: int, reason: Reason
) -> None:
    """Fewer bytes than promised are a broken site, more are a changed file; the source is closed."""
    source = Source(BIG, yields=(BIG + b"!")[: len(BIG) + more])
    with pytest.raises(SourceTemporary) as caught:
        await carry(source, endpoint)
    assert reason == caught.value.reason
    assert 1 == source.closed


@pytest.mark.parametrize("raised", [SourceTemporary(Reason.UNREACHABLE), SourceError(Reason.NOT_FOUND)])
@pytest.mark.parametrize("known", [True, False])
async def test_upload_when_the_source_fails_then_its_own_error_comes_out_and_slots_return(
    responder: Responder, endpoint: Endpoint, raised: SourceError, known: bool
) -> None:
    """One error of the tree, no ExceptionGroup; the pool is as usable as before."""

    async def gate(offset: int) -> None:
        if offset > 2_000_000:
            raise raised

    async with UploadPool(endpoint, connections=1, most=1, window=2, patience=QUICK) as pool:
        for _ in range(3):
            source = Source(BIG, known=known, gate=gate)
            with pytest.raises(SourceError) as caught:
                await upload(
                    source.remote, pool, checkpoint=None, save=Desk().save, report=lambda _done: None
                )
            assert raised is caught.value
        await upload(Source(BIG).remote, pool, checkpoint=None, save=Desk().save, report=lambda _done: None)


async def test_upload_when_a_part_is_refused_then_the_rest_is_cancelled(
    responder: Responder, endpoint: Endpoint
) -> None:
    """The first failure stops the reading and comes out as one TransferError."""

    async def script(arrival: Arrival) -> Said:
        return error(400, "FILE_PARTS_INVALID") if arrival.part == 2 else True

    responder.script = script
    source = Source(BIG)
    with pytest.raises(TransferError) as caught:
        await carry(source, endpoint)
    assert Reason.UPLOAD_FAILED == caught.value.reason
    assert not isinstance(caught.value, TransferTemporary)
    assert source.pulled_bytes < len(BIG)
    assert 1 == source.closed


@pytest.mark.parametrize("known", [True, False])
async def test_upload_when_the_only_part_is_refused_then_its_error_comes_out_and_nobody_is_cancelled(
    responder: Responder, endpoint: Endpoint, known: bool
) -> None:
    """All parts are under way when the first fails: an error is no cancellation, not even a trace of one."""

    async def script(_arrival: Arrival) -> Said:
        return error(400, "FILE_PARTS_INVALID")

    responder.script = script
    with pytest.raises(TransferError):
        await carry(Source(b"data", known=known), endpoint)
    task = asyncio.current_task()
    assert task is not None
    assert 0 == task.cancelling()


async def test_digest_when_asked_for_then_is_that_of_the_bytes_or_absent(
    responder: Responder, endpoint: Endpoint
) -> None:
    """SHA-256 of a file that was read whole; None when an earlier attempt had read some of it."""
    acked = parts.blank(COUNT)
    parts.mark(acked, 1)
    account = AuthKey(endpoint.auth_key).key_id.hex()
    half = Checkpoint(file_id=5, size_bytes=len(BIG), validator='"v1"', acked=bytes(acked), account=account)
    sources = [Source(BIG), Source(BIG, known=False), Source(BIG[:9]), Source(BIG)]
    checkpoints = [None, None, None, half]
    async with UploadPool(endpoint, connections=2, most=2, patience=QUICK) as pool:
        actual = [
            await upload(
                source.remote,
                pool,
                checkpoint=checkpoint,
                save=Desk().save,
                report=lambda _done: None,
                digest=True,
            )
            for source, checkpoint in zip(sources, checkpoints, strict=True)
        ]
    assert [digest(BIG), digest(BIG), digest(BIG[:9]), None] == [each.sha256_hex for each in actual]


async def test_resume_when_the_data_centre_refuses_to_go_on_then_the_checkpoint_is_lost(
    responder: Responder, endpoint: Endpoint
) -> None:
    """Parts that expired make the data centre refuse what fitted to them: the file starts anew later."""

    async def script(arrival: Arrival) -> Said:
        return error(400, "FILE_PART_SIZE_CHANGED") if arrival.part == 3 else True

    responder.script = script
    acked = parts.blank(COUNT)
    parts.mark(acked, 1)
    account = AuthKey(endpoint.auth_key).key_id.hex()
    half = Checkpoint(file_id=5, size_bytes=len(BIG), validator='"v1"', acked=bytes(acked), account=account)
    with pytest.raises(PartsLost):
        await carry(Source(BIG), endpoint, checkpoint=half)


async def test_upload_when_connections_drop_and_answers_double_then_the_bytes_are_equal(
    responder: Responder, endpoint: Endpoint
) -> None:
    """Cut connections at several parts, `false`, doubled answers and floods: the file is whole."""

    async def script(arrival: Arrival) -> Said:
        if arrival.nth == 1 and arrival.part % 5 == 1:
            return DROP
        if arrival.nth == 1 and arrival.part % 5 == 2:
            return False
        if arrival.nth == 1 and arrival.part % 5 == 3:
            return error(420, "FLOOD_WAIT_0")
        return DOUBLE

    responder.script = script
    desk = Desk()
    uploaded = await carry(Source(BIG), endpoint, desk)
    assert digest(BIG) == digest(responder.content(uploaded.file_id))
    assert sorted(desk.reported) == desk.reported
    assert len(BIG) == desk.reported[-1]


async def test_window_when_the_data_centre_is_slow_then_the_source_is_not_pulled_ahead(
    responder: Responder, endpoint: Endpoint
) -> None:
    """With nothing acknowledged, no more than the window is read, by all transfers of a pool together."""
    go = asyncio.Event()

    async def script(_arrival: Arrival) -> Said:
        await go.wait()
        return True

    responder.script = script
    sources = [Source(BIG), Source(BIG, known=False)]
    async with (
        UploadPool(endpoint, connections=2, most=2, window=2, patience=QUICK) as pool,
        asyncio.TaskGroup() as tasks,
    ):
        for source in sources:
            desk = Desk()
            tasks.create_task(
                upload(source.remote, pool, checkpoint=None, save=desk.save, report=desk.reported.append)
            )
        await responder.until(lambda: len(responder.arrivals) == 4)
        assert sum(source.pulled_bytes for source in sources) <= 4 * PART_BYTES + 2 * max(
            sources[0].chunk_bytes
        )
        go.set()
    assert [digest(BIG)] * 2 == [digest(responder.content(file_id)) for file_id in responder.saved]


async def interrupted(responder: Responder, endpoint: Endpoint, desk: Desk, parts_before: int) -> None:
    """An upload of BIG that is cancelled when some parts are acknowledged and others never will be."""

    async def script(arrival: Arrival) -> Said:
        if arrival.part % 3 == 1 or arrival.part >= parts_before:
            await asyncio.Event().wait()
        return True

    responder.script = script
    enough = asyncio.Event()

    def report(done_bytes: int) -> None:
        desk.reported.append(done_bytes)
        if done_bytes >= 3 * PART_BYTES:
            enough.set()

    async with UploadPool(endpoint, connections=2, most=2, window=4, patience=QUICK) as pool:
        async with asyncio.TaskGroup() as tasks:
            uploading = tasks.create_task(
                upload(Source(BIG).remote, pool, checkpoint=None, save=desk.save, report=report)
            )
            await enough.wait()
            uploading.cancel()
        assert uploading.cancelled()


async def test_upload_when_cancelled_then_saves_what_was_acknowledged_and_resumes_from_it(
    responder: Responder, endpoint: Endpoint
) -> None:
    """After a drain only the missing parts are read, by runs, and sent under the same file id."""
    desk = Desk()
    await interrupted(responder, endpoint, desk, parts_before=9)
    done = desk.acked()
    assert 3 <= len(done) < COUNT
    assert done <= {arrival.part for arrival in responder.arrivals}
    before = len(responder.arrivals)

    async def script(_arrival: Arrival) -> Said:
        return True

    responder.script = script
    source, again = Source(BIG), Desk()
    uploaded = await carry(source, endpoint, again, checkpoint=desk.saved[-1])
    assert desk.saved[-1].file_id == uploaded.file_id
    assert set(range(COUNT)) - done == {arrival.part for arrival in responder.arrivals[before:]}
    assert digest(BIG) == digest(responder.content(uploaded.file_id))
    assert len(done) * PART_BYTES == again.reported[0]
    assert len(BIG) == again.reported[-1]
    runs = parts.missing_runs(desk.saved[-1].acked, COUNT)
    assert [run.start * PART_BYTES for run in runs] == [start for start, _stop in source.reads]
    assert set(range(COUNT)) == again.acked()


@pytest.mark.parametrize(
    "change",
    ids=["validator", "no-validator", "size", "no-size", "small"],
    argvalues=[
        lambda source: replace(source, validator='"v2"'),
        lambda source: replace(source, validator=None),
        lambda source: replace(source, data=BIG[:-1]),
        lambda source: replace(source, known=False),
        lambda source: replace(source, data=BIG[:SMALL_FILE_BYTES]),
    ],
)
async def test_upload_when_the_checkpoint_is_of_another_file_then_starts_anew(
    responder: Responder, endpoint: Endpoint, change: Callable[[Source], Source]
) -> None:
    """Another validator, size or kind of source means a new file id and all bytes."""
    made = parts.blank(COUNT)
    parts.mark(made, 0)
    checkpoint = Checkpoint(
        file_id=5,
        size_bytes=len(BIG),
        validator='"v1"',
        acked=bytes(made),
        account=AuthKey(endpoint.auth_key).key_id.hex(),
    )
    source = change(Source(BIG))
    uploaded = await carry(source, endpoint, checkpoint=checkpoint)
    assert uploaded.file_id != 5
    assert digest(source.data) == digest(responder.content(uploaded.file_id))


async def test_upload_when_every_part_was_acknowledged_before_then_reads_nothing(
    responder: Responder, endpoint: Endpoint
) -> None:
    """A crash after the last part leaves nothing to read or send."""
    full = parts.blank(COUNT)
    for part in range(COUNT):
        parts.mark(full, part)
    checkpoint = Checkpoint(
        file_id=5,
        size_bytes=len(BIG),
        validator='"v1"',
        acked=bytes(full),
        account=AuthKey(endpoint.auth_key).key_id.hex(),
    )
    source, desk = Source(BIG), Desk()
    uploaded = await carry(source, endpoint, desk, checkpoint=checkpoint)
    assert (5, COUNT, [], []) == (uploaded.file_id, uploaded.part_count, source.reads, responder.arrivals)
    assert [len(BIG)] == desk.reported


@pytest.mark.parametrize(
    "source",
    [Source(BIG, validator=None), Source(BIG, known=False), Source(BIG[:SMALL_FILE_BYTES])],
    ids=["no-validator", "no-size", "small"],
)
async def test_checkpoint_when_the_file_cannot_be_resumed_then_is_never_saved(
    responder: Responder, endpoint: Endpoint, source: Source
) -> None:
    """No validator, no size, or so small that it starts anew: nothing to write down."""
    desk = Desk()
    await carry(source, endpoint, desk)
    assert [] == desk.saved


async def test_checkpoint_when_the_upload_goes_well_then_is_saved_in_batches(
    responder: Responder, endpoint: Endpoint
) -> None:
    """Not once per part: the last save holds every part."""
    desk = Desk()
    await carry(Source(BIG), endpoint, desk)
    assert set(range(COUNT)) == desk.acked()
    assert len(desk.saved) < COUNT


@pytest.mark.parametrize("failure", [LeaseLost("another worker"), TimeoutError("storage")])
async def test_upload_when_save_fails_then_its_error_comes_out(
    responder: Responder, endpoint: Endpoint, failure: Exception
) -> None:
    """A lost lease stops the upload as itself."""
    with pytest.raises(type(failure)) as caught:
        await carry(Source(BIG), endpoint, Desk(failure=failure))
    assert failure is caught.value


async def test_upload_when_cancelled_and_save_fails_then_stays_cancelled(
    responder: Responder, endpoint: Endpoint
) -> None:
    """A cancellation is not turned into another error by the last save."""
    desk = Desk(failure=LeaseLost("gone"))
    await interrupted(responder, endpoint, desk, parts_before=9)
    assert 1 == len(desk.saved)


async def test_upload_when_the_data_centre_is_gone_then_fails_for_now_with_a_checkpoint(
    responder: Responder, endpoint: Endpoint
) -> None:
    """After the tries are used up, a later attempt finds what was acknowledged."""

    async def script(arrival: Arrival) -> Said:
        return DROP if arrival.part >= 6 else True

    responder.script = script
    desk = Desk()
    with pytest.raises(PeykError) as caught:
        await carry(Source(BIG), endpoint, desk)
    assert TransferTemporary is type(caught.value)
    assert Reason.UPLOAD_FAILED == caught.value.reason
    assert desk.acked() <= set(range(6))
    assert desk.acked()
