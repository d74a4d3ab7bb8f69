"""Keys that are set and mean nothing: a wrong letter, and a setting has no effect without a word."""

import os
import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path

from dotenv import dotenv_values

from uploader.config import PREFIX, Config


def unknown() -> list[str]:
    """A sentence for each unknown key in the environment, `.env` or `peyk.toml`, with the nearest known."""
    known = {f"{PREFIX}{name}".upper() for name in Config.model_fields}
    dotenv = Path(".env")
    places: Mapping[str, Iterable[str]] = {
        "the environment": os.environ,
        ".env": dotenv_values(dotenv, interpolate=False) if dotenv.is_file() else (),
        "peyk.toml": (f"{PREFIX}{name}" for name in _toml()),
    }
    return [
        f"{key} in {place} is no setting of Peyk's{_meant(key, known)}"
        for place, keys in places.items()
        for key in sorted(keys)
        if key.upper().startswith(PREFIX) and key.upper() not in known
    ]


def _toml() -> Mapping[str, object]:
    try:
        return tomllib.loads(Path("peyk.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # not there, or told when the settings are read


def _meant(key: str, known: Iterable[str]) -> str:
    near = get_close_matches(key.upper(), known, n=1, cutoff=0.75)
    return f": is {near[0]} meant?" if near else ": see docs/CONFIGURATION.md"
