"""What the challenge rewards: normalised AUC, and the share of log time that a moment leaves.

NAUC = 2 AUC - 1, mean over the classes that have both outcomes.
time~(t) = log(1 + t / t0) / log(1 + T / t0): the weight, in the area under the learning curve, of the time up to t.
"""

from __future__ import annotations

import math
from typing import Any

from numpy.typing import NDArray
from scipy.stats import rankdata

from autodl_solver.errors import ShapeError

T0_S = 60.0
"""t0 of the challenge, in seconds."""


def nauc(y: NDArray[Any], scores: NDArray[Any]) -> float:
    """Normalised area under the ROC curve.

    Args:
        y: [n_examples, n_classes], a value above .5 is a positive.
        scores: [n_examples, n_classes], finite.
    Returns:
        2 AUC - 1 in [-1, 1], mean over classes with both outcomes; nan if there is no such class.
    Raises:
        ShapeError: y and scores disagree.
    """
    if y.shape != scores.shape or y.ndim != 2:
        raise ShapeError(f"y and scores must be [n_examples, n_classes]; however {y.shape=} and {scores.shape=}.")
    positive = y > 0.5
    n_positive = positive.sum(axis=0)
    valid = (n_positive > 0) & (n_positive < len(y))
    if not valid.any():
        return math.nan
    positive, n_positive = positive[:, valid], n_positive[valid].astype(float)
    ranks = rankdata(scores[:, valid], axis=0)
    wins = (ranks * positive).sum(axis=0) - n_positive * (n_positive + 1) / 2
    auc = wins / (n_positive * (len(y) - n_positive))
    return float(2 * auc.mean() - 1)


def time_weight(t: float, total_s: float, t0_s: float = T0_S) -> float:
    """time~(t): the weight of the time up to t, in [0, 1], when the curve ends at total_s."""
    return math.log1p(min(t, total_s) / t0_s) / math.log1p(total_s / t0_s)
