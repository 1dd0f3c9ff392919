"""A network that knows bands from each other but not moments, and its augmentation."""

from __future__ import annotations

import pytest
import torch

from autodl_solver.nn.spectrogram_network import HideAndShift, SpectrogramNetwork


def spectrograms(n: int, n_frames: int = 32, n_bands: int = 16) -> torch.Tensor:
    return torch.randn(n, 1, n_frames, n_bands, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("n_frames", "n_bands"), [(4, 4), (32, 16), (7, 40), (300, 40)])
def test_any_size_from_4_up_has_logits(n_frames: int, n_bands: int) -> None:
    x = spectrograms(5, n_frames, n_bands)
    network = SpectrogramNetwork(n_frames, n_bands, 3)
    network.prepare(x)
    assert network(x).shape == (5, 3)
    assert torch.isfinite(network(x)).all()


def test_a_band_is_told_from_another() -> None:
    x = torch.zeros(2, 1, 32, 16)
    x[0, 0, :, 2] = 3.0
    x[1, 0, :, 10] = 3.0
    torch.manual_seed(0)
    network = SpectrogramNetwork(32, 16, 3).eval()
    logits = network(x)
    assert (logits[0] - logits[1]).abs().max() > 1e-4


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_augmentation_keeps_shape_and_kind_and_differs_from_row_to_row(dtype: torch.dtype) -> None:
    x = torch.ones(6, 1, 40, 20, dtype=dtype)
    changed = HideAndShift()(x, torch.Generator().manual_seed(0))
    assert changed.shape == x.shape
    assert changed.dtype == dtype
    assert len({tuple(row.flatten().tolist()) for row in changed}) == 6


def test_at_most_the_given_share_is_hidden() -> None:
    x = torch.ones(50, 1, 40, 20)
    changed = HideAndShift(shift=0.0, gain=0.0, masked=0.25)(x, torch.Generator().manual_seed(1))
    hidden_frames = (changed == 0).all(dim=3).float().mean(dim=2)
    hidden_bands = (changed == 0).all(dim=2).float().mean(dim=2)
    assert 0 < hidden_frames.max() <= 0.3
    assert 0 < hidden_bands.max() <= 0.3


def test_a_shift_moves_frames_and_leaves_bands() -> None:
    x = torch.arange(40.0).view(1, 1, 40, 1).expand(8, 1, 40, 5)
    changed = HideAndShift(shift=0.1, gain=0.0, masked=0.0)(x, torch.Generator().manual_seed(0))
    assert torch.equal(changed, changed[..., :1].expand_as(changed))
    assert (changed[:, 0, 20, 0] - 20).abs().max() <= 4
    assert changed[:, 0, 20, 0].unique().numel() > 1
