"""Pretrained networks trained further, on images or the stacked frames of clips, as long as their budget lasts."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from autodl_solver.learners.network import NetworkLearner
from autodl_solver.nn.pretrained import Weights
from autodl_solver.nn.pretrained_network import pretrained_network
from autodl_solver.nn.trainer import TrainingOptions

OPTIONS = TrainingOptions(batch_size=32, vector_step=3e-4, max_epochs=50.0)
"""AdamW for all weights, at the step that was best in 2019 (2.5e-4 to 4e-4)."""


class PretrainedLearner(NetworkLearner):
    """NetworkLearner around a network that begins with pretrained weights, its early layers frozen.

    Once fitted it needs the file of weights no more, and is saved without its name.

    Args:
        n_classes, seed, options: see TrainedLearner.
        weights: where it begins.
        side_px: smaller images are enlarged to it.
        n_channels: of a frame, where rows are clips whose frames lie one behind the other; None for images.
    """

    def __init__(
        self,
        n_classes: int,
        seed: int = 0,
        *,
        weights: Weights,
        side_px: int,
        n_channels: int | None = None,
        options: TrainingOptions = OPTIONS,
    ) -> None:
        super().__init__(n_classes, seed, options=options)
        self._weights: Weights | None = weights
        self._side_px = side_px
        self._n_channels = n_channels

    def attributes_to_save(self) -> dict[str, Any]:
        """Without the place of the file: another machine has none, and a saved model must not name files to open."""
        return {**vars(self), "_weights": None}

    def _new_network(self, rows: Tensor) -> nn.Module:
        assert self._weights is not None, "only a fitted learner is saved"
        n_frames = 1 if self._n_channels is None else rows.shape[1] // self._n_channels
        return pretrained_network(self._weights, n_classes=self.n_classes, n_frames=n_frames, side_px=self._side_px)
