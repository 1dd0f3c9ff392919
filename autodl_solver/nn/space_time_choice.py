"""At which side a (2+1)-D network should look at clips here: the largest at which this machine trains it in time.

Measured: a few steps at each side that is asked for, in time that is free. Where there is nothing to choose, nothing is
measured and torch is not imported. Cost: 1.5 s for sides of 32, 64 and 112 px, two cores of a machine without a GPU.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from autodl_solver.nn.pretrained_rule import NOMINAL_S, SHARE, TRAIN_ROWS, UNKNOWN_ROWS, fastest_s

if TYPE_CHECKING:
    from torch import nn

logger = logging.getLogger(__name__)

EPOCHS = 15
"""Passes over the clips, after which such networks have learned most of what they do on avletters and gtsrb_tracks."""

PROBE_CLIPS = 4


def affordable_side(
    sizes: Sequence[tuple[int, int]], n_channels: int, n_examples: int, widths: Sequence[int], *, fine: bool = False
) -> int:
    """The largest side that allows EPOCHS in a share of the usual budget; the smallest in any case.

    Args:
        sizes: (side in pixels, frames of a clip at that side), in growing order.
        n_channels: of a frame.
        n_examples: of the training split, -1 where unknown.
        widths, fine: of the network.
    """
    if len(sizes) == 1:
        return sizes[0][0]
    return _affordable_side(tuple(sizes), n_channels, n_examples, tuple(widths), fine)


def first_affordable_from_scratch(models: Sequence[str], side_px: int, n_frames: int, n_examples: int) -> str | None:
    """The first of torchvision's networks that is affordable; None without a GPU. Those behind it are not measured.

    Args:
        models: torchvision's names, the best first.
        side_px, n_frames, n_examples: see is_affordable_from_scratch.
    """
    for model in models:
        if is_affordable_from_scratch(model, side_px, n_frames, n_examples):
            return model
    return None


@functools.lru_cache(maxsize=8)
def is_affordable_from_scratch(model: str, side_px: int, n_frames: int, n_examples: int) -> bool:
    """Whether there is a GPU on which a network of torchvision gets through the clips EPOCHS times in that share.

    Args:
        model: torchvision's name.
        side_px: of the frames that it looks at.
        n_frames: of a clip.
        n_examples: of the training split, -1 where unknown.
    """
    import torch

    from autodl_solver.nn.pretrained_network import torchvision_network

    if not torch.cuda.is_available():
        return False  # a core takes a second for a clip: not worth a measurement
    seconds = _seconds_a_clip(partial(torchvision_network, model, side_px), (3, n_frames, side_px, side_px))
    logger.info("%s from scratch: %.1f ms a clip of %d px", model, 1000 * seconds, side_px)
    return seconds <= _most_seconds(n_examples)


@functools.lru_cache(maxsize=32)  # a plan is made twice: before the budget runs, and again when it does
def _affordable_side(
    sizes: tuple[tuple[int, int], ...], n_channels: int, n_examples: int, widths: tuple[int, ...], fine: bool
) -> int:
    from autodl_solver.nn.space_time import SpaceTimeNetwork

    best_px = sizes[0][0]
    for side_px, n_frames in sizes[1:]:
        make = partial(SpaceTimeNetwork, n_channels, n_frames, 2, side_px, widths, fine=fine)
        seconds = _seconds_a_clip(make, (n_frames * n_channels, side_px, side_px))
        logger.info("(2+1)-D network: %.1f ms a clip of %d px", 1000 * seconds, side_px)
        if not seconds <= _most_seconds(n_examples):
            break
        best_px = side_px
    return best_px


def _most_seconds(n_examples: int) -> float:
    """That a training step may take for each of its clips."""
    n_known = UNKNOWN_ROWS if n_examples < 0 else n_examples
    return SHARE * NOMINAL_S / (EPOCHS * max(1, min(n_known, TRAIN_ROWS)))


def _seconds_a_clip(make_network: Callable[[], nn.Module], shape: tuple[int, ...]) -> float:
    """Of a training step on clips of a shape; NaN where memory does not suffice."""
    import torch

    from autodl_solver.nn.device import best_compute

    with torch.random.fork_rng(devices=[]):
        compute = best_compute()
        network = make_network().to(compute.device)
    clips = torch.zeros(PROBE_CLIPS, *shape, device=compute.device)

    def step() -> None:
        with compute.autocast():
            logits = network(clips)
        loss = logits.float().sum()
        loss.backward()
        loss.item()  # waits for the device

    return fastest_s(step, torch.OutOfMemoryError) / PROBE_CLIPS
