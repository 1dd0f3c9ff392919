"""The network learner on images of many kinds (its other promises: test_learner_battery.py)."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from autodl_solver.budget import Budget
from autodl_solver.data.examples import Examples
from autodl_solver.errors import ShapeError
from autodl_solver.learners.network import MOVES, NetworkLearner
from autodl_solver.metrics import nauc
from autodl_solver.modalities.image.plan import LOOKS
from autodl_solver.nn.trainer import TrainingOptions

SHORT = TrainingOptions(batch_size=32, max_epochs=4)


def one_hot(labels: np.ndarray, n_classes: int) -> np.ndarray:
    return np.eye(n_classes, dtype=np.float32)[labels]


def learner(n_classes: int, options: TrainingOptions = SHORT) -> NetworkLearner:
    return NetworkLearner(n_classes, 0, widths=(16, 32), options=options)


def test_digits_are_learned() -> None:
    digits = load_digits()
    x, y = (digits.images[..., None] * 15).astype(np.uint8), one_hot(digits.target, 10)
    made = learner(10, TrainingOptions(batch_size=64, max_epochs=8))
    made.fit(Examples(x[:1200], y[:1200]), Budget())
    assert nauc(y[1200:], made.predict_proba(x[1200:])) > 0.985


@pytest.mark.parametrize(
    ("shape", "n_classes"),
    [
        ((1, 1, 1), 2),  # a single pixel
        ((9, 30, 3), 2),  # not square
        ((8, 8, 7), 3),  # seven channels
        ((8, 8, 1), 300),
    ],
)
def test_images_of_any_kind_are_learned(shape: tuple[int, ...], n_classes: int) -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (50, *shape), dtype=np.uint8)
    made = learner(n_classes)
    made.fit(Examples(x, one_hot(np.arange(50) % n_classes, n_classes)), Budget())
    assert made.predict_proba(x).shape == (50, n_classes)


@pytest.mark.parametrize(("is_mirrored", "n_views"), [(False, 2), (True, 5)])
def test_images_are_looked_at_moved_a_little_too(is_mirrored: bool, n_views: int) -> None:
    made = learner(2)
    assert 1 + len(MOVES) == LOOKS
    made.looks, made._mirrored = LOOKS, is_mirrored
    views = made._views()
    assert len(views) == n_views
    row = torch.arange(5.0)
    images = (row[:, None] + 10 * row)[None, None]
    shown = [view(images)[0, 0] for view in views]
    for moved, mirrored in zip(shown[:2], shown[3:], strict=False):
        assert torch.equal(moved.flip(1), mirrored)
    assert torch.equal(shown[0][:-1, :-1], images[0, 0, 1:, 1:])
    assert torch.equal(shown[1][1:, 1:], images[0, 0, :-1, :-1])
    assert torch.equal(shown[1][0, 1:], images[0, 0, 0, :-1])  # the edge is repeated


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 40, 3), (70, 64, 1)])
def test_images_of_any_shape_are_looked_at_more_than_once(shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).integers(0, 256, (20, *shape), dtype=np.uint8)
    made = learner(2)
    made.fit(Examples(x, one_hot(np.arange(20) % 2, 2)), Budget())
    once = made.predict_proba(x)
    made.looks = LOOKS
    thrice = made.predict_proba(x)
    assert np.isfinite(thrice).all()
    assert np.array_equal(once, thrice) == (shape == (1, 1, 1))


def test_numbers_of_any_range_are_learned_as_well() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(120) % 2
    x = rng.normal(size=(120, 8, 8, 1)) * 1e-3 - 7
    x[labels == 1, :4] += 2e-3
    x[0, 0, 0, 0], x[1, 1, 1, 0] = np.nan, np.inf
    made = learner(2, TrainingOptions(batch_size=32, max_epochs=15))
    made.fit(Examples(x[:80], one_hot(labels[:80], 2)), Budget())
    assert nauc(one_hot(labels[80:], 2), made.predict_proba(x[80:])) > 0.9


def test_several_labels_a_row_get_a_score_each() -> None:
    rng = np.random.default_rng(0)
    y = (rng.random((160, 3)) < 0.5).astype(np.float32)
    x = rng.integers(0, 100, (160, 9, 9, 3))
    for k in range(3):
        x[y[:, k] == 1, 3 * k : 3 * k + 3, :, k] += 120
    made = learner(3, TrainingOptions(batch_size=32, max_epochs=15))
    made.fit(Examples(x[:120].astype(np.uint8), y[:120]), Budget())
    proba = made.predict_proba(x[120:].astype(np.uint8))
    assert nauc(y[120:], proba) > 0.9
    assert proba.sum(axis=1).max() > 1.2


def test_rows_that_are_no_images_are_refused() -> None:
    with pytest.raises(ShapeError, match="row, col, channel"):
        learner(2).fit(Examples(np.zeros((4, 5)), one_hot(np.arange(4) % 2, 2)), Budget())


def test_rows_that_may_not_be_written_to_are_copied_quietly() -> None:
    x = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 1), dtype=np.uint8)
    x.flags.writeable = False
    made = learner(2)
    made.fit(Examples(x, one_hot(np.arange(20) % 2, 2)), Budget())
    assert np.isfinite(made.predict_proba(x[:, ::-1])).all()
