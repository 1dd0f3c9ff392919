"""Linear on statistics and courses, then on the features of convolutional kernels."""

from __future__ import annotations

from autodl_solver.anytime.plan import Family, Plan
from autodl_solver.data.info import DatasetInfo
from autodl_solver.learners.scaled import standardised_linear

POINTS = (32, 128)
FIRST_ROWS = 500

KERNEL_GROUPS = (16, 64, 256)
BIASES = (3024,)
MAX_ROWS = 20_000
"""With 256 groups, features of that many rows take 1.6 GB."""


def make_plan(info: DatasetInfo) -> Plan:
    """What answers first in front."""
    return [
        Family("ridge", standardised_linear, POINTS, first_n=FIRST_ROWS),
        Family("hydra", standardised_linear, KERNEL_GROUPS, view="hydra", first_n=FIRST_ROWS, max_n=MAX_ROWS),
        Family("minirocket", standardised_linear, BIASES, view="minirocket", first_n=FIRST_ROWS, max_n=MAX_ROWS),
    ]
