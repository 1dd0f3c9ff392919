"""Linear on the course at 32 and then at 128 points, with statistics and spectrum."""

from __future__ import annotations

from autodl_solver.anytime.schedule import Schedule, doubling
from autodl_solver.data.info import DatasetInfo
from autodl_solver.learners.scaled import standardised_linear

POINTS = (32, 128)
FIRST_ROWS = 500


def make_schedule(info: DatasetInfo) -> Schedule:
    """Growing subsets at 32 points, then all rows at 128."""
    return doubling(standardised_linear, POINTS, FIRST_ROWS)
