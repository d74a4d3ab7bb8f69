"""yt-dlp replaced without a release of Peyk: versions in folders of their own, and which one is chosen.

Sites change faster than couriers. A version is installed beside the one that Peyk came with, tried, and
chosen by a file that is replaced in one step; children that start later use it.
"""

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Final

import structlog

from uploader import limits
from uploader.errors import PeykError

_CHOICE: Final = "chosen.json"
_VERSION: Final = re.compile(r"[0-9][0-9A-Za-z.+-]{0,40}")
#: What yt-dlp needs in the same version: it solves puzzles of sites.
_PARTNER: Final = re.compile(r"yt-dlp-ejs==([0-9][0-9A-Za-z.]{0,40})")
_INSTALL_S: Final = 300.0
#: What yt-dlp takes, the best first (see `child.RUNTIMES`), by the names of the programs.
_RUNTIMES: Final = ("deno", "node", "qjs")
#: What pip is told by the environment: where things are, its settings, and the way to its index.
_OF_PIP: Final = re.compile(
    r"PATH|HOME|LANG|LC_\w+|TMPDIR|XDG_\w+|PIP_\w+|SSL_CERT_\w+|REQUESTS_CA_BUNDLE|(https?|all|no)_proxy",
    re.IGNORECASE,
)

_log = structlog.get_logger(__name__)


class CannotUpdate(PeykError):
    """A version could not be installed; the message says why."""


class Trial:
    """A version that is only tried: the one in `folder`, None: Peyk's own."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    def folder(self) -> Path | None:
        """Where it is."""
        return self._folder

    def worked(self) -> None:
        """Nothing follows from it."""

    def broke(self, family: str = "", link: str = "") -> None:
        """Nothing follows from it."""

    def left(self) -> None:
        """It is not left."""

    def chosen(self) -> None:
        """It is not chosen."""


class Versions:
    """The versions below `root`. Without any, yt-dlp is the one that Peyk came with."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self._broken = dict[str, str]()  # the links of late that it broke over, and their families
        self._dead = 0  # starts of late that came to nothing
        self._left: str | None = None

    def chosen(self) -> str | None:
        """The version that children use; None: Peyk's own."""
        return next(iter(self.kept()), None)

    def folder(self) -> Path | None:
        """Where it is; None: it is Peyk's own."""
        return None if (version := self.chosen()) is None else self.root / version

    def install(self, version: str = "", options: Sequence[str] = ()) -> tuple[str, Path]:
        """Install a version ("": the newest) beside the others; returns it and its folder. Takes a while.

        Only wheels, whose hashes pip compares with those of the index; nothing else is installed or changed.
        `options` are pip's, such as `--find-links`.

        Raises:
            CannotUpdate
        """
        if version and not _VERSION.fullmatch(version):
            raise CannotUpdate(f"{version!r} is no version")
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = self.root / f"new-{secrets.token_hex(4)}"
        try:
            _pip(new, f"yt-dlp=={version}" if version else "yt-dlp", options)
            found = _found(new, "yt-dlp")
            installed = "" if found is None else found.version
            if found is None or not _VERSION.fullmatch(installed):
                raise CannotUpdate("what was installed is no yt-dlp")
            partner = next(filter(None, map(_PARTNER.match, found.requires or ())), None)
            if partner is not None:
                _pip(new, partner[0], options)
            folder = self.root / installed
            if installed != self.chosen():
                shutil.rmtree(folder, ignore_errors=True)
                new.replace(folder)
            return installed, folder
        finally:
            shutil.rmtree(new, ignore_errors=True)

    def choose(self, version: str) -> None:
        """Let children that start from now on use `version`; the one before is kept to fall back to."""
        before = [each for each in self.kept() if each != version]
        kept = [version, *before][: limits.MEDIA_VERSIONS]
        self._write(kept)
        for path in self.root.iterdir():
            if path.name not in kept and _VERSION.fullmatch(path.name):
                shutil.rmtree(path, ignore_errors=True)

    def drop(self, version: str) -> None:
        """Remove an installed version, unless it is used or kept to fall back to."""
        if version not in self.kept():
            shutil.rmtree(self.root / version, ignore_errors=True)

    def fall_back(self) -> str | None:
        """Leave the chosen version for the one before it; returns which that is, None for Peyk's own."""
        self._write(self.kept()[1:])
        return self.chosen()

    def worked(self) -> None:
        """An extraction worked: what broke before it was not the version."""
        self._broken.clear()
        self._dead = 0

    def broke(self, family: str = "", link: str = "") -> None:
        """An extraction ended in a way that yt-dlp did not expect; after many in a row we fall back.

        Each link counts once, and there must be several families: of one alone it says that its site has
        changed, or that somebody found links that yt-dlp stumbles over. Without a `family` yt-dlp did not
        even start.
        """
        if family:
            self._broken[link] = family
        else:
            self._dead += 1
        several = len(self._broken) >= limits.MEDIA_FAILURES and len({*self._broken.values()}) > 1
        if not several and self._dead < limits.MEDIA_FAILURES:
            while len(self._broken) > limits.MEDIA_FAILURES:
                del self._broken[next(iter(self._broken))]
            return
        self.worked()
        if (broken := self.chosen()) is not None:
            _log.error("yt-dlp breaks again and again: the version before it is used", broken=broken)
            self.fall_back()
            self._left = broken

    def left(self) -> str | None:
        """The version that we fell back from since the last call, unless none was."""
        left, self._left = self._left, None
        return left

    def kept(self) -> list[str]:
        """The chosen version, then those before it, as far as they are there."""
        try:
            listed = json.loads((self.root / _CHOICE).read_bytes())
        except (OSError, ValueError):
            return []
        known = [each for each in listed if isinstance(each, str) and _VERSION.fullmatch(each)]
        return [each for each in known if (self.root / each / "yt_dlp").is_dir()]

    def _write(self, versions: list[str]) -> None:
        beside = self.root / f"{_CHOICE}.{secrets.token_hex(4)}"
        beside.write_text(json.dumps(versions))
        beside.replace(self.root / _CHOICE)


def javascript_runtime() -> str:
    """The program that runs the JavaScript of sites for yt-dlp, by its path; "": none is found.

    As yt-dlp looks for it: beside our Python, then in PATH. Whether it starts in the cell, and is new enough,
    `Sources.runtimes` tells.
    """
    beside = sysconfig.get_path("scripts")
    found = (shutil.which(name, path=beside) or shutil.which(name) for name in _RUNTIMES)
    return next(filter(None, found), "")


def _pip(folder: Path, what: str, options: Sequence[str]) -> None:
    arguments = (
        "--no-deps",
        "--only-binary",
        ":all:",
        "--no-input",
        "--disable-pip-version-check",
        "--quiet",
    )
    environment = {name: value for name, value in os.environ.items() if _OF_PIP.fullmatch(name)}
    try:
        ran = subprocess.run(  # noqa: S603 - our own interpreter; the version was checked
            [sys.executable, "-m", "pip", "install", *arguments, *options, "--target", str(folder), what],
            capture_output=True,
            text=True,
            timeout=_INSTALL_S,
            check=False,
            env=environment,
        )
    except subprocess.TimeoutExpired:
        raise CannotUpdate(f"{what}: pip took longer than {_INSTALL_S:.0f} s") from None
    if ran.returncode:
        lines = ran.stderr.strip().splitlines() or [f"pip ended with {ran.returncode}"]
        raise CannotUpdate(f"{what}: {lines[-1]}")


def _found(folder: Path, name: str) -> Distribution | None:
    return next((each for each in distributions(path=[str(folder)]) if each.name == name), None)
