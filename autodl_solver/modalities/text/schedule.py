"""Linear on TF-IDF weights, of the first 200 tokens and then of the whole document."""

from __future__ import annotations

from autodl_solver.anytime.schedule import Schedule, doubling
from autodl_solver.data.info import DatasetInfo
from autodl_solver.modalities.text.learners import make_learner

MAX_TOKENS = (200, 100_000)
FIRST_ROWS = 1000


def make_schedule(info: DatasetInfo) -> Schedule:
    """Growing subsets of beginnings, then everything."""
    return doubling(make_learner, MAX_TOKENS, FIRST_ROWS)
