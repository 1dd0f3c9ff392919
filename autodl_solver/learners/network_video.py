"""Learners for short clips of small frames, [n, time, row, col, channel]: filters that need no training, and a network.

The first ends by itself within a second or some; the second goes on for as long as it is given.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from scipy import special
from torch import Tensor

from autodl_solver.budget import Budget
from autodl_solver.data.examples import Array, Examples
from autodl_solver.errors import ShapeError
from autodl_solver.learners.base import Features, Learner
from autodl_solver.learners.mirror import looks_alike_in_a_mirror
from autodl_solver.learners.scaled import standardised_linear
from autodl_solver.nn.augment import ShiftAndFlip
from autodl_solver.nn.trainer import Trainer, TrainingOptions
from autodl_solver.nn.video_network import ClipNetwork
from autodl_solver.nn.video_patches import MovingPatches

SHIFT_SHARE = 1 / 10
"""Clips are moved by up to this share of their smaller side, all frames alike."""

ANSWER_SHARE = 0.7
"""Of a patch learner's budget, for what clips answer to its filters; what remains is for the linear part."""


class MovingPatchLearner(Learner):
    """Linear on what clips answer to filters over space and time (nn/video_patches.py). A second fit begins anew.

    Args:
        n_classes: columns of the labels.
        seed: which patches become filters.
        n_filters: how many; eight features come from each.
    """

    def __init__(self, n_classes: int, seed: int = 0, *, n_filters: int = 128) -> None:
        super().__init__(n_classes, seed)
        self._n_filters = n_filters

    def _fit(self, x: Features, y: Array, budget: Budget) -> None:
        clips = _clips(x)
        self._patches = MovingPatches(self._n_filters, seed=self.seed)
        self._patches.fit(clips)
        answers = self._patches.answers(clips, budget.slice(ANSWER_SHARE * budget.left))  # maybe not of all rows
        self._linear = standardised_linear(self.n_classes, self.seed)
        self._linear.fit(Examples(answers, y[: len(answers)]), budget)

    def _predict_proba(self, x: Features) -> Array:
        return self._linear.predict_proba(self._patches.answers(_clips(x)))


class VideoNetworkLearner(Learner):
    """A network on clips (nn/video_network.py); the next fit goes on, with more rows, frames or pixels if it has them.

    Crop and flip are the same for all frames of a clip, and there is a flip only where it does not change the classes.

    Args:
        n_classes: columns of the labels.
        seed: the same seed gives the same predictions where max_epochs ends the training, not the clock.
        widths: channels of each stage of the network.
        options: how to train; None for the usual.
    """

    def __init__(
        self,
        n_classes: int,
        seed: int = 0,
        *,
        widths: Sequence[int] = (64, 128),
        options: TrainingOptions | None = None,
    ) -> None:
        super().__init__(n_classes, seed)
        self._widths = tuple(widths)
        self._options = TrainingOptions(batch_size=64) if options is None else options
        self._trainer: Trainer | None = None
        self._exclusive = False
        self._flips = False

    def fit(self, train: Examples, budget: Budget) -> None:
        """As any learner; frames may have become more and larger since the last fit, as the network does not mind."""
        self._feature_shape = None
        super().fit(train, budget)

    def _fit(self, x: Features, y: Array, budget: Budget) -> None:
        stacked = _stacked(_clips(x))
        self._exclusive = y.shape[1] > 1 and bool(np.all((y > 0.5).sum(axis=1) == 1))
        if self._trainer is None:
            self._flips = looks_alike_in_a_mirror(np.moveaxis(stacked.numpy(), 1, 3), y, self.seed)
            self._trainer = self._new_trainer(x.shape[1:])
        labels = torch.from_numpy(np.ascontiguousarray(y, dtype=np.float32))
        self._trainer.train(stacked, labels, budget, exclusive=self._exclusive)

    def _predict_proba(self, x: Features) -> Array:
        assert self._trainer is not None, "the base class refuses an unfitted learner"
        views = [_flip] if self._flips else []
        logits = self._trainer.predict(_stacked(_clips(x)), views).numpy().astype(np.float64)
        return np.asarray(special.softmax(logits, axis=1) if self._exclusive else special.expit(logits))

    def _new_trainer(self, shape: tuple[int, ...]) -> Trainer:
        """For clips [time, row, col, channel]."""
        side = min(shape[1:3])
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            network = ClipNetwork(shape[3], self.n_classes, side, self._widths)
        augment = ShiftAndFlip(max(1, round(side * SHIFT_SHARE)), self._flips)
        return Trainer(network, self._options, augment=augment, seed=self.seed)


def _clips(x: Features) -> Array:
    """uint8 as they are, anything else as finite float32."""
    if not isinstance(x, np.ndarray) or x.ndim != 5 or 0 in x.shape[1:]:
        raise ShapeError(f"Clips must be an array [n, time, row, col, channel]; however {x.shape=}.")
    return x if x.dtype == np.uint8 else np.nan_to_num(x.astype(np.float32), posinf=0.0, neginf=0.0)


def _stacked(clips: Array) -> Tensor:
    """[n, time, row, col, channel] -> [n, time * channel, row, col], channels last in memory: what moves and flips an
    image then treats all frames of a clip alike."""
    n, _, height, width, _ = clips.shape
    stacked = np.ascontiguousarray(clips.transpose(0, 2, 3, 1, 4)).reshape(n, height, width, -1)
    return torch.from_numpy(stacked).permute(0, 3, 1, 2)


def _flip(x: Tensor) -> Tensor:
    return x.flip(3)
