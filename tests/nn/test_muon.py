"""Steps of hidden weights."""

from __future__ import annotations

import pytest
import torch

from autodl_solver.nn.muon import Muon, orthogonal


@pytest.mark.parametrize("shape", [(8, 8), (4, 30), (30, 4), (1, 5)])
def test_an_orthogonal_step_brings_singular_values_near_one(shape: tuple[int, int]) -> None:
    left, _, right = torch.linalg.svd(torch.randn(shape, generator=torch.Generator().manual_seed(0)))
    values = torch.linspace(1.0, 3.0, min(shape))
    matrix = left[:, : len(values)] @ torch.diag(values) @ right[: len(values)]
    step = torch.linalg.svdvals(orthogonal(matrix))
    assert step.min() > 0.5
    assert step.max() < 1.4


def test_a_gradient_of_zeros_moves_nothing() -> None:
    assert not orthogonal(torch.zeros(3, 5)).any()


def test_a_weight_keeps_its_length_and_moves_by_the_share_asked_for() -> None:
    weight = torch.nn.Parameter(torch.randn(16, 3, 3, 3, generator=torch.Generator().manual_seed(0)))
    before = weight.detach().clone()
    weight.grad = torch.randn(weight.shape, generator=torch.Generator().manual_seed(1))
    Muon([weight], lr=0.1).step()
    moved = weight.detach()
    assert float(moved.norm()) == pytest.approx(float(before.norm()), rel=1e-5)
    assert float((moved - before).norm() / before.norm()) == pytest.approx(0.1, abs=0.02)


def test_a_weight_without_gradient_stays() -> None:
    weight = torch.nn.Parameter(torch.ones(2, 2))
    Muon([weight], lr=0.1).step()
    assert torch.equal(weight, torch.ones(2, 2))
