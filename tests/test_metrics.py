"""Metrics against scikit-learn and by hand."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from autodl_solver.errors import ShapeError
from autodl_solver.metrics import nauc, time_weight


@settings(derandomize=True, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(2, 60), k=st.integers(1, 5), levels=st.integers(1, 8))
def test_nauc_agrees_with_scikit_learn(seed: int, n: int, k: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, (n, k)).astype(float)
    scores = rng.integers(0, levels, (n, k)) / levels  # few levels: many ties
    valid = (y.min(axis=0) == 0) & (y.max(axis=0) == 1)
    if not valid.any():
        assert math.isnan(nauc(y, scores))
        return
    expected = 2 * roc_auc_score(y[:, valid], scores[:, valid], average="macro") - 1
    assert nauc(y, scores) == pytest.approx(expected, abs=1e-12)


def test_a_class_without_both_outcomes_is_left_out() -> None:
    y = np.array([[1, 0, 1], [1, 0, 0], [1, 0, 1.0]])
    scores = np.array([[0.1, 0.5, 0.9], [0.3, 0.5, 0.1], [0.2, 0.5, 0.8]])
    assert nauc(y, scores) == 1.0


def test_shapes_that_disagree_are_refused() -> None:
    with pytest.raises(ShapeError, match="however"):
        nauc(np.zeros((3, 2)), np.zeros((3, 1)))


@pytest.mark.parametrize(
    ("t", "weight"),
    [(0, 0.0), (1, 0.005), (5, 0.026), (10, 0.051), (60, 0.228), (300, 0.588), (1200, 1.0), (5000, 1.0)],
)
def test_time_weight_of_the_challenge(t: float, weight: float) -> None:
    assert time_weight(t, 1200) == pytest.approx(weight, abs=6e-4)
