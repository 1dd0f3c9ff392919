"""Losses against their formulas."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from autodl_solver.nn.losses import classification_loss

LOGITS = torch.tensor([[2.0, -1.0, 0.5], [0.0, 1.0, -2.0]])
Y = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


def test_exclusive_classes_share_a_softmax() -> None:
    log_p = LOGITS.numpy() - np.log(np.exp(LOGITS.numpy()).sum(axis=1, keepdims=True))
    target = Y.numpy() * 0.9 + 0.1 / 3
    loss = classification_loss(LOGITS, Y, exclusive=True, smoothing=0.1)
    assert float(loss) == pytest.approx(-(target * log_p).sum(axis=1).mean(), rel=1e-5)


def test_other_classes_get_a_sigmoid_each() -> None:
    p = 1 / (1 + np.exp(-LOGITS.numpy()))
    target = Y.numpy() * 0.9 + 0.05
    expected = -(target * np.log(p) + (1 - target) * np.log(1 - p)).sum(axis=1).mean()
    assert float(classification_loss(LOGITS, Y, exclusive=False, smoothing=0.1)) == pytest.approx(expected, rel=1e-5)
