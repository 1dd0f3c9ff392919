"""A residual network for short clips: frames and the steps between them, with features shifted along time.

Each frame, with its difference to the next one, goes through the same 2-D network; before each stage an eighth of the
channels comes from the frame before and an eighth from the one after, which makes the convolutions spatio-temporal at
no cost. Maxima over the frame, then mean and maximum over time, go into a linear head; so any number of frames will do.
Sources: Lin, Gan and Han, TSM: Temporal shift module for efficient video understanding, ICCV 2019; Wang et al.,
Temporal segment networks, ECCV 2016 (sampled frames, differences); the stages are those of residual.py.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from autodl_solver.nn.residual import LOGIT_SCALE, PatchWhitening, ResidualStage, patch_of

SHIFTED_SHARE = 8
"""One channel in so many comes from the frame before, and as many from the one after. Lin et al. 2019."""

PREPARE_CLIPS = 100
"""Clips that the first layer is fitted to."""


class ClipNetwork(nn.Module):
    """Clips -> logits.

    Args:
        n_channels: of a frame.
        n_classes: logits.
        size_px: the smaller side of the frames that it is meant for; others work as well.
        widths: channels of each stage.
    """

    def __init__(self, n_channels: int, n_classes: int, size_px: int, widths: Sequence[int] = (64, 128)) -> None:
        super().__init__()
        self.n_channels = n_channels
        patch_px, stride = patch_of(size_px)
        self.stem = PatchWhitening(2 * n_channels, patch_px, stride)
        n_in = 2 * self.stem.n_kept
        strides = [1 if size_px <= 2 * patch_px else 2, *(2 for _ in widths[1:])]
        stages = []
        for width, stage_stride in zip(widths, strides, strict=True):
            stages.append(ResidualStage(n_in, width, stage_stride))
            n_in = width
        self.stages = nn.ModuleList(stages)
        self.head = nn.Linear(2 * n_in, n_classes)

    def prepare(self, x: Tensor) -> None:
        """Fits the first layer to some of the rows."""
        chosen = torch.linspace(0, len(x) - 1, min(len(x), PREPARE_CLIPS)).long()
        self.stem.fit(self._with_steps(x[chosen].to(self.stem.filters.device).float()).flatten(0, 1))

    def forward(self, x: Tensor) -> Tensor:
        """[n, time * n_channels, H, W] float32 -> [n, n_classes]."""
        frames = self._with_steps(x)
        n, n_frames = frames.shape[:2]
        maps = functional.relu(self.stem(frames.flatten(0, 1).contiguous(memory_format=torch.channels_last)))
        for stage in self.stages:
            maps = stage(_shifted(maps, n_frames))
        course = maps.amax(dim=(2, 3)).view(n, n_frames, -1)
        logits: Tensor = self.head(torch.cat([course.mean(dim=1), course.amax(dim=1)], dim=1)) * LOGIT_SCALE
        return logits

    def _with_steps(self, x: Tensor) -> Tensor:
        """[n, time * C, H, W] -> [n, time, 2 * C, H, W]: each frame and how it differs from the next one."""
        clips = x.reshape(len(x), -1, self.n_channels, *x.shape[2:])
        return torch.cat([clips, torch.diff(clips, dim=1, append=clips[:, -1:])], dim=2)


def _shifted(maps: Tensor, n_frames: int) -> Tensor:
    """[n * time, C, H, W]: the first channels taken from the frame before, the next ones from the frame after."""
    clips = maps.reshape(-1, n_frames, *maps.shape[1:])
    k = maps.shape[1] // SHIFTED_SHARE
    past = functional.pad(clips[:, :-1, :k], (0, 0, 0, 0, 0, 0, 1, 0))
    future = functional.pad(clips[:, 1:, k : 2 * k], (0, 0, 0, 0, 0, 0, 0, 1))
    together = torch.cat([past, future, clips[:, :, 2 * k :]], dim=2)
    return together.flatten(0, 1).contiguous(memory_format=torch.channels_last)
