"""Learners of tables: what forests and kernels find that a linear learner does not, and what they survive."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from autodl_solver.budget import Budget
from autodl_solver.data.examples import Examples
from autodl_solver.learners.scaled import ScaledLinearLearner
from autodl_solver.metrics import nauc
from autodl_solver.modalities.tabular.forest import ForestLearner
from autodl_solver.modalities.tabular.learners import make_dense_learner, make_kernel_learner

MAKERS = {
    "extra trees": partial(ForestLearner, kind="extra", n_trees=50, n_jobs=1),
    "random forest": partial(ForestLearner, kind="random", n_trees=50, n_jobs=1),
    "kernel": partial(make_kernel_learner, by_ranks=False),
}


def corners(n_rows: int, seed: int) -> Examples:
    """Two labels that may come together: the signs of two products; one column in ten has a gap."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_rows, 4)).astype(np.float32)
    y = np.stack([x[:, 0] * x[:, 1] > 0, x[:, 2] * x[:, 3] > 0], axis=1).astype(np.float32)
    x[rng.random(x.shape) < 0.1] = np.nan
    return Examples(x, y)


@pytest.mark.parametrize("name", MAKERS)
def test_a_product_of_columns_is_learned_in_spite_of_gaps(name: str) -> None:
    learner, test = MAKERS[name](2, 0), corners(500, 1)
    learner.fit(corners(800, 0), Budget(60))
    assert test.y is not None
    assert nauc(test.y, learner.predict_proba(test.x)) > 0.5


@pytest.mark.parametrize("spoil", ["constant", "missing", "huge"])
@pytest.mark.parametrize("by_ranks", [False, True])
def test_a_kernel_survives_columns_of_any_kind(spoil: str, by_ranks: bool) -> None:
    train = corners(100, 0)
    assert isinstance(train.x, np.ndarray)
    train.x[:, 0] = {"constant": 3.0, "missing": np.nan, "huge": 1e20}[spoil]
    learner = make_kernel_learner(2, 0, by_ranks)
    learner.fit(train, Budget(60))
    assert np.isfinite(learner.predict_proba(train.x)).all()


def test_a_forest_stops_adding_trees_when_its_budget_ends() -> None:
    now = iter(np.arange(0, 1000, 0.5))  # each look at the clock takes half a second
    learner = ForestLearner(2, 0, n_trees=10_000, n_jobs=1)
    learner.fit(corners(100, 0), Budget(60, clock=lambda: float(next(now))))
    assert np.isfinite(learner.predict_proba(corners(10, 1).x)).all()


@pytest.mark.parametrize("make", [partial(make_dense_learner, n_bins=16), partial(make_kernel_learner, by_ranks=True)])
def test_what_many_rows_become_is_never_held_all_at_once(make: Callable[..., ScaledLinearLearner]) -> None:
    train = corners(80_000, 0)
    assert isinstance(train.x, np.ndarray)
    learner = make(2, 0)
    tracemalloc.start()
    learner.fit(train, Budget(60))
    learner.predict_proba(train.x)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    n_features = learner._features(train.x[:1]).shape[1]
    assert peak < 0.5 * 4 * len(train) * n_features
