"""Ridge regression against scikit-learn, on real data."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.linear_model import Ridge

from autodl_solver.budget import Budget
from autodl_solver.data.examples import Examples
from autodl_solver.learners import linear
from autodl_solver.learners.linear import LinearLearner
from autodl_solver.metrics import nauc


def digits() -> tuple[np.ndarray, np.ndarray]:
    x, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))
    return x[order].astype(np.float32), np.eye(10, dtype=np.float32)[labels[order]]


@pytest.mark.parametrize(
    ("n_rows", "as_sparse"),
    [
        (300, False),  # more rows than columns: primal
        (40, False),  # fewer: dual
        (300, True),
        (40, True),
    ],
)
def test_closed_form_agrees_with_scikit_learn(n_rows: int, as_sparse: bool) -> None:
    x, y = digits()
    x, y = x[:n_rows], y[:n_rows]
    learner = LinearLearner(10)
    learner.fit(Examples(sparse.csr_array(x) if as_sparse else x, y), Budget(20))
    reference = Ridge(alpha=learner._ridge.penalty).fit(x, y)
    assert learner._ridge.scores(x) == pytest.approx(reference.predict(x), abs=1e-4)


def test_left_out_predictions_are_those_of_models_that_never_saw_the_row() -> None:
    x, y = digits()
    x, y = x[:25], y[:25]
    ridge, _, left_out = linear._closed_form(x, y)
    for i in range(3):
        others = np.arange(25) != i
        reference = Ridge(alpha=ridge.penalty).fit(x[others], y[others])
        assert left_out[i] == pytest.approx(reference.predict(x[i : i + 1])[0], abs=1e-4)


def test_many_rows_are_centred_whatever_their_order() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3 * linear.CHUNK_ROWS + 5, 6)) * [1, 1, 1, 1, 1, 0.01] + [0, 0, 0, 0, 0, 1000]
    x = x[np.argsort(x[:, 0])].astype(np.float32)
    y = np.eye(2, dtype=np.float32)[(x[:, 0] + x[:, 1] > 0).astype(int)]
    learner = LinearLearner(2)
    learner.fit(Examples(x, y), Budget(20))
    reference = Ridge(alpha=learner._ridge.penalty).fit(x.astype(np.float64), y)
    assert learner._ridge.weights == pytest.approx(reference.coef_.T, rel=1e-3, abs=1e-3)
    assert learner._ridge.scores(x) == pytest.approx(reference.predict(x), abs=1e-3)


@pytest.mark.parametrize("as_sparse", [False, True])
def test_conjugate_gradients_reach_the_closed_form(monkeypatch: pytest.MonkeyPatch, as_sparse: bool) -> None:
    x, y = digits()
    rows = sparse.csr_array(x) if as_sparse else x
    exact = LinearLearner(10)
    exact.fit(Examples(rows[:1200], y[:1200]), Budget(20))
    monkeypatch.setattr(linear, "CLOSED_FORM_SIDE", 60)  # 1,200 rows x 64 columns are too many now
    iterated = LinearLearner(10)
    iterated.fit(Examples(rows[:1200], y[:1200]), Budget(20))
    assert nauc(y[1200:], iterated.predict_proba(rows[1200:])) == pytest.approx(
        nauc(y[1200:], exact.predict_proba(rows[1200:])), abs=0.01
    )


@pytest.mark.parametrize(("n_rows", "score"), [(50, 0.88), (200, 0.97), (1200, 0.985)])
def test_digits_are_learned_from_few_rows(n_rows: int, score: float) -> None:
    x, y = digits()
    learner = LinearLearner(10)
    learner.fit(Examples(x[:n_rows], y[:n_rows]), Budget(20))
    assert nauc(y[1200:], learner.predict_proba(x[1200:])) > score


def test_probabilities_are_calibrated_and_not_crowded() -> None:
    x, labels = load_breast_cancer(return_X_y=True)
    x = ((x - x.mean(axis=0)) / x.std(axis=0)).astype(np.float32)
    y = np.eye(2, dtype=np.float32)[labels]
    learner = LinearLearner(2)
    learner.fit(Examples(x[::2], y[::2]), Budget(20))
    proba = learner.predict_proba(x[1::2])
    assert np.mean(-np.log(np.maximum((proba * y[1::2]).sum(axis=1), 1e-9))) < 0.2
    printed = {f"{value:g}" for value in proba[:, 1]}
    assert len(printed) > 0.95 * len(proba)
