"""One label a row, or several: which it is, and how logits become scores in either case."""

from __future__ import annotations

import numpy as np
from scipy import special

from autodl_solver.data.examples import Array


def is_exclusive(y: Array) -> bool:
    """Whether each row has exactly one label, so that the classes share a softmax.

    Args:
        y: [n_rows, n_classes], a value above .5 is a label of the row.
    """
    return y.shape[1] > 1 and bool(np.all((y > 0.5).sum(axis=1) == 1))


def probabilities(logits: Array, exclusive: bool) -> Array:
    """[n_rows, n_classes] scores in [0, 1]: a softmax of exclusive classes, else a sigmoid for each."""
    return np.asarray(special.softmax(logits, axis=1) if exclusive else special.expit(logits))
