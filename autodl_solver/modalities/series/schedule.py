"""Linear on the course at 32 and then at 128 points, with statistics and spectrum."""

from __future__ import annotations

from sklearn.preprocessing import StandardScaler

from autodl_solver.anytime.schedule import Schedule, doubling
from autodl_solver.data.info import DatasetInfo
from autodl_solver.learners.scaled import ScaledLinearLearner

POINTS = (32, 128)
FIRST_ROWS = 500


def make_learner(n_classes: int, seed: int) -> ScaledLinearLearner:
    """Standardised features, linear."""
    return ScaledLinearLearner(n_classes, seed, StandardScaler)


def make_schedule(info: DatasetInfo) -> Schedule:
    """Growing subsets at 32 points, then all rows at 128."""
    return doubling(make_learner, POINTS, FIRST_ROWS)
