"""Linear on 8-pixel, then on 16-pixel squares (docs/experiments.md: what each size gains)."""

from __future__ import annotations

from autodl_solver.anytime.plan import Family, Plan
from autodl_solver.data.info import DatasetInfo
from autodl_solver.data.pixels import sizes_up_to_native
from autodl_solver.learners.linear import LinearLearner

SIZES_PX = (8, 16)
FIRST_ROWS = 1000


def make_plan(info: DatasetInfo) -> Plan:
    """Growing subsets at 8 px, then all rows at 16 px unless the frames are smaller."""
    return [Family("ridge", LinearLearner, tuple(sizes_up_to_native(info.specs[0], SIZES_PX)), first_n=FIRST_ROWS)]
