"""Losses for one label a row, and for several."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def classification_loss(logits: Tensor, y: Tensor, *, exclusive: bool, smoothing: float) -> Tensor:
    """Mean over rows: cross entropy where classes exclude each other, else binary cross entropy summed over classes.

    Smoothing keeps the scores away from 0 and 1, where the six digits that are written would no longer tell them apart.

    Args:
        logits: [n, n_classes]; y: [n, n_classes] in [0, 1].
        exclusive: each row has one label.
        smoothing: share of each target that is spread evenly over what it could be.
    """
    n_classes = y.shape[1]
    if exclusive:
        return functional.cross_entropy(logits, y * (1 - smoothing) + smoothing / n_classes)
    target = y * (1 - smoothing) + smoothing / 2
    return functional.binary_cross_entropy_with_logits(logits, target, reduction="sum") / len(y)
