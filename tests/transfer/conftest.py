"""Fixtures of the upload tests: an auth key, and a data centre that takes parts."""

import os
from collections.abc import AsyncIterator

import hypothesis
import pytest

from tests.transfer.server import Responder, endpoint_at, responding
from uploader.transfer import Endpoint

# a slow machine is no failure
hypothesis.settings.register_profile("transfer", deadline=None)
hypothesis.settings.load_profile("transfer")


@pytest.fixture
def auth_key() -> bytes:
    """An auth key that both ends have."""
    return os.urandom(256)


@pytest.fixture
async def responder(auth_key: bytes) -> AsyncIterator[Responder]:
    """A data centre that takes parts; tests set its `script`."""
    async with responding(auth_key) as responder:
        yield responder


@pytest.fixture
def endpoint(responder: Responder) -> Endpoint:
    """The way to the responder."""
    return endpoint_at(responder.port, responder.auth_key)
