"""Labels: what a user calls the classes <-> the columns of y.

One label a row: whole numbers, strings or booleans, in a list, an array, or a column of a table. Several labels a row:
an indicator matrix (also sparse, also shares in [0, 1]), a table with a column a class, or the names of each row in a
set, list or tuple. Nested lists of numbers in [0, 1], all of one length, are an indicator.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from autodl_solver.data.examples import Array
from autodl_solver.errors import InputError
from autodl_solver.inputs.label_forms import (
    CONTAINERS,
    container_of,
    containers_of,
    is_matrix,
    listed,
    matrix_of,
    plain_labels,
    values_of,
    were,
)

SINGLE, INDICATOR, TABLE = "one label a row", "indicator matrix", "table of labels"
"""Forms that y comes in, besides the names of containers."""

ID_ROWS, ID_SHARE = 20, 0.9
"""From so many rows on, more classes than this share of the rows are no classes."""

YES = 0.5
"""From this probability on, a row has a label."""


@dataclass(frozen=True)
class Labels:
    """The classes, and the form that labels came in.

    Attributes:
        classes: in the order of y's columns, plain Python values: sorted; of a matrix, 0 to k - 1; of a table, its
            column names.
        form: one of those above, or the name of a container.
        dtype: of the classes where each row names them, else of the matrix (numpy's name for it).
        never, always: columns of the labels that no training row had, or each; new rows are told the same, since there
            was nothing to learn a threshold from.
    """

    classes: list[Any]
    form: str
    dtype: str
    never: list[int] = field(default_factory=list)
    always: list[int] = field(default_factory=list)

    @classmethod
    def fitted(cls, y: Any) -> Labels:
        """The classes of training labels.

        Raises:
            InputError: labels are missing, are not classes (continuous, one per row), or are all the same.
        """
        if y is None:
            raise InputError(
                "A classifier requires y to be passed, but the target y is None; give a label for each row."
            )
        y = plain_labels(y)
        if len(y) == 0:
            raise InputError(
                "y must hold a label for each row; however it has 0 sample(s) (a minimum of 1 is required)."
            )
        if is_matrix(y):
            names = getattr(y, "columns", None)
            matrix = matrix_of(y)
            if names is None:
                return cls(list(range(matrix.shape[1])), INDICATOR, matrix.dtype.str)._with_constants(matrix)
            return cls(_column_names(names), TABLE, matrix.dtype.str)._with_constants(matrix)
        container = container_of(y)
        values = values_of(list(itertools.chain.from_iterable(containers_of(y)))) if container else values_of(y)
        classes = sorted(set(values.tolist()))
        labels = cls(classes, container or SINGLE, values.dtype.str)
        if container:
            return labels._with_constants(labels.encode(y))
        _refuse_ids(classes, len(y))
        return labels

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes as text."""
        return tuple(str(name) for name in self.classes)

    @property
    def is_multi_label(self) -> bool:
        """Whether a row may have several labels, or none."""
        return self.form != SINGLE

    def encode(self, y: Any) -> Array:
        """Labels as the solver takes them.

        Returns:
            [n_rows, n_classes] float32.
        Raises:
            InputError: a class is unknown, a label is missing, or y has another form than at fit.
        """
        y = plain_labels(y)
        if is_matrix(y):
            return self._encoded_matrix(y)
        container = container_of(y) if len(y) else None
        if len(y) and bool(container) != self.is_multi_label:
            raise InputError(
                f"y must come in the form that it had at fit ({self.form}); however it holds "
                f"{f'a {container}' if container else 'one label'} for each row."
            )
        rows = containers_of(y) if container else y
        lengths = np.array([len(row) for row in rows], np.int64) if container else np.ones(len(y), np.int64)
        places = self._places(list(itertools.chain.from_iterable(rows)) if container else y)
        encoded = np.zeros((len(y), len(self.classes)), np.float32)
        encoded[np.repeat(np.arange(len(y)), lengths), places] = 1
        return encoded

    def decode(self, scores: Array) -> Any:
        """Labels in the form that they had at fit.

        Args:
            scores: [n_rows, n_classes], probabilities, or booleans: which labels each row has.
        Returns:
            [n_rows] classes of their own dtype, the likeliest of each row; or, of several labels, a matrix, a table or
            a list of sets (lists, tuples) as they were given.
        """
        if self.form == SINGLE:
            return self.class_array()[scores.argmax(axis=1)]
        chosen = scores.copy() if scores.dtype == bool else scores >= YES
        chosen[:, self.never], chosen[:, self.always] = False, True
        if self.form in CONTAINERS:
            make = CONTAINERS[self.form]
            return [make([self.classes[k] for k in np.flatnonzero(row)]) for row in chosen]
        matrix = chosen.astype(self.dtype)
        if self.form == INDICATOR:
            return matrix
        import pandas as pd

        return pd.DataFrame(matrix, columns=self.classes)

    def class_array(self) -> Array:
        """[n_classes] of the dtype that labels had."""
        return np.array(self.classes, dtype=self.dtype)

    def agree(self, y: Any, predicted: Any) -> Array:
        """[n_rows] bool: whether a row has just the labels that were decoded for it, where it may have several.

        A class that was unknown at fit was never predicted: such a row is a miss.

        Raises:
            InputError: y has another form than at fit.
        """
        if self.form in CONTAINERS:
            given = containers_of(plain_labels(y))
            return np.array([set(a) == set(b) for a, b in zip(given, predicted, strict=True)], bool)
        return np.asarray(((self.encode(y) > YES) == (np.asarray(predicted) > YES)).all(axis=1))

    def _with_constants(self, encoded: Array) -> Labels:
        lowest, highest = encoded.min(axis=0), encoded.max(axis=0)
        if not (highest > lowest).any():
            raise InputError(
                "A classifier needs at least two classes to tell apart; however every row of y has the same labels; "
                "add other rows."
            )
        never, always = np.flatnonzero(highest == 0), np.flatnonzero(lowest == 1)
        return replace(self, never=never.tolist(), always=always.tolist())

    def _places(self, y: Any) -> Array:
        """[n_labels] column of each label."""
        import pandas as pd

        values = values_of(y)
        if values.dtype.kind == "b" and self.dtype != values.dtype.str:  # pandas takes True for no number
            values = values.astype(np.int64)
        elif self.dtype == np.dtype(bool).str and values.dtype.kind in "iuf" and np.isin(values, (0, 1)).all():
            values = values.astype(bool)
        places = np.asarray(pd.Index(self.class_array()).get_indexer(values))
        if np.any(places < 0):
            unknown = sorted({repr(value) for value in values[places < 0].tolist()})
            raise InputError(
                f"y must hold classes that were there at fit; however {listed(unknown)} {were(unknown)} not; "
                "leave those rows out, or fit on rows of all classes."
            )
        return places

    def _encoded_matrix(self, y: Any) -> Array:
        if not self.is_multi_label:
            raise InputError(
                f"y must come in the form that it had at fit ({self.form}); however it has {y.shape[1]} columns."
            )
        if self.form == TABLE and hasattr(y, "columns"):
            missing = [name for name in self.classes if name not in y.columns]
            if missing:
                raise InputError(
                    f"y must have a column for each class; however {listed(missing)} {were(missing)} missing."
                )
            y = y[self.classes]
        if y.shape[1] != len(self.classes):
            raise InputError(f"y must have {len(self.classes)} columns, as at fit; however it has {y.shape[1]}.")
        return matrix_of(y).astype(np.float32)


def _column_names(names: Any) -> list[Any]:
    plain = [name.item() if isinstance(name, np.generic) else name for name in names]
    plain = [name if isinstance(name, (str, int, float, bool)) else str(name) for name in plain]
    if len({str(name) for name in plain}) < len(plain):
        raise InputError("The columns of y name the classes, each its own; however a name stands twice; rename it.")
    return plain


def _refuse_ids(classes: list[Any], n_rows: int) -> None:
    if len(classes) == 1:
        raise InputError(
            "A classifier can't train when only one class is present: it needs two to tell apart; however y holds one "
            f"class, {classes[0]!r}; add rows of other classes."
        )
    if n_rows >= ID_ROWS and len(classes) > ID_SHARE * n_rows:
        raise InputError(
            f"A class must have several rows; however y holds {len(classes)} labels in {n_rows} rows: it looks like an "
            "id or a regression target; name the column of the classes."
        )
