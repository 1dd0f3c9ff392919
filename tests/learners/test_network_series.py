"""A network on series learns what happens, whenever it does, and goes on from one contract to the next."""

from __future__ import annotations

import numpy as np
import pytest

from autodl_solver.budget import Budget
from autodl_solver.data.examples import Examples
from autodl_solver.errors import ShapeError
from autodl_solver.learners.network_series import SeriesNetworkLearner
from autodl_solver.metrics import nauc
from autodl_solver.nn.trainer import TrainingOptions

BRIEF = TrainingOptions(batch_size=32, max_epochs=12)


def waves(n: int, seed: int, n_points: int = 48) -> Examples:
    """A short wave at a random moment of a series of random length; the class is its pace."""
    random = np.random.default_rng(seed)
    y = np.eye(3, dtype=np.float32)[np.arange(n) % 3]
    x = random.normal(0, 0.3, (n, n_points, 2))
    lengths = random.integers(n_points // 2, n_points + 1, n)
    for row, length in enumerate(lengths):
        start = random.integers(0, length - 16)
        x[row, start : start + 16, 0] += 2 * np.sin(np.arange(16) * (0.6 + 0.5 * (row % 3)))
    x[..., 1] = np.arange(n_points) < lengths[:, None]
    return Examples((x * x[..., 1:]).astype(np.float16), y)


def test_it_learns_what_happens_whenever_it_does() -> None:
    learner = SeriesNetworkLearner(3, 0, widths=(16, 32), options=BRIEF)
    learner.fit(waves(120, 0), Budget(60))
    test = waves(60, 1)
    assert nauc(test.y, learner.predict_proba(test.x)) > 0.9


@pytest.mark.parametrize("shape", [(10, 1, 2), (10, 8, 2), (10, 30, 201)])
def test_short_series_many_channels_and_missing_values_are_survived(shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    x[..., -1] = 1
    x[0] = np.nan
    x[1] = 0  # a series without steps
    learner = SeriesNetworkLearner(2, 0, widths=(8,), options=TrainingOptions(max_epochs=2))
    learner.fit(Examples(x, np.eye(2, dtype=np.float32)[np.arange(10) % 2]), Budget(20))
    assert np.isfinite(learner.predict_proba(x)).all()


def test_other_kinds_of_rows_are_refused() -> None:
    with pytest.raises(ShapeError, match="series"):
        SeriesNetworkLearner(2).fit(Examples(np.zeros((4, 5)), np.zeros((4, 2), np.float32)), Budget(1))
