"""Every door by which a press or a message becomes a job that a worker may take: each is behind the gate.

The doors are found in the code: a new one fails here until it asks the gate, and until it has its scenario.
"""

import ast
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

import pytest

from tests.sponsors.conftest import ACCOUNT, NEWS, SARA, Gate
from uploader.batching import Batching
from uploader.choosing import Choosing
from uploader.errors import Reason
from uploader.intake import Incoming, Intake
from uploader.model import Job, JobState
from uploader.quotas import Allowance, Quotas
from uploader.sponsors import membership
from uploader.storage.batches import Batches
from uploader.storage.choices import Choices
from uploader.storage.heard import Heard
from uploader.storage.rates import Rates
from uploader.storage.settings import Settings
from uploader.wishes import AlbumFile, Entry, Offer, Option

ENGINE = Path(__file__).parents[2] / "uploader"
Function = ast.FunctionDef | ast.AsyncFunctionDef
#: The nouns of the storage that hold jobs, as those who use them call them.
STORES = {"self._jobs", "self._batches", "self._choices", "self._holds"}
#: Its doors by which a job of a person becomes ready for a worker.
READY = {"add", "again", "choose", "correct", "follow", "pick"}
#: Where people's wishes are decided about.
ROOMS = ("intake.py", "choosing.py", "batching.py")


def functions(*paths: str) -> Iterator[tuple[str, Function]]:
    """All functions of the engine, or of the files whose paths begin so, each with its file."""
    for path in sorted(ENGINE.rglob("*.py")):
        name = str(path.relative_to(ENGINE))
        if not paths or name.startswith(paths):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, Function):
                    yield name, node


