"""What the clients of other houses need: their packages, and the schemas of the layers they speak."""

import fcntl
import shutil
import subprocess
import sys
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
    CACHE.mkdir(exist_ok=True)
    # one worker installs, the others wait for it
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _install()
    return CACHE


def _install() -> None:
    wanted, ready = (HERE / "package.json").read_text(encoding="utf-8"), CACHE / "ready"
    if ready.exists() and ready.read_text(encoding="utf-8") == wanted:
        return
    ready.unlink(missing_ok=True)
    shutil.rmtree(CACHE / "node_modules", ignore_errors=True)
    (CACHE / "package.json").write_text(wanted, encoding="utf-8")
    quiet = ["--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"]
    try:
        done = subprocess.run(
            ["npm", "install", *quiet],
            cwd=CACHE,
            capture_output=True,
            text=True,
            timeout=INSTALL_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm did not install the packages within {INSTALL_S} s")
    if done.returncode:
        pytest.skip(f"npm could not install the packages: {done.stderr.strip()[-300:]}")
    ready.write_text(wanted, encoding="utf-8")


def beside(packages: Path, script: Path, folder: Path) -> Path:
    """A copy of a script of node's in `folder`, from where it finds the packages."""
    modules = folder / "node_modules"
    if not modules.exists():
        modules.symlink_to(packages / "node_modules")
    return Path(shutil.copy(script, folder))


@pytest.fixture(scope="session")
def layers(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Layer]:
    """The API layers of the clients on node, as their packages define them."""
    script = beside(packages, HERE / "schema.mjs", tmp_path_factory.mktemp("schema"))
    texts = (
        subprocess.run(
            ["node", str(script), client], capture_output=True, text=True, check=True, timeout=60
        ).stdout
        for client in ("mtcute", "gramjs")
    )
    return [Layer.parse(text) for text in texts]
