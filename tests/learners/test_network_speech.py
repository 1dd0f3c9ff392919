"""A network on spectrograms learns which band sounds, and goes on from one contract to the next."""

from __future__ import annotations

import numpy as np
import pytest

from autodl_solver.budget import Budget
from autodl_solver.data.examples import Examples
from autodl_solver.errors import ShapeError
from autodl_solver.learners.network_speech import SpectrogramLearner
from autodl_solver.metrics import nauc
from autodl_solver.nn.trainer import TrainingOptions

BRIEF = TrainingOptions(batch_size=32, max_epochs=12)


def sounds(n: int, seed: int, n_frames: int = 24, n_bands: int = 12) -> Examples:
    """A burst at a random moment; the class is its band."""
    random = np.random.default_rng(seed)
    y = np.eye(3, dtype=np.float32)[np.arange(n) % 3]
    x = random.normal(0, 0.5, (n, n_frames, n_bands))
    for row, start in enumerate(random.integers(2, n_frames - 8, n)):
        x[row, start : start + 6, 2 + 3 * (row % 3)] += 2
    return Examples(x.astype(np.float16), y)


def test_it_learns_which_band_sounds_whenever_it_does() -> None:
    learner = SpectrogramLearner(3, 0, widths=(16, 32), options=BRIEF)
    learner.fit(sounds(120, 0), Budget(60))
    test = sounds(60, 1)
    assert nauc(test.y, learner.predict_proba(test.x)) > 0.9


@pytest.mark.parametrize("shape", [(10, 1, 1), (10, 2, 40), (10, 50, 3)])
def test_small_spectrograms_and_missing_values_are_survived(shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    x[0] = np.nan
    learner = SpectrogramLearner(2, 0, widths=(8,), options=TrainingOptions(max_epochs=2))
    learner.fit(Examples(x, np.eye(2, dtype=np.float32)[np.arange(10) % 2]), Budget(20))
    assert np.isfinite(learner.predict_proba(x)).all()


def test_other_kinds_of_rows_are_refused() -> None:
    with pytest.raises(ShapeError, match="spectrograms"):
        SpectrogramLearner(2).fit(Examples(np.zeros((4, 5)), np.zeros((4, 2), np.float32)), Budget(1))