def calls(function: Function) -> Iterator[tuple[str, str, ast.Call]]:
    """The calls that a function makes by an attribute: on what, which, and the call."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield ast.unparse(node.func.value), node.func.attr, node


def writes_queued(node: ast.AST) -> bool:
    """Whether the state is written as a value, and not looked for."""
    if isinstance(node, ast.Call) and ast.unparse(node.func) in {"in_state", "_first", "_index"}:
        return False
    if isinstance(node, ast.Attribute) and ast.unparse(node) == "JobState.QUEUED":
        return True
    return any(map(writes_queued, ast.iter_child_nodes(node)))


def stored() -> Iterator[Function]:
    """The doors of the storage by which jobs become ready: they use `moves`, or are given what is owed."""
    for _, node in functions("storage"):
        arguments = {each.arg for each in (*node.args.args, *node.args.kwonlyargs)}
        by_moves = any(on == "moves" and to in {"comes_now", "again", "new_job"} for on, to, _ in calls(node))
        if not node.name.startswith("_") and (by_moves or "dues" in arguments):
            yield node


def test_storage_when_it_makes_jobs_ready_is_told_what_is_owed() -> None:
    """Nothing becomes QUEUED but by a worker that holds the job, by the gate, or by what the gate said."""
    writers = {node.name for name, node in functions("storage") if any(map(writes_queued, node.body))}
    assert {"retry", "release", "give_way", "put_back"} == writers - {"expire", "is_due", "queue", "counts"}
    doors = {
        node.name: {each.arg for each in (*node.args.args, *node.args.kwonlyargs)}
        for node in stored()
        if node.name not in {"comes_now", "shown", "new_job"}
    }
    assert READY | {"admit"} == doors.keys()
    assert [] == [name for name, given in doors.items() if not given & {"dues", "state"} and name != "admit"]


def test_dues_when_made_are_made_by_the_gate_alone() -> None:
    """Nobody else says that nothing is owed; who lets in after a look writes it down so."""
    makers = {
        name
        for name, node in functions()
        for call in ast.walk(node)
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "Dues"
    }
    assert {"sponsors/__init__.py", "storage/holds.py"} == makers


def test_callers_when_they_make_jobs_ready_have_asked_the_gate() -> None:
    """Each passes on what the gate said in that very function; the gate alone lets in."""
    ready = READY | {"admit"}
    found = set()
    for name, node in functions():
        for on, to, call in calls(node):
            if on not in STORES or to not in ready or name.startswith("bench"):
                continue
            found.add((name, to))
            passed = {ast.unparse(each) for each in (*call.args, *(word.value for word in call.keywords))}
            has_asked = "dues = await self._locks.dues(" in ast.unparse(node)
            assert to == "admit" or (has_asked and passed & {"dues", "dues.held(ready)"}), node.name
    assert {("sponsors/__init__.py", "admit")} == {each for each in found if each[1] == "admit"}
    assert {*ROOMS, "sponsors/__init__.py"} == {name for name, _ in found}


def doors() -> set[str]:
    """What conversations can call that makes a job ready in the end."""
    methods = {(name, node.name): node for name, node in functions(*ROOMS)}
    rooms = {"self._batching": "batching.py"}
    reached: set[tuple[str, str]] = set()
    for _ in methods:
        reached |= {
            (room, name)
            for (room, name), node in methods.items()
            for on, to, _ in calls(node)
            if (on in STORES and to in READY) or (room if on == "self" else rooms.get(on), to) in reached
        }
    open_to_all = {(room, name) for room, name in reached if not name.startswith("_")}
    return {f"{room.removesuffix('.py')}.{name}" for room, name in open_to_all if room != "batching.py"}


FILM = Offer(kind="film", title="T", options=(Option(key="v720", height=720), Option(key="original")))
ENTRIES = tuple(Entry(title=f"E{number}", link=f"https://a.example/{number}") for number in range(3))
LIST = Offer(kind="list", title="L", entries=ENTRIES)
FILE = Offer(kind="file", title="report.pdf", options=(Option(key="original"),))


@dataclass
class Play:
    """A person who was inside when they sent what they sent, and has left since."""

    gate: Gate
    intake: Intake
    choosing: Choosing
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def message(self, text: str) -> Incoming:
        """A new message of theirs."""
        return Incoming(person=SARA, message_id=next(self.numbers), text=text, sent_at=time.time())

    def leave(self) -> None:
        """They leave, and what was known of them is too old."""
        self.gate.telegram.inside.clear()
        self.gate.now[0] += membership.MEMBER_S

    async def held(self) -> Job:
        """What they sent, in the hands of a worker."""
        job = await self.gate.jobs.claim("w")
        assert job is not None
        return job

    async def failed(self, text: str) -> Job:
        """What they sent has failed; then they leave."""
        await self.intake.take(self.message(text))
        for _ in text.split():
            job = await self.held()
            await self.gate.jobs.fail(job, Reason.NOT_FOUND)
        self.leave()
        return job

    async def asked(self, offer: Offer) -> Job:
        """They are asked about a link; then they leave."""
        await self.intake.take(self.message("https://a.example/page"))
        job = await self.held()
        await self.gate.jobs.ask(job, offer)
        self.leave()
        asked = await self.choosing.asked(job.id, SARA.user_id)
        assert asked is not None
        return asked[0]


@pytest.fixture
async def play(gate: Gate) -> Play:
    """The person is inside."""
    gate.telegram.inside.add((NEWS.channel_id, SARA.user_id))
    jobs, choices, rates = gate.jobs, Choices(gate.database), Rates(gate.database)
    quotas = Quotas(rates, Allowance(links_per_minute=99, files_per_day=0, bytes_per_day=0, queue_jobs=0))
    batching = Batching(
        jobs, Batches(gate.database), choices, gate.locks, quotas,
        static_verdict=lambda link: None, account_id=ACCOUNT, most=9,
    )  # fmt: skip
    settings, heard = Settings(gate.database), Heard(gate.database)
    intake = Intake(
        jobs, gate.people, settings, gate.locks, batching, rates, quotas, heard, ACCOUNT, lambda _: None
    )
    choosing = Choosing(jobs, choices, gate.people, gate.locks, rates, ACCOUNT, lambda: None)
    return Play(gate, intake, choosing)


async def take(play: Play) -> None:
    play.leave()
    await play.intake.take(play.message("https://a.example/1"))


async def take_several(play: Play) -> None:
    play.leave()
    await play.intake.take(play.message("https://a.example/1 https://a.example/2"))


async def take_file(play: Play) -> None:
    play.leave()
    await play.intake.take_file(play.message(""), FILE)


async def take_text(play: Play) -> None:
    async def read() -> str:
        return "https://a.example/1\nhttps://a.example/2"

    play.leave()
    await play.intake.take_text(play.message(""), read, None)


async def take_edited(play: Play) -> None:
    job = await play.failed("https://a.example/1")
    changed = play.message("https://a.example/2")
    await play.intake.take_edited(replace(changed, message_id=job.message_id, is_edited=True))


async def again(play: Play) -> None:
    job = await play.failed("https://a.example/1")
    await play.intake.again(job.id, SARA.user_id)


async def batch_again(play: Play) -> None:
    job = await play.failed("https://a.example/1 https://a.example/2")
    assert job.batch_id is not None
    await play.intake.batch_again(job.batch_id, SARA.user_id, 50)


async def pick_one(play: Play) -> None:
    await play.intake.pick(await play.asked(LIST), LIST, [2])


async def pick_several(play: Play) -> None:
    await play.intake.pick(await play.asked(LIST), LIST, [1, 3])


async def send_album(play: Play) -> None:
    files = tuple(AlbumFile(message_id=n, name=f"{n}", size_bytes=1, as_document=None) for n in range(1, 4))
    album = replace(FILE, album_id=7, files=files)
    await play.intake.send_album(await play.asked(album), album)


async def choose(play: Play) -> None:
    await play.choosing.choose(await play.asked(FILM), FILM, "v720")


async def send_file_on(play: Play) -> None:
    await play.choosing.choose(await play.asked(FILE), FILE, "original")


Scenario = Callable[[Play], Awaitable[None]]
SCENARIOS: list[tuple[str, Scenario, int]] = [
    ("intake.take", take, 1),
    ("intake.take", take_several, 2),
    ("intake.take_file", take_file, 1),
    ("intake.take_text", take_text, 2),
    ("intake.take_edited", take_edited, 1),
    ("intake.again", again, 1),
    ("intake.batch_again", batch_again, 2),
    ("intake.pick", pick_one, 1),
    ("intake.pick", pick_several, 2),
    ("intake.send_album", send_album, 3),
    ("choosing.choose", choose, 1),
    ("choosing.choose", send_file_on, 1),
]


def test_doors_when_counted_all_have_a_scenario() -> None:
    """What conversations can call is what is played below."""
    assert doors() == {door for door, *_ in SCENARIOS}


@pytest.mark.parametrize(
    ("door", "scenario", "jobs"), SCENARIOS, ids=lambda each: getattr(each, "__name__", "")
)
async def test_door_when_the_person_has_left_keeps_their_wish_until_they_are_back(
    play: Play, door: str, scenario: Scenario, jobs: int
) -> None:
    """Nothing is queued; after the join all of it is, without a word."""
    await scenario(play)
    counts = await play.gate.jobs.counts()
    assert (jobs, 0) == (counts[JobState.WAITING_SPONSORS], counts[JobState.QUEUED]), door
    play.gate.telegram.inside.add((NEWS.channel_id, SARA.user_id))
    play.gate.now[0] += membership.STRANGER_S
    look = await play.gate.locks.look(SARA.user_id)
    assert [JobState.QUEUED] * jobs == [job.state for job in look.admitted]
