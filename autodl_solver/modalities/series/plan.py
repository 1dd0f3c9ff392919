"""Linear on the course at 32 and then at 128 points, with statistics and spectrum."""

from __future__ import annotations

from autodl_solver.anytime.plan import Family, Plan
from autodl_solver.data.info import DatasetInfo
from autodl_solver.learners.scaled import standardised_linear

POINTS = (32, 128)
FIRST_ROWS = 500


def make_plan(info: DatasetInfo) -> Plan:
    """Growing subsets at 32 points, then all rows at 128."""
    return [Family("ridge", standardised_linear, POINTS, first_n=FIRST_ROWS)]
