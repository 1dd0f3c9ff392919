"""The last map: NAUC untouched, balanced accuracy as good as the scores allow, argmax accuracy kept."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logit, softmax
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.linear_model import LogisticRegression

from autodl_solver.anytime.thresholds import BalancedThresholds
from autodl_solver.data.examples import Array
from autodl_solver.errors import ShapeError
from autodl_solver.metrics import nauc


def balanced_accuracy(y: Array, scores: Array) -> float:
    """Mean over classes of (TPR + TNR) / 2 of scores thresholded at .5."""
    positive, on = y > 0.5, scores >= 0.5
    both = positive.any(axis=0) & (~positive).any(axis=0)
    sensitivity = (positive & on).sum(axis=0)[both] / positive.sum(axis=0)[both]
    specificity = (~positive & ~on).sum(axis=0)[both] / (~positive).sum(axis=0)[both]
    return float((sensitivity + specificity).mean() / 2)


def accuracy(y: Array, scores: Array) -> float:
    return float((y.argmax(axis=1) == scores.argmax(axis=1)).mean())


def real_scores(name: str) -> tuple[Array, Array, int]:
    """Probabilities of a logistic regression for unseen rows, their labels, and how many of them are the hold-out."""
    x, labels = (load_digits if name.startswith("digits") else load_breast_cancer)(return_X_y=True)
    rng = np.random.default_rng(0)
    if name == "digits, imbalanced":
        kept = rng.random(len(labels)) < np.linspace(0.1, 1, 10)[labels] ** 1.5
        x, labels = x[kept], labels[kept]
    order = rng.permutation(len(x))
    x, labels = (x[order] - x.mean(axis=0)) / (x.std(axis=0) + 1e-9), labels[order]
    n_fit, n_held_out = len(x) // 4, len(x) // 6
    learner = LogisticRegression(C=0.01, max_iter=500).fit(x[:n_fit], labels[:n_fit])
    return learner.predict_proba(x[n_fit:]), np.eye(labels.max() + 1)[labels[n_fit:]], n_held_out


def made_up_scores(concentration: float) -> tuple[Array, Array, int]:
    """Calibrated probabilities of 100 classes; frequencies differ the more, the lower the concentration."""
    rng = np.random.default_rng(0)
    frequency = rng.dirichlet(np.full(100, concentration))
    y = np.eye(100)[rng.choice(100, 4_000, p=frequency)]
    proba: Array = softmax(2.5 * (2.5 * y + rng.normal(size=y.shape)) + np.log(frequency + 1e-4), axis=1)
    return proba, y, 1_000


@pytest.mark.parametrize(
    ("name", "least_gain", "most_loss"),
    [
        ("digits", 0.02, 0.005),  # ten even classes
        ("digits, imbalanced", 0.1, 0.02),
        ("breast_cancer", -0.005, 0.01),  # two nearly even classes: little to gain
        ("100 even classes", 0.2, 0.005),  # raw probabilities seldom reach .5
        ("100 uneven classes", 0.2, 0.005),
    ],
)
def test_balanced_accuracy_gains_while_nauc_stays_and_argmax_accuracy_hardly_changes(
    name: str, least_gain: float, most_loss: float
) -> None:
    made_up = {"100 even classes": 20.0, "100 uneven classes": 1.0}
    scores, y, n_held_out = made_up_scores(made_up[name]) if name in made_up else real_scores(name)
    mapping = BalancedThresholds.fitted(y[:n_held_out], scores[:n_held_out])
    y, scores = y[n_held_out:], scores[n_held_out:]
    mapped = mapping.apply(scores)
    assert nauc(y, mapped) == pytest.approx(nauc(y, scores), abs=1e-12)
    assert balanced_accuracy(y, mapped) >= balanced_accuracy(y, scores) + least_gain
    assert accuracy(y, mapped) >= accuracy(y, scores) - most_loss


@pytest.mark.parametrize("name", ["digits", "breast_cancer"])
def test_six_significant_digits_cost_no_more_nauc_than_before(name: str) -> None:
    scores, y, n_held_out = real_scores(name)
    mapped = BalancedThresholds.fitted(y[:n_held_out], scores[:n_held_out]).apply(scores)
    written = np.array([[float(f"{value:g}") for value in row] for row in mapped.astype(np.float32)])
    assert nauc(y, written) == pytest.approx(nauc(y, scores), abs=1e-5)


def test_the_map_is_strictly_increasing_and_crosses_a_half_at_the_threshold() -> None:
    mapping = BalancedThresholds(logit(np.array([0.02, 0.3, 0.9])))
    grid = np.linspace(0, 1, 1_001)
    mapped = mapping.apply(np.repeat(grid[:, None], 3, axis=1))
    assert (np.diff(mapped, axis=0) > 0).all()
    assert (mapped.min(), mapped.max()) == (0.0, 1.0)
    for k, threshold in enumerate([0.02, 0.3, 0.9]):
        np.testing.assert_array_equal(mapped[:, k] > 0.5, logit(grid) >= logit(threshold))


def test_classes_on_the_same_side_of_their_thresholds_keep_their_order() -> None:
    mapping = BalancedThresholds(logit(np.array([0.05, 0.2, 0.4])))
    above, below = mapping.apply(np.array([[0.6, 0.7, 0.5], [0.01, 0.02, 0.03]]))
    np.testing.assert_array_equal(np.argsort(above), [2, 0, 1])
    np.testing.assert_array_equal(np.argsort(below), [0, 1, 2])


def test_a_class_with_one_positive_leans_on_the_other_classes() -> None:
    scores, y, n_held_out = made_up_scores(20.0)
    scores, y = scores[:n_held_out], y[:n_held_out].copy()
    before = BalancedThresholds.fitted(y, scores).thresholds
    highest = scores[:, 4].argmax()
    y[:, 4] = 0
    y[highest, 4] = 1  # alone, it would put the threshold just below the highest score
    after = BalancedThresholds.fitted(y, scores).thresholds
    assert after[4] == pytest.approx(before[4], abs=0.75)
    assert after[4] < logit(scores[highest, 4]) - 3


@pytest.mark.parametrize(
    "y",
    [
        np.zeros((3, 2)),  # no positive
        np.ones((3, 2)),  # no negative
    ],
)
def test_without_a_class_of_both_outcomes_the_mean_score_is_the_threshold(y: Array) -> None:
    scores = np.array([[0.1, 0.0], [0.2, 0.0], [0.3, 0.0]])
    mapping = BalancedThresholds.fitted(y, scores)
    assert mapping.thresholds[0] == pytest.approx(logit(0.2))
    assert np.isfinite(mapping.apply(scores)).all()


@pytest.mark.parametrize(
    ("y_shape", "scores_shape"),
    [
        ((3, 2), (3, 1)),  # other classes
        ((0, 2), (0, 2)),  # no rows
        ((3,), (3,)),  # no axis of classes
    ],
)
def test_shapes_that_disagree_are_refused(y_shape: tuple[int, ...], scores_shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match="however"):
        BalancedThresholds.fitted(np.zeros(y_shape), np.zeros(scores_shape))


def test_scores_of_other_classes_are_refused() -> None:
    with pytest.raises(ShapeError, match="however"):
        BalancedThresholds(np.zeros(3)).apply(np.zeros((4, 2)))
