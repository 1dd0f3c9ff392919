"""The hold-out: which training rows are kept aside to score stages.

Membership depends on the rows before it only, so the hold-out grows with the stream and never changes: a row that was
trained on is never scored on. Within each class (for several labels: the one of them seen least so far) every PERIOD-th
row is held out, beginning with the third: a class of one or two rows is left to training. Once a class has its part of
ENOUGH held-out rows, every LATER_PERIOD-th one is: more would tell little more, and cost rows to learn from.

Where there are too few rows to spare any, `folds` cuts them into parts that take turns (learners/cross_fitted.py).
"""

from __future__ import annotations

import numpy as np

from autodl_solver.data.examples import Array

PERIOD = 5
FIRST = 2

ENOUGH = 1000
"""Held-out rows of all classes together from which on fewer are added: a NAUC is known to about .015 by then."""

ENOUGH_OF_CLASS = 10
"""But each class has at least so many."""

LATER_PERIOD = 20


class HoldOut:
    """Assigns the rows of a stream to training or hold-out, in stream order, once and for all.

    Args:
        n_classes: columns of the labels.

    Attributes:
        mask: [n_seen] bool, True for the hold-out rows among all rows seen so far.
        y: [n_held_out, n_classes] their labels.
    """

    def __init__(self, n_classes: int) -> None:
        self.mask = np.zeros(0, dtype=bool)
        self.y = np.zeros((0, n_classes), dtype=np.float32)
        self._strata = _Strata(n_classes)
        self._n_dense = PERIOD * max(
            ENOUGH // max(n_classes, 1), ENOUGH_OF_CLASS
        )  # rows of a class at the first period

    def among(self, y: Array, start: int = 0) -> Array:
        """Membership of some rows of the stream.

        Args:
            y: [n_rows, n_classes] of rows that follow each other, whether seen before or not.
            start: place of the first of them; the rows before it were seen.
        Returns:
            [n_rows] bool, True for hold-out.
        """
        assert start <= len(self.mask), "membership depends on all rows before"
        fresh = y[len(self.mask) - start :]
        if len(fresh):
            assigned = self._assign(fresh)
            self.mask = np.concatenate([self.mask, assigned])
            self.y = np.concatenate([self.y, fresh[assigned]])
        return self.mask[start : start + len(y)]

    def _assign(self, y: Array) -> Array:
        """[n_rows] bool: membership of the next rows of the stream."""
        ordinals = self._strata.ordinals(y)
        period = np.where(ordinals < self._n_dense, PERIOD, LATER_PERIOD)
        return np.asarray(ordinals % period == FIRST)


def folds(y: Array, n_folds: int) -> Array:
    """Parts that take turns as hold-out, each with its share of every class.

    Args:
        y: [n_rows, n_classes], a value above .5 is a label of the row.
        n_folds: how many parts.
    Returns:
        [n_rows] int64, the part of each row.
    """
    return np.asarray(_Strata(y.shape[1]).ordinals(y) % n_folds)


class _Strata:
    """Counts the rows of each class as a stream goes by; of several labels the one seen least so far is the stratum."""

    def __init__(self, n_classes: int) -> None:
        self._seen = np.zeros(n_classes + 1, dtype=np.int64)  # the last counts rows without a label

    def ordinals(self, y: Array) -> Array:
        """[n_rows] int64: how many rows of its stratum came before each of the next rows."""
        labels = y > 0.5
        n_labels = labels.sum(axis=1)
        if n_labels.max(initial=0) > 1:
            return np.array([self._next_ordinal(row) for row in labels], dtype=np.int64)
        strata = np.where(n_labels == 1, labels.argmax(axis=1), len(self._seen) - 1)
        order = np.argsort(strata, kind="stable")
        counts = np.bincount(strata, minlength=len(self._seen))
        first = np.repeat(np.cumsum(counts) - counts, counts)
        ordinals = np.empty(len(strata), dtype=np.int64)
        ordinals[order] = np.arange(len(strata)) - first
        ordinals += self._seen[strata]
        self._seen += counts
        return ordinals

    def _next_ordinal(self, labels: Array) -> int:
        own = np.flatnonzero(labels)
        stratum = own[np.argmin(self._seen[own])] if len(own) else len(self._seen) - 1
        ordinal = int(self._seen[stratum])
        self._seen[stratum] += 1
        return ordinal
