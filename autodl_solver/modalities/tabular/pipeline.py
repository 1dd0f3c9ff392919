"""Rows -> a flat table, dense or sparse as it came. Fidelity has no meaning here."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from autodl_solver.data.examples import Rows
from autodl_solver.data.info import DatasetInfo, Format
from autodl_solver.errors import ShapeError
from autodl_solver.learners.base import Features
from autodl_solver.modalities.spec import Pipeline


class TabularPipeline(Pipeline):
    """The columns as they are; learners impute and scale by what they are trained on."""

    def transform(self, x: Rows, view: str, fidelity: int) -> Features:
        """[n_rows, n_columns] float32, NaN where a value is missing or infinite."""
        if isinstance(x, sparse.csr_array):
            return _narrow(x)
        if isinstance(x, np.ndarray):
            table = x.reshape(len(x), -1).astype(np.float32)
            table[np.isinf(table)] = np.nan
            return table
        if isinstance(x, list) and self.info.specs[0].format is Format.SPARSE:
            return _narrow(self._from_pairs(x))
        raise ShapeError(f"A table needs rows of one length; however x is a {type(x).__name__}.")

    def _from_pairs(self, x: list[np.ndarray]) -> sparse.csr_array:
        """Rows [1, n_pairs, 2, 1] of (column, value), as the official reader yields sparse rows."""
        pairs = [row.reshape(-1, 2) for row in x]
        offsets = np.concatenate([[0], np.cumsum([len(p) for p in pairs])])
        flat = np.concatenate(pairs)
        shape = (len(x), self.info.specs[0].n_cols)
        return sparse.csr_array((flat[:, 1].astype(np.float32), flat[:, 0].astype(np.int64), offsets), shape=shape)


def _narrow(x: sparse.csr_array) -> sparse.csr_array:
    """With sorted columns, each once a row, and indices of 32 bits where they suffice.

    scikit-learn's trees take no others: a column that occurs twice in a row makes them write beyond their buffers.
    """
    if max(x.nnz, x.shape[1]) <= np.iinfo(np.int32).max:
        x = sparse.csr_array((x.data, x.indices.astype(np.int32), x.indptr.astype(np.int32)), shape=x.shape)
    if not x.has_canonical_format:
        x = x.copy()
        x.sum_duplicates()
    return x


def made_up_rows(info: DatasetInfo) -> Rows:
    """Noise of the dataset's columns."""
    spec = info.specs[0]
    rng = np.random.default_rng(0)
    if spec.format is Format.SPARSE:
        n_values = 32 * 20
        at = rng.integers(0, 32, n_values), rng.integers(0, spec.n_cols, n_values)
        return sparse.csr_array(sparse.coo_array((rng.random(n_values, dtype=np.float32), at), (32, spec.n_cols)))
    return rng.normal(size=(32, 1, spec.n_rows, spec.n_cols, spec.n_channels)).astype(np.float32)
