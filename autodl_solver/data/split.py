"""The hold-out: which training rows are kept aside to score stages.

Membership depends on the rows before it only, so the hold-out grows with the stream and never changes: a row that was
trained on is never scored on. Within each class (for several labels: the one of them seen least so far) every PERIOD-th
row is held out, beginning with the third: a class of one or two rows is left to training.
"""

from __future__ import annotations

import numpy as np

from autodl_solver.data.examples import Array

PERIOD = 5
FIRST = 2


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
        self._seen = np.zeros(n_classes + 1, dtype=np.int64)  # the last counts rows without a label

    def among(self, y: Array) -> Array:
        """Membership of the first rows of the stream.

        Args:
            y: [n_rows, n_classes] of the stream's first rows, whether seen before or not.
        Returns:
            [n_rows] bool, True for hold-out.
        """
        fresh = y[len(self.mask) :]
        if len(fresh):
            assigned = self._assign(fresh)
            self.mask = np.concatenate([self.mask, assigned])
            self.y = np.concatenate([self.y, fresh[assigned]])
        return self.mask[: len(y)]

    def _assign(self, y: Array) -> Array:
        """[n_rows] bool: membership of the next rows of the stream; a value above .5 is a label of the row."""
        labels = y > 0.5
        n_labels = labels.sum(axis=1)
        if n_labels.max(initial=0) <= 1:
            strata = np.where(n_labels == 1, labels.argmax(axis=1), len(self._seen) - 1)
            ordinals = self._ordinals(strata)
        else:
            ordinals = np.array([self._next_ordinal(row) for row in labels], dtype=np.int64)
        return np.asarray(ordinals % PERIOD == FIRST)

    def _ordinals(self, strata: Array) -> Array:
        """How many rows of its stratum came before each row."""
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
