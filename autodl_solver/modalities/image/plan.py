"""Ridge on a few pixels for the first seconds, then a network that goes on; a wider one for those who can wait.

docs/experiments.md: what each gains, at which side of the images.
"""

from __future__ import annotations

from functools import partial

from autodl_solver.anytime.plan import Family, Plan
from autodl_solver.data.info import DatasetInfo
from autodl_solver.data.pixels import sizes_up_to_native
from autodl_solver.learners.linear import LinearLearner
from autodl_solver.learners.network import NetworkLearner
from autodl_solver.modalities.image.pipeline import FLAT, SQUARES

RIDGE_PX = (8, 16)
NETWORK_PX = (32, 64)
"""Sides for networks: small images keep theirs, larger ones are shrunk to the larger side."""

FIRST_ROWS = 1000
FIRST_S = 2.0
"""Seconds of a first contract: on cifar10 it takes NAUC from .61 to .83."""

WIDE_FIRST_S = 30.0


def make_plan(info: DatasetInfo) -> Plan:
    """What answers first in front."""
    spec = info.specs[0]
    side = network_px(max(spec.n_rows, spec.n_cols))
    network = Family("network", NetworkLearner, (side,), view=SQUARES, first_s=FIRST_S)
    wide_learner = partial(NetworkLearner, widths=(128, 256))
    return [
        Family("ridge", LinearLearner, tuple(sizes_up_to_native(spec, RIDGE_PX)), view=FLAT, first_n=FIRST_ROWS),
        network,
        Family("wide network", wide_learner, (side,), view=SQUARES, first_s=WIDE_FIRST_S),
    ]


def network_px(native_px: int) -> int:
    """The side at which networks look at images of a native side, -1 where that varies or is unknown."""
    smaller, larger = NETWORK_PX
    if native_px < 1:
        return larger
    return native_px if native_px <= smaller + smaller // 2 else larger
