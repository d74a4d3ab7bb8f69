"""`run.py bench pacing`, in small: real messages, at a data centre that makes bots wait."""

from sandbox.bench.crowd import crowd
from uploader.bench.pacing import Load, measure


async def test_measure_when_run_sends_everything_without_a_wait() -> None:
    """All messages arrive at almost the full pace, and no call is told to wait."""
    load = Load(messages=54, jobs=10, progress_s=3)
    async with crowd(16, 2) as chats:
        figures = await measure(chats.client, chats.people, chats.groups, load)
        sent = chats.world.stats.calls["messages.sendMessage"]
        edited = chats.world.stats.calls["messages.editMessage"]
        assert (0, 0) == (chats.floods, figures.waits)
    assert (54, 18) == (figures.messages, figures.chats)
    assert load.messages + load.jobs + figures.answers == sent
    assert round(figures.edits_per_s * load.progress_s) == edited
    assert edited > 0
