"""The house rules that linters miss: ceilings, names, hidden state, tests that never run, orphan tasks."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1]
SOURCES = [
    HOUSE / "run.py",
    *(
        path
        for folder in ("commands", "uploader", "tui", "sandbox")
        for path in sorted((HOUSE / folder).rglob("*.py"))
    ),
]
TESTS = sorted((HOUSE / "tests").rglob("*.py"))

FILE_LINES = 350
FUNCTION_LINES = 60
ATTICS = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}
MUTABLE = (ast.Dict, ast.List, ast.Set)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def _name(path: Path) -> str:
    return str(path.relative_to(HOUSE))


def _trees(paths: list[Path]) -> Iterator[tuple[Path, ast.Module]]:
    for path in paths:
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def test_files_when_measured_stay_under_their_ceiling() -> None:
    """A file over the ceiling has two reasons to change: split it."""
    lines = {_name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    assert {} == {name: count for name, count in lines.items() if count > FILE_LINES}
    assert lines["tui/app.py"] <= 130


def test_functions_when_measured_stay_under_their_ceiling() -> None:
    """A function over the ceiling cannot be seen at one look."""
    long = [
        f"{_name(path)}:{node.lineno} {node.name}"
        for path, tree in _trees(SOURCES)
        for node in ast.walk(tree)
        if isinstance(node, FUNCTIONS) and (node.end_lineno or 0) - node.lineno + 1 > FUNCTION_LINES
    ]
    assert [] == long


def test_files_when_named_say_what_is_in_them() -> None:
    """No room is called after nothing in particular."""
    assert [] == [_name(path) for path in SOURCES + TESTS if path.stem.strip("_") in ATTICS]


def test_modules_when_imported_hold_no_mutable_state() -> None:
    """State is a row or a constructor argument: no module starts with an empty dict, list or set."""
    hidden = [
        f"{_name(path)}:{node.lineno}"
        for path, tree in _trees(SOURCES)
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        and node.value is not None
        and _is_empty_mutable(node.value)
    ]
    assert [] == hidden


def test_migrations_when_counted_follow_each_other() -> None:
    """Two that were written at the same time and took the same number would keep the engine from starting."""
    folder = HOUSE / "uploader" / "storage" / "migrations" / "versions"
    numbers = sorted(path.name.partition("_")[0] for path in folder.glob("*.py"))
    assert [f"{number:04}" for number in range(1, len(numbers) + 1)] == numbers


def test_caches_when_made_have_a_bound() -> None:
    """`functools.cache` never forgets: it is for functions that are asked one thing; others say how much."""
    unbounded = [
        f"{_name(path)}:{node.lineno} {node.name}"
        for path, tree in _trees(SOURCES)
        for node in ast.walk(tree)
        if isinstance(node, FUNCTIONS) and ast.unparse(node.args)
        for decorator in map(ast.unparse, node.decorator_list)
        if decorator.rpartition(".")[2] in {"cache", "lru_cache(None)", "lru_cache(maxsize=None)"}
    ]
    assert [] == unbounded


def _is_empty_mutable(value: ast.expr) -> bool:
    if isinstance(value, MUTABLE):
        return not (value.keys if isinstance(value, ast.Dict) else value.elts)
    return (
        isinstance(value, ast.Call)
        and isinstance(value.func, ast.Name)
        and value.func.id in {"dict", "list", "set", "defaultdict", "deque", "Counter"}
        and not value.args
    )


def test_functions_with_asserts_when_collected_are_run() -> None:
    """An assert in a function that nobody calls is a test that cannot fail."""
    orphans = []
    for path, tree in _trees(TESTS):
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        used |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        for node in ast.walk(tree):
            if isinstance(node, FUNCTIONS) and any(isinstance(part, ast.Assert) for part in ast.walk(node)):
                runs = node.name.startswith("test_") or node.name in used or _is_decorated(node)
                if not runs and not _is_imported(node.name):
                    orphans.append(f"{_name(path)}:{node.lineno} {node.name}")
    assert [] == orphans


def _is_decorated(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(
        any(word in ast.unparse(item) for word in ("fixture", "rule", "invariant"))
        for item in node.decorator_list
    )


def _is_imported(name: str) -> bool:
    return any(
        alias.name == name
        for _path, tree in _trees(TESTS)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    )


def test_tasks_when_born_have_a_group_that_owns_them() -> None:
    """`create_task` on a loop or on asyncio makes a task that nobody waits for."""
    orphans = [
        f"{_name(path)}:{node.lineno}"
        for path, tree in _trees(SOURCES)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"create_task", "ensure_future", "run_coroutine_threadsafe"}
        and path.name != "supervision.py"  # the owner of those that work for others
        and not ("group" in ast.unparse(node.func.value).lower() or "tasks" in ast.unparse(node.func.value))
    ]
    assert [] == orphans


#: Loops that are no part of the engine's life: each ends with the one thing that it is about.
LOOPS_OF_ONE_THING = {
    "uploader/bench": "a measurement ends with its first failure",
    "uploader/sources/media/work.py Work._fetch": "of one file's child: its silence is bounded",
    "uploader/telegram/downloads.py Reading.read": "of one file: its reader is told",
    "uploader/telegram/downloads.py Reading._piece": "of one piece: its tries are counted",
    "uploader/telegram/pulse.py Pulse": "of one login: its end is that of the engine, which is built anew",
    "uploader/transfer/connection.py Connection._watch": "of one connection: ends it, and the pool is told",
    "uploader/transfer/connection.py Connection._write": "of one connection: ends it, and the pool is told",
    "uploader/transfer/pool.py UploadPool.save": "of one part: its tries are counted",
    "uploader/transfer/upload.py _Way.carry_stream": "of one file: ends with its bytes",
    "uploader/delivery/lease.py": "of one job: ends with its lease",
    "uploader/storage/patience.py": "of one call: ends with its answer, or with who asked",
    "uploader/storage/database.py Database._patiently": "of one transaction: its time is bounded",
}


def test_loops_when_endless_have_a_guard() -> None:
    """A `while True` that awaits ends with the first error in it, and takes its neighbours along.

    What shall run as long as the engine does runs in `supervision.every`.
    """
    found = {
        name
        for path in SOURCES
        if path.is_relative_to(HOUSE / "uploader") and path.stem != "supervision"
        for name in _endless_loops(path)
    }
    known = {name for name in found for listed in LOOPS_OF_ONE_THING if name.startswith(listed)}
    assert set() == found - known
    assert [] == [listed for listed in LOOPS_OF_ONE_THING if not any(n.startswith(listed) for n in found)]


def _endless_loops(path: Path) -> Iterator[str]:
    """The functions of a file that await in a loop without a condition."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    owners: list[ast.Module | ast.ClassDef] = [tree]
    owners += [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    for owner in owners:
        for function in owner.body:
            if isinstance(function, FUNCTIONS) and any(map(_is_endless, ast.walk(function))):
                prefix = f"{owner.name}." if isinstance(owner, ast.ClassDef) else ""
                yield f"{_name(path)} {prefix}{function.name}"


def _is_endless(node: ast.AST) -> bool:
    waits = (ast.Await, ast.AsyncFor, ast.AsyncWith)
    return (
        isinstance(node, ast.While)
        and isinstance(node.test, ast.Constant)
        and any(isinstance(part, waits) for part in ast.walk(node))
    )


def test_tasks_when_they_outlive_who_asked_are_helpers() -> None:
    """A group that an object keeps is shared: what one of its tasks raises would cancel all others.

    `supervision.Helpers` gives it to who awaits the task.
    """
    kept = [
        f"{_name(path)}:{node.lineno}"
        for path, tree in _trees(SOURCES)
        if path.is_relative_to(HOUSE / "uploader")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "asyncio.TaskGroup"
        and not any(
            node is item.context_expr
            for block in ast.walk(tree)
            if isinstance(block, ast.AsyncWith)
            for item in block.items
        )
    ]
    assert [] == kept


def test_ignores_when_written_say_why() -> None:
    """Each lint ignore carries its reason on the line."""
    bare = [
        f"{_name(path)}:{number}"
        for path in SOURCES + TESTS
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if ("# no" + "qa" in line and " -" not in line.partition("# no" + "qa")[2])
        or ("# type: " + "ignore" in line and "#" not in line.partition("# type: " + "ignore")[2])
    ]
    assert [] == bare


@pytest.mark.parametrize(
    ("room", "line"),
    [
        ("uploader/model.py", "import asyncio"),
        ("uploader/worker.py", "import sandbox"),
        ("uploader/intake.py", "import uploader.worker"),
        ("uploader/newcomer.py", "x = 1"),
        ("tui/app.py", "import uploader.storage"),
        ("sandbox/__init__.py", "import uploader.model"),
        ("sandbox/rpc/registry.py", "import sandbox.dc"),
    ],
)
def test_contracts_when_violated_fail(room: str, line: str, tmp_path: Path) -> None:
    """The import contracts are alive: each kind of wrong visit breaks one."""
    assert not _lint_imports_with(room, line, tmp_path), f"{line!r} in {room} went unnoticed"


def test_contracts_when_kept_pass(tmp_path: Path) -> None:
    """The copy that the violations are planted in is clean without them."""
    assert _lint_imports_with("uploader/model.py", "", tmp_path)


def _lint_imports_with(room: str, line: str, folder: Path) -> bool:
    """Whether the contracts hold in a copy of the house in which `line` is added to `room`."""
    import shutil
    import subprocess
    import sys

    for name in ("uploader", "tui", "sandbox"):
        shutil.copytree(HOUSE / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(HOUSE / "pyproject.toml", folder)
    path = folder / room
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    path.write_text(f"{text}\n{line}\n", encoding="utf-8")
    linter = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run(
        [linter, "--no-cache"],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode == 0
