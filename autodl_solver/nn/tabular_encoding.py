"""Numbers as thermometers: each column becomes how far its value has risen through each of the column's quantile bins.

Outliers and scales do not matter any more, a missing value is all zeros with a mark of its own, and few whole numbers
(codes of categories) get a bin each.
Source: Gorishniy, Rubachev and Babenko, On Embeddings for Numerical Features in Tabular Deep Learning, NeurIPS 2022.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autodl_solver.data.examples import Array

MAX_ROWS = 10_000
"""Rows whose quantiles bound the bins."""


@dataclass(frozen=True)
class Thermometer:
    """Bins of every column.

    Attributes:
        lower: [n_columns, n_bins] float32, bounds of the bins, growing.
        inverse_width: [n_columns, n_bins] float32, 0 for bins that a column has no use for.
        centre, inverse_spread: [n_columns] float32, for the one value beside the bins.
    """

    lower: Array
    inverse_width: Array
    centre: Array
    inverse_spread: Array

    @classmethod
    def fitted(cls, x: Array, n_bins: int) -> Thermometer:
        """For rows [n_rows, n_columns], NaN where missing; columns may be constant or missing altogether."""
        rows = x[np.linspace(0, len(x) - 1, min(len(x), MAX_ROWS)).astype(np.int64)]
        lower = np.zeros((x.shape[1], n_bins), np.float32)
        inverse_width = np.zeros((x.shape[1], n_bins), np.float32)
        centre, inverse_spread = np.zeros(x.shape[1], np.float32), np.zeros(x.shape[1], np.float32)
        for k, column in enumerate(rows.T):
            values = np.sort(column[np.isfinite(column)].astype(np.float64))
            edges = _edges(values, n_bins)
            if len(edges) < 2:
                continue
            lower[k, : len(edges) - 1] = edges[:-1]
            inverse_width[k, : len(edges) - 1] = 1 / np.maximum(np.diff(edges), 1e-30)
            low, centre[k], high = np.quantile(values, [0.05, 0.5, 0.95])
            inverse_spread[k] = 2 / max(high - low, 1e-3 * (edges[-1] - edges[0]), 1e-30)
        return cls(lower, inverse_width, centre, inverse_spread)

    @property
    def n_values(self) -> int:
        """Numbers that a column becomes."""
        return int(self.lower.shape[1]) + 2

    def encode(self, x: Array) -> Array:
        """[n_rows, n_columns] -> [n_rows, n_columns, n_values] float32: bins, a scaled value, a mark of NaN."""
        missing = ~np.isfinite(x)
        values = np.where(missing, self.centre, x).astype(np.float32)
        encoded = np.empty((*x.shape, self.n_values), np.float32)
        np.clip((values[..., None] - self.lower) * self.inverse_width, 0, 1, out=encoded[..., :-2])
        encoded[..., -2] = np.tanh((values - self.centre) * self.inverse_spread / 2) * 2
        encoded[missing] = 0
        encoded[..., -1] = missing
        return encoded


def _edges(values: Array, n_bins: int) -> Array:
    """Growing bounds of at most n_bins bins: between the values where they are few, else at quantiles."""
    distinct = np.unique(values)
    if len(distinct) <= n_bins + 1:
        return distinct
    return np.unique(np.quantile(values, np.linspace(0, 1, n_bins + 1)))
