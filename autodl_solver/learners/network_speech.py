"""SpectrogramLearner: a network trained on spectrograms for as long as its budget lasts; the next fit goes on."""

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
from autodl_solver.nn.spectrogram_network import HideAndShift, SpectrogramNetwork
from autodl_solver.nn.trainer import Trainer, TrainingOptions

LEAST_SIDE = 4
"""Frames and bands that a spectrogram must have; smaller ones are repeated at their edge."""


class SpectrogramLearner(Learner):
    """A small residual network on arrays [n_frames, n_bands] whose bands have mean 0 and variance 1.

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
        self._options = options
        self._trainer: Trainer | None = None
        self._exclusive = False

    def _fit(self, x: Features, y: Array, budget: Budget) -> None:
        pictures = _pictures(x)
        self._exclusive = y.shape[1] > 1 and bool(np.all((y > 0.5).sum(axis=1) == 1))
        if self._trainer is None:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(self.seed)
                n_frames, n_bands = pictures.shape[2:]
                network = SpectrogramNetwork(n_frames, n_bands, self.n_classes, self._widths)
            self._trainer = Trainer(network, self._options, augment=HideAndShift(), seed=self.seed)
        labels = torch.from_numpy(np.ascontiguousarray(y, dtype=np.float32))
        self._trainer.train(pictures, labels, budget, exclusive=self._exclusive)

    def _predict_proba(self, x: Features) -> Array:
        assert self._trainer is not None, "the base class refuses an unfitted learner"
        logits = self._trainer.predict(_pictures(x)).numpy().astype(np.float64)
        return np.asarray(special.softmax(logits, axis=1) if self._exclusive else special.expit(logits))


def _pictures(x: Features) -> Tensor:
    """[n, 1, n_frames, n_bands], finite."""
    if not isinstance(x, np.ndarray) or x.ndim != 3 or 0 in x.shape[1:]:
        raise ShapeError(f"A network for spectrograms needs an array [n, frame, band]; however {x.shape=}.")
    missing = [(0, 0), *((0, max(0, LEAST_SIDE - size)) for size in x.shape[1:])]
    rows = np.pad(x, missing, mode="edge") if np.any(missing) else x.copy()
    return torch.from_numpy(np.nan_to_num(rows, copy=False, nan=0.0, posinf=0.0, neginf=0.0))[:, None]
