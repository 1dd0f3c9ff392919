"""Networks of torchvision from scratch, on images (on clips: test_network_video.py)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from learner_checks import (
    Factory,
    Maker,
    check_a_copy_goes_on_and_leaves_the_original_alone,
    check_keeps_an_expired_budget,
    check_output,
    check_prediction_of_a_row_does_not_depend_on_its_neighbours,
    check_same_seed_same_output,
    check_snapshot_gives_earlier_predictions_back,
    check_wrong_shapes_are_refused,
    image_features,
    label_sets,
)
from sklearn.datasets import load_digits

from autodl_solver.budget import Budget
from autodl_solver.data.examples import Examples
from autodl_solver.learners.network_scratch import TorchvisionLearner, options_from_scratch, settled_network
from autodl_solver.metrics import nauc
from autodl_solver.nn.trainer import TrainingOptions
from autodl_solver.saving import read_model, write_model

SMALL = "shufflenet_v2_x0_5"
brief = partial(
    TorchvisionLearner, model=SMALL, side_px=32, options=TrainingOptions(32, vector_step=1e-3, max_epochs=1)
)


def digits(n: int) -> tuple[np.ndarray, np.ndarray]:
    """[n, 8, 8, 1] uint8, [n, 10]."""
    images, labels = load_digits(return_X_y=True)
    x = (images[:n].reshape(-1, 8, 8, 1) * 15).astype(np.uint8)
    return x, np.eye(10, dtype=np.float32)[labels[:n]]


@pytest.mark.parametrize(
    "scaled",
    [
        lambda x: x,
        lambda x: x.astype(np.float32) * 1e-3 - 7,  # not bytes, and not around 0
    ],
)
def test_training_begins_with_features_as_the_head_is_scaled_to(scaled: Callable[[np.ndarray], np.ndarray]) -> None:
    torch.manual_seed(0)
    rows = torch.from_numpy(scaled(digits(128)[0])).permute(0, 3, 1, 2)
    network = settled_network(rows, SMALL, 32, 10)
    network.prepare(rows)  # as the trainer does
    network.head = torch.nn.Identity()
    with torch.no_grad():
        seen = network.train()(rows.float().to(network.mean.device))
    assert 0.5 < float(seen.std()) < 2


def test_digits_are_learned_within_some_steps() -> None:
    x, y = digits(600)
    options = TrainingOptions(batch_size=32, vector_step=1e-3, max_epochs=1)  # 13 steps
    learner = TorchvisionLearner(10, 0, model="resnet18", side_px=32, options=options)
    learner.fit(Examples(x[:400], y[:400]), Budget())
    assert nauc(y[400:], learner.predict_proba(x[400:])) > 0.6


@pytest.mark.parametrize(
    "model",
    [
        SMALL,
        *(
            pytest.param(model, marks=pytest.mark.slow)  # seconds, and up to 340 MB
            for model in ("resnet18", "resnet50", "efficientnet_v2_s", "convnext_tiny", "vit_b_16")
        ),
    ],
)
def test_a_network_of_torchvision_is_trained_from_scratch_saved_and_trained_on(model: str, tmp_path: Path) -> None:
    x, y = digits(40)
    options = TrainingOptions(batch_size=20, vector_step=1e-3, max_epochs=2)
    learner = TorchvisionLearner(10, 0, model=model, side_px=32, options=options)
    learner.fit(Examples(x, y), Budget(0.0))
    before = learner.predict_proba(x)
    assert before == pytest.approx(np.broadcast_to(before[:1], before.shape), abs=1e-3)  # as frequent as classes are
    learner.fit(Examples(x, y), Budget())
    after = learner.predict_proba(x)
    assert abs(after - before).max() > 0.01
    write_model(tmp_path / "model", {"learner": learner}, {})
    other = read_model(tmp_path / "model")[0]["learner"]
    assert other.predict_proba(x) == pytest.approx(after, abs=1e-6)
    other.fit(Examples(x, y), Budget(0.0))
    assert np.isfinite(other.predict_proba(x)).all()


@pytest.mark.parametrize(
    ("model", "batch_size", "step"),
    [
        ("resnet18", 32, 1e-3),
        ("resnet18", 128, 2e-3),
        ("swin3d_t", 32, 2e-4),
        ("convnext_tiny", 128, 4e-4),
        ("vit_b_16", 128, 4e-4),
    ],
)
def test_steps_grow_with_the_root_of_the_batch_and_are_smaller_for_transformers(
    model: str, batch_size: int, step: float
) -> None:
    options = options_from_scratch(model, batch_size)
    assert (options.batch_size, options.vector_step) == (batch_size, pytest.approx(step))


@pytest.mark.parametrize("labels", ["one example in a class", "several labels per row", "a single row"])
def test_labels_of_every_kind_are_learned(labels: str) -> None:
    check_output(brief, image_features, label_sets()[labels])


@pytest.mark.parametrize(
    "check",
    [
        check_a_copy_goes_on_and_leaves_the_original_alone,
        check_keeps_an_expired_budget,
        check_prediction_of_a_row_does_not_depend_on_its_neighbours,
        check_same_seed_same_output,
        check_snapshot_gives_earlier_predictions_back,
        check_wrong_shapes_are_refused,
    ],
)
def test_the_promises_of_learners_are_kept(check: Callable[[Factory, Maker], None]) -> None:
    check(brief, image_features)
