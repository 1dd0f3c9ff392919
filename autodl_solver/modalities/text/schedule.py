"""Linear on TF-IDF weights, of the first 200 tokens and then of the first 1,000."""

from __future__ import annotations

from autodl_solver.anytime.schedule import Schedule, doubling
from autodl_solver.data.info import DatasetInfo
from autodl_solver.modalities.text.learners import make_learner

MAX_TOKENS = (200, 1000)
FIRST_ROWS = 1000


def make_schedule(info: DatasetInfo) -> Schedule:
    """Growing subsets of short beginnings, then all documents with longer ones."""
    return doubling(make_learner, MAX_TOKENS, FIRST_ROWS)
