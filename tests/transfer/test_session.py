"""The session core: numbers, salts, resends and answers, without a socket."""

import struct
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from telethon.extensions import BinaryReader
from telethon.tl import functions, types
from telethon.tl.core import GzipPacked

from tests.transfer.server import SALT, Heard, ServerCore, endpoint_at, error, result
from uploader.errors import AccountStopped, TransferError, TransferTemporary
from uploader.transfer import tl
from uploader.transfer.endpoint import hello
from uploader.transfer.room import PartRoom
from uploader.transfer.salts import Salts
from uploader.transfer.seal import AuthKey
from uploader.transfer.sealing import Sealing
from uploader.transfer.session import Answer, Session
from uploader.transfer.tl import Refusal, Request

KEY = bytes(range(256))
NOW = 1_800_000_000.0


class Line:
    """A session and the data centre's end of it, with the caller in between instead of a network."""

    def __init__(self, now: Callable[[], float] = lambda: NOW, salts: Salts | None = None) -> None:
        self.hello = hello(endpoint_at(1, KEY))
        self.session = Session(AuthKey(KEY), self.hello, salts, now=now)
        self.server = ServerCore(KEY)
        self._sealing = Sealing(AuthKey(KEY))

    def sent(self) -> list[Heard]:
        """Everything that the session sends now, as the data centre hears it."""
        heard = []
        while (outgoing := self.session.next()) is not None:
            heard.append(self.server.hear(bytes(self._sealing.seal(outgoing, b""))))
        return heard

    def say(self, to: Heard, *bodies: bytes, content: bool = True) -> list[Answer]:
        """Let the session receive one envelope."""
        return self.session.receive(self.server.say(to.session_id, *bodies, content=content))

    def greet(self) -> Heard:
        """Carry the session over its hello; returns the hello as heard."""
        (first,) = self.sent()
        self.say(first, bytes(types.BadServerSalt(first.msg_id, first.seqno, 48, SALT)), content=False)
        (again,) = self.sent()
        self.say(again, result(again.msg_id, types.Pong(0, 0)), content=False)
        return again


def part(number: int = 0) -> Request:
    """A small request that Telethon can read."""
    return tl.part_request(PartRoom(), file_id=1, part=number, total=9, size_bytes=4)


def outcomes(answers: list[Answer]) -> list[bool | Refusal]:
    """What the answers say."""
    return [answer.outcome for answer in answers]


def test_session_when_new_then_sends_only_the_hello_until_it_is_answered() -> None:
    """The hello learns the salt and introduces us; parts wait for it and then leave in order."""
    line = Line()
    requests = [part(0), part(1)]
    for request in requests:
        line.session.submit(request)
    (first,) = line.sent()
    assert isinstance(first.call, functions.help.GetConfigRequest)
    refused = types.BadServerSalt(first.msg_id, first.seqno, 48, SALT)
    assert [] == line.say(first, bytes(refused), content=False)
    (again,) = line.sent()
    assert (SALT, first.body) == (again.salt, again.body)
    created = types.NewSessionCreated(again.msg_id, 1, SALT)
    (answer,) = line.say(again, bytes(created), result(again.msg_id, types.Pong(0, 0)))
    assert (line.hello, True) == (answer.request, answer.outcome)
    assert [0, 1] == [heard.call.file_part for heard in line.sent()]


def test_hello_when_read_by_telethon_then_names_layer_and_application() -> None:
    """invokeWithLayer(invokeWithoutUpdates(initConnection(help.getConfig))), with our names."""
    line = Line()
    (first,) = line.sent()
    layer = tl_object(first.body)
    assert isinstance(layer, functions.InvokeWithLayerRequest)
    assert isinstance(layer.query, functions.InvokeWithoutUpdatesRequest)
    assert ("test", "en", 1) == (
        layer.query.query.device_model,
        layer.query.query.lang_code,
        layer.query.query.api_id,
    )


def tl_object(body: bytes) -> Any:
    """The outermost object of a body."""
    return BinaryReader(body).tgread_object()


def test_numbers_when_many_messages_are_sent_then_follow_the_rules() -> None:
    """msg ids rise, are divisible by 4 and near the clock; content counts in the seqno."""
    line = Line()
    again = line.greet()
    for number in range(50):
        line.session.submit(part(number))
    heard = [message for message in line.sent() if not isinstance(message.call, types.MsgsAck)]
    msg_ids = [again.msg_id, *(message.msg_id for message in heard)]
    assert sorted(set(msg_ids)) == msg_ids
    assert {0} == {msg_id % 4 for msg_id in msg_ids}
    assert {int(NOW)} == {msg_id >> 32 for msg_id in msg_ids}
    assert list(range(again.seqno + 2, again.seqno + 102, 2)) == [message.seqno for message in heard]


