"""Losses against their formulas."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from autodl_solver.nn.losses import MOST_WEIGHT, balanced, classification_loss

LOGITS = torch.tensor([[2.0, -1.0, 0.5], [0.0, 1.0, -2.0]])
Y = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


def test_exclusive_classes_share_a_softmax() -> None:
    log_p = LOGITS.numpy() - np.log(np.exp(LOGITS.numpy()).sum(axis=1, keepdims=True))
    target = Y.numpy() * 0.9 + 0.1 / 3
    loss = classification_loss(LOGITS, Y, exclusive=True, smoothing=0.1)
    assert float(loss) == pytest.approx(-(target * log_p).sum(axis=1).mean(), rel=1e-5)


def test_rows_of_rare_classes_count_for_more() -> None:
    y = torch.eye(3)[[0] * 16 + [1] * 4 + [2]]
    weights = balanced(y).sum(dim=1)
    assert float(weights.mean()) == pytest.approx(1)
    assert float(weights[16] / weights[0]) == pytest.approx(2)
    assert float(weights[20] / weights[0]) == pytest.approx(4)
    logits = torch.randn(21, 3, generator=torch.Generator().manual_seed(0))
    one_by_one = [
        classification_loss(a[None], b[None], exclusive=True, smoothing=0.1) for a, b in zip(logits, y, strict=True)
    ]
    together = classification_loss(logits, balanced(y), exclusive=True, smoothing=0.1)
    assert float(together) == pytest.approx(float((torch.stack(one_by_one) * weights).mean()), rel=1e-5)


@pytest.mark.parametrize("n_rows", [1, 3, 50_000])
def test_no_row_counts_for_too_much_and_classes_without_rows_are_no_matter(n_rows: int) -> None:
    y = torch.zeros(n_rows, 4)
    y[:, 0] = 1
    y[0] = torch.tensor([0.0, 1, 0, 0])
    made = balanced(y)
    assert torch.isfinite(made).all()
    assert float(made.max()) <= MOST_WEIGHT
    assert torch.equal(made > 0, y > 0)


def test_other_classes_get_a_sigmoid_each() -> None:
    p = 1 / (1 + np.exp(-LOGITS.numpy()))
    target = Y.numpy() * 0.9 + 0.05
    expected = -(target * np.log(p) + (1 - target) * np.log(1 - p)).sum(axis=1).mean()
    assert float(classification_loss(LOGITS, Y, exclusive=False, smoothing=0.1)) == pytest.approx(expected, rel=1e-5)
