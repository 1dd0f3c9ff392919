"""Linear on patches of images and clips: filters that need no training, within a second or some.

docs/experiments.md: on four image datasets and two of clips worth more than everything else in the first five seconds.
"""

from __future__ import annotations

import numpy as np

from autodl_solver.budget import Budget
from autodl_solver.data.examples import Array, Examples
from autodl_solver.errors import ShapeError
from autodl_solver.learners.base import Features, Learner
from autodl_solver.learners.scaled import standardised_linear
from autodl_solver.nn.patches import Patches

PLACES = 16
"""Filters answer at no fewer places per side, and at fewer than twice as many, however large the frames are."""

ANSWER_SHARE = 0.7
"""Of the budget, for what the rows answer to the filters; what remains is for the linear part."""


class PatchLearner(Learner):
    """Linear on what images or clips answer to patches (nn/patches.py). A second fit begins anew.

    Args:
        n_classes: columns of the labels.
        seed: which patches become filters.
        n_filters: how many; five features come from each, of clips eight.
        size_px: side of a filter.
        depth: frames of a filter; 1 sees what is there, 3 how it moves.
    """

    def __init__(
        self, n_classes: int, seed: int = 0, *, n_filters: int = 128, size_px: int = 6, depth: int = 1
    ) -> None:
        super().__init__(n_classes, seed)
        self._n_filters = n_filters
        self._size_px = size_px
        self._depth = depth

    def _fit(self, x: Features, y: Array, budget: Budget) -> None:
        clips = _clips(x)
        stride = max(1, min(clips.shape[2:4]) // PLACES)
        self._patches = Patches(self._n_filters, self._size_px, self._depth, stride, self.seed)
        self._patches.fit(clips)
        answers = self._patches.answers(clips, budget.slice(ANSWER_SHARE * budget.left))  # maybe not of all rows
        self._linear = standardised_linear(self.n_classes, self.seed)
        self._linear.fit(Examples(answers, y[: len(answers)]), budget)

    def _predict_proba(self, x: Features) -> Array:
        return self._linear.predict_proba(self._patches.answers(_clips(x)))


def _clips(x: Features) -> Array:
    """[n, time, row, col, channel]: uint8 as they are, anything else as finite float32; an image is one frame."""
    if not isinstance(x, np.ndarray) or x.ndim not in (4, 5) or 0 in x.shape[1:]:
        raise ShapeError(
            f"Patches need images [n, row, col, channel] or clips [n, time, row, col, channel]; however {x.shape=}."
        )
    clips = x[:, None] if x.ndim == 4 else x
    return clips if x.dtype == np.uint8 else np.nan_to_num(clips.astype(np.float32), posinf=0.0, neginf=0.0)