def test_salt_when_it_changes_in_the_middle_then_only_the_refused_part_is_sent_again() -> None:
    """bad_server_salt brings the new salt; the part leaves again under a new id."""
    line = Line()
    line.greet()
    line.session.submit(part(0))
    line.session.submit(part(1))
    first, second = line.sent()
    line.say(first, bytes(types.BadServerSalt(second.msg_id, second.seqno, 48, 77)), content=False)
    (again,) = line.sent()
    assert (77, second.body) == (again.salt, again.body)
    assert again.msg_id > second.msg_id
    assert [True] == outcomes(line.say(first, result(first.msg_id, True)))
    assert [] == outcomes(line.say(first, result(second.msg_id, True)))
    assert [False] == outcomes(line.say(first, result(again.msg_id, False)))


@pytest.mark.parametrize(("code", "clock_s"), [(16, NOW + 5000), (17, NOW - 5000)])
def test_clock_when_it_differs_from_the_data_centre_then_ids_follow_the_data_centre(
    code: int, clock_s: float
) -> None:
    """bad_msg_notification 16 and 17 set the offset from the id of the notice."""
    line = Line()
    (first,) = line.sent()
    notice = bytes(types.BadMsgNotification(first.msg_id, first.seqno, code))
    line.session.receive(
        line.server.say(first.session_id, notice, content=False, msg_id=int(clock_s) << 32 | 1)
    )
    (again,) = line.sent()
    assert int(clock_s) == again.msg_id >> 32


@pytest.mark.parametrize("code", [18, 20, 32, 33])
def test_bad_msg_notification_when_numbering_was_refused_then_the_part_is_sent_again(code: int) -> None:
    """What is only wrongly numbered is numbered anew."""
    line = Line()
    line.greet()
    line.session.submit(part())
    (first,) = line.sent()
    line.say(first, bytes(types.BadMsgNotification(first.msg_id, first.seqno, code)), content=False)
    (again,) = line.sent()
    expected = {32: first.seqno + 2 + 128, 33: max(1, first.seqno + 2 - 128)}.get(code, first.seqno + 2)
    assert (first.body, expected) == (again.body, again.seqno)


def test_bad_msg_notification_when_it_never_ends_then_the_session_is_given_up() -> None:
    """A message that is refused again and again does not go round for ever."""
    line = Line()
    line.greet()
    line.session.submit(part())
    with pytest.raises(TransferTemporary):  # noqa: PT012 - the loop is what is tested
        for _ in range(100):
            (heard,) = line.sent()
            line.say(heard, bytes(types.BadMsgNotification(heard.msg_id, heard.seqno, 20)), content=False)


def test_bad_msg_notification_when_the_code_is_fatal_then_the_session_is_given_up() -> None:
    """Other codes mean that this session cannot go on."""
    line = Line()
    line.greet()
    line.session.submit(part())
    (heard,) = line.sent()
    with pytest.raises(TransferTemporary):
        line.say(heard, bytes(types.BadMsgNotification(heard.msg_id, heard.seqno, 64)), content=False)


def test_new_session_created_when_the_server_forgot_us_then_older_parts_are_sent_again() -> None:
    """Messages from before the new session's first are lost there; later ones are not."""
    line = Line()
    line.greet()
    for number in range(3):
        line.session.submit(part(number))
    _lost, _lost_too, kept = line.sent()
    line.say(kept, bytes(types.NewSessionCreated(kept.msg_id, 2, 99)))
    again = [heard for heard in line.sent() if not isinstance(heard.call, types.MsgsAck)]
    assert {0, 1} == {heard.call.file_part for heard in again}
    assert {99} == {heard.salt for heard in again}


def test_acknowledgements_when_answers_come_then_leave_in_batches_and_at_the_end() -> None:
    """Eight answers make one acknowledgement; the rest go when nothing is left to wait for."""
    line = Line()
    line.greet()
    for number in range(11):
        line.session.submit(part(number))
    acks: list[list[int]] = []
    for heard in line.sent():
        line.say(heard, result(heard.msg_id, True))
        acks += [ack.call.msg_ids for ack in line.sent()]
    assert [8, 3] == [len(ids) for ids in acks]
    assert 11 == len({msg_id for ids in acks for msg_id in ids})


