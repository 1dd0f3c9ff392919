"""Linear on statistics and courses, then on the features of convolutional kernels; then a network goes on."""

from __future__ import annotations

from autodl_solver.anytime.plan import Family, Plan
from autodl_solver.data.info import DatasetInfo
from autodl_solver.learners.base import Learner
from autodl_solver.learners.scaled import standardised_linear
from autodl_solver.modalities.series.pipeline import COURSE

POINTS = (32, 128)
FIRST_ROWS = 500

KERNEL_GROUPS = (16, 64, 256)
BIASES = (3024,)
MAX_ROWS = 20_000
"""With 256 groups, features of that many rows take 1.6 GB."""

NETWORK_POINTS = (512,)
NETWORK_FIRST_S = 5.0
"""Seconds of its first contract; in fewer it learns less than the kernels tell."""


def make_plan(info: DatasetInfo) -> Plan:
    """What answers first in front."""
    return [
        Family("ridge", standardised_linear, POINTS, first_n=FIRST_ROWS),
        Family("hydra", standardised_linear, KERNEL_GROUPS, view="hydra", first_n=FIRST_ROWS, max_n=MAX_ROWS),
        Family("minirocket", standardised_linear, BIASES, view="minirocket", first_n=FIRST_ROWS, max_n=MAX_ROWS),
        Family("network", _make_network, NETWORK_POINTS, view=COURSE, first_s=NETWORK_FIRST_S),
    ]


def _make_network(n_classes: int, seed: int) -> Learner:
    from autodl_solver.learners.network_series import SeriesNetworkLearner  # torch takes seconds to import

    return SeriesNetworkLearner(n_classes, seed)
