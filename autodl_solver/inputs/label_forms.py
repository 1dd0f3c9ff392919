"""The forms that labels come in: what holds them, and their values as numpy has them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.exceptions import DataConversionWarning

from autodl_solver.data.examples import Array
from autodl_solver.errors import InputError

CONTAINERS: dict[str, Callable[[Sequence[Any]], Any]] = {
    "set": set,
    "frozenset": frozenset,
    "tuple": tuple,
    "list": list,
}
"""What holds the names of a row -> how to make one."""

SHOWN = 5
"""Rows or names that an error text lists at most."""


def plain_labels(y: Any) -> Any:
    """A DataFrame or 2-D array of several columns, or something with one label (or container of labels) a row."""
    if sparse.issparse(y):
        y = y.toarray()
    if hasattr(y, "to_pandas"):  # tables of pyarrow and polars
        y = y.to_pandas()
    if not isinstance(y, (list, tuple)) and not hasattr(y, "iloc"):
        if isinstance(y, (str, bytes)) or not (hasattr(y, "__array__") or hasattr(y, "__len__")):
            raise InputError(f"y must hold a label for each row; however it is a {type(y).__name__}.")
        y = np.asarray(y) if hasattr(y, "__array__") else list(y)
    n_dims = getattr(y, "ndim", 1)
    if n_dims not in (1, 2):
        raise InputError(
            f"y should be a 1d array, or have a column for each class; however it has {n_dims} dimensions."
        )
    if n_dims == 2 and y.shape[1] == 1:
        message = (
            "A column-vector y was passed when a 1d array was expected. Please change the shape of y to (n_samples,)."
        )
        warnings.warn(message, DataConversionWarning, stacklevel=4)
        return y.iloc[:, 0] if hasattr(y, "iloc") else y[:, 0]
    if n_dims == 2 and y.shape[1] == 0:
        raise InputError("y must hold a label for each row; however it has no columns.")
    return _nested_indicator(y) if isinstance(y, (list, tuple)) else y


def _nested_indicator(y: Sequence[Any]) -> Any:
    """An array of lists of numbers in [0, 1], all of one length above 1; anything else as it is."""
    if not all(isinstance(row, (list, tuple, np.ndarray)) for row in y) or len({len(row) for row in y}) != 1:
        return y
    if len(y[0]) < 2 or not all(isinstance(value, (bool, int, float, np.number, np.bool_)) for value in y[0]):
        return y
    matrix = np.asarray(y)
    return matrix if matrix.ndim == 2 and matrix.dtype.kind in "biuf" and _within_unit(matrix) else y


def is_matrix(y: Any) -> bool:
    return getattr(y, "ndim", 1) == 2


def _within_unit(matrix: Array) -> bool:
    return bool(np.all((matrix >= 0) & (matrix <= 1)))


def matrix_of(y: Any) -> Array:
    """[n_rows, n_classes] numbers in [0, 1] of a matrix or table."""
    if hasattr(y, "isna"):
        _refuse_missing(y.isna().to_numpy(bool).any(axis=1))
    matrix = np.asarray(y)
    if matrix.dtype.kind == "O":  # columns of several dtypes, or nullable ones
        try:
            matrix = matrix.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise InputError(
                f"An indicator matrix y must hold numbers in [0, 1]; however {error}; to name labels, give sets."
            ) from error
        matrix = matrix.astype(np.int64) if np.all(matrix == np.floor(matrix)) else matrix
    if matrix.dtype.kind not in "biuf":
        raise InputError(
            "Unknown label type: an indicator matrix y must hold numbers in [0, 1]; however it holds "
            f"{matrix.dtype}; to name labels, give sets."
        )
    if matrix.dtype.kind == "f":
        _refuse_missing(np.isnan(matrix).any(axis=1))
    if not _within_unit(matrix):
        raise InputError(
            "Unknown label type: multiclass-multioutput. A y of several columns must hold 1 where a row has the label, "
            f"else 0, or shares between; however it holds {matrix.min()} to {matrix.max()}; give one column to predict."
        )
    return matrix


def container_of(y: Any) -> str | None:
    """What holds the names of each row; None if rows are labels themselves."""
    first = next((row for row in y if isinstance(row, (set, frozenset, list, tuple, np.ndarray))), None)
    if first is None:
        return None
    return next((name for name in CONTAINERS if type(first).__name__ == name), "list")


def containers_of(y: Any) -> list[Any]:
    """The containers of names, none of which is missing."""
    rows = list(y)
    _refuse_missing(np.array([row is None or isinstance(row, float) for row in rows]))
    odd = next(
        (i for i, row in enumerate(rows) if not isinstance(row, (set, frozenset, list, tuple, np.ndarray))), None
    )
    if odd is not None:
        raise InputError(
            f"y must hold a container of labels for each row, or one label for each; however row {odd} is "
            f"{rows[odd]!r:.60} among containers; write it as a set of one."
        )
    return rows


def values_of(y: Any) -> Array:
    """[n_labels] of a numpy dtype that can be compared: numbers, booleans, or objects that are strings."""
    import pandas as pd

    if isinstance(y, np.ndarray) and not y.dtype.isnative:  # pandas takes no other order of bytes
        y = y.astype(y.dtype.newbyteorder("="))
    try:
        series = pd.Series(y, dtype=object if len(y) == 0 else None)
    except UnicodeEncodeError as error:
        raise InputError(
            f"Labels must be text that can be written; however {error.object!r:.60} holds half a character (a lone "
            "surrogate); write it anew."
        ) from error
    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.astype(series.cat.categories.dtype if not series.isna().any() else object)
    _refuse_missing(series.isna().to_numpy(bool))
    kind = pd.api.types.infer_dtype(series)
    if kind in ("string", "empty"):
        is_fixed = isinstance(y, np.ndarray) and y.dtype.kind == "U"
        return y if is_fixed else np.asarray(series.to_numpy(object))
    if kind == "boolean":
        return np.asarray(series.to_numpy(bool))
    if kind == "complex":
        raise InputError("Complex data not supported: labels must be strings, whole numbers or booleans.")
    if kind not in ("integer", "floating", "mixed-integer-float"):
        raise InputError(
            f"Unknown label type: unknown. Labels must be strings, whole numbers or booleans; however they are of the "
            f"kind {kind}, such as {series.iloc[0]!r:.60}; turn them into strings."
        )
    values = series.infer_objects().to_numpy()
    if values.dtype.kind == "O":  # nullable and arrow columns, or numbers of mixed types
        try:
            values = values.astype(np.int64 if kind == "integer" else np.float64)
        except OverflowError as error:
            raise InputError(
                "Labels that are numbers must fit into 64 bits; however y holds larger ones; turn them into strings."
            ) from error
    if values.dtype.kind == "f" and values.dtype.itemsize not in (4, 8):  # pandas finds no others
        values = values.astype(np.float32 if values.dtype.itemsize < 4 else np.float64)
    if values.dtype.kind == "f" and not np.all(np.isfinite(values) & (values == np.floor(values))):
        raise InputError(
            "Unknown label type: continuous. A classifier needs classes; however y holds fractions such as "
            f"{values[~(values == np.floor(values)) | ~np.isfinite(values)][0]}; for ranges of a number as classes, "
            "cut it first (pandas.cut)."
        )
    return np.asarray(values)


def _refuse_missing(missing: Array) -> None:
    if missing.any():
        rows = np.flatnonzero(missing).tolist()
        raise InputError(
            f"Each row must have a label; however y contains NaN or None in {len(rows)} of {len(missing)} rows "
            f"({listed(rows)}); leave those rows out."
        )


def listed(items: Sequence[Any]) -> str:
    return ", ".join(str(item) for item in items[:SHOWN]) + (", ..." if len(items) > SHOWN else "")


def were(items: Sequence[Any]) -> str:
    return "was" if len(items) == 1 else "were"
