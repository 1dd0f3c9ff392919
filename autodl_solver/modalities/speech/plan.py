"""Linear on log-mel statistics, of few frames and then of all, and on the features of kernels."""

from __future__ import annotations

from autodl_solver.anytime.plan import Family, Plan
from autodl_solver.data.info import DatasetInfo
from autodl_solver.learners.scaled import standardised_linear

MAX_FRAMES = (64, 512)
FIRST_ROWS = 100

KERNEL_GROUPS = (16, 64)

MAX_ROWS = 30_000
"""Features of that many clips take half a gigabyte."""


def make_plan(info: DatasetInfo) -> Plan:
    """What answers first in front."""
    return [
        Family("ridge", standardised_linear, MAX_FRAMES, first_n=FIRST_ROWS),
        Family("hydra", standardised_linear, KERNEL_GROUPS, view="hydra", first_n=4 * FIRST_ROWS, max_n=MAX_ROWS),
    ]
