"""Augmentation in batches."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from autodl_solver.nn.augment import ShiftAndFlip


def images(n: int, height: int, width: int) -> Tensor:
    values = torch.arange(n * 2 * height * width) % 251
    return values.reshape(n, 2, height, width).to(torch.uint8)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_without_shift_and_flip_nothing_changes() -> None:
    x = images(5, 6, 7)
    assert torch.equal(ShiftAndFlip(0, False)(x, generator()), x)


def test_a_flip_mirrors_some_images_and_leaves_the_others() -> None:
    x = images(40, 4, 6)
    flipped = ShiftAndFlip(0, True)(x, generator())
    mirrored = [bool(torch.equal(a, b.flip(2))) for a, b in zip(flipped, x, strict=True)]
    same = [bool(torch.equal(a, b)) for a, b in zip(flipped, x, strict=True)]
    assert all(a != b for a, b in zip(mirrored, same, strict=True))
    assert 8 <= sum(mirrored) <= 32


def test_a_shifted_image_is_a_window_of_the_mirrored_border() -> None:
    x = images(12, 8, 5)
    moved = ShiftAndFlip(2, False)(x, generator())
    for before, after in zip(x.numpy(), moved.numpy(), strict=True):
        wide = np.pad(before, ((0, 0), (2, 2), (2, 2)), mode="reflect")
        windows = [wide[:, r : r + 8, c : c + 5] for r in range(5) for c in range(5)]
        assert any(np.array_equal(after, window) for window in windows)


@pytest.mark.parametrize("shape", [(3, 1, 1, 1), (2, 7, 1, 9), (1, 3, 2, 2)])  # a pixel, a line, less than the shift
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_shape_and_dtype_survive(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    moved = ShiftAndFlip(4, True)(torch.ones(shape, dtype=dtype), generator())
    assert (tuple(moved.shape), moved.dtype) == (shape, dtype)


def test_memory_stays_channels_last() -> None:
    x = images(4, 8, 8).contiguous(memory_format=torch.channels_last)
    assert ShiftAndFlip(1, True)(x, generator()).is_contiguous(memory_format=torch.channels_last)
