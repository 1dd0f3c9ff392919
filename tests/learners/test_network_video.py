"""Learners of clips: what the battery does not ask."""

from __future__ import annotations

import numpy as np
import pytest

from autodl_solver.budget import Budget
from autodl_solver.data.examples import Examples
from autodl_solver.errors import ShapeError
from autodl_solver.learners.base import Learner
from autodl_solver.learners.network_video import VideoNetworkLearner
from autodl_solver.learners.patches import PatchLearner
from autodl_solver.nn.trainer import TrainingOptions


def blinking(n: int, n_frames: int = 4, side: int = 8, n_channels: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Noise clips with a bright corner whose place is the class: [n, time, row, col, channel] uint8, [n, 2]."""
    y = np.eye(2, dtype=np.float32)[np.arange(n) % 2]
    x = np.random.default_rng(0).integers(150, size=(n, n_frames, side, side, n_channels)).astype(np.uint8)
    for clip, label in zip(x, y, strict=True):
        clip[:, : side // 2, (slice(side // 2) if label[0] else slice(side // 2, side))] += 100
    return x, y


def small_network() -> VideoNetworkLearner:
    return VideoNetworkLearner(2, 0, widths=(8, 16), options=TrainingOptions(batch_size=16, max_epochs=5))


@pytest.mark.parametrize("make", [lambda: PatchLearner(2, 0, n_filters=16, depth=3), small_network])
@pytest.mark.parametrize(
    ("n_frames", "side", "n_channels"),
    [
        (4, 8, 1),
        (1, 8, 3),  # a single frame, in colour
        (2, 4, 1),  # hardly any pixels
    ],
)
def test_clips_of_any_shape_are_learned(make, n_frames: int, side: int, n_channels: int) -> None:  # type: ignore[no-untyped-def]
    x, y = blinking(64, n_frames, side, n_channels)
    learner: Learner = make()
    learner.fit(Examples(x[:48], y[:48]), Budget())
    assert np.mean(learner.predict_proba(x[48:]).argmax(axis=1) == y[48:].argmax(axis=1)) >= 0.75


def test_a_network_goes_on_from_where_it_stopped() -> None:
    x, y = blinking(64)
    learner = small_network()
    learner.fit(Examples(x[:16], y[:16]), Budget())
    learner.fit(Examples(x[:48], y[:48]), Budget())
    assert np.mean(learner.predict_proba(x[48:]).argmax(axis=1) == y[48:].argmax(axis=1)) >= 0.75


def test_images_are_refused() -> None:
    x, y = blinking(8)
    with pytest.raises(ShapeError, match=r"however x\.shape"):
        small_network().fit(Examples(x[:, 0], y), Budget())
