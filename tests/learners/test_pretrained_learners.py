"""Pretrained networks that are trained further: what they learn, what stays as it was, and how they are saved."""

from __future__ import annotations

import copy
import hashlib
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from learner_checks import (
    Factory,
    Maker,
    check_keeps_an_expired_budget,
    check_output,
    check_prediction_of_a_row_does_not_depend_on_its_neighbours,
    check_snapshot_gives_earlier_predictions_back,
    check_wrong_shapes_are_refused,
    image_features,
    label_sets,
)
from torch import nn

from autodl_solver.budget import Budget
from autodl_solver.data.examples import Examples
from autodl_solver.learners.network_pretrained import PretrainedLearner
from autodl_solver.learners.network_video import VideoNetworkLearner
from autodl_solver.nn.losses import classification_loss
from autodl_solver.nn.pretrained import Weights, found_weights
from autodl_solver.nn.pretrained_network import PretrainedNetwork, torchvision_network
from autodl_solver.nn.trainer import TrainingOptions
from autodl_solver.saving import read_model, write_model

QUICK = TrainingOptions(batch_size=16, vector_step=1e-3, max_epochs=8)


@pytest.fixture(scope="module")
def weights_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights of the smallest network with normalisations, which have seen noise, in torchvision's format."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "unnamed"
    network = torchvision_network("mobilenet_v3_small", 224).train()
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = None  # the mean over all that it sees
    network(torch.randn(32, 3, 32, 32))
    torch.save(network.state_dict(), path)
    return path.rename(path.with_name(f"mobilenet_v3_small-{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}.pth"))


@pytest.fixture
def weights(weights_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Weights:
    """Those of a copy of that file, the only one on the disk."""
    shutil.copy(weights_file, tmp_path)
    monkeypatch.setenv("AUTODL_WEIGHTS", str(tmp_path))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "cache"))
    (found,) = found_weights()
    return found


def bright_halves(n: int = 40, n_frames: int | None = None, n_channels: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Noise whose upper or left half is bright, and which: the class."""
    y = np.eye(2, dtype=np.float32)[np.arange(n) % 2]
    x = np.random.default_rng(0).integers(100, size=(n, n_frames or 1, 12, 12, n_channels)).astype(np.uint8)
    x[y[:, 0] == 1, :, :6] += 150
    x[y[:, 0] == 0, :, :, :6] += 150
    return (x[:, 0] if n_frames is None else x), y


def network_of(learner: PretrainedLearner) -> PretrainedNetwork:
    assert learner._trainer is not None
    assert isinstance(learner._trainer.network, PretrainedNetwork)
    return learner._trainer.network


def loss_of(learner: PretrainedLearner, x: np.ndarray, y: np.ndarray) -> float:
    logits = torch.from_numpy(learner.predict_proba(x)).log()
    return float(classification_loss(logits, torch.from_numpy(y), exclusive=True, smoothing=0.0))


def test_fine_tuning_learns_and_early_layers_stay_as_they_were(weights: Weights) -> None:
    x, y = bright_halves()
    learner = PretrainedLearner(2, 0, weights=weights, side_px=32, options=QUICK)
    learner.fit(Examples(x, y), Budget(0.0))
    first_loss = loss_of(learner, x, y)
    before = copy.deepcopy(network_of(learner).state_dict())
    learner.fit(Examples(x, y), Budget())
    assert loss_of(learner, x, y) < 0.5 * first_loss
    network = network_of(learner)
    frozen = {name for name, weight in network.named_parameters() if not weight.requires_grad}
    layers = [layer for layer in network.stem.modules() if next(layer.parameters(recurse=False), None) is not None]
    n_frozen = sum(not next(layer.parameters(recurse=False)).requires_grad for layer in layers)
    assert 0.3 <= n_frozen / len(layers) <= 0.5
    after = network.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in frozen)
    assert not any(torch.equal(before[name], after[name]) for name in {"head.weight", "stem.classifier.0.weight"})
    moved = [layer for layer in layers if isinstance(layer, nn.BatchNorm2d) and layer.weight.requires_grad]
    still = [layer for layer in layers if isinstance(layer, nn.BatchNorm2d) and not layer.weight.requires_grad]
    names = {id(layer): name for name, layer in network.named_modules()}
    assert all(torch.equal(before[f"{names[id(one)]}.running_mean"], one.running_mean) for one in still)  # type: ignore
    assert not any(torch.equal(before[f"{names[id(one)]}.running_mean"], one.running_mean) for one in moved)  # type: ignore


def test_values_of_any_range_are_learned(weights: Weights) -> None:
    x, y = bright_halves()
    shown = x.astype(np.float32) * 40 - 3000
    learner = PretrainedLearner(2, 0, weights=weights, side_px=32, options=QUICK)
    learner.fit(Examples(shown[:28], y[:28]), Budget())
    assert np.mean(learner.predict_proba(shown[28:]).argmax(axis=1) == y[28:].argmax(axis=1)) >= 0.75


def test_a_network_for_images_learns_clips(weights: Weights) -> None:
    x, y = bright_halves(n_frames=3, n_channels=2)
    network = PretrainedLearner(2, 0, weights=weights, side_px=32, n_channels=2, options=QUICK)
    learner = VideoNetworkLearner(2, 0, network=network)
    learner.fit(Examples(x[:28], y[:28]), Budget())
    assert np.mean(learner.predict_proba(x[28:]).argmax(axis=1) == y[28:].argmax(axis=1)) >= 0.75


def test_a_saved_one_needs_no_file_of_weights_and_names_none(weights: Weights, tmp_path: Path) -> None:
    x, y = bright_halves()
    learner = PretrainedLearner(2, 0, weights=weights, side_px=32, options=QUICK)
    learner.fit(Examples(x, y), Budget(0.0))
    write_model(tmp_path / "model", {"learner": learner}, {})
    Path(weights.path).unlink()
    assert not any(weights.name in path.read_text() for path in (tmp_path / "model").glob("*.json"))
    other = read_model(tmp_path / "model")[0]["learner"]
    assert other.predict_proba(x) == pytest.approx(learner.predict_proba(x), abs=1e-6)
    other.fit(Examples(x, y), Budget(0.0))
    assert sum(not weight.requires_grad for weight in network_of(other).parameters()) > 10, "frozen layers stay so"


@pytest.mark.parametrize("labels", ["one example in a class", "several labels per row", "a single row"])
def test_labels_of_every_kind_are_learned(weights: Weights, labels: str) -> None:
    check_output(brief(weights), image_features, label_sets()[labels])


@pytest.mark.parametrize(
    "check",
    [
        check_keeps_an_expired_budget,
        check_prediction_of_a_row_does_not_depend_on_its_neighbours,
        check_snapshot_gives_earlier_predictions_back,
        check_wrong_shapes_are_refused,
    ],
)
def test_the_promises_of_learners_are_kept(weights: Weights, check: Callable[[Factory, Maker], None]) -> None:
    check(brief(weights), image_features)


def brief(weights: Weights) -> partial[PretrainedLearner]:
    return partial(PretrainedLearner, weights=weights, side_px=32, options=TrainingOptions(batch_size=32, max_epochs=1))
