"""A small residual network whose first layer whitens patches: quick to learn, for images of any size.

The filters of the first layer are the principal patches of the training images, scaled to equal strength, with both
signs, and stay as they are: no gradient flows at full resolution, which is where most of the time would go. After it,
each stage halves the map behind one 3x3 convolution, by maxima, and adds a second one; maxima over the map go into a
linear head.
Sources: K. Jordan, 94 % on CIFAR-10 in 3.29 seconds on a single GPU, arXiv:2404.00498 (whitening, head); D. Page, How
to train your ResNet, 2018; He et al., Deep residual learning, CVPR 2016.
Cost: widths (64, 128) on 32 px train at 1,700 images/s on one core with AVX512-BF16, 15 million multiplications each.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

STEM_WIDTH = 64
PREPARE_ROWS = 1000
PREPARE_PATCHES = 50_000
LOGIT_SCALE = 1 / 9
"""Keeps the first steps of the head small (Page 2018)."""

NORM_MOMENTUM = 0.3
"""Short contracts anneal in few steps: the statistics of the norms must follow."""


class PatchWhitening(nn.Module):
    """Normalises channels, then gives the leading principal components of each patch, with both signs.

    Args:
        n_channels: of the images.
        size_px, stride: of the patches.
        max_width: of the output.
    """

    def __init__(self, n_channels: int, size_px: int, stride: int, max_width: int = STEM_WIDTH) -> None:
        super().__init__()
        self.stride = stride
        self.n_kept = min(n_channels * size_px**2, max_width // 2)
        self.filters: Tensor
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("filters", torch.randn(2 * self.n_kept, n_channels, size_px, size_px) / size_px)
        self.register_buffer("mean", torch.zeros(n_channels, 1, 1))
        self.register_buffer("std", torch.ones(n_channels, 1, 1))

    @torch.no_grad()
    def fit(self, x: Tensor) -> None:
        """Sets the filters from images, [n, C, H, W] float32."""
        self.mean.copy_(x.mean(dim=(0, 2, 3))[:, None, None])
        std = x.std(dim=(0, 2, 3), correction=0)[:, None, None]
        self.std.copy_(std.clamp_min(max(1e-3 * float(std.max()), 1e-6)))
        size_px = self.filters.shape[-1]
        patches = functional.unfold((x - self.mean) / self.std, size_px, stride=max(1, size_px // 2))
        patches = patches.transpose(1, 2).flatten(0, 1)
        patches = patches[:: max(1, len(patches) // PREPARE_PATCHES)]
        values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
        floor = max(1e-5 * float(values.sum()), 1e-4)
        leading = (vectors / (values.clamp_min(0) + floor).sqrt()).T.flip(0)[: self.n_kept]
        self.filters.copy_(torch.cat([leading, -leading]).view_as(self.filters))

    def forward(self, x: Tensor) -> Tensor:
        """[n, C, H, W] float32 -> [n, 2 * n_kept, H', W']; normalised before any product rounds to half precision."""
        return functional.conv2d((x - self.mean) / self.std, self.filters, stride=self.stride)


class ResidualStage(nn.Module):
    """Halves the map (or keeps it), then adds what a second convolution finds.

    Args:
        n_in, n_out: channels.
        stride: of the map that is left.
        pooled: maxima of neighbours behind a convolution at each place, instead of a convolution at some places. A step
            takes up to 1.8 times as long, and yet images teach more in the same time (docs/experiments.md).
        smooth: SiLU (Elfwing et al., Sigmoid-weighted linear units, Neural Networks 2018) instead of ReLU: of many
            images, and in small networks, more is learned (docs/experiments.md).
    """

    def __init__(self, n_in: int, n_out: int, stride: int, *, pooled: bool = True, smooth: bool = False) -> None:
        super().__init__()
        self.activation = functional.silu if smooth else functional.relu
        self.pool = stride if pooled else 1
        self.widen = nn.Conv2d(n_in, n_out, 3, stride // self.pool, padding=1, bias=False)
        self.norm_1 = nn.BatchNorm2d(n_out, momentum=NORM_MOMENTUM)
        self.refine = nn.Conv2d(n_out, n_out, 3, padding=1, bias=False)
        self.norm_2 = nn.BatchNorm2d(n_out, momentum=NORM_MOMENTUM)

    def forward(self, x: Tensor) -> Tensor:
        """[n, n_in, H, W] -> [n, n_out, H', W'], never less than a pixel."""
        x = self.widen(x)
        if self.pool > 1:
            x = functional.max_pool2d(x, [min(self.pool, size) for size in x.shape[2:]])
        x = self.activation(self.norm_1(x))
        return x + self.activation(self.norm_2(self.refine(x)))


class ResidualNetwork(nn.Module):
    """Images -> logits.

    Args:
        n_channels: of the images, any number.
        n_classes: logits.
        size_px: the smaller side of the images that it is meant for; others work as well.
        widths: channels of each stage.
        fine: the first layer keeps twice as many pixels a side: slower to learn, and better in the end.
    """

    def __init__(
        self, n_channels: int, n_classes: int, size_px: int, widths: Sequence[int] = (64, 128), *, fine: bool = False
    ) -> None:
        super().__init__()
        self.arguments = {  # a saved network is built again from them
            "n_channels": n_channels,
            "n_classes": n_classes,
            "size_px": size_px,
            "widths": tuple(widths),
            "fine": fine,
        }
        patch_px, stride = patch_of(size_px, fine)
        self.stem = PatchWhitening(n_channels, patch_px, stride)
        n_in = 2 * self.stem.n_kept
        strides = [1 if size_px <= 2 * patch_px else 2, *(2 for _ in widths[1:])]
        stages = []
        for width, stage_stride in zip(widths, strides, strict=True):
            stages.append(ResidualStage(n_in, width, stage_stride, smooth=True))
            n_in = width
        self.stages = nn.Sequential(*stages)
        self.head = nn.Linear(n_in, n_classes)

    def prepare(self, x: Tensor) -> None:
        """Fits the first layer to some of the rows, [n, C, H, W]."""
        chosen = torch.linspace(0, len(x) - 1, min(len(x), PREPARE_ROWS)).long()
        self.stem.fit(x[chosen].to(self.stem.filters.device).float())

    def forward(self, x: Tensor) -> Tensor:
        """[n, C, H, W] float32 -> [n, n_classes]."""
        maps = self.stages(functional.relu(self.stem(x)))
        logits: Tensor = self.head(maps.amax(dim=(2, 3)) * LOGIT_SCALE)
        return logits


def patch_of(size_px: int, fine: bool = False) -> tuple[int, int]:
    """Side and stride of the patches: maps of about 16 pixels, of 32 where fine, from small images of less."""
    if size_px < 20:
        return min(3, size_px), 1
    stride = max(1, round(size_px / 32)) if fine else max(2, round(size_px / 16))
    return (2, 1) if stride == 1 else (max(4, stride), stride)
