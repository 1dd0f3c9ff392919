"""Sequences as one flat array with offsets, whatever the rows hold."""

from __future__ import annotations

import numpy as np

from autodl_solver.data.examples import Array, Ragged, Rows
from autodl_solver.errors import ShapeError


def as_ragged(x: Rows) -> Ragged:
    """Steps of all rows one after the other.

    Args:
        x: an array [n_rows, time, row, col, channel], ragged rows, or a list of [time, row, col, channel].
    Returns:
        Ragged rows with values [n_steps, row, col, channel]; of an array of one length, a view where memory allows.
    Raises:
        ShapeError: sparse or encoded rows, or steps of differing shapes.
    """
    if isinstance(x, Ragged):
        return x
    if isinstance(x, np.ndarray):
        n_rows, time = x.shape[:2]
        return Ragged(x.reshape(n_rows * time, *x.shape[2:]), np.arange(n_rows + 1, dtype=np.int64) * time)
    if isinstance(x, list) and len({row.shape[1:] for row in x}) <= 1:
        offsets = np.concatenate([[0], np.cumsum([len(row) for row in x])]).astype(np.int64)
        return Ragged(np.concatenate(x) if x else np.zeros((0, 1, 1, 1), np.float32), offsets)
    raise ShapeError(f"Sequences need rows of steps of one shape; however x is a {type(x).__name__} of other rows.")


def resampled(sequences: Ragged, n_points: int) -> Array:
    """Each row, linearly interpolated at n_points evenly spaced moments.

    Returns:
        [n_rows, n_points, n_values] with the values of a step flattened; zeros for a row without steps.
    """
    values = sequences.values.reshape(len(sequences.values), -1)
    lengths = sequences.lengths
    if len(values) == 0:
        return np.zeros((len(lengths), n_points, values.shape[1]), values.dtype)
    position = np.linspace(0, 1, n_points) * np.maximum(lengths - 1, 0)[:, None]  # [n_rows, n_points]
    lower = np.minimum(np.floor(position).astype(np.int64), np.maximum(lengths - 2, 0)[:, None])
    upper = np.minimum(lower + 1, np.maximum(lengths - 1, 0)[:, None])
    weight = (position - lower)[..., None].astype(values.dtype)
    first = np.minimum(sequences.offsets[:-1], len(values) - 1)[:, None]
    points = values[first + lower] * (1 - weight) + values[first + upper] * weight
    points[lengths == 0] = 0
    return np.asarray(points)
