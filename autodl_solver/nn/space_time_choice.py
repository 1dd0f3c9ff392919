"""At which side a (2+1)-D network should look at clips here: the largest at which this machine trains it in time.

Measured: a few steps at each side that is asked for, in time that is free. Where there is nothing to choose, nothing is
measured and torch is not imported. Cost: 1.5 s for sides of 32, 64 and 112 px, two cores of a machine without a GPU.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Sequence
from functools import partial

from autodl_solver.nn.scratch_choice import most_seconds, seconds_a_row

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


@functools.lru_cache(maxsize=32)  # a plan is made twice: before the budget runs, and again when it does
def _affordable_side(
    sizes: tuple[tuple[int, int], ...], n_channels: int, n_examples: int, widths: tuple[int, ...], fine: bool
) -> int:
    from autodl_solver.nn.space_time import SpaceTimeNetwork

    best_px = sizes[0][0]
    for side_px, n_frames in sizes[1:]:
        make = partial(SpaceTimeNetwork, n_channels, n_frames, 2, side_px, widths, fine=fine)
        seconds = seconds_a_row(make, (n_frames * n_channels, side_px, side_px), PROBE_CLIPS)
        logger.info("(2+1)-D network: %.1f ms a clip of %d px", 1000 * seconds, side_px)
        if not seconds <= most_seconds(n_examples, EPOCHS):
            break
        best_px = side_px
    return best_px
