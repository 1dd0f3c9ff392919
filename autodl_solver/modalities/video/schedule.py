"""Linear on 8-pixel, then on 16-pixel frames."""

from __future__ import annotations

from autodl_solver.anytime.schedule import Schedule, doubling
from autodl_solver.data.info import DatasetInfo
from autodl_solver.data.pixels import sizes_up_to_native
from autodl_solver.learners.linear import LinearLearner

SIZES_PX = (8, 16)
FIRST_ROWS = 200


def make_schedule(info: DatasetInfo) -> Schedule:
    """Growing subsets at 8 px, then all rows at 16 px unless the frames are smaller."""
    return doubling(LinearLearner, sizes_up_to_native(info.specs[0], SIZES_PX), FIRST_ROWS)
