"""SpectrogramLearner: a network trained on spectrograms for as long as its budget lasts; the next fit goes on."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from autodl_solver.data.examples import Array
from autodl_solver.errors import ShapeError
from autodl_solver.learners.base import Features
from autodl_solver.learners.network import TrainedLearner
from autodl_solver.nn.spectrogram_network import HideAndShift, SpectrogramNetwork
from autodl_solver.nn.trainer import Trainer

LEAST_SIDE = 4
"""Frames and bands that a spectrogram must have; smaller ones are repeated at their edge."""


class SpectrogramLearner(TrainedLearner):
    """A small residual network on arrays [n_frames, n_bands] whose bands have mean 0 and variance 1."""

    def _rows(self, x: Features) -> Tensor:
        return _pictures(x)

    def _new_trainer(self, rows: Tensor, y: Array) -> Trainer:
        n_frames, n_bands = rows.shape[2:]
        network = SpectrogramNetwork(n_frames, n_bands, self.n_classes, self._widths)
        return Trainer(network, self._options, augment=HideAndShift(), seed=self.seed)


def _pictures(x: Features) -> Tensor:
    """[n, 1, n_frames, n_bands], finite."""
    if not isinstance(x, np.ndarray) or x.ndim != 3 or 0 in x.shape[1:]:
        raise ShapeError(f"A network for spectrograms needs an array [n, frame, band]; however {x.shape=}.")
    missing = [(0, 0), *((0, max(0, LEAST_SIDE - size)) for size in x.shape[1:])]
    rows = np.pad(x, missing, mode="edge") if np.any(missing) else x.copy()
    return torch.from_numpy(np.nan_to_num(rows, copy=False, nan=0.0, posinf=0.0, neginf=0.0))[:, None]