def test_answers_when_in_containers_packed_doubled_or_late_then_count_once() -> None:
    """Containers and gzip are opened; an answer that comes twice or to a withdrawn part is nothing."""
    line = Line()
    line.greet()
    requests = [part(0), part(1), part(2)]
    for request in requests:
        line.session.submit(request)
    first, second, third = line.sent()
    line.session.withdraw(requests[2])
    flood = error(420, "FLOOD_WAIT_7")
    answers = line.say(
        first,
        bytes(GzipPacked(result(first.msg_id, True))),
        result(second.msg_id, flood, packed=True),
        result(second.msg_id, True),
        result(third.msg_id, True),
        bytes(types.MsgsAck([first.msg_id])),
        bytes(types.UpdatesTooLong()),
    )
    assert [(requests[0], True), (requests[1], Refusal(code=420, name="FLOOD_WAIT_7"))] == [
        (answer.request, answer.outcome) for answer in answers
    ]


def test_withdrawn_when_not_sent_yet_then_is_never_sent() -> None:
    """What nobody waits for does not leave."""
    line = Line()
    line.greet()
    requests = [part(0), part(1)]
    for request in requests:
        line.session.submit(request)
    line.session.withdraw(requests[0])
    assert [1] == [heard.call.file_part for heard in line.sent()]


def test_pong_when_it_comes_then_answers_the_ping() -> None:
    """A ping is answered by the pong that names it."""
    line = Line()
    line.greet()
    line.session.submit(tl.ping(5))
    (heard,) = line.sent()
    assert [True] == outcomes(line.say(heard, bytes(types.Pong(heard.msg_id, 5)), content=False))


def test_detailed_info_when_an_answer_is_held_back_then_it_is_asked_for_or_acknowledged() -> None:
    """An answer that is still missing is requested; one that came already is acknowledged."""
    line = Line()
    line.greet()
    line.session.submit(part())
    (heard,) = line.sent()
    line.say(heard, bytes(types.MsgDetailedInfo(heard.msg_id, 1001, 40, 0)), content=False)
    (request,) = line.sent()
    assert [1001] == request.call.msg_ids
    line.say(heard, result(heard.msg_id, True), content=False)
    line.say(heard, bytes(types.MsgDetailedInfo(heard.msg_id, 1001, 40, 0)), content=False)
    (ack,) = line.sent()
    assert isinstance(ack.call, types.MsgsAck)
    assert [1001] == ack.call.msg_ids


def test_hello_when_refused_then_the_refusal_is_its_answer_and_nothing_else_leaves() -> None:
    """A revoked key shows in the hello's answer."""
    line = Line()
    line.session.submit(part())
    (heard,) = line.sent()
    answers = line.say(heard, result(heard.msg_id, error(401, "AUTH_KEY_UNREGISTERED")), content=False)
    assert [Refusal(code=401, name="AUTH_KEY_UNREGISTERED")] == outcomes(answers)
    assert [] == line.sent()
    assert not line.session.ready


def test_answer_when_the_server_forgot_the_hello_then_the_session_is_given_up() -> None:
    """CONNECTION_NOT_INITED is no verdict on the part: a new session is needed."""
    line = Line()
    line.greet()
    line.session.submit(part())
    (heard,) = line.sent()
    with pytest.raises(TransferTemporary):
        line.say(heard, result(heard.msg_id, error(400, "CONNECTION_NOT_INITED")))


@pytest.mark.parametrize(("code", "expected"), [(-404, AccountStopped), (-429, TransferTemporary)])
def test_transport_error_when_it_comes_then_only_an_unknown_key_is_final(
    code: int, expected: type[TransferError]
) -> None:
    """-404 means that the auth key is gone; -429 that we should come back later."""
    with pytest.raises(TransferError) as caught:
        Line().session.receive(struct.pack("<i", code))
    assert expected is type(caught.value)


@pytest.mark.parametrize(
    ("session_ahead", "msg_id", "length"),
    [(1, 5, 4), (0, 4, 4), (0, 5, 0), (0, 5, 6), (0, 5, 8), (0, 5, -4), (0, 5, 2**31 - 4)],
)
def test_message_when_it_breaks_a_security_rule_then_the_session_is_given_up(
    session_ahead: int, msg_id: int, length: int
) -> None:
    """Another session's message, an even id and impossible lengths are refused.

    https://core.telegram.org/mtproto/security_guidelines
    """
    line = Line()
    heard = line.greet()
    plain = struct.pack("<qqqii", SALT, heard.session_id ^ session_ahead, msg_id, 1, length) + bytes(4)
    with pytest.raises(TransferTemporary):
        line.session.receive(line.server.seal_plain(plain))


