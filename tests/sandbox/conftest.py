"""What holds for all tests of the data centre."""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest

from sandbox.mtproto.envelope import AuthKey


@pytest.fixture(autouse=True)
def second_opinion(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Everything that a data centre says is read by Kurigram too, where that is installed."""
    if find_spec("pyrogram") is None:
        yield None
        return
    from pyrogram.raw.core.primitives import Vector

    from tests.sandbox.second_opinion import Opinion, read_object

    monkeypatch.setattr(Vector, "read_bare", staticmethod(read_object))
    opinion, seal = Opinion(), AuthKey.seal

    def overheard(
        key: AuthKey, salt: int, session_id: int, message_id: int, seq_no: int, body: bytes
    ) -> bytes:
        opinion.hear(bytes(body))
        return seal(key, salt, session_id, message_id, seq_no, body)

    monkeypatch.setattr(AuthKey, "seal", overheard)
    yield opinion
    assert [] == opinion.objections
