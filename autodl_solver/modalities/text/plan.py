"""Linear on TF-IDF weights, of the first 200 tokens and then of the first 1,000."""

from __future__ import annotations

from autodl_solver.anytime.plan import Family, Plan
from autodl_solver.data.info import DatasetInfo
from autodl_solver.modalities.text.learners import make_learner

MAX_TOKENS = (200, 1000)
FIRST_ROWS = 1000


def make_plan(info: DatasetInfo) -> Plan:
    """Growing subsets of short beginnings, then all documents with longer ones."""
    return [Family("ridge", make_learner, MAX_TOKENS, first_n=FIRST_ROWS)]
