"""A small residual network for series: the same wherever something happens in time, whatever the length.

A series is [n_channels + 1, 1, n_points]; its last channel is 1 within the series and 0 past its end, where nothing
counts. Each stage has a convolution that narrows and one that refines; means and maxima over time go into a linear
head.
Sources: Wang, Yan and Oates, Time series classification from scratch with deep neural networks, IJCNN 2017
(https://arxiv.org/abs/1611.06455), whose network keeps all points and costs five times as much; Um et al., Data
augmentation of wearable sensor data, ICMI 2017 (https://arxiv.org/abs/1706.00527).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from autodl_solver.nn.residual import NORM_MOMENTUM

TAPS = 7
"""Points that a kernel sees."""

MIN_POINTS = 16
"""A stage does not halve fewer."""

LOGIT_SCALE = 1 / 9
"""Keeps the first steps of the head small."""


class SeriesStage(nn.Module):
    """Halves the points (or keeps them), then adds what a second convolution finds."""

    def __init__(self, n_in: int, n_out: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.narrow = nn.Conv2d(n_in, n_out, (1, TAPS), (1, stride), (0, TAPS // 2), bias=False)
        self.norm_1 = nn.BatchNorm2d(n_out, momentum=NORM_MOMENTUM)
        self.refine = nn.Conv2d(n_out, n_out, (1, TAPS), 1, (0, TAPS // 2), bias=False)
        self.norm_2 = nn.BatchNorm2d(n_out, momentum=NORM_MOMENTUM)

    def forward(self, x: Tensor, within: Tensor) -> tuple[Tensor, Tensor]:
        """[n, n_in, 1, n_points] and [n, 1, 1, n_points] of 0 and 1 -> the same of n_out channels and fewer points."""
        within = within[..., :: self.stride]
        x = functional.relu(self.norm_1(self.narrow(x))) * within
        return x + functional.relu(self.norm_2(self.refine(x))) * within, within


class SeriesNetwork(nn.Module):
    """Series -> logits.

    Args:
        n_channels: of the series, without the one that tells where it ends.
        n_points: of a long series.
        n_classes: logits.
        widths: channels of each stage.
    """

    def __init__(self, n_channels: int, n_points: int, n_classes: int, widths: Sequence[int] = (64, 128, 128)) -> None:
        super().__init__()
        self.arguments = {  # a saved network is built again from them
            "n_channels": n_channels,
            "n_points": n_points,
            "n_classes": n_classes,
            "widths": tuple(widths),
        }
        stages = []
        n_in = n_channels + 1
        for width in widths:
            stride = 2 if n_points >= 2 * MIN_POINTS else 1
            n_points = -(-n_points // stride)
            stages.append(SeriesStage(n_in, width, stride))
            n_in = width
        self.stem = stages[0]  # trained as a first layer (trainer.py)
        self.stages = nn.ModuleList(stages[1:])
        self.head = nn.Linear(2 * n_in, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """[n, n_channels + 1, 1, n_points] float32 -> [n, n_classes]."""
        within = x[:, -1:]
        maps = x
        for stage in (self.stem, *self.stages):
            maps, within = stage(maps, within)
        mean = maps.sum(dim=(2, 3)) / within.sum(dim=(2, 3)).clamp_min(1)
        logits: Tensor = self.head(torch.cat([mean, maps.amax(dim=(2, 3))], dim=1)) * LOGIT_SCALE
        return logits


@dataclass(frozen=True)
class WarpAndScale:
    """Moves series in time, lets parts of them run faster and others slower, scales them and adds noise.

    Attributes:
        share: of the rows that are changed, on average; where the place or the pace tells a class, the others show it.
        shift: most points, as a share of all.
        warp: most that the pace changes, as a share of it.
        gain: spread of the factor of each channel.
        noise: spread of what is added to each value (channels have variance 1).
    """

    share: float = 0.5
    shift: float = 0.05
    warp: float = 0.2
    gain: float = 0.1
    noise: float = 0.02

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """[n, n_channels + 1, 1, n_points] of any dtype -> the same; the last channel moves with the others."""
        n, n_channels, _, n_points = x.shape

        def random(draw: Callable[..., Tensor], *size: int) -> Tensor:
            return draw(n, *size, device=x.device, generator=generator)

        time = torch.arange(n_points, device=x.device, dtype=torch.float32) / n_points
        turns, phase = 0.5 + 1.5 * random(torch.rand, 1), random(torch.rand, 1)
        bend = torch.sin(2 * torch.pi * (turns * time + phase)) / (2 * torch.pi * turns)
        moved = time + self.warp * (2 * random(torch.rand, 1) - 1) * bend + self.shift * (2 * random(torch.rand, 1) - 1)
        place = (moved * n_points).round().long().clamp(0, n_points - 1)  # [n, n_points]
        shown = x.gather(3, place[:, None, None].expand(x.shape))
        factor = 1 + self.gain * random(torch.randn, n_channels - 1, 1, 1)
        noise = self.noise * random(torch.randn, n_channels - 1, 1, n_points)
        within = shown[:, -1:]
        values = (shown[:, :-1] * factor.to(x.dtype) + noise.to(x.dtype)) * within
        is_changed = random(torch.rand, 1, 1, 1) < self.share
        return torch.where(is_changed, torch.cat([values, within], dim=1), x)
