"""A (2+1)-D residual network: convolutions over space, then over time, on clips whose frames lie one behind the other.

Its first layer whitens patches of a few successive frames, as in residual.py, at every second moment; each stage halves
the map, then time, by maxima, and adds what a second pair of convolutions finds. Times are rows of the batch while a
convolution looks at space, and rows of the image while one looks at time: both are 2-D convolutions on the same memory,
without a copy, and as fast on a CPU. The same weights see every moment, so clips may be of any length and size.
Maxima in place of strides: a third fewer steps, and .002 to .003 NAUC more in a blend with patches (mean of three
datasets, 5 and 15 s of one core).
Source: Tran et al., A closer look at spatiotemporal convolutions for action recognition, CVPR 2018.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from autodl_solver.nn.residual import LOGIT_SCALE, NORM_MOMENTUM, PREPARE_ROWS, PatchWhitening, patch_of

MOMENT_FRAMES = 3
"""Successive frames that the first layer sees at a moment."""

MOMENT_STEP = 2
"""Frames from one moment to the next."""

CHUNK_VALUES = {"cpu": 1e7, "cuda": 2e8}
"""Input values that a pass without training takes at a time, so that the maps of all layers fit into memory."""


class SpaceTimeConvolution(nn.Module):
    """3x3 over space, then 3 over time; of either the largest of some neighbours, normalised and rectified.

    Args:
        n_in, n_out: channels.
        pooled, times_pooled: places a side, and times, of which the largest value is kept; 1: all are kept.
    """

    def __init__(self, n_in: int, n_out: int, pooled: int = 1, times_pooled: int = 1) -> None:
        super().__init__()
        self.pooled, self.times_pooled = pooled, times_pooled
        self.space = nn.Conv2d(n_in, n_out, 3, padding=1, bias=False)
        self.space_norm = nn.BatchNorm2d(n_out, momentum=NORM_MOMENTUM)
        self.time = nn.Conv2d(n_out, n_out, (3, 1), padding=(1, 0), bias=False)
        self.time_norm = nn.BatchNorm2d(n_out, momentum=NORM_MOMENTUM)

    def forward(self, x: Tensor, n_times: int) -> Tensor:
        """[n * n_times, n_in, H, W] -> [n * n_times', n_out, H', W']."""
        x = _largest(self.space(x), self.pooled, self.pooled)
        x = functional.relu(self.space_norm(x))
        n_channels, height, width = x.shape[1:]
        x = x.permute(0, 2, 3, 1).reshape(-1, n_times, height * width, n_channels).permute(0, 3, 1, 2)
        x = functional.relu(self.time_norm(_largest(self.time(x), self.times_pooled, 1)))
        return x.permute(0, 2, 3, 1).reshape(-1, height, width, n_channels).permute(0, 3, 1, 2)


class SpaceTimeStage(nn.Module):
    """Halves the map and the times (or keeps either), then adds what a second pair of convolutions finds."""

    def __init__(self, n_in: int, n_out: int, pooled: int, times_pooled: int) -> None:
        super().__init__()
        self.times_pooled = times_pooled
        self.narrow = SpaceTimeConvolution(n_in, n_out, pooled, times_pooled)
        self.refine = SpaceTimeConvolution(n_out, n_out)

    def forward(self, x: Tensor, n_times: int) -> tuple[Tensor, int]:
        """[n * n_times, n_in, H, W] -> [n * n_times', n_out, H', W'], n_times'."""
        x = self.narrow(x, n_times)
        n_times = (n_times - 1) // self.times_pooled + 1
        return x + self.refine(x, n_times), n_times


class SpaceTimeNetwork(nn.Module):
    """Clips -> logits.

    Args:
        n_channels: of a frame; a clip has a multiple of them.
        n_frames: of the clips that it is meant for; others work as well, but for shorter ones than MOMENT_FRAMES.
        n_classes: logits.
        size_px: the smaller side of those frames.
        widths: channels of each stage.
        fine: the first layer keeps twice as many pixels a side: slower to learn.
    """

    def __init__(
        self,
        n_channels: int,
        n_frames: int,
        n_classes: int,
        size_px: int,
        widths: Sequence[int] = (32, 64),
        *,
        fine: bool = False,
    ) -> None:
        super().__init__()
        self.arguments = {  # a saved network is built again from them
            "n_channels": n_channels,
            "n_frames": n_frames,
            "n_classes": n_classes,
            "size_px": size_px,
            "widths": tuple(widths),
            "fine": fine,
        }
        self.n_channels = n_channels
        self.n_seen = min(MOMENT_FRAMES, n_frames)
        patch_px, stride = patch_of(size_px, fine)
        self.stem = PatchWhitening(self.n_seen * n_channels, patch_px, stride)
        n_in = 2 * self.stem.n_kept
        pooled = [1 if size_px <= 2 * patch_px else 2, *(2 for _ in widths[1:])]
        stages = []
        for rank, (width, stage_pooled) in enumerate(zip(widths, pooled, strict=True)):
            stages.append(SpaceTimeStage(n_in, width, stage_pooled, 1 if rank == 0 else 2))
            n_in = width
        self.stages = nn.ModuleList(stages)
        self.head = nn.Linear(n_in, n_classes)

    def prepare(self, x: Tensor) -> None:
        """Fits the first layer to some of the rows, [n, T * C, H, W]."""
        chosen = torch.linspace(0, len(x) - 1, min(len(x), PREPARE_ROWS)).long()
        moments, n_times = self._moments(x[chosen].to(self.stem.filters.device).float())
        self.stem.fit(moments[:: max(1, n_times - 1)])  # other moments of each clip

    def forward(self, x: Tensor) -> Tensor:
        """[n, T * C, H, W] float32 -> [n, n_classes]."""
        if self.training:
            return self._logits(x)
        n_rows = max(1, int(CHUNK_VALUES[x.device.type] / max(1, x[:1].numel())))
        return torch.cat([self._logits(x[k : k + n_rows]) for k in range(0, len(x), n_rows)])

    def _logits(self, x: Tensor) -> Tensor:
        moments, n_times = self._moments(x)
        maps = functional.relu(self.stem(moments))
        for stage in self.stages:
            maps, n_times = stage(maps, n_times)
        best = maps.amax(dim=(2, 3)).reshape(len(x), n_times, -1).amax(dim=1)
        logits: Tensor = self.head(best * LOGIT_SCALE)
        return logits

    def _moments(self, x: Tensor) -> tuple[Tensor, int]:
        """[n, T * C, H, W] -> [n * n_times, n_seen * C, H, W], channels last in memory; and n_times."""
        n, _, height, width = x.shape
        frames = x.permute(0, 2, 3, 1).reshape(n, height, width, -1, self.n_channels)
        windows = frames.unfold(3, self.n_seen, MOMENT_STEP)  # [n, H, W, n_times, C, n_seen]
        n_times = windows.shape[3]
        moments = windows.permute(0, 3, 1, 2, 5, 4).reshape(n * n_times, height, width, -1)
        return moments.permute(0, 3, 1, 2), n_times


def _largest(x: Tensor, n_rows: int, n_cols: int) -> Tensor:
    """Of so many neighbours; the last ones may be fewer."""
    return x if n_rows == n_cols == 1 else functional.max_pool2d(x, (n_rows, n_cols), ceil_mode=True)
