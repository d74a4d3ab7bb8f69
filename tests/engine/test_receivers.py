"""Several engines on one bot and one database: one hears, all carry."""

import signal
from pathlib import Path

from sandbox.stage import running_engine
from tests.engine.conftest import Scene
from uploader import limits

MIB = 1024 * 1024


def settings_of(scene: Scene, name: str) -> tuple[dict[str, str], Path]:
    """The settings and the folder of one engine of several: a login of its own, the same database."""
    folder = scene.folder / name
    folder.mkdir()
    own = {"PEYK_DATA_DIR": folder / "data", "PEYK_SESSIONS_DIR": folder / "sessions"}
    shared = {"PEYK_DATABASE_URL": f"sqlite:///{scene.folder / 'shared' / 'peyk.db'}"}
    return {**scene.settings, **{key: str(value) for key, value in own.items()}, **shared}, folder


async def test_bot_when_several_engines_serve_it_is_one_and_survives_each(scene: Scene) -> None:
    """One answer to each message; a drained engine hands over at once, a dead one when its lease ends."""
    async with (
        scene.person() as user,
        running_engine(*settings_of(scene, "first")) as first,
        running_engine(*settings_of(scene, "second")) as second,
    ):
        await user.send("/start")
        await user.expect("courier")
        assert "hearing the updates" in first.log.read_text()
        assert "hearing the updates" not in second.log.read_text()
        await user.send("/help")
        await user.expect("/cancel")
        history = await user.client.get_messages(user.bot, limit=50)
        assert 2 == len([each for each in history if not each.out])
        await first.stop()
        await user.send("/nonsense")
        await user.expect(timeout_s=limits.HEARTBEAT_S + 10)
        async with running_engine(*settings_of(scene, "third")) as third:
            second.process.send_signal(signal.SIGKILL)
            await second.process.wait()
            await user.send(scene.site.url("film.mp4", MIB))
            message = await user.expect_file(timeout_s=limits.LEASE_S + 30)
            digest = await scene.site.sha256_of("film.mp4", MIB)
            assert (MIB, digest) == await user.save(message)
            await user.expect("Done")
            assert "hearing the updates" in third.log.read_text()
            history = await user.client.get_messages(user.bot, limit=50)
            assert 1 == len([each for each in history if each.document])
