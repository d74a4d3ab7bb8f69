"""The whole engine on PostgreSQL: the same journey, by the URL alone."""

from tests.engine.conftest import Scene
from tests.postgres_fixture import PostgresServer

MIB = 1024 * 1024


async def test_link_when_the_database_is_postgresql_is_carried_as_on_sqlite(
    scene: Scene, postgres_server: PostgresServer
) -> None:
    """Lock, card, join, file; nothing of SQLite's is left in the data folder."""
    database_url = postgres_server.new_database()
    async with (
        scene.engine(database_url=database_url),
        scene.person(scene.admin) as admin,
        scene.person() as user,
    ):
        await admin.send("/lock add @sponsor_one")
        await admin.expect("Added")
        await user.send(scene.site.url("film.mp4", 12 * MIB))
        card = await user.expect("Our sponsors")
        await user.press(card, 0)
        message = await user.expect_file()
        assert (12 * MIB, await scene.site.sha256_of("film.mp4", 12 * MIB)) == await user.save(message)
        await user.expect("Done")
        await admin.send("/status")
        assert "1\u2069 delivered" in (await admin.expect("delivered")).raw_text
        assert {"control.sock", "secret.key", "work"} == {
            path.name for path in (scene.folder / "data").iterdir()
        }
