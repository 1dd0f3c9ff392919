"""SeriesNetworkLearner: a network trained on series for as long as its budget lasts; the next fit goes on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from autodl_solver.data.examples import Array
from autodl_solver.errors import ShapeError
from autodl_solver.learners.base import Features
from autodl_solver.learners.network import TrainedLearner
from autodl_solver.nn.series_network import SeriesNetwork, WarpAndScale
from autodl_solver.nn.trainer import Trainer, TrainingOptions

WIDTHS = (64, 128, 128)


class SeriesNetworkLearner(TrainedLearner):
    """A small residual network on arrays [n, n_points, n_channels + 1].

    Channels have mean 0 and variance 1; the last one is 1 within a series and 0 past its end.

    Args:
        n_classes, seed, widths, options: see TrainedLearner.
    """

    def __init__(
        self,
        n_classes: int,
        seed: int = 0,
        *,
        widths: Sequence[int] = WIDTHS,
        options: TrainingOptions | None = None,
    ) -> None:
        super().__init__(n_classes, seed, widths=widths, options=options)

    def _rows(self, x: Features) -> Tensor:
        return _courses(x)

    def _new_trainer(self, rows: Tensor, y: Array) -> Trainer:
        network = SeriesNetwork(rows.shape[1] - 1, rows.shape[3], self.n_classes, self._widths)
        return Trainer(network, self._options, augment=WarpAndScale(), seed=self.seed)


def _courses(x: Features) -> Tensor:
    """[n, n_channels + 1, 1, n_points], finite."""
    if not isinstance(x, np.ndarray) or x.ndim != 3 or x.shape[1] < 1 or x.shape[2] < 2:
        raise ShapeError(f"A network for series needs an array [n, point, channel and a last one]; however {x.shape=}.")
    rows = np.ascontiguousarray(x.swapaxes(1, 2))[:, :, None]
    return torch.from_numpy(np.nan_to_num(rows, copy=False, nan=0.0, posinf=0.0, neginf=0.0))
