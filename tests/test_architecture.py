"""The architecture, read from the code: who may import whom, and what no file may hold."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "autodl_solver"

# Left to right, as in docs/architecture.md: a module imports only from layers to its left, or from its own folder.
LAYERS = (
    ("errors",),
    ("budget", "metrics"),
    ("data",),
    ("inputs",),
    ("nn",),
    ("learners",),
    ("anytime",),
    ("modalities",),
    ("predictor",),
    ("saving",),
    ("stage_runner", "guard", "heap"),
    ("solver",),
    ("checkpoint",),
    ("session", "run_folder"),
    ("fitted_model",),
    ("fitting",),
    ("classifier", "explain", "convert", "browse"),
    ("serve",),
    ("cli",),
)
MODALITIES = {"image", "video", "speech", "series", "text", "tabular"}
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}

# Heavy or optional libraries, and the only places of the package that may import them (paths, as glob patterns).
RESTRICTED = {
    "torch": ("nn/*", "nn/*/*", "saving/*", "learners/network*.py", "data/image*.py"),
    "torchvision": ("nn/*", "nn/*/*", "learners/network*.py", "data/image*.py"),
    "torchaudio": ("nn/*", "nn/*/*", "learners/network*.py"),
    "lightgbm": ("learners/boosting.py",),
    "numba": ("nn/rocket_loops.py", "nn/rocket_vectors.py"),
    "llvmlite": ("nn/rocket_vectors.py",),
    "tensorflow": ("data/source.py",),
    "pandas": ("inputs/*", "classifier.py"),
    "pyarrow": ("inputs/*",),
    "av": ("inputs/*",),
    "soundfile": ("inputs/*",),
    "click": ("cli/*",),
    "rich": ("cli/*",),
    "safetensors": ("saving/*", "nn/sentence_*.py"),
    "tokenizers": ("modalities/text/sentences.py",),
    "matplotlib": ("classifier.py",),
}
STRANGERS = {"ingestion", "scoring", "benchmarks", "sample_data", "tests", "model", "run_local_test"}
FORGIVING = {"guard.py", "nn/trainer.py", "anytime/worker.py", "session.py"}  # the last two hand errors on
LONGEST_FUNCTION = 70
VAGUE_NAMES = {"utils", "util", "common", "core", "helpers", "misc"}


def python_files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def relative(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@functools.cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file, to be read only: all tests share it."""
    return ast.parse(path.read_text(encoding="utf-8"))


@functools.cache
def imports_of(path: Path) -> tuple[tuple[int, str], ...]:
    """(line, dotted name) of every import of a file, also those inside functions; `from a import b` gives a.b."""
    package = module_name(path).split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    found = []
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            found += [(node.lineno, f"{origin}.{alias.name}") for alias in node.names]
    return tuple(found)


def layer_of(dotted: str) -> str | None:
    """The layer of a dotted name inside the package; None for a name of the package itself (`autodl_solver.NAME`)."""
    return next((part for part in dotted.split(".")[1:2] if part in RANK), None)


def is_allowed(importer: str, imported: str) -> bool:
    """May the module `importer` import `imported`? Both are dotted names inside the package."""
    ours, theirs = layer_of(importer), layer_of(imported)
    if ours is None or theirs is None:  # autodl_solver/__init__.py gathers public names; anyone may ask for the version
        return True
    if ours != theirs:
        return RANK[theirs] < RANK[ours]
    if ours != "modalities":
        return True  # one file, or one folder
    return len({modality_of(importer), modality_of(imported)} - {None}) < 2


def modality_of(dotted: str) -> str | None:
    """`text` of autodl_solver.modalities.text.pipeline; None for the files beside the folders."""
    return next((part for part in dotted.split(".")[2:3] if part in MODALITIES), None)


@pytest.mark.parametrize(
    ("importer", "imported", "allowed"),
    [
        ("autodl_solver.data.tfrecord", "autodl_solver.errors.RecordError", True),  # to the left
        ("autodl_solver.data.source", "autodl_solver.data.tfrecord", True),  # same folder
        ("autodl_solver.errors", "autodl_solver.data.info", False),  # to the right
        ("autodl_solver.metrics", "autodl_solver.budget.Budget", False),  # neighbours in one layer
        ("autodl_solver.data.source", "autodl_solver.learners.base", False),  # data knows nothing of learning
        ("autodl_solver.solver", "autodl_solver.modalities.text", True),  # to the left
        ("autodl_solver.modalities.text.schedule", "autodl_solver.modalities.text.learners", True),  # one modality
        ("autodl_solver.modalities.text.schedule", "autodl_solver.modalities.image.learners", False),  # two of them
        ("autodl_solver.modalities.image.schedule", "autodl_solver.modalities.infer", True),  # what they share
    ],
)
def test_the_rule_of_layers_tells_right_from_wrong(importer: str, imported: str, allowed: bool) -> None:
    assert is_allowed(importer, imported) is allowed


