"""Reading the solution and the predictions: text files, one row per example, values separated by spaces.

Cost: 0.2 s for 10,000 x 100 values. numpy's own C reader is as fast as splitting the text by hand, and it alone sees
rows of unequal length.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scoring.errors import PredictionError, ScoringError

Array = NDArray[np.float64]
SOLUTION_SUFFIX = ".solution"


def find_solution(folder: Path) -> Path:
    """The one NAME.solution file of a folder.

    Raises:
        ScoringError: the folder is missing, or holds no or several solutions.
    """
    if not folder.is_dir():
        raise ScoringError(
            f"--solution_dir must be a folder, however {folder} is none; give the one with NAME.solution."
        )
    found = sorted(path for path in folder.iterdir() if path.name.endswith(SOLUTION_SUFFIX) and path.is_file())
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise ScoringError(
            f"--solution_dir must hold exactly one NAME.solution file, however {folder} holds {len(found)} ({names}); "
            "give the folder of one dataset."
        )
    return found[0]


def read_solution(path: Path) -> Array:
    """The true labels, [n_examples, n_classes].

    Raises:
        ScoringError: the file is empty or is not a table of finite numbers.
    """
    try:
        return _read_table(path)
    except ValueError as error:
        raise ScoringError(
            f"A solution must be a table of numbers, one row per test example, however in {path} {error}; "
            "export the dataset again."
        ) from error


def read_prediction(path: Path, shape: tuple[int, int]) -> Array:
    """The scores of one prediction, [n_examples, n_classes].

    Raises:
        PredictionError: another shape than the solution, or something other than finite numbers.
    """
    try:
        table = _read_table(path)
    except ValueError as error:
        raise PredictionError(
            f"A prediction must be a table of finite numbers, however in {path.name} {error}; it is ignored."
        ) from error
    if table.shape != shape:
        raise PredictionError(
            f"A prediction must have the solution's shape {shape}, however {path.name} has {table.shape}; "
            "it is ignored."
        )
    return table


def find_predictions(folder: Path, name: str) -> dict[int, Path]:
    """NAME.predict_K files of a folder by K; {} while the folder is absent."""
    prefix = f"{name}.predict_"
    try:
        entries = [path for path in folder.iterdir() if path.name.startswith(prefix)]
    except (FileNotFoundError, NotADirectoryError):
        return {}
    # A temporary name (NAME.predict_3.tmp) has a suffix that is no number.
    return {int(k): path for path in entries if (k := path.name[len(prefix) :]).isdecimal()}


def _read_table(path: Path) -> Array:
    """Parse a table; ValueError completes the sentence `however in FILE ...`."""
    text = path.read_bytes()
    if not text.strip():  # np.loadtxt would only warn
        raise ValueError("there is nothing")
    try:
        table = np.loadtxt(io.BytesIO(text), dtype=np.float64, comments=None, ndmin=2)
    except ValueError as error:
        raise ValueError(f"numpy finds that {str(error).splitlines()[0].rstrip('.')}") from error
    finite = np.isfinite(table).all(axis=1)
    if not finite.all():
        raise ValueError(f"row {int(finite.argmin()) + 1} holds NaN or infinity")
    return table
