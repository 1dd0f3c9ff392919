"""The plan of videos, and its families on awkward clips."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import nn

from autodl_solver.anytime.plan import Family
from autodl_solver.budget import Budget
from autodl_solver.data.examples import Examples, Ragged, take_rows
from autodl_solver.data.info import DatasetInfo, Format, MatrixSpec
from autodl_solver.metrics import nauc
from autodl_solver.modalities.video import plan as video_plan
from autodl_solver.modalities.video.pipeline import VideoPipeline
from autodl_solver.modalities.video.plan import make_plan
from autodl_solver.nn import scratch_choice

INFO = DatasetInfo(
    name="made",
    folder=None,
    n_examples=-1,
    sequence_size=-1,
    n_classes=2,
    specs=(MatrixSpec(n_rows=10, n_cols=10, n_channels=1, format=Format.DENSE),),
)


@pytest.mark.parametrize(
    ("side", "patches_px", "has_large_network"),
    [
        (10, (10,), False),  # smaller than all
        (20, (16,), True),
        (120, (16, 24), True),
        (-1, (16, 24), True),  # of many sizes
    ],
)
def test_ridge_comes_first_and_no_frame_is_enlarged(
    side: int, patches_px: tuple[int, ...], has_large_network: bool
) -> None:
    plan = make_plan(replace(INFO, specs=(MatrixSpec(side, side, 3, Format.COMPRESSED),)))
    families = {family.name: family for family in plan}
    assert plan[0].name == "ridge"
    assert families["moving patches"].fidelities == patches_px
    assert families["network"].goes_on
    assert families["space-time network"].goes_on
    assert ("large space-time network" in families) == has_large_network


@pytest.mark.parametrize("name", ["space-time network", "large space-time network"])
def test_a_space_time_network_may_begin_with_frames_or_with_clips(name: str) -> None:
    families = {f.name: f for f in make_plan(replace(INFO, specs=(MatrixSpec(20, 20, 1, Format.DENSE),)))}
    clips, frames = families[name], families[f"{name} from frames"]
    shares = [family.make_learner(2, 0)._network._frames_share for family in (clips, frames)]  # type: ignore[attr-defined]
    assert shares == [0.0, video_plan.FRAMES_SHARE]
    assert (clips.kind, clips.fidelities, clips.first_s) == (frames.kind, frames.fidelities, frames.first_s)


def moving_bar(n_frames: int, label: int, random: np.random.Generator, side: int = 10) -> np.ndarray:
    """[n_frames, side, side, 1] float32: a bright column that goes left or right around a noisy frame."""
    clip = random.random((n_frames, side, side, 1)).astype(np.float32)
    place = random.integers(side)
    for t, frame in enumerate(clip):
        frame[:, (place + (1 if label else -1) * t) % side] += 2
    return clip


@pytest.mark.parametrize(
    "odd_length",
    [
        6,  # all of one length
        1,  # one frame tells nothing
        300,
    ],
)
def test_motion_alone_is_learned_whatever_some_clips_are_like(odd_length: int) -> None:
    random = np.random.default_rng(0)
    labels = random.integers(2, size=140)
    lengths = np.where(np.arange(140) % 10 == 9, odd_length, 6)
    clips = [moving_bar(length, label, random) for length, label in zip(lengths, labels, strict=True)]
    x = Ragged(np.concatenate(clips), np.concatenate([[0], np.cumsum(lengths)]))
    y = np.eye(2, dtype=np.float32)[labels]
    (patches,) = [family for family in make_plan(INFO) if family.name == "moving patches"]
    pipeline = VideoPipeline(INFO)
    pipeline.fit(Examples(take_rows(x, slice(0, 100))))
    train, test = (
        pipeline.transform(take_rows(x, rows), patches.view, patches.fidelities[0])
        for rows in (slice(0, 100), slice(100, 140))
    )
    learner = patches.make_learner(2, 0)
    learner.fit(Examples(train, y[:100]), Budget())
    usual = lengths[100:] == 6
    assert nauc(y[100:][usual], learner.predict_proba(test)[usual]) > 0.8


def pretrained_families(n_channels: int) -> tuple[list[str], list[Family]]:
    info = DatasetInfo("made", None, 100, 2, 5, (MatrixSpec(8, 8, n_channels, Format.DENSE),))
    plan = list(make_plan(info))
    return [family.name for family in plan], plan[-2:]


@pytest.mark.usefixtures("no_gpu")
def test_without_weights_and_gpu_the_plan_is_what_it_was(weights: Path) -> None:
    weights.unlink()
    assert pretrained_families(1)[0] == [
        "ridge",
        "moving patches",
        "still patches",
        "network",
        "space-time network",
        "space-time network from frames",
        "many moving patches",
        "many still patches",
    ]


@pytest.mark.parametrize("n_channels", [1, 4])
def test_weights_for_images_add_features_of_frames_and_fine_tuning(weights: Path, n_channels: int) -> None:
    names, families = pretrained_families(n_channels)
    assert names[-2:] == ["pretrained features", "fine-tuned network"]
    info = DatasetInfo("made", None, 100, 2, 5, (MatrixSpec(8, 8, n_channels, Format.DENSE),))
    clips = np.random.default_rng(0).random((20, 5, 8, 8, n_channels)).astype(np.float32)
    y = np.eye(2, dtype=np.float32)[np.arange(20) % 2]
    pipeline = VideoPipeline(info)
    pipeline.fit(Examples(clips))
    shapes = []
    for family in families:
        x = pipeline.transform(clips, family.view, family.fidelities[0])
        shapes.append(x.shape)
        learner = family.make_learner(2, 0)
        learner.fit(Examples(x, y), Budget(0.0 if family.goes_on else None))
        assert learner.predict_proba(x).shape == (20, 2)
    assert shapes == [(20, 512), (20, 6, 8, 8, n_channels)]


@pytest.mark.usefixtures("claimed_gpu")
def test_a_gpu_adds_a_network_of_torchvision_from_scratch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video_plan, "SCRATCH_MODELS", ("mc3_18",))  # the smallest of them, on tiny frames
    monkeypatch.setattr(video_plan, "SCRATCH_PX", 16)
    info = replace(INFO, n_examples=20)
    family = make_plan(info)[-1]
    assert (family.name, family.fidelities, family.goes_on) == ("mc3_18", (10,), True)
    clips = np.random.default_rng(0).random((8, 5, 10, 10, 1)).astype(np.float32)
    pipeline = VideoPipeline(info)
    pipeline.fit(Examples(clips))
    x = pipeline.transform(clips, family.view, 10)
    assert x.shape == (8, 16, 10, 10, 1)
    learner = family.make_learner(2, 0)
    learner.fit(Examples(x, np.eye(2, dtype=np.float32)[np.arange(8) % 2]), Budget(0.0))
    assert learner.predict_proba(x).shape == (8, 2)


@pytest.mark.parametrize(
    ("n_examples", "too_slow", "expected"),
    [
        (1000, (), "r2plus1d_18"),
        (1000, ("r2plus1d_18",), "mc3_18"),
        (-1, ("r2plus1d_18", "mc3_18"), "r3d_18"),
        (1000, ("r2plus1d_18", "mc3_18", "r3d_18"), None),  # few clips do not teach a transformer
        (60_000, (), "swin3d_t"),
        (60_000, ("swin3d_t",), "r2plus1d_18"),
    ],
)
@pytest.mark.usefixtures("claimed_gpu")
def test_the_first_network_that_a_gpu_trains_in_time_is_taken(
    n_examples: int, too_slow: tuple[str, ...], expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def seconds_a_row(make_network: partial[nn.Module], *_: Any) -> float:  # of a made-up GPU
        return 1.0 if make_network.args[0] in too_slow else 0.0

    monkeypatch.setattr(scratch_choice, "seconds_a_row", seconds_a_row)
    names = [family.name for family in make_plan(replace(INFO, n_examples=n_examples))]
    assert names[-1] == (expected or "many still patches")
