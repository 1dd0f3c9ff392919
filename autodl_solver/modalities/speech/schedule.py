"""Linear on log-mel statistics, of few frames and then of all."""

from __future__ import annotations

from sklearn.preprocessing import StandardScaler

from autodl_solver.anytime.schedule import Schedule, doubling
from autodl_solver.data.info import DatasetInfo
from autodl_solver.learners.scaled import ScaledLinearLearner

MAX_FRAMES = (64, 512)
FIRST_ROWS = 300


def make_learner(n_classes: int, seed: int) -> ScaledLinearLearner:
    """Standardised features, linear."""
    return ScaledLinearLearner(n_classes, seed, StandardScaler)


def make_schedule(info: DatasetInfo) -> Schedule:
    """Growing subsets of short looks, then all clips with every frame."""
    return doubling(make_learner, MAX_FRAMES, FIRST_ROWS)
