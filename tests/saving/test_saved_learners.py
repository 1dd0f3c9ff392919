"""Every family of every modality: saved, loaded, and asked again."""

from __future__ import annotations

import copy
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from saved_families import DATASETS, WORDS, facts, families, family_of, labels_of, rows_of

from autodl_solver.anytime.ensemble import Temperature
from autodl_solver.anytime.stage import LearnerFactory
from autodl_solver.anytime.thresholds import BalancedThresholds
from autodl_solver.budget import Budget
from autodl_solver.data.examples import Examples, Rows, take_rows
from autodl_solver.data.info import Format
from autodl_solver.learners.base import Learner
from autodl_solver.learners.cross_fitted import CrossFittedLearner
from autodl_solver.learners.network import NetworkLearner
from autodl_solver.learners.network_series import SeriesNetworkLearner
from autodl_solver.learners.network_speech import SpectrogramLearner
from autodl_solver.learners.network_table import TableNetworkLearner, TableTraining
from autodl_solver.learners.network_text import TextNetworkLearner, TextTraining, TextTransformerLearner
from autodl_solver.learners.network_video import VideoNetworkLearner
from autodl_solver.learners.prior import PriorLearner
from autodl_solver.modalities import Pipeline
from autodl_solver.modalities.speech.pipeline import SpeechPipeline
from autodl_solver.nn.trainer import TrainingOptions
from autodl_solver.predictor import Part, Predictor
from autodl_solver.saving import read_model, write_model

FIT_S = 0.03


def loaded(learner: Learner, pipeline: Pipeline, folder: Path) -> tuple[Learner, Pipeline]:
    write_model(folder, {"learner": learner, "pipeline": pipeline}, {})
    objects, _ = read_model(folder)
    return objects["learner"], objects["pipeline"]


def check_predictions_survive(dataset: str, name: str, make: LearnerFactory, folder: Path) -> None:
    family = family_of(dataset, name)
    rows, pipeline = rows_of(dataset)
    y = labels_of(dataset, rows)
    view = family.view, family.fidelities[0]
    x = pipeline.transform(rows, *view)
    learner = make(y.shape[1], 0)
    learner.fit(Examples(x, y), Budget(FIT_S))
    other, its_pipeline = loaded(learner, pipeline, folder / "model")
    assert type(other) is type(learner)
    assert other.predict_proba(its_pipeline.transform(rows, *view)) == pytest.approx(learner.predict_proba(x), abs=1e-6)


@pytest.mark.parametrize(("dataset", "name"), families())
def test_a_loaded_learner_and_pipeline_predict_the_same(dataset: str, name: str, tmp_path: Path) -> None:
    check_predictions_survive(dataset, name, family_of(dataset, name).make_learner, tmp_path)


def different_families() -> list[tuple[str, str]]:
    """The first family of each kind: the others differ in settings only."""
    kinds = {(dataset, family_of(dataset, name).kind or name): name for dataset, name in reversed(families())}
    return [(dataset, name) for (dataset, _), name in kinds.items()]


@pytest.mark.parametrize(("dataset", "name"), different_families())
def test_so_does_a_cross_fitted_one(dataset: str, name: str, tmp_path: Path) -> None:
    make = partial(CrossFittedLearner, make_learner=family_of(dataset, name).make_learner)
    check_predictions_survive(dataset, name, make, tmp_path)


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_loaded_pipeline_makes_views_that_nobody_had_asked_for(dataset: str, tmp_path: Path) -> None:
    rows, pipeline = rows_of(dataset)
    write_model(tmp_path / "model", {"pipeline": pipeline}, {})
    other = read_model(tmp_path / "model")[0]["pipeline"]
    for view, fidelity in {(f.view, f.fidelities[-1]) for f in [family_of(*one) for one in families_of(dataset)]}:
        assert same_rows(other.transform(rows, view, fidelity), pipeline.transform(rows, view, fidelity))


def families_of(dataset: str) -> list[tuple[str, str]]:
    return [one for one in families() if one[0] == dataset]


def same_rows(first: Rows, second: Rows) -> bool:
    if isinstance(first, np.ndarray):
        return np.array_equal(first, second)  # type: ignore[arg-type]
    return (first != second).nnz == 0  # type: ignore[union-attr, operator]


def test_recordings_do_not_lie_in_a_saved_model(tmp_path: Path) -> None:
    rows, pipeline = rows_of("speech")
    assert isinstance(pipeline, SpeechPipeline)
    write_model(tmp_path / "model", {"pipeline": pipeline}, {})
    other = read_model(tmp_path / "model")[0]["pipeline"]
    write_model(tmp_path / "again", {"pipeline": other}, {})
    once, twice = ((tmp_path / name / "tensors.safetensors").read_bytes() for name in ("model", "again"))
    assert once == twice
    assert len(once) < rows.nbytes  # type: ignore[union-attr]