def test_every_module_of_the_package_has_a_layer() -> None:
    entries = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or any(path.glob("**/*.py"))}
    assert entries - {"__init__", "__main__"} <= RANK.keys()


def test_a_module_imports_only_what_stands_to_its_left() -> None:
    wrong = [
        f"{relative(path)}:{line} imports {name}"
        for path in python_files(PACKAGE)
        for line, name in imports_of(path)
        if name.split(".")[0] == "autodl_solver" and not is_allowed(module_name(path), name)
    ]
    assert wrong == []


def test_the_package_imports_nothing_that_runs_it() -> None:
    wrong = [
        f"{relative(path)}:{line} imports {name}"
        for path in python_files(PACKAGE)
        for line, name in imports_of(path)
        if name.split(".")[0] in STRANGERS
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("program", "forbidden"),
    [
        ("ingestion", {"autodl_solver", "scoring"}),  # runs any model
        ("scoring", {"autodl_solver", "ingestion"}),  # judges any model
    ],
)
def test_ingestion_and_scoring_stand_alone(program: str, forbidden: set[str]) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in python_files(ROOT / program)
        for line, name in imports_of(path)
        if name.split(".")[0] in forbidden
    ]
    assert wrong == []


@pytest.mark.parametrize("library", RESTRICTED)
def test_a_heavy_library_is_imported_only_where_it_lives(library: str) -> None:
    wrong = [
        f"{relative(path)}:{line} imports {name}"
        for path in python_files(PACKAGE)
        for line, name in imports_of(path)
        if name.split(".")[0] == library and not any(Path(relative(path)).match(p) for p in RESTRICTED[library])
    ]
    assert wrong == []


def test_tensorflow_is_imported_inside_functions_only() -> None:
    places = set()
    for path in [*python_files(PACKAGE), *python_files(ROOT / "ingestion"), *python_files(ROOT / "scoring")]:
        if any(name.split(".")[0] == "tensorflow" for _, name in imports_of(path)):
            places.add(path.relative_to(ROOT).as_posix())
        for statement in run_at_import(parsed(path)):
            assert not re.match(r"(import|from) tensorflow", ast.unparse(statement)), path
    assert places <= {"ingestion/dataset.py", "autodl_solver/data/source.py"}


def run_at_import(tree: ast.Module) -> Iterator[ast.stmt]:
    """Statements that run when the module is imported, those in class bodies included; not what type checkers read."""
    todo = list(tree.body)
    while todo:
        statement = todo.pop(0)
        if isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING":
            continue
        yield statement
        if isinstance(statement, ast.ClassDef):
            todo.extend(statement.body)


def is_declaration(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)  # a docstring, or `...`
    if isinstance(statement, ast.If):  # what only a program does, not an import
        return {node.id for node in ast.walk(statement.test) if isinstance(node, ast.Name)} <= {
            "__name__",
            "__package__",
        }
    declarations = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign, ast.Pass)
    return isinstance(statement, declarations)


def test_modules_only_declare() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{statement.lineno} {ast.unparse(statement)[:60]}"
        for folder in (PACKAGE, ROOT / "ingestion", ROOT / "scoring")
        for path in python_files(folder)
        for statement in run_at_import(parsed(path))
        if not is_declaration(statement)
    ]
    assert wrong == []


def test_only_the_solver_forgives_every_error() -> None:
    wrong = [
        f"{relative(path)}:{node.lineno}"
        for path in python_files(PACKAGE)
        if relative(path) not in FORGIVING
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ExceptHandler) and catches_everything(node)
    ]
    assert wrong == []


def catches_everything(handler: ast.ExceptHandler) -> bool:
    """Bare, or `Exception`, and the error does not rise again."""
    named = {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)} if handler.type else set()
    raises = any(isinstance(node, ast.Raise) for node in ast.walk(handler))
    return (handler.type is None or bool(named & {"Exception", "BaseException"})) and not raises


def test_no_function_is_longer_than_a_screen() -> None:
    wrong = [
        f"{relative(path)}:{node.lineno} {node.name}: {node.end_lineno - node.lineno + 1} lines"
        for path in python_files(PACKAGE)
        for node in ast.walk(parsed(path))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and node.end_lineno is not None
        and node.end_lineno - node.lineno >= LONGEST_FUNCTION
    ]
    assert wrong == []


def test_no_name_is_vague() -> None:
    folders = [PACKAGE, *(ROOT / name for name in ("ingestion", "scoring", "benchmarks", "sample_data", "tests"))]
    paths = [path.relative_to(ROOT) for folder in folders for path in python_files(folder)]
    assert [str(path) for path in paths if set(path.with_suffix("").parts) & VAGUE_NAMES] == []
