"""Linear on log-mel statistics, of few frames and then of all."""

from __future__ import annotations

from autodl_solver.anytime.plan import Family, Plan
from autodl_solver.data.info import DatasetInfo
from autodl_solver.learners.scaled import standardised_linear

MAX_FRAMES = (64, 512)
FIRST_ROWS = 300


def make_plan(info: DatasetInfo) -> Plan:
    """Growing subsets of short looks, then all clips with every frame."""
    return [Family("ridge", standardised_linear, MAX_FRAMES, first_n=FIRST_ROWS)]
