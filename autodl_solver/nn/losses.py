"""Losses for one label a row, and for several."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

BALANCE = -0.5
"""Power of a class's frequency by which its rows count. On imbalanced images the mean NAUC of classes rises by up to
.028 with it; -1 gains less there, more on the two others that were tried (docs/experiments.md)."""

MOST_WEIGHT = 10.0
"""No row counts for more, however rare its class."""


def balanced(y: Tensor) -> Tensor:
    """Labels of rows that carry one each, scaled by what the row should count: more in rare classes, 1 on the mean.

    Source: Mahajan et al., Exploring the limits of weakly supervised pretraining, ECCV 2018 (square roots).

    Args:
        y: [n, n_classes], rows of sum 1.
    Returns:
        [n, n_classes]; the sum of a row is its weight, at most MOST_WEIGHT.
    """
    share = y.mean(dim=0).clamp_min(1 / len(y))
    weights = share**BALANCE
    return y * (weights / (y @ weights).mean()).clamp_max(MOST_WEIGHT)


def classification_loss(logits: Tensor, y: Tensor, *, exclusive: bool, smoothing: float) -> Tensor:
    """Mean over rows: cross entropy where classes exclude each other, else binary cross entropy summed over classes.

    Smoothing keeps the scores away from 0 and 1, where the six digits that are written would no longer tell them apart.

    Args:
        logits: [n, n_classes]; y: [n, n_classes] in [0, 1], or what `balanced` makes of it.
        exclusive: each row has one label; the row counts for as much as its value.
        smoothing: share of each target that is spread evenly over what it could be.
    """
    n_classes = y.shape[1]
    if exclusive:
        spread = y.sum(dim=1, keepdim=True) / n_classes
        return functional.cross_entropy(logits, y * (1 - smoothing) + spread * smoothing)
    target = y * (1 - smoothing) + smoothing / 2
    return functional.binary_cross_entropy_with_logits(logits, target, reduction="sum") / len(y)
