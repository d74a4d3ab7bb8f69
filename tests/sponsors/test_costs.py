"""What a link costs the database before its person is answered: counted, not timed."""

import sqlalchemy as sa

from tests.sponsors.test_doors import Play, play
from uploader.verdicts import Accepted

__all__ = ["play"]  # pytest finds fixtures by their names

#: A look, the job and its place; and what is read once a second for all: the sponsors, and the pace.
TRANSACTIONS = 5


async def test_take_when_a_link_comes_asks_the_database_a_few_times(play: Play) -> None:
    """Each question makes everybody wait: what one decision needs is asked in one."""
    await play.intake.take(play.message("https://a.example/1"))
    begun: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        if statement.startswith("BEGIN"):
            begun.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    verdict = await play.intake.take(play.message("https://a.example/2"))
    sa.event.remove(sa.Engine, "before_cursor_execute", note)
    assert isinstance(verdict, Accepted)
    assert len(begun) <= TRANSACTIONS
    assert 1 == begun.count("BEGIN IMMEDIATE")
