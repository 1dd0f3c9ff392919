"""Do left and right mean the same? A quick answer, before any network learns from mirrored images.

A linear learner that never saw a mirrored image is asked about some. Where the class does not change in the mirror, it
does about as well on them; digits, letters and arrows give it away. Share of NAUC that is kept, 1,000 rows of 8 px:
cifar10 .99, flowers5 .98, miml_scene .95, avletters (lips) 1.1; gtsrb_tracks (signs) .63, mnist .52, digits .27.
Cost: 20 ms, two cores.
"""

from __future__ import annotations

import numpy as np

from autodl_solver.budget import Budget
from autodl_solver.data.examples import Array, Examples
from autodl_solver.data.images import resize_pixels
from autodl_solver.learners.linear import LinearLearner
from autodl_solver.metrics import nauc

TEST_ROWS = 1000
TEST_PX = 8
KEPT_SHARE = 0.85
"""Of the NAUC, at least: between the .95 of scenes and the .63 of signs."""

LEAST_NAUC = 0.1
"""Below it nothing was learned that the mirror could spoil."""


def looks_alike_in_a_mirror(x: Array, y: Array, seed: int = 0) -> bool:
    """Whether a horizontal flip leaves the labels of images as they are; no, where the rows do not tell.

    Args:
        x: [n, row, col, channel], finite.
        y: [n, n_classes] in [0, 1].
    """
    chosen = np.linspace(0, len(x) - 1, min(len(x), TEST_ROWS)).astype(np.int64)
    x, y = resize_pixels(np.asarray(x[chosen], dtype=np.float32), TEST_PX), y[chosen]
    x = x / max(float(np.abs(x).max()), 1e-9)
    asked = np.random.default_rng(seed).permutation(len(x)) < len(x) // 4
    if not asked.any() or asked.all():
        return False
    linear = LinearLearner(y.shape[1], seed)
    linear.fit(Examples(x[~asked].reshape(int((~asked).sum()), -1), y[~asked]), Budget())
    flat = (len(y[asked]), -1)
    plain = nauc(y[asked], linear.predict_proba(x[asked].reshape(flat)))
    mirrored = nauc(y[asked], linear.predict_proba(x[asked][:, :, ::-1].reshape(flat)))
    return plain >= LEAST_NAUC and mirrored >= KEPT_SHARE * plain
