"""Augmentation in batches."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from autodl_solver.nn.augment import OneFrame, ShiftAndFlip, TemporalJitter


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


STILL = ShiftAndFlip(0, False)


def clips(n: int, n_frames: int, n_channels: int) -> Tensor:
    """[n, n_frames * n_channels, 2, 3] uint8: ten times the frame plus the channel, in all pixels."""
    values = 10 * torch.arange(n_frames)[:, None] + torch.arange(n_channels)
    return values.reshape(1, -1, 1, 1).expand(n, -1, 2, 3).to(torch.uint8)


def shown_frames(x: Tensor, n_channels: int) -> Tensor:
    """[n, n_frames]: which frames those are; all pixels and channels must agree, and channels be where they were."""
    values = x.reshape(len(x), -1, n_channels, 6)
    assert torch.equal(values % 10, torch.arange(n_channels)[:, None].expand_as(values).to(values.dtype))
    frames = values // 10
    assert torch.equal(frames, frames[:, :, :1, :1].expand_as(frames))
    return frames[:, :, 0, 0].long()


@pytest.mark.parametrize("n_channels", [1, 3])
@pytest.mark.parametrize(("shift", "pace"), [(1, 0.0), (0, 0.25), (1, 0.25), (3, 0.9)])
def test_clips_move_in_time_as_a_whole_and_never_backwards(n_channels: int, shift: int, pace: float) -> None:
    x = clips(60, 8, n_channels)
    frames = shown_frames(TemporalJitter(n_channels, shift, pace, STILL)(x, generator()), n_channels)
    assert (frames.diff(dim=1) >= 0).all()
    assert (frames[:, -1] > frames[:, 0]).all()  # still a clip
    assert (frames - torch.arange(8)).abs().max() <= round(shift + 3.5 * pace)
    n_changed = int((frames != torch.arange(8)).any(dim=1).sum())
    assert 10 <= n_changed <= 45  # half of them, but for those moved by nothing


def test_a_clip_moved_in_time_begins_or_ends_with_a_frame_again() -> None:
    frames = shown_frames(TemporalJitter(1, 1, 0.0, STILL, share=1.0)(clips(40, 4, 1), generator()), 1)
    assert {tuple(row) for row in frames.tolist()} == {(0, 0, 1, 2), (0, 1, 2, 3), (1, 2, 3, 3)}


@pytest.mark.parametrize("n_channels", [1, 3])
def test_a_single_frame_stays_as_it_is(n_channels: int) -> None:
    x = clips(9, 1, n_channels)
    assert torch.equal(TemporalJitter(n_channels, 2, 0.5, STILL, share=1.0)(x, generator()), x)


def test_the_same_seed_moves_clips_in_time_alike() -> None:
    x, jitter = clips(30, 8, 1), TemporalJitter(1, 1, 0.25, STILL)
    assert torch.equal(jitter(x, generator()), jitter(x, generator()))
    draws = generator()
    assert not torch.equal(jitter(x, draws), jitter(x, draws))


def test_frames_of_a_clip_moved_in_time_are_shifted_and_flipped_too() -> None:
    x = torch.randint(255, (20, 6, 8, 5), generator=generator()).to(torch.uint8)
    whole = ShiftAndFlip(1, True)
    x = x.contiguous(memory_format=torch.channels_last)
    moved = TemporalJitter(2, 0, 0.0, whole, share=0.0)(x, generator())
    assert (moved.shape, moved.dtype) == (x.shape, x.dtype)
    assert moved.is_contiguous(memory_format=torch.channels_last)
    assert not torch.equal(moved, x)
    for before, after in zip(x, moved, strict=True):  # one window for all frames
        wide = np.pad(before.numpy(), ((0, 0), (1, 1), (1, 1)), mode="reflect")
        windows = [wide[:, r : r + 8, c : c + 5] for r in range(3) for c in range(3)]
        assert any(np.array_equal(after, w) or np.array_equal(after, w[:, :, ::-1]) for w in windows)


@pytest.mark.parametrize("n_channels", [1, 3])
@pytest.mark.parametrize(("n_frames", "n_shown"), [(8, 3), (8, 1), (1, 3), (2, 2)])
def test_of_each_clip_one_frame_is_shown_again_and_again(n_channels: int, n_frames: int, n_shown: int) -> None:
    x = clips(60, n_frames, n_channels)
    shown = OneFrame(n_channels, n_shown, STILL)(x, generator())
    assert (shown.shape, shown.dtype) == ((60, n_shown * n_channels, 2, 3), x.dtype)
    assert shown.is_contiguous(memory_format=torch.channels_last)
    frames = shown_frames(shown, n_channels)
    assert torch.equal(frames, frames[:, :1].expand_as(frames))
    assert set(frames[:, 0].tolist()) == set(range(n_frames))  # sixty clips: each of them is drawn


def test_frames_are_drawn_anew_each_time_and_alike_with_the_same_seed() -> None:
    x, one_frame, draws = clips(30, 8, 1), OneFrame(1, 3, STILL), generator()
    first, second = one_frame(x, draws), one_frame(x, draws)
    assert not torch.equal(first, second)
    assert torch.equal(first, one_frame(x, generator()))


def test_a_frame_that_is_shown_alone_is_shifted_and_flipped_once() -> None:
    x = torch.randint(255, (20, 2, 8, 5), generator=generator()).to(torch.uint8)
    shown = OneFrame(2, 3, ShiftAndFlip(1, True))(x, generator())
    assert torch.equal(shown[:, :2], shown[:, 2:4])
    assert torch.equal(shown[:, :2], shown[:, 4:])
    assert not torch.equal(shown[:, :2], x)
    for before, after in zip(x.numpy(), shown[:, :2].numpy(), strict=True):
        wide = np.pad(before, ((0, 0), (1, 1), (1, 1)), mode="reflect")
        windows = [wide[:, r : r + 8, c : c + 5] for r in range(3) for c in range(3)]
        assert any(np.array_equal(after, w) or np.array_equal(after, w[:, :, ::-1]) for w in windows)
