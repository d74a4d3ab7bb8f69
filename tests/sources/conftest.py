"""Fixtures of the sources: a web of films."""

from pathlib import Path

import pytest

from tests.sources.films import make_films


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the films, made once."""
    folder = tmp_path_factory.mktemp("films")
    make_films(folder)
    return folder
