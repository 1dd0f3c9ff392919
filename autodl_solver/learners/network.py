"""NetworkLearner: a network trained on images for as long as its budget lasts; the next fit goes on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from scipy import special
from torch import Tensor

from autodl_solver.budget import Budget
from autodl_solver.data.examples import Array
from autodl_solver.errors import ShapeError
from autodl_solver.learners.base import Features, Learner
from autodl_solver.learners.mirror import looks_alike_in_a_mirror
from autodl_solver.nn.augment import ShiftAndFlip
from autodl_solver.nn.residual import ResidualNetwork
from autodl_solver.nn.trainer import Trainer, TrainingOptions

SHIFT_SHARE = 1 / 10
"""Images are moved by up to this share of their smaller side."""


class NetworkLearner(Learner):
    """A small residual network on images of one size.

    Images are mirrored, in training and when asked, only where a mirror does not change the classes.

    Args:
        n_classes: columns of the labels.
        seed: the same seed gives the same predictions where max_epochs ends the training, not the clock.
        widths: channels of each stage of the network; the wider, the better in the end and the slower.
        fine: the first layer keeps more of the pixels, likewise.
        options: how to train; None for the usual.
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
        super().__init__(n_classes, seed)
        self._widths = tuple(widths)
        self._fine = fine
        self._options = options
        self._trainer: Trainer | None = None
        self._exclusive = False
        self._mirrored = False

    def _fit(self, x: Features, y: Array, budget: Budget) -> None:
        if self._trainer is None:
            self._fill = _finite_mean(x)
        images = self._images(x)
        self._exclusive = y.shape[1] > 1 and bool(np.all((y > 0.5).sum(axis=1) == 1))
        if self._trainer is None:
            self._mirrored = looks_alike_in_a_mirror(images, y, self.seed)
            self._trainer = self._new_trainer(images.shape[1:])
        labels = torch.from_numpy(np.ascontiguousarray(y, dtype=np.float32))
        self._trainer.train(_channels_first(images), labels, budget, exclusive=self._exclusive)

    def _predict_proba(self, x: Features) -> Array:
        assert self._trainer is not None, "the base class refuses an unfitted learner"
        views = [_mirror] if self._mirrored else []
        logits = self._trainer.predict(_channels_first(self._images(x)), views).numpy().astype(np.float64)
        return np.asarray(special.softmax(logits, axis=1) if self._exclusive else special.expit(logits))

    def _images(self, x: Features) -> Array:
        """uint8 as they are, anything else as float32; what is not finite becomes the mean of what is."""
        if x.dtype == np.uint8:
            return np.asarray(x)
        return np.nan_to_num(np.asarray(x, np.float32), nan=self._fill, posinf=self._fill, neginf=self._fill)

    def _new_trainer(self, shape: tuple[int, ...]) -> Trainer:
        """For images [row, col, channel]."""
        side = min(shape[:2])
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            network = ResidualNetwork(shape[2], self.n_classes, side, self._widths, fine=self._fine)
        augment = ShiftAndFlip(max(1, round(side * SHIFT_SHARE)), self._mirrored)
        return Trainer(network, self._options, augment=augment, seed=self.seed)


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
