"""Reads of remote files, closed when whoever reads has had enough."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import cast


def closing(chunks: AsyncIterator[bytes]) -> "aclosing[AsyncGenerator[bytes, None]]":
    """The chunks of a read within the context; every read is a generator, whose connections end with it."""
    return aclosing(cast(AsyncGenerator[bytes, None], chunks))
