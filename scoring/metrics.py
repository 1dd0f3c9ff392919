"""Scores of one prediction: NAUC, balanced accuracy, accuracy, F1.

Shapes: `solution` and `prediction` are [n_examples, n_classes]. A cell of the solution is positive when it is exactly
1, as in the official program; the scores of a prediction may have any scale for NAUC and argmax accuracy, and are
thresholded at 0.5 for the others.

Cost: 0.3 s for all scores of 10,000 examples and 100 classes, 1 core.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Array = NDArray[np.float64]
THRESHOLD = 0.5


@dataclass(frozen=True)
class Metrics:
    """Every score of one prediction.

    Attributes:
        nauc: 2 * AUC - 1, mean over classes; in [-1, 1], 0 is chance.
        bac: balanced accuracy, mean over classes; in [0, 1], 0.5 is chance.
        accuracy: share of rows whose highest score falls on a true label.
        soft_accuracy: the official `accuracy`; None where a row has no label or several.
        f1: mean over classes of the F1 score.
    """

    nauc: float
    bac: float
    accuracy: float
    soft_accuracy: float | None
    f1: float

    def on_curve(self, metric: str) -> float:
        """The value that the learning curve shows for `metric`, scaled so that chance of NAUC and BAC is 0."""
        values = {"nauc": self.nauc, "bac": 2 * self.bac - 1, "accuracy": self.accuracy, "f1": self.f1}
        return values[metric]


def all_metrics(solution: Array, prediction: Array) -> Metrics:
    """Score one prediction in every way that this program knows."""
    return Metrics(
        nauc=nauc(solution, prediction),
        bac=balanced_accuracy(solution, prediction),
        accuracy=accuracy(solution, prediction),
        soft_accuracy=soft_accuracy(solution, prediction) if is_single_label(solution) else None,
        f1=macro_f1(solution, prediction),
    )


def is_single_label(solution: Array) -> bool:
    """Whether every row is one-hot, which the official program calls multi-class."""
    one_hot_rows = (solution == 1).sum(axis=1) == 1
    return bool(one_hot_rows.all() and ((solution == 0) | (solution == 1)).all())


def auc_per_class(solution: Array, prediction: Array) -> Array:
    """Area under the ROC curve of each class; ties count half.

    AUC = (sum of the ranks of the positives - n_pos (n_pos + 1) / 2) / (n_pos n_neg), ranks averaged over ties.
    Source: Hanley and McNeil, The Meaning and Use of the Area under a ROC Curve, Radiology 143, 1982.

    Returns:
        [n_classes], NaN for a class that has only one outcome.
    """
    positive = solution == 1
    n_pos = positive.sum(axis=0, dtype=np.float64)
    n_neg = len(solution) - n_pos
    rank_sum = (rankdata(prediction, axis=0) * positive).sum(axis=0)
    n_pairs = n_pos * n_neg
    area = np.full(solution.shape[1], np.nan)
    np.divide(rank_sum - n_pos * (n_pos + 1) / 2, n_pairs, out=area, where=n_pairs > 0)
    return area


def nauc(solution: Array, prediction: Array) -> float:
    """NAUC = 2 * mean AUC - 1 over the classes with both outcomes; 0, as for chance, where there is no such class."""
    area = auc_per_class(solution, prediction)
    ranked = area[~np.isnan(area)]
    return float(2 * ranked.mean() - 1) if ranked.size else 0.0


def balanced_accuracy(solution: Array, prediction: Array) -> float:
    """BAC = mean over classes of (TPR + TNR) / 2 at the threshold 0.5 (a score of 0.5 counts as yes).

    Classes with only one outcome are left out; 0.5, as for chance, where no class is left.
    """
    positive, chosen = solution == 1, prediction >= THRESHOLD
    n_pos = positive.sum(axis=0)
    both = (n_pos > 0) & (n_pos < len(solution))
    if not both.any():
        return 0.5
    positive, chosen, n_pos = positive[:, both], chosen[:, both], n_pos[both]
    tpr = (positive & chosen).sum(axis=0) / n_pos
    tnr = (~positive & ~chosen).sum(axis=0) / (len(solution) - n_pos)
    return float(((tpr + tnr) / 2).mean())


def accuracy(solution: Array, prediction: Array) -> float:
    """Share of rows whose highest score (the first of equals) falls on a true label.

    With one label per row this is the usual accuracy; with several it is 1 - one-error (Schapire and Singer,
    BoosTexter, 2000). A solution of one column has no highest class: its scores are thresholded at 0.5.
    """
    if solution.shape[1] == 1:
        return float(((solution == 1) == (prediction >= THRESHOLD)).mean())
    best = prediction.argmax(axis=1)
    return float((solution[np.arange(len(solution)), best] == 1).mean())


def soft_accuracy(solution: Array, prediction: Array) -> float:
    """The `accuracy` of the official program: the share of each row's score mass that lies on the true label.

    mean over rows of sum(solution * prediction) / (sum |prediction| + 1e-15)
    """
    mass = np.abs(prediction).sum(axis=1) + 1e-15
    return float(((solution * prediction).sum(axis=1) / mass).mean())


def macro_f1(solution: Array, prediction: Array) -> float:
    """F1 = 2 TP / (2 TP + FP + FN), mean over the classes that occur in the solution or are predicted; else 0.

    With one label per row and several columns the highest score decides, otherwise the threshold 0.5 does.
    """
    positive = solution == 1
    if solution.shape[1] > 1 and is_single_label(solution):
        chosen = np.zeros_like(positive)
        chosen[np.arange(len(solution)), prediction.argmax(axis=1)] = True
    else:
        chosen = prediction >= THRESHOLD
    n_true_and_chosen = positive.sum(axis=0) + chosen.sum(axis=0)  # 2 TP + FP + FN
    occurs = n_true_and_chosen > 0
    if not occurs.any():
        return 0.0
    hits = (positive & chosen).sum(axis=0)[occurs]
    return float((2 * hits / n_true_and_chosen[occurs]).mean())
