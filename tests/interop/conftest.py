"""What the clients of other houses need: their packages, and the schemas of the layers they speak."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

from sandbox.layers import Layer

HERE = Path(__file__).parent
#: Beside the libraries of Python; `make clean` removes both.
CACHE = Path(sys.prefix) / "interop"
INSTALL_S = 240
NODE_AT_LEAST = 20


@pytest.fixture(scope="session")
def packages() -> Path:
    """The folder in which the npm packages are installed, once. Skips where that cannot be."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not here")
    version = subprocess.run(
        ["node", "--version"], capture_output=True, text=True, check=True, timeout=30
    ).stdout
    if int(version.removeprefix("v").partition(".")[0]) < NODE_AT_LEAST:
        pytest.skip(f"node {version.strip()} is older than {NODE_AT_LEAST}")
    wanted = HERE / "package.json"
    quiet = ["--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"]
    with _changed(wanted, CACHE / "node") as folder:
        if folder is not None:
            shutil.copy(wanted, folder)
            _install(["npm", "install", *quiet], folder)
    return CACHE / "node"


@pytest.fixture(scope="session")
def elders() -> Path:
    """The folder of Python clients that cannot lie beside ours, installed once, or a skip."""
    wanted = HERE / "python.txt"
    install = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "-qq"]
    if find_spec("pip") is None:
        if shutil.which("uv") is None:
            pytest.skip("neither pip nor uv is here")
        install = ["uv", "pip", "install", "-q", "--python", sys.executable]
    with _changed(wanted, CACHE / "python") as folder:
        if folder is not None:
            _install([*install, "--target", os.fspath(folder), "-r", os.fspath(wanted)], folder)
    return CACHE / "python"


@contextmanager
def _changed(wanted: Path, folder: Path) -> Iterator[Path | None]:
    """An empty folder to install into; None: what is wanted lies there already.

    One worker installs, the others wait for it.
    """
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        text, ready = wanted.read_text(encoding="utf-8"), folder / "ready"
        if ready.exists() and ready.read_text(encoding="utf-8") == text:
            yield None
            return
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        yield folder
        ready.write_text(text, encoding="utf-8")


def _install(command: list[str], folder: Path) -> None:
    """Run an installer. Skips when it cannot."""
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_S, check=False
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"{command[0]} did not install the packages within {INSTALL_S} s")
    if done.returncode:
        pytest.skip(f"{command[0]} could not install the packages: {done.stderr.strip()[-300:]}")


def beside(packages: Path, script: Path, folder: Path) -> Path:
    """A copy of a script of node's in `folder`, from where it finds the packages."""
    modules = folder / "node_modules"
    if not modules.exists():
        modules.symlink_to(packages / "node_modules")
    return Path(shutil.copy(script, folder))


@pytest.fixture(scope="session")
def schemas(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The TL texts of the clients on node, as their packages have them."""
    script = beside(packages, HERE / "schema.mjs", tmp_path_factory.mktemp("schema"))
    return [_said(["node", os.fspath(script), client], packages) for client in ("mtcute", "gramjs")]


@pytest.fixture(scope="session")
def elder_schemas(elders: Path) -> list[str]:
    """The TL texts of the older Python clients, as their classes have them."""
    script = os.fspath(HERE / "schema.py")
    return [_said([sys.executable, script, client], elders) for client in ("telethon", "pyrogram")]


def _said(command: list[str], packages: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": os.fspath(packages)}
    return subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=60, env=environment
    ).stdout


@pytest.fixture(scope="session")
def layers(schemas: list[str]) -> list[Layer]:
    """The API layers of the clients on node."""
    return list(map(Layer.parse, schemas))


@pytest.fixture(scope="session")
def elder_layers(elder_schemas: list[str]) -> list[Layer]:
    """The API layers of the older Python clients."""
    return list(map(Layer.parse, elder_schemas))
