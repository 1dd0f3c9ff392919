"""Logistic regression of sparse rows: the solution, its peers, and rows of every kind."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse, special
from sklearn.linear_model import LogisticRegression

from autodl_solver.budget import Budget
from autodl_solver.learners import sparse_linear
from autodl_solver.learners.label_kind import probabilities
from autodl_solver.learners.sparse_linear import PENALTY, as_sparse, fit_logistic


def documents(n_rows: int, n_classes: int, seed: int = 0) -> tuple[sparse.csr_array, np.ndarray]:
    """Rows of unit length, half of whose columns are their own; labels, several or none a row."""
    rng = np.random.default_rng(seed)
    y = (rng.random((n_rows, n_classes)) < np.linspace(0.5, 0.05, n_classes)).astype(np.float32)
    shared = rng.poisson(0.05 + y @ rng.gamma(0.1, 1.0, (n_classes, 80)))
    x = sparse.csr_array(sparse.hstack([sparse.csr_array(shared), sparse.eye_array(n_rows)]), dtype=np.float32)
    lengths = np.sqrt(np.asarray((x * x).sum(axis=1)).ravel())
    x.data /= np.repeat(lengths, np.diff(x.indptr)).astype(np.float32)
    return x, y


@pytest.mark.parametrize("block_values", [2**20, 300])  # all classes at once, one class at a time
def test_no_gradient_is_left_at_the_solution(block_values: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparse_linear, "BLOCK_VALUES", block_values)
    monkeypatch.setattr(sparse_linear, "TOLERANCE", 1e-4)
    monkeypatch.setattr(sparse_linear, "MAX_ITERATIONS", 200)
    x, y = documents(300, 4)
    model = fit_logistic(x, y, Budget())
    gradient = x.T @ (special.expit(model.logits(x)) - y) + PENALTY * model.weights
    at_start = x.T @ (y.mean(axis=0) - y)
    assert np.linalg.norm(gradient) < 2e-3 * np.linalg.norm(at_start)


def test_scores_are_close_to_those_of_scikit_learn() -> None:
    """Whose intercept is free, and ours is held a little."""
    x, y = documents(300, 4)
    found = fit_logistic(x, y, Budget()).logits(x)
    for k in range(4):
        peer = LogisticRegression(C=1 / PENALTY).fit(x, y[:, k])
        assert np.corrcoef(found[:, k], peer.decision_function(x))[0, 1] > 0.95


def test_few_iterations_are_close_to_many(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = documents(500, 6)
    few = fit_logistic(x, y, Budget()).logits(x)
    monkeypatch.setattr(sparse_linear, "TOLERANCE", 1e-5)
    monkeypatch.setattr(sparse_linear, "MAX_ITERATIONS", 200)
    many = fit_logistic(x, y, Budget()).logits(x)
    for k in range(6):
        assert np.corrcoef(few[:, k], many[:, k])[0, 1] > 0.97


def test_a_class_without_examples_gets_its_base_rate() -> None:
    x, y = documents(200, 3)
    y[:, 1] = 0
    logits = fit_logistic(x, y, Budget()).logits(x)
    assert np.isfinite(logits).all()
    assert logits[:, 1].max() < -4


def test_rows_without_columns_get_the_intercept() -> None:
    x, y = documents(200, 3)
    model = fit_logistic(x, y, Budget())
    assert np.array_equal(model.logits(sparse.csr_array((2, x.shape[1]), dtype=np.float32))[1], model.intercept)


def test_one_label_a_row_shares_a_softmax() -> None:
    logits = np.random.default_rng(0).normal(size=(5, 3))
    assert probabilities(logits, exclusive=True).sum(axis=1) == pytest.approx(np.ones(5))
    assert probabilities(logits, exclusive=False).sum(axis=1) != pytest.approx(np.ones(5))


def test_dense_rows_are_read_and_what_is_not_finite_is_left_out() -> None:
    rows = as_sparse(np.array([[[1.0, np.nan], [np.inf, 2.0]]]))
    assert rows.toarray().tolist() == [[1.0, 0.0, 0.0, 2.0]]
