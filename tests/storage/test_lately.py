"""What is read once in a while is never older than a change that was made here."""

from uploader import limits
from uploader.storage.lately import Lately


async def test_get_when_asked_often_reads_once_in_a_while() -> None:
    """Others' changes are seen after `limits.LATELY_S`."""
    now, values = [0.0], iter("abc")

    async def read() -> str:
        return next(values)

    lately = Lately(read, lambda: now[0])
    assert ["a", "a"] == [await lately.get() for _ in range(2)]
    now[0] += limits.LATELY_S
    assert "b" == await lately.get()


async def test_get_when_a_change_is_made_while_it_reads_reads_again() -> None:
    """What was read before the change is given to who asked before it, and kept for nobody."""
    value = ["old"]

    async def read() -> str:
        found = value[0]
        if found == "old":
            with lately.changing():
                value[0] = "new"
        return found

    lately = Lately(read, lambda: 0.0)
    assert ["old", "new", "new"] == [await lately.get() for _ in range(3)]
