"""Linear on 8-pixel, then on 16-pixel squares (docs/experiments.md: what each size gains)."""

from __future__ import annotations

from autodl_solver.anytime.schedule import Schedule, doubling
from autodl_solver.data.info import DatasetInfo
from autodl_solver.learners.linear import LinearLearner

SIZES_PX = (8, 16)
FIRST_ROWS = 1000


def make_schedule(info: DatasetInfo) -> Schedule:
    """Growing subsets at 8 px, then all rows at 16 px unless the frames are smaller."""
    spec = info.specs[0]
    native_px = max(spec.n_rows, spec.n_cols) if min(spec.n_rows, spec.n_cols) > 0 else max(SIZES_PX)
    sizes_px = [size for size in SIZES_PX if size <= native_px] or [native_px]
    return doubling(LinearLearner, sizes_px, FIRST_ROWS)
