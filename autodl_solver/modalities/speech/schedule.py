"""Linear on log-mel statistics, of few frames and then of all."""

from __future__ import annotations

from autodl_solver.anytime.schedule import Schedule, doubling
from autodl_solver.data.info import DatasetInfo
from autodl_solver.learners.scaled import standardised_linear

MAX_FRAMES = (64, 512)
FIRST_ROWS = 300


def make_schedule(info: DatasetInfo) -> Schedule:
    """Growing subsets of short looks, then all clips with every frame."""
    return doubling(standardised_linear, MAX_FRAMES, FIRST_ROWS)
