"""A network that finds what happens in a series wherever it happens, and its augmentation."""

from __future__ import annotations

import pytest
import torch

from autodl_solver.nn.series_network import SeriesNetwork, WarpAndScale


def series(n: int, n_points: int = 64, n_channels: int = 2) -> torch.Tensor:
    """The first row ends in the middle."""
    x = torch.randn(n, n_channels + 1, 1, n_points, generator=torch.Generator().manual_seed(0))
    x[:, -1] = 1
    x[0, :, :, (n_points + 1) // 2 :] = 0
    return x


@pytest.mark.parametrize(("n_points", "n_channels"), [(1, 1), (8, 1), (64, 200), (513, 3)])
def test_any_length_and_number_of_channels_has_logits(n_points: int, n_channels: int) -> None:
    network = SeriesNetwork(n_channels, n_points, 3, widths=(8, 8, 8))
    logits = network(series(5, n_points, n_channels))
    assert logits.shape == (5, 3)
    assert torch.isfinite(logits).all()


def test_what_lies_past_the_end_of_a_series_counts_nowhere() -> None:
    torch.manual_seed(0)
    network = SeriesNetwork(2, 128, 3, widths=(8, 8)).eval()
    short = series(1, 64)
    padded = torch.nn.functional.pad(short, (0, 64))
    assert torch.allclose(network(short), network(padded), atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_augmentation_keeps_shape_and_kind_and_differs_from_row_to_row(dtype: torch.dtype) -> None:
    x = series(1).expand(6, -1, -1, -1).to(dtype)
    changed = WarpAndScale(share=1.0)(x, torch.Generator().manual_seed(0))
    assert changed.shape == x.shape
    assert changed.dtype == dtype
    assert len({tuple(row.flatten().tolist()) for row in changed}) == 6


def test_augmentation_leaves_nothing_past_the_end() -> None:
    changed = WarpAndScale()(series(40), torch.Generator().manual_seed(0))
    assert set(changed[:, -1].unique().tolist()) == {0.0, 1.0}
    assert (changed[:, :-1] * (changed[:, -1:] == 0)).abs().max() == 0


def test_a_warp_changes_the_pace_and_not_the_order() -> None:
    x = torch.stack([torch.arange(200.0), torch.ones(200)]).view(1, 2, 1, 200).expand(30, -1, -1, -1)
    changed = WarpAndScale(share=1.0, shift=0.0, warp=0.2, gain=0.0, noise=0.0)(x, torch.Generator().manual_seed(0))
    steps = changed[:, 0, 0].diff(dim=1)
    assert steps.min() >= 0
    assert steps.max() <= 2
    assert 2 < (changed[:, 0, 0] - torch.arange(200.0)).abs().max() < 40


def test_some_rows_are_left_as_they_are() -> None:
    x = series(1).expand(200, -1, -1, -1)
    changed = WarpAndScale(share=0.25)(x, torch.Generator().manual_seed(0))
    assert 0.15 < (changed != x).flatten(1).any(dim=1).float().mean() < 0.35
