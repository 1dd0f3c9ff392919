"""The plan of images."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from autodl_solver.anytime.plan import Plan
from autodl_solver.anytime.priors import Priors
from autodl_solver.anytime.schedule import Schedule, by_gain
from autodl_solver.budget import Budget, WorkClock
from autodl_solver.data.examples import Examples
from autodl_solver.data.info import DatasetInfo, Format, MatrixSpec
from autodl_solver.learners.scaled import standardised_linear
from autodl_solver.metrics import nauc
from autodl_solver.modalities.image import plan as image_plan
from autodl_solver.modalities.image.pipeline import SQUARES, ImagePipeline, made_up_images
from autodl_solver.modalities.image.plan import make_plan, side_for
from autodl_solver.nn import scratch_choice
from autodl_solver.nn.scratch_choice import GPU_FILES, network_from_scratch
from autodl_solver.saving import read_model, write_model
from autodl_solver.solver import Solver

DIGITS = Path(__file__).resolve().parents[2] / "sample_data" / "digits" / "digits.data"
WITHOUT_WEIGHTS = ["ridge", "patches", "large patches", "network", "fine network"]


def facts(n_rows: int, n_cols: int, n_channels: int = 3, form: Format = Format.COMPRESSED) -> DatasetInfo:
    return DatasetInfo("made", None, 100, 1, 2, (MatrixSpec(n_rows, n_cols, n_channels, form),))


@pytest.mark.parametrize(
    ("native_px", "side"),
    [(1, 1), (8, 8), (28, 28), (32, 32), (48, 48), (64, 32), (4000, 32), (-1, 32)],
)
def test_small_images_are_seen_whole_and_large_ones_shrunk(native_px: int, side: int) -> None:
    assert side_for(native_px, 32) == side


@pytest.mark.parametrize(
    "info",
    [
        facts(32, 32),
        facts(-1, -1),
        facts(1, 1, 1, Format.DENSE),
        facts(20, 9, 7, Format.DENSE),
    ],
)
def test_every_family_learns_what_the_pipeline_makes(info: DatasetInfo) -> None:
    rows = made_up_images(info)
    pipeline = ImagePipeline(info)
    pipeline.fit(Examples(rows))
    y = np.eye(2, dtype=np.float32)[np.arange(32) % 2]
    plan = make_plan(info)
    assert plan[0].name == "ridge"
    assert len({family.name for family in plan}) == len(plan)
    for family in plan:
        x = pipeline.transform(rows, family.view, family.fidelities[0])
        learner = family.make_learner(2, 0)
        learner.fit(Examples(x, y), Budget(0.2))
        assert learner.predict_proba(x).shape == (32, 2)


@pytest.mark.usefixtures("no_gpu")
def test_without_weights_and_gpu_the_plan_is_what_it_was(weights: Path) -> None:
    weights.unlink()
    assert [family.name for family in make_plan(facts(32, 32))] == WITHOUT_WEIGHTS


def test_weights_add_features_and_fine_tuning(weights: Path) -> None:
    info = facts(8, 8, 1, Format.DENSE)
    plan = make_plan(info)
    assert [family.name for family in plan] == [*WITHOUT_WEIGHTS, "pretrained features", "fine-tuned network"]
    features, tuned = plan[-2:]
    assert (features.fidelities, tuned.fidelities) == ((32,), (8,))
    rows = made_up_images(info)
    pipeline = ImagePipeline(info)
    pipeline.fit(Examples(rows))
    x = pipeline.transform(rows, features.view, 32)
    assert isinstance(x, np.ndarray)
    assert x.shape == (len(x), 512)
    assert np.ptp(x, axis=0).max() > 0.001, "different images look different"


@pytest.mark.parametrize("scale", [1.0, 1000.0])
def test_features_are_saved_with_their_network(weights: Path, tmp_path: Path, scale: float) -> None:
    info = facts(8, 8, 1, Format.DENSE)
    rows = np.random.default_rng(0).random((12, 1, 8, 8, 1)).astype(np.float32) * scale
    y = np.eye(2, dtype=np.float32)[np.arange(12) % 2]
    pipeline = ImagePipeline(info)
    pipeline.fit(Examples(rows))
    view = make_plan(info)[-2].view
    x = pipeline.transform(rows, view, 32)
    learner = standardised_linear(2, 0)
    learner.fit(Examples(x, y), Budget())
    write_model(tmp_path / "model", {"learner": learner, "pipeline": pipeline}, {})
    weights.unlink()
    loaded, _ = read_model(tmp_path / "model")
    again = loaded["pipeline"].transform(rows, view, 32)
    assert loaded["learner"].predict_proba(again) == pytest.approx(learner.predict_proba(x), abs=1e-5)


def test_a_run_with_weights_ends_well(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from autodl_solver.nn import trainer

    monkeypatch.setattr(trainer, "NOMINAL_VALUES_PER_S", 1e3)  # some fifteen steps of fine-tuning

    def ridge_and_pretrained(plan: Plan, priors: Priors) -> Schedule:
        return by_gain([plan[0], *plan[-2:]], priors)

    train, test = (SimpleNamespace(folder=DIGITS / split) for split in ("train", "test"))
    info = DatasetInfo.from_folder(DIGITS / "train")
    solver = Solver(info, on_error="raise", clock=WorkClock(), make_schedule=ridge_and_pretrained)
    while not solver.done:
        solver.train(train, 60.0)
        answer = solver.test(test, 60.0)
    assert {record.stage.family for record in solver.history.records} == {
        "ridge",
        "pretrained features",
        "fine-tuned network",
    }
    assert nauc(np.loadtxt(DIGITS.with_suffix(".solution")), answer) > 0.7


ASKS_FOR_PLANS = """
import sys
from autodl_solver.data.info import DatasetInfo, Format, MatrixSpec
from autodl_solver.modalities import SPECS, Modality
info = DatasetInfo("made", None, 100, 1, 2, (MatrixSpec(32, 32, 3, Format.COMPRESSED),))
for modality in (Modality.IMAGE, Modality.VIDEO):
    SPECS[modality].make_plan(info)
