"""The scores of one prediction, against scikit-learn and against hand-made cases."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import balanced_accuracy_score, f1_score, roc_auc_score

from scoring import metrics


@settings(max_examples=150, deadline=None, derandomize=True)
@given(data=st.data(), n_rows=st.integers(2, 60), n_classes=st.integers(1, 5))
def test_auc_agrees_with_scikit_learn_ties_included(data: st.DataObject, n_rows: int, n_classes: int) -> None:
    shape = (n_rows, n_classes)
    solution = data.draw(arrays(np.float64, shape, elements=st.sampled_from([0.0, 1.0])))
    few_values = st.sampled_from([0.0, 0.1, 0.5, 1.0])
    any_values = st.floats(-1e6, 1e6)
    prediction = data.draw(arrays(np.float64, shape, elements=st.one_of(few_values, any_values)))
    ours = metrics.auc_per_class(solution, prediction)
    for k in range(n_classes):
        if 0 < solution[:, k].sum() < n_rows:
            assert ours[k] == pytest.approx(roc_auc_score(solution[:, k], prediction[:, k]), abs=1e-12)
        else:
            assert np.isnan(ours[k])


def test_auc_agrees_with_scikit_learn_on_many_rows_and_classes() -> None:
    rng = np.random.default_rng(0)
    solution = (rng.random((4000, 30)) < 0.1).astype(float)
    prediction = np.round(rng.random((4000, 30)) + 0.2 * solution, 2)
    reference = [roc_auc_score(solution[:, k], prediction[:, k]) for k in range(30)]
    np.testing.assert_allclose(metrics.auc_per_class(solution, prediction), reference, rtol=0, atol=1e-12)
    assert metrics.nauc(solution, prediction) == pytest.approx(2 * np.mean(reference) - 1, abs=1e-12)


@pytest.mark.parametrize(
    ("solution", "prediction", "expected"),
    [
        ([[1, 0], [0, 1]], [[0.9, 0.1], [0.2, 0.8]], 1.0),  # perfect
        ([[1, 0], [0, 1]], [[0.1, 0.9], [0.8, 0.2]], -1.0),  # reversed
        ([[1, 0], [0, 1]], [[0.5, 0.5], [0.5, 0.5]], 0.0),  # says nothing
        ([[1, 0, 1], [0, 0, 1]], [[0.9, 0, 0], [0.2, 1, 1]], 1.0),  # two of three classes have one outcome: left out
        ([[1, 0], [1, 0]], [[0.9, 0.1], [0.2, 0.8]], 0.0),  # no class is left
        ([[1], [0.5], [0]], [[3], [2], [1]], 1.0),  # a fractional label is not positive; scores have any scale
    ],
)
def test_nauc_is_the_mean_over_classes_with_both_outcomes(
    solution: list[list[float]], prediction: list[list[float]], expected: float
) -> None:
    assert metrics.nauc(np.array(solution, float), np.array(prediction, float)) == expected


def test_balanced_accuracy_agrees_with_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    solution = (rng.random((300, 6)) < 0.3).astype(float)
    prediction = 0.6 * rng.random((300, 6)) + 0.3 * solution
    reference = [balanced_accuracy_score(solution[:, k], prediction[:, k] >= 0.5) for k in range(6)]
    assert metrics.balanced_accuracy(solution, prediction) == pytest.approx(np.mean(reference), abs=1e-12)


@pytest.mark.parametrize(
    ("solution", "prediction", "expected"),
    [
        ([[1], [0], [0]], [[0.5], [0.4], [0.0]], 1.0),  # 0.5 counts as yes
        ([[1], [0], [0]], [[0.0], [0.0], [0.0]], 0.5),  # always no: TPR 0, TNR 1
        ([[1], [0], [0]], [[0.9], [0.9], [0.0]], 0.75),  # TPR 1, TNR 1/2
        ([[1, 1], [0, 1]], [[0.9, 0.0], [0.1, 0.0]], 1.0),  # the second class has one outcome
        ([[1], [1]], [[0.0], [0.0]], 0.5),  # no class is left
    ],
)
def test_balanced_accuracy_is_thresholded_at_one_half(
    solution: list[list[float]], prediction: list[list[float]], expected: float
) -> None:
    assert metrics.balanced_accuracy(np.array(solution, float), np.array(prediction, float)) == expected


@pytest.mark.parametrize(
    ("solution", "prediction", "expected"),
    [
        ([[1, 0], [0, 1]], [[0.9, 0.1], [0.9, 0.8]], 0.5),  # one label per row
        ([[1, 0, 1], [0, 1, 1]], [[0, 0.1, 0.2], [0.9, 0.8, 0.7]], 0.5),  # several: is the highest among them?
        ([[1], [0], [1]], [[0.7], [0.2], [0.1]], 2 / 3),  # one column: thresholded
        ([[0, 0], [1, 0]], [[0.5, 0.1], [0.5, 0.1]], 0.5),  # a row without label is never right
    ],
)
def test_accuracy_asks_whether_the_highest_score_is_a_true_label(
    solution: list[list[float]], prediction: list[list[float]], expected: float
) -> None:
    assert metrics.accuracy(np.array(solution, float), np.array(prediction, float)) == pytest.approx(expected)


def test_soft_accuracy_is_the_official_formula() -> None:
    solution, prediction = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[0.6, 0.2], [0.0, 0.0]])
    assert metrics.soft_accuracy(solution, prediction) == pytest.approx((0.75 + 0.0) / 2)


def test_f1_agrees_with_scikit_learn_where_every_class_occurs() -> None:
    rng = np.random.default_rng(2)
    several = (rng.random((200, 4)) < 0.4).astype(float)
    scores = 0.7 * rng.random((200, 4)) + 0.3 * several
    assert metrics.macro_f1(several, scores) == pytest.approx(f1_score(several, scores >= 0.5, average="macro"))
    classes = rng.integers(0, 4, 200)
    chosen = scores.argmax(axis=1)
    assert metrics.macro_f1(np.eye(4)[classes], scores) == pytest.approx(f1_score(classes, chosen, average="macro"))


@pytest.mark.parametrize(
    ("solution", "prediction", "expected"),
    [
        ([[0, 1], [0, 1]], [[0.1, 0.9], [0.1, 0.9]], 1.0),  # a class that neither occurs nor is chosen is left out
        ([[0, 0], [0, 0]], [[0.1, 0.2], [0.1, 0.2]], 0.0),  # nothing occurs, nothing is chosen
        ([[1], [0]], [[0.9], [0.9]], 2 / 3),  # one column: thresholded
    ],
)
def test_f1_leaves_out_classes_that_do_not_occur(
    solution: list[list[float]], prediction: list[list[float]], expected: float
) -> None:
    assert metrics.macro_f1(np.array(solution, float), np.array(prediction, float)) == pytest.approx(expected)


def test_soft_accuracy_is_told_only_for_one_label_per_row() -> None:
    prediction = np.array([[0.9, 0.1], [0.2, 0.8]])
    assert metrics.all_metrics(np.eye(2), prediction).soft_accuracy == pytest.approx(0.85)
    assert metrics.all_metrics(np.ones((2, 2)), prediction).soft_accuracy is None


@pytest.mark.parametrize(
    ("metric", "expected"),
    [("nauc", 0.5), ("bac", 0.2), ("accuracy", 0.7), ("f1", 0.8)],  # BAC 0.6 -> 2 * 0.6 - 1
)
def test_the_curve_shows_balanced_accuracy_above_chance(metric: str, expected: float) -> None:
    one = metrics.Metrics(nauc=0.5, bac=0.6, accuracy=0.7, soft_accuracy=None, f1=0.8)
    assert one.on_curve(metric) == pytest.approx(expected)
