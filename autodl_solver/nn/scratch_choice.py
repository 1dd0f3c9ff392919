"""Which of torchvision's networks a GPU trains from scratch in time: one rule for images and clips.

Measured, not known by name: a few steps of each, the best first, in time that is free. The first that gets through the
rows often enough in a share of the usual budget (pretrained_rule.py says which) is taken. Without a GPU nothing is
measured, and where there is surely none torch, which takes seconds, is not imported. It has not run on a GPU yet.
"""

from __future__ import annotations

import functools
import logging
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from autodl_solver.nn.pretrained_rule import NOMINAL_S, SHARE, TRAIN_ROWS, UNKNOWN_ROWS, fastest_s

if TYPE_CHECKING:
    from torch import nn

    from autodl_solver.nn.pretrained_network import PretrainedNetwork

logger = logging.getLogger(__name__)

BATCH_IMAGES = 128
"""Of a step of a network for images, measured and trained alike: few small images leave a GPU idle."""

PIXEL_MEAN = (0.45, 0.45, 0.45)
PIXEL_STD = (0.22, 0.22, 0.22)
"""Of photographs and videos at large (those of Kinetics, rounded): what the usual initial weights expect."""

GPU_FILES = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")
"""Where Linux has a GPU that torch can use, there is one of these: by Nvidia's driver, within Windows, by AMD's."""


def first_affordable_from_scratch(
    models: Sequence[str], side_px: int, n_examples: int, *, epochs: int, n_rows: int, n_frames: int | None = None
) -> str | None:
    """The first of torchvision's networks that is affordable; None without a GPU. Those behind it are not measured.

    Args:
        models: torchvision's names, the best first.
        side_px, n_examples, epochs, n_rows, n_frames: see is_affordable_from_scratch.
    """
    for model in models:
        if is_affordable_from_scratch(model, side_px, n_examples, epochs, n_rows, n_frames):
            return model
    return None


@functools.lru_cache(maxsize=32)  # a plan is made twice: before the budget runs, and again when it does
def is_affordable_from_scratch(
    model: str, side_px: int, n_examples: int, epochs: int, n_rows: int, n_frames: int | None
) -> bool:
    """Whether there is a GPU on which a network of torchvision gets through the rows so often in that share.

    Args:
        model: torchvision's name.
        side_px: of the images or frames that it looks at.
        n_examples: of the training split, -1 where unknown.
        epochs: passes over the rows, after which such networks have learned most of what they do.
        n_rows: of a measured step.
        n_frames: of a clip; None for images.
    """
    if not _has_gpu():
        return False  # a CPU is too slow by far: a core takes a second for a clip
    make = partial(network_from_scratch, model, side_px, 2, n_frames)
    seconds = seconds_a_row(make, (3 * (n_frames or 1), side_px, side_px), n_rows)
    logger.info("%s from scratch: %.2f ms a row of %d px", model, 1000 * seconds, side_px)
    return seconds <= most_seconds(n_examples, epochs)


def network_from_scratch(model: str, side_px: int, n_classes: int, n_frames: int | None = None) -> PretrainedNetwork:
    """A network of torchvision with random weights, none of them frozen.

    Args:
        model: torchvision's name.
        side_px: smaller images or frames are enlarged to it.
        n_classes: logits.
        n_frames: of a clip; None for images.
    """
    from autodl_solver.nn.pretrained_network import PretrainedNetwork

    return PretrainedNetwork(
        model,
        side_px,
        PIXEL_MEAN,
        PIXEL_STD,
        n_classes=n_classes,
        is_video=n_frames is not None,
        n_frames=n_frames or 1,
        side_px=side_px,
        frozen_share=0.0,
    )


def most_seconds(n_examples: int, epochs: int) -> float:
    """That a training step may take for each of its rows.

    Args:
        n_examples: of the training split, -1 where unknown.
        epochs: passes over them.
    """
    n_known = UNKNOWN_ROWS if n_examples < 0 else n_examples
    return SHARE * NOMINAL_S / (epochs * max(1, min(n_known, TRAIN_ROWS)))


def seconds_a_row(make_network: Callable[[], nn.Module], shape: tuple[int, ...], n_rows: int) -> float:
    """Of a training step; NaN where memory does not suffice.

    Args:
        make_network: with random weights, not yet on the device.
        shape: of a row.
        n_rows: of the step.
    """
    import torch

    from autodl_solver.nn.device import best_compute

    with torch.random.fork_rng(devices=[]):
        compute = best_compute()
        network = make_network()

        def step() -> None:  # takes all memory of the device, so that it tells when that does not suffice
            rows = torch.zeros(n_rows, *shape, device=compute.device)
            with compute.autocast():
                logits = network.to(compute.device)(rows)
            loss = logits.float().sum()
            loss.backward()
            loss.item()  # waits for the device

        return fastest_s(step, torch.OutOfMemoryError) / n_rows


def _has_gpu() -> bool:
    """Whether torch can compute on one."""
    if "torch" not in sys.modules and sys.platform != "win32" and not any(map(os.path.exists, GPU_FILES)):
        return False  # importing torch takes seconds, which belong to the first answer
    import torch

    return torch.cuda.is_available()
