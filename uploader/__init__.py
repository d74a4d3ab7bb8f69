"""Peyk's engine: bot session, queue, sources, transfer, storage, control API."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("peyk")
except PackageNotFoundError:
    # run from a checkout that was not installed
    __version__ = "0"
