"""A network for short clips of small frames, [n, time, row, col, channel], that goes on for as long as it is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor, nn

from autodl_solver.budget import Budget
from autodl_solver.data.examples import Array, Examples
from autodl_solver.errors import ShapeError
from autodl_solver.learners.base import Features, Learner
from autodl_solver.learners.network import NetworkLearner
from autodl_solver.learners.network_scratch import options_from_scratch, settled_network
from autodl_solver.nn.augment import Augment, OneFrame, TemporalJitter
from autodl_solver.nn.space_time import MOMENT_FRAMES, MOMENT_STEP, SpaceTimeNetwork
from autodl_solver.nn.trainer import TrainingOptions

BATCH_CLIPS = 64
"""Of a step: clips are few, and what is learned from them takes many steps."""

BATCH_FROM_SCRATCH = 32
"""Clips of a step of a network of torchvision."""

TIME_SHIFT_SHARE = 1 / 8
"""Clips are moved in time by up to this share of their frames: a frame of eight."""

PACE_SHARE = 1 / 4
"""Clips are shown up to this share faster or slower; measured against none and against shifts alone."""


class StackLearner(NetworkLearner):
    """The network for images on stacked frames; it knows where a frame ends, and moves clips in time as well.

    Args:
        n_classes, seed, widths, fine, options: see NetworkLearner.
        n_channels: of a frame.
    """

    def __init__(
        self,
        n_classes: int,
        seed: int = 0,
        *,
        n_channels: int,
        widths: Sequence[int] = (32, 64),
        fine: bool = False,
        options: TrainingOptions | None = None,
    ) -> None:
        options = TrainingOptions(batch_size=BATCH_CLIPS) if options is None else options
        super().__init__(n_classes, seed, widths=widths, fine=fine, options=options)
        self._n_channels = n_channels

    def _augment(self, rows: Tensor) -> Augment:
        shift = round(self._n_frames(rows) * TIME_SHIFT_SHARE)
        return TemporalJitter(self._n_channels, shift, PACE_SHARE, self._shift_and_flip(rows))

    def _n_frames(self, rows: Tensor) -> int:
        return rows.shape[1] // self._n_channels


class VideoNetworkLearner(Learner):
    """The network for images (learners/network.py) on clips: their frames, one behind the other, are its channels.

    So crop and flip are the same for all frames, and there is a flip only where neither what is seen nor how it moves
    changes its class; half of the clips are moved in time while they are learned from. The first layer sees all times
    at once; the rest costs as much as for a single image, which beats networks that look at every frame by far within a
    minute on two cores (docs/experiments.md).

    Args:
        n_classes: columns of the labels.
        seed: the same seed gives the same predictions where max_epochs ends the training, not the clock.
        widths: channels of each stage of the network.
        options: how to train; None for the usual.
        network: another one for such stacked frames, with settings of its own; None for that of widths and options.
    """

    def __init__(
        self,
        n_classes: int,
        seed: int = 0,
        *,
        widths: Sequence[int] = (64, 128),
        options: TrainingOptions | None = None,
        network: NetworkLearner | None = None,
    ) -> None:
        super().__init__(n_classes, seed)
        self._widths = tuple(widths)
        self._options = options
        self._network = network

    def _fit(self, x: Features, y: Array, budget: Budget) -> None:
        clips = _clips(x)
        if self._network is None:
            self._network = StackLearner(
                self.n_classes, self.seed, n_channels=clips.shape[4], widths=self._widths, options=self._options
            )
        self._network.fit(Examples(_stacked(clips), y), budget)

    def _predict_proba(self, x: Features) -> Array:
        assert self._network is not None, "the base class refuses an unfitted learner"
        return self._network.predict_proba(_stacked(_clips(x)))


class SpaceTimeLearner(StackLearner):
    """A (2+1)-D network on stacked frames: the `network` of a VideoNetworkLearner.

    It may begin as a network for images: with frames that are drawn anew each step, each the only moment that is seen.
    Such a step costs what one moment of a clip does, and all weights go on to clips, where the filters over time, which
    met their middle only, find neighbours. The first layer is fitted to clips before. Source: Carreira and Zisserman,
    Quo vadis, action recognition?, CVPR 2017, whose networks for clips begin as networks for images.

    Args:
        n_classes, seed: see StackLearner.
        frames_share: of the first contract, for frames; none where a clip has one moment only, and costs no more.
        settings: n_channels, widths, fine and options of StackLearner.
    """

    def __init__(self, n_classes: int, seed: int = 0, *, frames_share: float = 0.0, **settings: Any) -> None:
        super().__init__(n_classes, seed, **settings)
        self._frames_share = frames_share

    def _fit(self, x: Features, y: Array, budget: Budget) -> None:
        frames_first = self._trainer is None and self._begins_with_frames(x.shape[-1])
        if frames_first:
            super()._fit(x, y, budget.slice(self._frames_share * budget.left))
            assert self._trainer is not None, "a fit makes one"
            self._trainer.augment = super()._augment(self._rows(x[:1]))
        super()._fit(x, y, budget)

    def _augment(self, rows: Tensor) -> Augment:
        """Of the first steps; when they were on frames, `_fit` goes on with clips."""
        if self._begins_with_frames(rows.shape[1]):
            return OneFrame(self._n_channels, MOMENT_FRAMES, self._shift_and_flip(rows))
        return super()._augment(rows)

    def _begins_with_frames(self, depth: int) -> bool:
        """Whether frames come first for clips of so many channels, those of all frames together."""
        return self._frames_share > 0 and depth // self._n_channels >= MOMENT_FRAMES + MOMENT_STEP

    def _new_network(self, rows: Tensor) -> nn.Module:
        n_frames, size_px = self._n_frames(rows), min(rows.shape[2:])
        return SpaceTimeNetwork(self._n_channels, n_frames, self.n_classes, size_px, self._widths, fine=self._fine)


class TorchvisionVideoLearner(StackLearner):
    """A network of torchvision for clips, trained from scratch on stacked frames: for a GPU.

    Args:
        n_classes, seed: see TrainedLearner.
        n_channels: of a frame.
        model: torchvision's name.
        side_px: smaller frames are enlarged to it.
        options: how to train; None for what is usual for such a network.
    """

    def __init__(
        self,
        n_classes: int,
        seed: int = 0,
        *,
        n_channels: int,
        model: str = "r2plus1d_18",
        side_px: int = 112,
        options: TrainingOptions | None = None,
    ) -> None:
        options = options_from_scratch(model, BATCH_FROM_SCRATCH) if options is None else options
        super().__init__(n_classes, seed, n_channels=n_channels, options=options)
        self._model = model
        self._side_px = side_px

    def _new_network(self, rows: Tensor) -> nn.Module:
        return settled_network(rows, self._model, self._side_px, self.n_classes, self._n_frames(rows))


def _clips(x: Features) -> Array:
    """uint8 as they are, anything else as finite float32."""
    if not isinstance(x, np.ndarray) or x.ndim != 5 or 0 in x.shape[1:]:
        raise ShapeError(f"Clips must be an array [n, time, row, col, channel]; however {x.shape=}.")
    return x if x.dtype == np.uint8 else np.nan_to_num(x.astype(np.float32), posinf=0.0, neginf=0.0)


def _stacked(clips: Array) -> Array:
    """[n, time, row, col, channel] -> [n, row, col, time * channel]."""
    n, _, height, width, _ = clips.shape
    return np.ascontiguousarray(clips.transpose(0, 2, 3, 1, 4)).reshape(n, height, width, -1)
