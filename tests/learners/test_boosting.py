"""Boosting: what its labels, columns and budgets may look like."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from autodl_solver.budget import Budget
from autodl_solver.data.examples import Examples
from autodl_solver.learners.boosting import Boosting, BoostingLearner, Target
from autodl_solver.metrics import nauc

QUICK = Boosting(n_rounds=30, learning_rate=0.25)


def table(n_rows: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n_rows, 6)).astype(np.float32)


def labels(x: np.ndarray, kind: str) -> np.ndarray:
    """Labels that no linear learner finds."""
    first, second = x[:, 0] * x[:, 1] > 0, np.abs(x[:, 2]) > 0.7
    if kind == "two classes":
        return np.eye(2, dtype=np.float32)[first.astype(int)]
    if kind == "four classes":
        return np.eye(4, dtype=np.float32)[2 * first + second]
    if kind == "several labels":
        return np.stack([first, second, first & second], axis=1).astype(np.float32)
    if kind == "one column":
        return first[:, None].astype(np.float32)
    return np.stack([0.1 + 0.8 * first, 0.9 - 0.8 * first], axis=1).astype(np.float32)  # shares of two labels


@pytest.mark.parametrize("kind", ["two classes", "four classes", "several labels", "one column", "shares"])
def test_every_kind_of_label_is_learned(kind: str) -> None:
    x, x_test = table(1000), table(500, seed=1)
    learner = BoostingLearner(labels(x, kind).shape[1], 0, QUICK)
    learner.fit(Examples(x, labels(x, kind)), Budget(60))
    assert nauc((labels(x_test, kind) > 0.5).astype(np.float32), learner.predict_proba(x_test)) > 0.8


def test_two_classes_have_probabilities_of_sum_one() -> None:
    x = table(300)
    learner = BoostingLearner(2, 0, QUICK)
    learner.fit(Examples(x, labels(x, "two classes")), Budget(60))
    assert learner.predict_proba(x).sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_a_sparse_table_gives_what_the_dense_one_gives() -> None:
    x = table(400) * (np.random.default_rng(2).random((400, 6)) < 0.5)
    y = labels(x, "four classes")
    dense, thin = BoostingLearner(4, 0, QUICK), BoostingLearner(4, 0, QUICK)
    dense.fit(Examples(x, y), Budget(60))
    thin.fit(Examples(sparse.csr_array(x), y), Budget(60))
    assert thin.predict_proba(sparse.csr_array(x)) == pytest.approx(dense.predict_proba(x), abs=1e-3)


def test_codes_of_categories_need_no_order() -> None:
    codes = np.random.default_rng(0).integers(0, 40, (600, 2)).astype(np.float32)
    y = np.eye(2, dtype=np.float32)[np.random.default_rng(1).integers(0, 2, 40)[codes[:, 0].astype(int)]]
    few = Boosting(n_rounds=3, n_leaves=2, learning_rate=0.5)
    scores = []
    for max_categories in (0, 64):
        learner = BoostingLearner(2, 0, Boosting(**{**few.__dict__, "max_categories": max_categories}))
        learner.fit(Examples(codes, y), Budget(60))
        scores.append(nauc(y, learner.predict_proba(codes)))
    assert scores[1] > scores[0] + 0.1


def test_the_end_of_the_budget_keeps_the_rounds_so_far() -> None:
    now = iter(np.arange(0, 100, 0.1))  # each look at the clock takes a tenth of a second
    x = table(500)
    learner = BoostingLearner(2, 0, Boosting(n_rounds=10_000))
    learner.fit(Examples(x, labels(x, "two classes")), Budget(5, clock=lambda: float(next(now))))
    assert nauc(labels(x, "two classes"), learner.predict_proba(x)) > 0.2


def test_a_copy_predicts_the_same() -> None:
    x = table(300)
    learner = BoostingLearner(4, 0, QUICK)
    learner.fit(Examples(x, labels(x, "four classes")), Budget(60))
    assert np.array_equal(copy.deepcopy(learner).predict_proba(x), learner.predict_proba(x))


@pytest.mark.parametrize(
    ("y", "learned", "softmax", "complement"),
    [
        ([[1, 0], [0, 1]], [1], False, 0),  # one logit tells two classes apart
        ([[1, 0, 0], [0, 0, 1]], [2], False, 0),  # a class without examples has none
        ([[1, 1, 0], [1, 0, 1]], [2], False, 1),  # nor has a label that all rows carry
        ([[1, 0, 0], [0, 1, 0], [0, 0, 1]], [0, 1, 2], True, None),
        ([[1, 1, 0], [0, 1, 0], [0, 1, 1]], [0, 2], False, None),
        ([[1, 0], [0, 0]], [0], False, None),
        ([[0, 0], [0, 0]], [], False, None),
    ],
)
def test_only_labels_that_vary_get_trees(
    y: list[list[float]], learned: list[int], softmax: bool, complement: int | None
) -> None:
    target = Target.of(np.array(y, np.float32))
    assert (target.learned.tolist(), target.softmax, target.complement) == (learned, softmax, complement)


@pytest.mark.parametrize("y", [[[1, 0], [0, 1]], [[1, 0, 0], [0, 1, 0], [0, 0, 1]], [[1, 1, 0], [0, 1, 0]]])
def test_gradients_are_the_slope_of_the_log_loss(y: list[list[float]]) -> None:
    labels_ = np.array(y, np.float32)
    target = Target.of(labels_)
    scores = np.random.default_rng(0).normal(size=(len(labels_), target.n_logits))

    def loss(at: np.ndarray) -> float:
        proba = target.proba(at)[:, target.learned].astype(np.float64)
        truth = labels_[:, target.learned]
        other = 0 if target.softmax else (1 - truth) * np.log(1 - proba)
        return -float(np.sum(truth * np.log(proba) + other))

    gradient, _ = target.gradients(labels_)(scores.ravel(order="F"), None)
    step = 1e-2
    for index in np.ndindex(scores.shape):
        moved = np.zeros_like(scores)
        moved[index] = step
        slope = (loss(scores + moved) - loss(scores - moved)) / (2 * step)
        assert gradient.reshape(scores.shape)[index] == pytest.approx(slope, abs=1e-3)


@pytest.mark.parametrize("x", [np.ones((60, 3)), np.full((60, 2), np.nan), sparse.csr_array((60, 4))])
def test_columns_that_never_vary_leave_the_class_frequencies(x: Any, capfd: pytest.CaptureFixture[str]) -> None:
    y = np.eye(2, dtype=np.float32)[np.arange(60) % 3 // 2]
    learner = BoostingLearner(2, 0, QUICK)
    learner.fit(Examples(x, y), Budget(60))
    assert learner.predict_proba(x)[0] == pytest.approx([2 / 3, 1 / 3], abs=0.01)
    assert capfd.readouterr() == ("", "")
