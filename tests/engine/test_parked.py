"""Telegram wants no parts for an hour: what needs none goes on, everybody is told, and a restart obeys."""

import sqlite3
from collections.abc import Iterable

from sandbox import Account, Fault
from tests.engine import shelf
from tests.engine.conftest import Scene
from tests.engine.test_conversations import Site
from tests.engine.test_sharing import CountingSite, files_of, letters_of, until, write

HOUR = (420, "FLOOD_WAIT_3600")
KIB = 1024


def rows(scene: Scene, query: str) -> list[tuple[object, ...]]:
    """What the engine's database says."""
    with sqlite3.connect(scene.folder / "data" / "peyk.db") as database:
        return database.execute(query).fetchall()


def parts_asked(scene: Scene) -> int:
    """How often the data centre was asked to take a part."""
    return scene.world.stats.calls["upload.saveFilePart"] + scene.world.stats.calls["upload.saveBigFilePart"]


def told(people: Iterable[Account]) -> bool:
    """Whether the status messages of all of them say that Telegram is waited for, and for how long."""
    texts = [" ".join(letters_of(person)).replace("\u2069", "") for person in people]
    return all("Telegram" in text and "60 min" in text for text in texts)


async def test_jobs_when_telegram_wants_an_hour_then_wait_in_the_queue_and_others_are_served(
    scene: Scene,
) -> None:
    """Twenty files wait; what was delivered before, and what lies on Telegram, comes at once."""
    site, channel = CountingSite(size_bytes=20 * KIB), scene.world.add_channel(
        "films_one", "Films", admins=[scene.admin, scene.bot]
    )  # fmt: skip
    shelf.post(scene, scene.admin, channel, shelf.document(scene, shelf.film(KIB)), "The report")
    crowd = [scene.world.add_user(f"Person {number}") for number in range(10)]
    first, second, third, late = (scene.world.add_user(name) for name in ("Ada", "Bob", "Cem", "Dan"))
    async with Site(site.serve) as url, scene.engine():
        write(scene, scene.admin, "/start")
        write(scene, first, url)
        await until(lambda: bool(files_of(first)))
        scene.world.faults.append(Fault("upload.save", error=HOUR))
        for number, person in enumerate(crowd):
            for turn in range(2):
                write(scene, person, scene.site.url(f"{number}-{turn}.bin", 300 * KIB))
        await until(lambda: told(crowd))
        write(scene, second, url)
        write(scene, third, f"https://t.me/films_one/{max(channel.box.letters)}")
        await until(lambda: bool(files_of(second)) and bool(files_of(third)))
        before = parts_asked(scene)
        write(scene, late, scene.site.url("late.bin", 300 * KIB))
        await until(lambda: told([late]))
        assert before == parts_asked(scene)
        alerts = [text for text in letters_of(scene.admin) if "carries no files for" in text]
        assert 1 == len(alerts)
    assert [("queued", 21, 0)] == rows(
        scene, "SELECT state, count(*), sum(failures) FROM jobs WHERE state <> 'done' GROUP BY state"
    )
    assert [(1,)] == rows(scene, "SELECT min(run_at) > unixepoch() + 3400 FROM jobs WHERE state = 'queued'")


async def test_engine_when_started_again_within_that_hour_asks_for_nothing_and_then_delivers(
    scene: Scene,
) -> None:
    """The wait is Telegram's and not the process's; once it is over, all files come by themselves."""
    first, second = scene.world.add_user("Ada"), scene.world.add_user("Bob")
    scene.world.faults.append(Fault("upload.save", error=HOUR))
    async with scene.engine():
        write(scene, first, scene.site.url("one.bin", 300 * KIB))
        await until(lambda: told([first]))
    before = parts_asked(scene)
    async with scene.engine():
        write(scene, second, scene.site.url("two.bin", 300 * KIB))
        await until(lambda: told([second]))
    assert before == parts_asked(scene)
    scene.world.faults.clear()
    with sqlite3.connect(scene.folder / "data" / "peyk.db") as database:
        database.execute("UPDATE jobs SET run_at = run_at - 3600")
        database.execute("DELETE FROM settings WHERE key LIKE 'parked-%'")
    async with scene.engine():
        await until(lambda: all(files_of(person) for person in (first, second)))
