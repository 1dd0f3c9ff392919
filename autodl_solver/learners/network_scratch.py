"""Networks of torchvision trained from scratch, on images or the stacked frames of clips: for a GPU."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import update_bn

from autodl_solver.learners.network import NetworkLearner
from autodl_solver.nn.device import best_compute
from autodl_solver.nn.pretrained_network import PretrainedNetwork
from autodl_solver.nn.scratch_choice import BATCH_IMAGES, network_from_scratch
from autodl_solver.nn.trainer import TrainingOptions

STEP_BATCH = 32
"""Rows for which the two steps below are meant."""

STEP = 1e-3
"""AdamW for all weights, at its usual step."""

TRANSFORMERS = ("convnext", "swin", "vit")
"""Networks whose names begin so are transformers, or are trained as such."""

TRANSFORMER_STEP = 2e-4
"""Theirs is 1e-3 for a batch of 1,024; the step goes with the root of the batch."""

SETTLING_FRAMES = 128
"""That normalisations see before the first step: those of 8 clips, or as many images."""


class TorchvisionLearner(NetworkLearner):
    """A network of torchvision for images, trained from scratch. For clips: network_video.py::TorchvisionVideoLearner.

    Args:
        n_classes, seed: see TrainedLearner.
        model: torchvision's name.
        side_px: smaller images are enlarged to it. A "vit" takes multiples of its patches only, and no larger images.
        options: how to train; None for what is usual for such a network.
    """

    def __init__(
        self, n_classes: int, seed: int = 0, *, model: str, side_px: int, options: TrainingOptions | None = None
    ) -> None:
        super().__init__(n_classes, seed, options=options or options_from_scratch(model, BATCH_IMAGES))
        self._model = model
        self._side_px = side_px

    def _new_network(self, rows: Tensor) -> nn.Module:
        return settled_network(rows, self._model, self._side_px, self.n_classes)


def options_from_scratch(model: str, batch_size: int) -> TrainingOptions:
    """What is usual for a network of torchvision of that name, in batches of that size."""
    step = TRANSFORMER_STEP if model.startswith(TRANSFORMERS) else STEP
    return TrainingOptions(batch_size, vector_step=step * math.sqrt(batch_size / STEP_BATCH))


def settled_network(
    rows: Tensor, model: str, side_px: int, n_classes: int, n_frames: int | None = None
) -> PretrainedNetwork:
    """A network of torchvision whose normalisations begin with the statistics of some rows, not with 0 and 1.

    Seen through those of a new network the features of r2plus1d_18 spread 57 times less than in a step of training, and
    the head, scaled to that, made logits of hundreds after its first step.

    Args:
        rows: [n, channel, row, col], the frames of clips one behind the other in the channels.
        model, side_px, n_classes, n_frames: see network_from_scratch.
    """
    compute = best_compute()
    network = network_from_scratch(model, side_px, n_classes, n_frames).to(compute.device)
    network.prepare(rows)  # the range of the values, before anything is seen through it
    chosen = torch.linspace(0, len(rows) - 1, max(2, SETTLING_FRAMES // (n_frames or 1))).long()
    with compute.autocast():
        update_bn([rows[chosen].float()], network, compute.device)
    return network
