"""The last map of the scores: it puts the threshold that balances TPR and TNR at .5, class by class.

The beta protocol thresholds the scores at .5, where raw probabilities of many classes never arrive. The map of a class
is increasing, so its AUC is untouched:

    q = expit((logit(score) - centre) / 2)         centre: one for all classes, so it keeps the order within a row
    mapped = .499 q + .501 [score is above the threshold of its class]

Shifting the logits of each class to its threshold does the same for balanced accuracy, but reorders the classes of
nearly every row where frequencies differ (accuracy on 100 such classes: .57 -> .53). Here the order changes only
between a class above its threshold and one below, which no map can avoid that thresholds both rightly: a row of two
classes, .7 against .3, with thresholds of .9 and .1, must score the second above the first. Halving the logits spreads
scores near 0 and 1, which pays for the digits that the text format loses.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from autodl_solver.data.examples import Array
from autodl_solver.errors import ShapeError

OFFSETS = np.linspace(-6.0, 6.0, 97)  # thresholds tried, in logits from that of the mean score of the class
WIDTH = 0.5  # of the smoothing over offsets, in logits
PRIOR_ROWS = 10  # rows of the rarer outcome at which a class counts as much as all classes pooled
MARGIN = 0.001  # left and right of .5, so that rounding moves no score across it


@dataclass(frozen=True)
class BalancedThresholds:
    """An increasing map for each class, fitted on the hold-out and applied to any rows.

    Shape:
        thresholds: [n_classes] logits.
    """

    thresholds: Array

    @classmethod
    def fitted(cls, y: Array, scores: Array) -> BalancedThresholds:
        """Thresholds of the best (TPR + TNR) / 2 on the hold-out.

        With calibrated scores the best threshold of a class is its frequency, so the search is for an offset from the
        mean score. A class with few positives leans on the offset that is best for all classes; with no class that has
        both outcomes the offset is 0.

        Args:
            y: [n_rows, n_classes], a value above .5 is a positive.
            scores: [n_rows, n_classes] in [0, 1], with at least one row.
        Raises:
            ShapeError: y and scores disagree, or hold no row.
        """
        if y.shape != scores.shape or y.ndim != 2 or len(y) == 0:
            raise ShapeError(f"y and scores must be [n_rows >= 1, n_classes]; however {y.shape=} and {scores.shape=}.")
        positive = y > 0.5
        n_rarer = np.minimum(positive.sum(axis=0), (~positive).sum(axis=0))
        centres = special.logit(np.clip(scores.mean(axis=0, dtype=np.float64), 1e-6, 1 - 1e-6))
        logits = _logits(scores) - centres
        accuracy = np.zeros((len(OFFSETS), y.shape[1]))  # balanced, [n_offsets, n_classes]
        for k in np.flatnonzero(n_rarer):
            inside, outside = np.sort(logits[positive[:, k], k]), np.sort(logits[~positive[:, k], k])
            missed = np.searchsorted(inside, OFFSETS) / len(inside)
            accuracy[:, k] = (1 - missed + np.searchsorted(outside, OFFSETS) / len(outside)) / 2
        if not n_rarer.any():
            return cls(np.asarray(centres))
        kernel = np.exp(-0.5 * ((OFFSETS[:, None] - OFFSETS) / WIDTH) ** 2)
        accuracy = kernel @ accuracy / kernel.sum(axis=1, keepdims=True)
        pooled = accuracy[:, n_rarer > 0].mean(axis=1, keepdims=True)
        trust = n_rarer / (n_rarer + PRIOR_ROWS)
        best = (trust * accuracy + (1 - trust) * pooled).argmax(axis=0)
        return cls(np.asarray(centres + OFFSETS[best]))

    def apply(self, scores: Array) -> Array:
        """The mapped scores.

        Args:
            scores: [n_rows, n_classes] in [0, 1].
        Returns:
            [n_rows, n_classes] float64 in [0, 1], above .5 exactly where a score reaches its threshold.
        Raises:
            ShapeError: scores have another number of classes.
        """
        if scores.ndim != 2 or scores.shape[1:] != self.thresholds.shape:
            n_classes = len(self.thresholds)
            raise ShapeError(f"scores must be [n_rows, n_classes = {n_classes}]; however {scores.shape=}.")
        logits = _logits(scores)
        spread = special.expit((logits - np.median(self.thresholds)) / 2)
        return np.asarray((0.5 - MARGIN) * spread + (0.5 + MARGIN) * (logits >= self.thresholds))


def _logits(scores: Array) -> Array:
    return np.asarray(special.logit(scores.astype(np.float64)))
