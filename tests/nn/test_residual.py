"""The residual network, on images of any kind."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from autodl_solver.nn.residual import PatchWhitening, ResidualNetwork, patch_of


@pytest.mark.parametrize(
    ("channels", "height", "width", "classes"),
    [
        (3, 32, 32, 10),
        (1, 28, 28, 1),
        (1, 1, 1, 2),  # a single pixel
        (2, 1, 9, 3),  # a line
        (7, 13, 40, 300),  # many channels and classes, not square
        (3, 96, 96, 5),
    ],
)
def test_any_image_becomes_logits(channels: int, height: int, width: int, classes: int) -> None:
    x = torch.rand(4, channels, height, width, generator=torch.Generator().manual_seed(0))
    network = ResidualNetwork(channels, classes, min(height, width), widths=(8, 16))
    network.prepare(x)
    logits = network(x)
    assert logits.shape == (4, classes)
    assert torch.isfinite(logits).all()


def test_images_of_other_sizes_go_through_the_same_network() -> None:
    network = ResidualNetwork(3, 4, 32, widths=(8,))
    assert network(torch.rand(2, 3, 48, 40)).shape == (2, 4)


def test_whitened_patches_are_uncorrelated_and_equally_strong() -> None:
    generator = torch.Generator().manual_seed(0)
    smooth = nn.functional.avg_pool2d(torch.randn(300, 2, 16, 16, generator=generator), 3, 1, 1)
    x = smooth * torch.tensor([5.0, 0.1])[:, None, None] + 3
    stem = PatchWhitening(2, 3, 1, max_width=16)
    stem.fit(x)
    maps = stem(x)[:, :8].transpose(0, 1).flatten(1)
    covariance = maps @ maps.T / maps.shape[1]
    assert torch.allclose(covariance, torch.eye(8), atol=0.15)
    assert torch.allclose(stem(x)[:, 8:], -stem(x)[:, :8], atol=1e-4)


@pytest.mark.parametrize("value", [0.0, 255.0])
def test_images_without_content_stay_finite(value: float) -> None:
    network = ResidualNetwork(1, 2, 8, widths=(8,))
    network.prepare(torch.full((3, 1, 8, 8), value))
    assert torch.isfinite(network(torch.full((2, 1, 8, 8), 255.0))).all()


def test_the_first_layer_is_not_trained() -> None:
    assert not [name for name, _ in ResidualNetwork(3, 2, 32).named_parameters() if name.startswith("stem")]


@pytest.mark.parametrize("size_px", [1, 2, 3, 8, 19, 20, 28, 32, 48, 64, 96, 128, 224])
@pytest.mark.parametrize(("fine", "most"), [(False, 20), (True, 40)])
def test_patches_fit_into_the_image(size_px: int, fine: bool, most: int) -> None:
    patch_px, stride = patch_of(size_px, fine)
    assert 1 <= stride <= patch_px <= size_px
    assert (size_px - patch_px) // stride + 1 <= most
