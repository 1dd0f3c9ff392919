"""Learners of clips: what the battery does not ask."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from autodl_solver.budget import Budget, WorkClock
from autodl_solver.data.examples import Examples
from autodl_solver.errors import ShapeError
from autodl_solver.learners.base import Learner
from autodl_solver.learners.network_video import SpaceTimeLearner, TorchvisionVideoLearner, VideoNetworkLearner
from autodl_solver.learners.patches import PatchLearner
from autodl_solver.nn.augment import ShiftAndFlip, TemporalJitter
from autodl_solver.nn.trainer import TrainingOptions
from autodl_solver.saving import read_model, write_model


def blinking(n: int, n_frames: int = 4, side: int = 8, n_channels: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Noise clips with a bright corner whose place is the class: [n, time, row, col, channel] uint8, [n, 2]."""
    y = np.eye(2, dtype=np.float32)[np.arange(n) % 2]
    x = np.random.default_rng(0).integers(150, size=(n, n_frames, side, side, n_channels)).astype(np.uint8)
    for clip, label in zip(x, y, strict=True):
        clip[:, : side // 2, (slice(side // 2) if label[0] else slice(side // 2, side))] += 100
    return x, y


def small_network(_: int = 1) -> VideoNetworkLearner:
    return VideoNetworkLearner(2, 0, widths=(8, 16), options=TrainingOptions(batch_size=16, max_epochs=5))


def small_space_time(n_channels: int = 1, max_epochs: int = 15, frames_share: float = 0.0) -> VideoNetworkLearner:
    options = TrainingOptions(batch_size=16, max_epochs=max_epochs)
    network = SpaceTimeLearner(2, 0, n_channels=n_channels, widths=(8, 16), options=options, frames_share=frames_share)
    return VideoNetworkLearner(2, 0, network=network)


from_frames = partial(small_space_time, frames_share=0.5)


def accuracy(learner: Learner, x: np.ndarray, y: np.ndarray) -> float:
    return float(np.mean(learner.predict_proba(x).argmax(axis=1) == y.argmax(axis=1)))


@pytest.mark.parametrize(
    "make", [lambda _: PatchLearner(2, 0, n_filters=16, depth=3), small_network, small_space_time, from_frames]
)
@pytest.mark.parametrize(
    ("n_frames", "side", "n_channels"),
    [
        (4, 8, 1),
        (5, 8, 3),  # two moments
        (1, 8, 3),  # a single frame, in colour
        (2, 4, 1),  # hardly any pixels
    ],
)
def test_clips_of_any_shape_are_learned(make, n_frames: int, side: int, n_channels: int) -> None:  # type: ignore[no-untyped-def]
    x, y = blinking(64, n_frames, side, n_channels)
    learner: Learner = make(n_channels)
    learner.fit(Examples(x[:48], y[:48]), Budget())
    assert accuracy(learner, x[48:], y[48:]) >= 0.75


@pytest.mark.parametrize("make", [small_network, small_space_time, from_frames])
def test_a_network_goes_on_from_where_it_stopped(make) -> None:  # type: ignore[no-untyped-def]
    x, y = blinking(64)
    learner = make()
    learner.fit(Examples(x[:16], y[:16]), Budget())
    learner.fit(Examples(x[:48], y[:48]), Budget())
    assert accuracy(learner, x[48:], y[48:]) >= 0.75


def test_images_are_refused() -> None:
    x, y = blinking(8)
    with pytest.raises(ShapeError, match=r"however x\.shape"):
        small_network().fit(Examples(x[:, 0], y), Budget())


def drifting(n: int, n_frames: int = 6, side: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Noise clips with a bright column that goes left or right, the class, around the frame from a random place.

    Frames alone look the same in both classes, in any number: [n, time, side, side, 1] uint8, [n, 2].
    """
    random = np.random.default_rng(0)
    y = np.eye(2, dtype=np.float32)[np.arange(n) % 2]
    x = random.integers(100, size=(n, n_frames, side, side, 1)).astype(np.uint8)
    for clip, label, start in zip(x, y, random.integers(side, size=n), strict=True):
        for t, frame in enumerate(clip):
            frame[:, (start + (1 if label[0] else -1) * t) % side] += 150
    return x, y


@pytest.mark.parametrize("make", [small_space_time, from_frames])
def test_a_space_time_network_learns_motion_that_no_frame_shows(make) -> None:  # type: ignore[no-untyped-def]
    x, y = drifting(200)
    learner = make()
    learner.fit(Examples(x[:160], y[:160]), Budget())
    assert accuracy(learner, x[160:], y[160:]) >= 0.9
    assert accuracy(learner, x[160:, ::-1], y[160:]) <= 0.1  # backwards they go the other way


def small_torchvision(model: str, max_epochs: int = 2) -> VideoNetworkLearner:
    options = TrainingOptions(batch_size=8, vector_step=1e-3, max_epochs=max_epochs)
    network = TorchvisionVideoLearner(2, 0, n_channels=1, model=model, side_px=16, options=options)
    return VideoNetworkLearner(2, 0, network=network)


@pytest.mark.parametrize(
    "model",
    [
        "mc3_18",
        "swin3d_t",
        pytest.param("r2plus1d_18", marks=pytest.mark.slow),  # seconds
        pytest.param("r3d_18", marks=pytest.mark.slow),
    ],
)
def test_a_network_of_torchvision_is_trained_from_scratch_and_saved(model: str, tmp_path: Path) -> None:
    x, y = blinking(8)
    learner = small_torchvision(model)
    learner.fit(Examples(x, y), Budget(0.0))
    before = learner.predict_proba(x)
    assert before == pytest.approx(np.full((8, 2), 0.5), abs=1e-3)  # as frequent as either class is
    learner.fit(Examples(x, y), Budget())
    after = learner.predict_proba(x)
    assert abs(after - before).max() > 0.01
    write_model(tmp_path / "model", {"learner": learner}, {})
    assert read_model(tmp_path / "model")[0]["learner"].predict_proba(x) == pytest.approx(after, abs=1e-6)


@pytest.mark.parametrize(
    "make", [small_network, partial(small_space_time, max_epochs=2), partial(from_frames, max_epochs=2)]
)
def test_clips_that_move_in_time_are_deterministic_saved_and_continued(make, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    x, y = drifting(40, n_frames=8)
    one, same = make(), make()
    for learner in (one, same):
        learner.fit(Examples(x, y), Budget())
    assert one._network._trainer.augment == TemporalJitter(1, 1, 0.25, ShiftAndFlip(1, False))
    assert np.array_equal(one.predict_proba(x), same.predict_proba(x))
    write_model(tmp_path / "model", {"learner": one}, {})
    loaded = read_model(tmp_path / "model")[0]["learner"]
    for learner in (one, loaded, same):
        learner.fit(Examples(x, y), Budget())
    assert np.array_equal(one.predict_proba(x), same.predict_proba(x))
    assert loaded.predict_proba(x) == pytest.approx(one.predict_proba(x), abs=1e-4)


@pytest.mark.parametrize(
    ("n_frames", "expected"),
    [
        (1, 1),
        (2, 1),  # fewer than the first layer looks at
        (4, 1),  # one moment: its frames would cost as much
        (5, 2),
    ],
)
def test_frames_come_first_where_a_clip_has_several_moments(n_frames: int, expected: int) -> None:
    x, y = blinking(16, n_frames)
    learner = from_frames(max_epochs=1)
    for n_contracts in (expected, expected + 1):  # in the first fit only
        learner.fit(Examples(x, y), Budget())
        assert learner._network._trainer.n_contracts == n_contracts
    assert isinstance(learner._network._trainer.augment, TemporalJitter)


def test_the_first_layer_is_fitted_to_clips_even_if_frames_come_first() -> None:
    x, y = drifting(32)
    filters = []
    for make in (from_frames, small_space_time):
        learner = make(max_epochs=1)
        learner.fit(Examples(x, y), Budget())
        filters.append(learner._network._trainer.network.stem.filters.cpu().numpy())
    assert np.array_equal(*filters)


def test_frames_and_clips_share_the_first_contract() -> None:
    x, y = drifting(32)
    clock = WorkClock()
    learner = from_frames(max_epochs=1000)
    learner.fit(Examples(x, y), Budget(0.1, clock))
    assert 0.08 < clock() <= 0.1


def test_what_frames_show_is_learned_from_frames_alone() -> None:
    x, y = blinking(64, n_frames=6)
    learner = small_space_time(max_epochs=1000, frames_share=1.0)
    learner.fit(Examples(x[:48], y[:48]), Budget(0.03, WorkClock()))  # some fifty steps
    assert accuracy(learner, x[48:], y[48:]) >= 0.9
