"""Networks trained for as long as their budget lasts; the next fit goes on. NetworkLearner is the one for images."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from autodl_solver.budget import Budget
from autodl_solver.data.examples import Array
from autodl_solver.errors import ShapeError
from autodl_solver.learners.base import Features, Learner
from autodl_solver.learners.label_kind import is_exclusive, probabilities
from autodl_solver.learners.mirror import looks_alike_in_a_mirror
from autodl_solver.nn.augment import Augment, ShiftAndFlip
from autodl_solver.nn.residual import ResidualNetwork
from autodl_solver.nn.trainer import Trainer, TrainingOptions

OPTIONS = TrainingOptions(largest_batch_size=512, balances=True, resumes_steps=True)
"""How networks for images are trained."""

MOVES = ((-1, -1), (1, 1))
"""How far, in 32nds of their smaller side, images are moved when a learner looks at them more than once."""

SHIFT_SHARE = 1 / 10
"""Images are moved by up to this share of their smaller side."""


class TrainedLearner(Learner):
    """A network with its Trainer: what is shared by all learners whose rows become one tensor.

    A subclass says how rows become a tensor, which network it is, and how its rows may be shown.

    Args:
        n_classes: columns of the labels.
        seed: the same seed gives the same predictions where max_epochs ends the training, not the clock.
        widths: channels of each stage of the network; the wider, the better in the end and the slower.
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
        self._options = options
        self._trainer: Trainer | None = None
        self._exclusive = False

    @abstractmethod
    def _rows(self, x: Features) -> Tensor:
        """[n, channel, row, col]."""

    @abstractmethod
    def _new_trainer(self, rows: Tensor, y: Array) -> Trainer:
        """With a fresh network; called once, with torch's generator seeded."""

    def _views(self) -> list[Callable[[Tensor], Tensor]]:
        """How else rows are shown when they are predicted."""
        return []

    def _fit(self, x: Features, y: Array, budget: Budget) -> None:
        rows = self._rows(x)
        self._exclusive = is_exclusive(y)
        if self._trainer is None:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(self.seed)
                self._trainer = self._new_trainer(rows, y)
        labels = torch.from_numpy(np.ascontiguousarray(y, dtype=np.float32))
        self._trainer.train(rows, labels, budget, exclusive=self._exclusive)

    def _predict_proba(self, x: Features) -> Array:
        assert self._trainer is not None, "the base class refuses an unfitted learner"
        logits = self._trainer.predict(self._rows(x), self._views()).numpy().astype(np.float64)
        return probabilities(logits, self._exclusive)


class NetworkLearner(TrainedLearner):
    """A small residual network on images of one size.

    Images are mirrored, in training and when asked, only where a mirror does not change the classes.

    Args:
        n_classes, seed, widths, options: see TrainedLearner.
        fine: the first layer keeps more of the pixels: better in the end, and slower.
    """

    def __init__(
        self,
        n_classes: int,
        seed: int = 0,
        *,
        widths: Sequence[int] = (64, 128),
        fine: bool = False,
        options: TrainingOptions | None = None,
    ) -> None:
        super().__init__(n_classes, seed, widths=widths, options=OPTIONS if options is None else options)
        self._fine = fine
        self._mirrored = False

    def _rows(self, x: Features) -> Tensor:
        """uint8 as they are, anything else as float32; what is not finite becomes the mean of what was first seen."""
        if self._trainer is None:
            self._fill = _finite_mean(x)
        if x.dtype != np.uint8:
            x = np.nan_to_num(np.asarray(x, np.float32), nan=self._fill, posinf=self._fill, neginf=self._fill)
        return _channels_first(np.asarray(x))

    def _new_trainer(self, rows: Tensor, y: Array) -> Trainer:
        self._mirrored = looks_alike_in_a_mirror(rows.permute(0, 2, 3, 1).numpy(), y, self.seed)
        return Trainer(self._new_network(rows), self._options, augment=self._augment(rows), seed=self.seed)

    def _augment(self, rows: Tensor) -> Augment:
        """For rows like these, [n, channel, row, col]."""
        return self._shift_and_flip(rows)

    def _shift_and_flip(self, rows: Tensor) -> ShiftAndFlip:
        return ShiftAndFlip(max(1, round(min(rows.shape[2:]) * SHIFT_SHARE)), self._mirrored)

    def _new_network(self, rows: Tensor) -> nn.Module:
        """For rows like these, [n, channel, row, col]."""
        return ResidualNetwork(rows.shape[1], self.n_classes, min(rows.shape[2:]), self._widths, fine=self._fine)

    def _views(self) -> list[Callable[[Tensor], Tensor]]:
        moves = [partial(_moved, down=down, right=right) for down, right in MOVES[: self.looks - 1]]
        return [*moves, _mirror, *(partial(_mirror_of, move) for move in moves)] if self._mirrored else [*moves]


def _finite_mean(x: Features) -> float:
    """Of the first rows."""
    if not isinstance(x, np.ndarray) or x.ndim != 4 or 0 in x.shape[1:]:
        raise ShapeError(f"A network for images needs an array [n, row, col, channel]; however {x.shape=}.")
    few = x[:1000]
    return float(np.mean(few, where=np.isfinite(few))) if np.isfinite(few).any() else 0.0


def _channels_first(images: Array) -> Tensor:
    """[n, row, col, channel] -> [n, channel, row, col], without a copy where the memory is contiguous."""
    writeable = images if images.flags.writeable and images.flags.c_contiguous else images.copy()
    return torch.from_numpy(writeable).permute(0, 3, 1, 2)


def _mirror(x: Tensor) -> Tensor:
    return x.flip(3)


def _mirror_of(view: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    return _mirror(view(x))


def _moved(x: Tensor, down: int, right: int) -> Tensor:
    """Images [n, channel, row, col], moved by so many 32nds of their smaller side; their edges are repeated."""
    height, width = x.shape[2:]
    unit = max(1, round(min(height, width) / 32))
    top, left = unit * (1 - down), unit * (1 - right)
    return functional.pad(x, (unit, unit, unit, unit), mode="replicate")[:, :, top : top + height, left : left + width]
