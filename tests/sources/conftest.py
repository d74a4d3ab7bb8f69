"""Fixtures of the sources: a web of films, and yt-dlp's patterns."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sources.films import make_films
from uploader.model import Link
from uploader.sources.media.chooser import Chooser
from uploader.sources.media.extractors import Extractors


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the films, made once."""
    folder = tmp_path_factory.mktemp("films")
    make_films(folder)
    return folder


@pytest.fixture(scope="session")
def patterns() -> Extractors:
    """yt-dlp's extractors, read once."""
    return Extractors()


@pytest.fixture(scope="module")
def chosen_here(patterns: Extractors) -> Iterator[None]:
    """Extractors are chosen by the same patterns, without a child, whose start takes half a second.

    For tests of what comes after the choice; `test_chooser.py` shows that both choose the same.
    """

    async def choose(_: Chooser, link: Link) -> str:
        return patterns.choose(link.url)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Chooser, "choose", choose)
        yield