SMALL = TrainingOptions(batch_size=32, max_epochs=3)
NETWORKS: list[tuple[str, str, LearnerFactory]] = [
    ("image", "network", partial(NetworkLearner, widths=(16,), options=SMALL)),
    ("video", "network", partial(VideoNetworkLearner, widths=(16,), options=SMALL)),
    ("speech", "network", partial(SpectrogramLearner, widths=(16,), options=SMALL)),
    ("series", "network", partial(SeriesNetworkLearner, widths=(16,), options=SMALL)),
    ("table", "network", partial(TableNetworkLearner, training=TableTraining(2, (16,), max_epochs=4))),
    ("text", "network", partial(TextNetworkLearner, training=TextTraining(max_members=2, max_epochs=2))),
    ("text", "network", partial(TextTransformerLearner, training=TextTraining(max_members=2, max_epochs=2))),
]


@pytest.mark.parametrize(("dataset", "name", "make"), NETWORKS, ids=[case[0] for case in NETWORKS])
def test_a_loaded_network_learns_on_as_if_it_had_never_been_saved(
    dataset: str, name: str, make: LearnerFactory, tmp_path: Path
) -> None:
    family = family_of(dataset, name)
    rows, pipeline = rows_of(dataset)
    y = labels_of(dataset, rows)
    x = pipeline.transform(rows, family.view, family.fidelities[0])
    learner = make(y.shape[1], 0)
    learner.fit(Examples(take_rows(x, slice(0, 20)), y[:20]), Budget())
    before = learner.predict_proba(x)
    other, _ = loaded(learner, pipeline, tmp_path / "model")
    third, _ = loaded(other, pipeline, tmp_path / "copy of a copy")
    for one in (learner, other, third):
        one.fit(Examples(x, y), Budget())
    assert not np.array_equal(learner.predict_proba(x), before)
    assert np.array_equal(other.predict_proba(x), learner.predict_proba(x))
    assert np.array_equal(third.predict_proba(x), learner.predict_proba(x))


def test_saving_leaves_a_learner_as_it_was(tmp_path: Path) -> None:
    rows, pipeline = rows_of("table")
    y = labels_of("table", rows)
    x = pipeline.transform(rows, "", 1)
    learner = NETWORKS[4][2](3, 0)
    learner.fit(Examples(x, y), Budget())
    twin = copy.deepcopy(learner)
    write_model(tmp_path / "model", {"learner": learner}, {})
    for one in (learner, twin):
        one.fit(Examples(x[:20], y[:20]), Budget())  # type: ignore[index]
    assert np.array_equal(learner.predict_proba(x), twin.predict_proba(x))


def test_a_whole_predictor_answers_the_same(tmp_path: Path) -> None:
    rows, pipeline = rows_of("text")
    y = labels_of("text", rows)
    parts = []
    for name in ("terms", "spelling"):
        family = family_of("text", name)
        learner = family.make_learner(3, 0)
        learner.fit(Examples(pipeline.transform(rows, family.view, family.fidelities[0]), y), Budget(FIT_S))
        parts.append(Part(name, learner, family.view, family.fidelities[0], 0.5, Temperature(0.7)))
    thresholds = BalancedThresholds.fitted(y, y)
    predictor = Predictor(pipeline, tuple(parts), np.full(3, 1 / 3), thresholds)
    write_model(tmp_path / "model", {"predictor": predictor}, {"words": len(WORDS)})
    objects, about = read_model(tmp_path / "model")
    assert about == {"words": len(WORDS)}
    assert objects["predictor"].predict_proba(rows) == pytest.approx(predictor.predict_proba(rows), abs=1e-6)
    assert objects["predictor"].pipeline.info == facts((-1, 1, 1, 1), Format.DENSE, vocabulary=WORDS)


@pytest.mark.parametrize("n_classes", [1, 3])
def test_what_cannot_be_told_is_saved_too(n_classes: int, tmp_path: Path) -> None:
    """All rows alike: no booster at all, a tree of one leaf, frequencies."""
    x, y = np.zeros((20, 3), np.float32), np.ones((20, n_classes), np.float32)
    made = {name: family_of("table", name).make_learner for name in ("boosting", "extra trees", "ridge")}
    learners = {name: make(n_classes, 0) for name, make in {**made, "prior": PriorLearner}.items()}
    for learner in learners.values():
        learner.fit(Examples(x, y), Budget(1))
    write_model(tmp_path / "model", learners, {})
    for name, other in read_model(tmp_path / "model")[0].items():
        assert np.array_equal(other.predict_proba(x), learners[name].predict_proba(x)), name