print("torch" in sys.modules)
"""


@pytest.mark.skipif(any(map(os.path.exists, GPU_FILES)), reason="there may be a GPU here: torch has to be asked")
def test_where_there_is_surely_no_gpu_a_plan_waits_for_no_torch(tmp_path: Path) -> None:
    environment = {**os.environ, "AUTODL_WEIGHTS": "", "TORCH_HOME": str(tmp_path)}
    command = [sys.executable, "-c", ASKS_FOR_PLANS]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout == "False\n"


@pytest.mark.usefixtures("claimed_gpu", "weights_folder")
def test_a_gpu_adds_a_network_of_torchvision_from_scratch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_plan, "SCRATCH_MODELS", ("shufflenet_v2_x0_5",))  # a small one, on tiny images
    monkeypatch.setattr(image_plan, "SCRATCH_PX", 32)
    info = facts(8, 8, 1, Format.DENSE)
    plan = make_plan(info)
    assert [family.name for family in plan] == [*WITHOUT_WEIGHTS, "shufflenet_v2_x0_5"]
    family = plan[-1]
    assert (family.fidelities, family.view, family.first_s) == ((8,), SQUARES, 60.0)
    rows = made_up_images(info)
    pipeline = ImagePipeline(info)
    pipeline.fit(Examples(rows))
    x = pipeline.transform(rows, family.view, family.fidelities[0])
    learner = family.make_learner(2, 0)
    learner.fit(Examples(x, np.eye(2, dtype=np.float32)[np.arange(len(x)) % 2]), Budget(0.0))
    assert learner.predict_proba(x).shape == (len(x), 2)


@pytest.mark.usefixtures("claimed_gpu", "weights_folder")
@pytest.mark.parametrize(
    ("n_examples", "too_slow", "expected"),
    [
        (1000, (), "efficientnet_v2_s"),
        (1000, ("efficientnet_v2_s",), "resnet50"),
        (-1, ("efficientnet_v2_s", "resnet50"), "resnet18"),
        (1000, ("efficientnet_v2_s", "resnet50", "resnet18"), None),  # few images do not teach a transformer
        (200_000, (), "convnext_tiny"),
        (200_000, ("convnext_tiny",), "vit_b_16"),
        (200_000, ("convnext_tiny", "vit_b_16"), "efficientnet_v2_s"),
    ],
)
def test_the_first_network_that_a_gpu_trains_in_time_is_taken(
    n_examples: int, too_slow: tuple[str, ...], expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = []

    def seconds_a_row(make_network: partial[nn.Module], *_: Any) -> float:  # of a made-up GPU
        measured.append(make_network.args[0])
        return 1.0 if measured[-1] in too_slow else 0.0

    monkeypatch.setattr(scratch_choice, "seconds_a_row", seconds_a_row)
    for _ in range(2):  # before the budget runs, and when it does
        plan = make_plan(replace(facts(64, 64), n_examples=n_examples))
        assert [family.name for family in plan] == WITHOUT_WEIGHTS + [expected] * (expected is not None)
    assert measured == [*too_slow, *[expected] * (expected is not None)]


@pytest.mark.usefixtures("claimed_gpu", "weights_folder")
@pytest.mark.parametrize(
    ("n_rows", "n_cols", "kept_px"),
    [
        (28, 28, None),  # seen whole by the fine network
        (32, 20, 32),  # enlarged four times
        (96, 96, 96),
        (500, 300, 128),
        (-1, -1, 128),  # of many sizes
    ],
)
def test_tiny_images_are_left_to_the_fine_network(
    n_rows: int, n_cols: int, kept_px: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scratch_choice, "seconds_a_row", lambda *_: 0.0)
    last = make_plan(facts(n_rows, n_cols))[-1]
    expected = ("fine network", 28) if kept_px is None else ("efficientnet_v2_s", kept_px)
    assert (last.name, *last.fidelities) == expected


@pytest.mark.slow  # large networks, at the side of the plan
@pytest.mark.parametrize("model", [*image_plan.SCRATCH_MODELS, *image_plan.MANY_IMAGES_MODELS])
def test_each_network_takes_the_side_of_the_plan(model: str) -> None:
    network = network_from_scratch(model, image_plan.SCRATCH_PX, 2)
    for side_px in (32, image_plan.SCRATCH_PX):
        logits = network(torch.rand(2, 3, side_px, side_px))
        assert logits.shape == (2, 2)
        assert torch.isfinite(logits).all()
