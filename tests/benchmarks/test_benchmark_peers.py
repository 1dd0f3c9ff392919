"""Peers play a sample dataset, those whose libraries this environment holds; the others run in the benchmark only."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autodl_solver.metrics import nauc
from benchmarks.made_up_video import RECIPES, made_up_video
from benchmarks.packed import Rows, write_dataset
from benchmarks.systems import PEERS, ROOT
from ingestion.dataset import read_datasets


def load(name: str) -> Any:
    """The class Model of a peer."""
    spec = importlib.util.spec_from_file_location(f"peer_{name}", PEERS / name / "model.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Model


def play(name: str, dataset: str, seconds: float, base: Path | None = None) -> tuple[list[np.ndarray], np.ndarray]:
    """All predictions of a peer within a budget, and the solution; of a sample, or of a dataset in `base`."""
    base = base or ROOT / "sample_data" / dataset
    train, test = read_datasets(base / f"{dataset}.data")
    model = load(name)(train.get_metadata())
    scores = []
    while not model.done_training:
        model.train(train.get_dataset(), seconds)
        scores.append(model.test(test.get_dataset(), seconds))
    return scores, np.loadtxt(base / f"{dataset}.solution", ndmin=2)


@pytest.mark.parametrize(
    ("name", "dataset", "lowest"),
    [
        ("prior", "digits", -0.01),  # images
        ("prior", "docstring_sections", -0.01),  # several labels or none in a row, sparse
        ("sklearn_tfidf_logistic", "docstring_topics", 0.9),
        ("sklearn_hist_boosting", "breast_cancer", 0.9),
        ("sklearn_extra_trees", "breast_cancer", 0.9),
        pytest.param("sklearn_extra_trees", "docstring_sections", 0.5, marks=pytest.mark.slow),  # as LightGBM below
        ("lightgbm_default", "breast_cancer", 0.9),
        ("lightgbm_default", "docstring_sections", 0.5),
    ],
)
def test_a_one_shot_peer_answers_once(name: str, dataset: str, lowest: float) -> None:
    if name.startswith("lightgbm"):
        pytest.importorskip("lightgbm")
    (scores,), solution = play(name, dataset, 60.0)
    assert scores.shape == solution.shape
    assert np.isfinite(scores).all()
    assert nauc(solution, scores) >= lowest


def clips_of_two_directions(folder: Path) -> Path:
    """Made-up clips of digits that move up or to one side: no mirror of the recipe makes one of the other."""
    contents = made_up_video(replace(RECIPES["motion"], n_train=200, n_test=200, lengths=(8, 8)))
    splits = {}
    for split, rows in contents.splits.items():
        kept = [
            (bundle, label) for bundle, label in zip(rows.bundles, rows.labels, strict=True) if label[0] in ("n", "e")
        ]
        splits[split] = Rows([bundle for bundle, _ in kept], [label for _, label in kept])
    write_dataset("clips", replace(contents, splits=splits, classes=["n", "e"]), folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet18", "cnn3d"])
def test_a_network_answers_several_times_and_learns(name: str, tmp_path: Path) -> None:
    if name == "cnn3d":
        scores, solution = play(name, "clips", 45.0, clips_of_two_directions(tmp_path))
    else:
        scores, solution = play(name, "digits", 45.0)
    assert len(scores) > 3
    assert all(np.isfinite(one).all() and one.shape == solution.shape for one in scores)
    assert nauc(solution, scores[-1]) > 0.5