@given(body=st.binary(min_size=4, max_size=400).map(lambda body: body[: len(body) // 4 * 4]))
@settings(max_examples=200)
def test_receive_when_the_data_centre_says_anything_then_raises_nothing_unexpected(body: bytes) -> None:
    """Any body in a valid envelope is ignored or ends the session in an orderly way."""
    line = Line()
    heard = line.greet()
    try:
        line.say(heard, body)
    except TransferError:
        assert True


@st.composite
def schedules(draw: st.DrawFn) -> list[tuple[str, int]]:
    """What the network and the data centre do, step by step; the number picks among what is there."""
    steps = ["take", "answer", "double", "refuse", "salt", "seqno", "clock", "reborn", "container", "lose"]
    return draw(st.lists(st.tuples(st.sampled_from(steps), st.integers(0, 7)), max_size=60))


@given(schedule=schedules())
@settings(max_examples=150)
def test_session_when_answers_come_in_any_order_then_each_part_is_answered_once(
    schedule: list[tuple[str, int]],
) -> None:
    """Reordered, doubled and lost answers, new salts, ids and sessions: each request ends exactly once."""
    world = _World()
    for step, pick in schedule:
        world.play(step, pick)
    world.finish()
    assert world.expected == world.actual
    assert len(set(world.msg_ids)) == len(world.msg_ids)


class _World:
    """Plays a schedule against a session, and knows what should come of it."""

    def __init__(self) -> None:
        self.clock = NOW
        self.line = Line(now=lambda: self.clock)
        self.line.greet()
        self.requests = [part(number) for number in range(8)]
        for request in self.requests:
            self.line.session.submit(request)
        self.open: dict[int, Heard] = {}  # by part: the last time it was heard, not answered yet
        self.msg_ids: list[int] = []
        self.expected: dict[int, bool | Refusal] = {}
        self.actual: dict[int, bool | Refusal] = {}

    def take(self) -> None:
        for heard in self.line.sent():
            self.msg_ids.append(heard.msg_id)
            if not isinstance(heard.call, types.MsgsAck):
                self.open[heard.call.file_part] = heard

    def say(self, to: Heard, *bodies: bytes, content: bool = True) -> None:
        for answer in self.line.say(to, *bodies, content=content):
            number = self.requests.index(answer.request)
            assert number not in self.actual
            self.actual[number] = answer.outcome

    def play(self, step: str, pick: int) -> None:
        self.clock += 0.25
        if step == "take" or not self.open:
            self.take()
            return
        number = sorted(self.open)[pick % len(self.open)]
        heard = self.open[number]
        getattr(self, f"_{step}")(number, heard)

    def _answer(self, number: int, heard: Heard) -> None:
        self.expected[number] = pick = bool(number % 2)
        del self.open[number]
        self.say(heard, result(heard.msg_id, pick))

    def _double(self, number: int, heard: Heard) -> None:
        self._answer(number, heard)
        self.say(heard, result(heard.msg_id, True), result(heard.msg_id, False))

    def _refuse(self, number: int, heard: Heard) -> None:
        self.expected[number] = Refusal(code=500, name="NO")
        del self.open[number]
        self.say(heard, result(heard.msg_id, error(500, "NO")))

    def _container(self, number: int, heard: Heard) -> None:
        bodies = [result(each.msg_id, True) for each in self.open.values()]
        self.expected |= dict.fromkeys(self.open, True)
        self.open = {}
        self.say(heard, *bodies, bytes(types.MsgsAck([heard.msg_id])))

    def _sent_again(self, number: int, heard: Heard, notice: bytes) -> None:
        if self.requests[number].sent_count < 5:
            del self.open[number]
            self.say(heard, notice, content=False)

    def _salt(self, number: int, heard: Heard) -> None:
        self._sent_again(number, heard, bytes(types.BadServerSalt(heard.msg_id, heard.seqno, 48, number)))

    def _seqno(self, number: int, heard: Heard) -> None:
        self._sent_again(number, heard, bytes(types.BadMsgNotification(heard.msg_id, heard.seqno, 32)))

    def _clock(self, number: int, heard: Heard) -> None:
        code = 16 + number % 2
        self._sent_again(number, heard, bytes(types.BadMsgNotification(heard.msg_id, heard.seqno, code)))

    def _reborn(self, number: int, heard: Heard) -> None:
        if all(request.sent_count < 5 for request in self.requests):
            self.open = {n: each for n, each in self.open.items() if each.msg_id >= heard.msg_id}
            self.say(heard, bytes(types.NewSessionCreated(heard.msg_id, 1, SALT)))

    def _lose(self, number: int, heard: Heard) -> None:
        self.say(heard, result(heard.msg_id + 1, True))

    def finish(self) -> None:
        """Answer whatever is still open; then every request must have ended."""
        self.take()
        while self.open:
            number = min(self.open)
            self._answer(number, self.open[number])
            self.take()
        assert set(range(8)) == set(self.actual)
