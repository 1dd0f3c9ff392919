"""Tables: DataFrames of mixed columns, arrays, sparse matrices, lists of rows or of dicts -> rows of numbers.

Numbers go through as they are, sparse matrices stay sparse; other columns are told apart by `cells.py`.
Cost: 500,000 rows of 100 floats .1 s to fit and .6 s to encode, with one copy, in float32; one core.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from scipy import sparse

from autodl_solver.data.examples import Array
from autodl_solver.data.info import DatasetInfo, Format, MatrixSpec
from autodl_solver.errors import InputError
from autodl_solver.inputs.base import Encoded, Input
from autodl_solver.inputs.cells import Column, offset_of

logger = logging.getLogger(__name__)

SHOWN = 10
"""Columns that an error text lists at most."""


class TableInput(Input):
    """Columns are found by their names where training and new examples have names, else by their order.

    Attributes:
        n_columns: of the training examples.
        names: of their columns; empty for arrays and lists.
        columns: what became of each; empty where all were numbers of one array.
        offsets: [n_columns] float64, what is subtracted from those numbers.
        is_sparse: whether rows are sparse.
    """

    modality: ClassVar[str] = "tabular"

    def __init__(self) -> None:
        self.n_columns = 0
        self.names: list[str] = []
        self.columns: list[Column] = []
        self.offsets: Array = np.zeros(0)
        self.is_sparse = False

    def fit(self, examples: Any) -> None:
        table = as_table(examples)
        n_rows, self.n_columns = table.shape
        if n_rows == 0:
            raise InputError("Found array with 0 sample(s) while a minimum of 1 is required: a table must hold rows.")
        if self.n_columns == 0:
            raise InputError(f"Found array with 0 feature(s) (shape={table.shape}) while a minimum of 1 is required.")
        self.names, self.columns, self.offsets = [], [], np.zeros(0)
        self.is_sparse = bool(sparse.issparse(table)) and self.n_columns > 1  # one sparse column is taken for tokens
        if sparse.issparse(table):
            return
        if isinstance(table, np.ndarray):
            self.offsets = offset_of(table)
            return
        names = _names(table)
        self.columns = [Column.fitted(name, table.iloc[:, k]) for k, name in enumerate(names)]
        self.names = names if _has_names(examples) else []
        if not self._feature_names():
            raise InputError(
                f"A table must hold something to learn from; however no two rows share a value in any of its "
                f"{self.n_columns} columns ({_listed(names)}); give other columns."
            )

    def encode(self, examples: Any) -> Encoded:
        table = as_table(examples)
        if self.names and _has_names(examples):
            table = self._in_order(table, absent_is_missing=isinstance(examples, (list, tuple)))
        elif table.shape[1] != self.n_columns:
            raise InputError(
                f"X has {table.shape[1]} features, but AutoDLClassifier is expecting {self.n_columns} features as "
                "input; give the columns that the model was fitted on."
            )
        if self.is_sparse:
            return Encoded(sparse.csr_array(_numbers_of(table), dtype=np.float32))
        if self.columns:
            return Encoded(self._from_columns(table))
        return Encoded(self._from_numbers(_numbers_of(table)))

    def info(self, name: str, n_examples: int, class_names: tuple[str, ...]) -> DatasetInfo:
        features = self._feature_names()
        n_features = len(features) or self.n_columns
        spec = MatrixSpec(1, n_features, 1, Format.SPARSE if self.is_sparse else Format.DENSE)
        return DatasetInfo(name, None, n_examples, len(class_names), 1, (spec,), class_names, feature_names=features)

    def _feature_names(self) -> tuple[str, ...]:
        return tuple(feature for column in self.columns for feature in column.feature_names)

    def _in_order(self, frame: Any, absent_is_missing: bool) -> Any:
        """The columns of training, found by their names."""
        names = _names(frame)
        known = set(names)
        absent = [name for name in self.names if name not in known]
        if absent and not (absent_is_missing and len(absent) < len(self.names)):
            raise InputError(
                f"A table must have the columns that the model was fitted on; however {len(absent)} of "
                f"{self.n_columns} are not there: {_listed(absent)} (Feature names seen at fit time, yet now missing); "
                "add them, empty if they are unknown."
            )
        extra = len(names) - (len(self.names) - len(absent))
        if extra:
            logger.info("%d columns are ignored, which the model was not fitted on.", extra)
        frame = frame.set_axis(names, axis=1)
        return frame.reindex(columns=self.names) if absent else frame[self.names]

    def _from_columns(self, table: Any) -> Array:
        import pandas as pd

        frame = table if hasattr(table, "iloc") else pd.DataFrame(_dense(table))
        widths = [len(column.feature_names) for column in self.columns]
        ends = np.cumsum(widths)
        rows = np.empty((len(frame), int(ends[-1])), np.float32)
        with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite: a missing value
            for k, (column, end, width) in enumerate(zip(self.columns, ends, widths, strict=True)):
                column.encode_into(rows[:, end - width : end], frame.iloc[:, k])
        return _as_rows(rows)

    def _from_numbers(self, table: Any) -> Array:
        table = _dense(table)
        with np.errstate(over="ignore"):
            rows = np.ascontiguousarray(table, dtype=np.float32)
            for k in np.flatnonzero(self.offsets):
                rows = rows.copy() if np.may_share_memory(rows, table) else rows
                rows[:, k] = table[:, k] - self.offsets[k]
        return _as_rows(rows)


def as_table(examples: Any) -> Any:
    """What a user calls a table, as a DataFrame, an array [n_rows, n_columns] of numbers, or a csr_array.

    Raises:
        InputError: it is no table, or holds complex numbers.
    """
    import pandas as pd

    if sparse.issparse(examples):
        _refuse_complex(examples)
        return sparse.csr_array(examples)
    if hasattr(examples, "to_pandas"):  # tables of pyarrow and polars
        examples = examples.to_pandas()
    if isinstance(examples, pd.DataFrame):
        return examples
    if isinstance(examples, pd.Series):
        return examples.to_frame()
    if isinstance(examples, np.ma.MaskedArray):
        examples = np.ma.filled(examples.astype(np.float64), np.nan)
    if isinstance(examples, (list, tuple)):
        return _of_list(examples)
    return _of_array(np.asarray(examples))


def _of_list(examples: Sequence[Any]) -> Any:
    import pandas as pd

    if not examples:
        return np.zeros((0, 0), np.float32)
    if isinstance(examples[0], Mapping):
        return pd.DataFrame.from_records(examples)
    if any(not hasattr(row, "__len__") or isinstance(row, (str, bytes)) for row in examples):
        return _of_array(np.asarray(examples))
    lengths = {len(row) for row in examples}
    if len(lengths) > 1:
        raise InputError(
            f"The rows of a table must have one length; however they have {min(lengths)} to {max(lengths)} values; for "
            'series of unequal length, say kind="series".'
        )
    if all(isinstance(value, (bool, int, float, np.number)) for value in examples[0]):
        try:
            return _of_array(np.asarray(examples, np.float64))
        except (TypeError, ValueError):  # other rows hold other things
            pass
    return pd.DataFrame(list(examples))


def _of_array(array: Array) -> Any:
    import pandas as pd

    _refuse_complex(array)
    if array.dtype.names:
        return pd.DataFrame(array)
    if array.ndim != 2:
        raise InputError(
            f"Expected 2D array, got {array.ndim}D array instead: a table must be [n_rows, n_columns]; however "
            f"its shape is {array.shape}. Reshape your data: X.reshape(-1, 1) makes a table of one column of it."
        )
    return array if array.dtype.kind in "biuf" else pd.DataFrame(array).infer_objects()


def _refuse_complex(array: Any) -> None:
    if array.dtype.kind == "c":
        raise InputError("Complex data not supported: X must hold real numbers; give real and imaginary parts.")


def _has_names(examples: Any) -> bool:
    """Whether the columns have names of their own, and not just numbers."""
    first = examples[0] if isinstance(examples, (list, tuple)) and examples else examples
    return hasattr(first, "columns") or hasattr(first, "column_names") or isinstance(first, Mapping)


def _names(frame: Any) -> list[str]:
    names = [str(name) for name in frame.columns]
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise InputError(
            f"The columns of a table must have names of their own; however there are two of {_listed(twice)}."
        )
    return names


def _numbers_of(table: Any) -> Any:
    """A DataFrame in a place where training had plain numbers."""
    if not hasattr(table, "iloc"):
        return table
    import pandas as pd

    return table.apply(pd.to_numeric, errors="coerce").to_numpy(np.float32, na_value=np.nan)


def _dense(table: Any) -> Array:
    return np.asarray(table.toarray() if sparse.issparse(table) else table)


def _as_rows(table: Array) -> Array:
    """[n_rows, 1, 1, n_columns, 1]"""
    return table.reshape(len(table), 1, 1, table.shape[1], 1)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
