"""The plan of speech, without weights on the disk and with them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from autodl_solver.anytime.plan import Family, Plan
from autodl_solver.anytime.priors import Priors
from autodl_solver.anytime.schedule import Schedule, by_gain
from autodl_solver.budget import Budget, WorkClock
from autodl_solver.data.examples import Examples, Ragged
from autodl_solver.data.info import DatasetInfo, Format, MatrixSpec
from autodl_solver.learners.scaled import standardised_linear
from autodl_solver.metrics import nauc
from autodl_solver.modalities.speech import SPEC
from autodl_solver.modalities.speech.pipeline import SpeechPipeline
from autodl_solver.modalities.speech.plan import PRETRAINED_SAMPLES, make_plan
from autodl_solver.saving import read_model, write_model
from autodl_solver.solver import Solver
from tests.nn.sound_weights import N_FEATURES, make_known, write_sound_weights

COMMANDS = Path(__file__).resolve().parents[2] / "sample_data" / "spoken_commands" / "spoken_commands.data"
INFO = DatasetInfo("made", None, 100, 2, -1, (MatrixSpec(1, 1, 1, Format.DENSE),))
WITHOUT_WEIGHTS = [
    ("ridge", (64, 512), "", 100),
    ("hydra", (16, 64, 256), "hydra", 400),
    ("network", (128,), "log_mel", 1000),
]


@pytest.fixture
def weights(weights_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Random weights of a tiny network for sound in torchaudio's format, where there are no others."""
    make_known(monkeypatch)
    return write_sound_weights(weights_folder)


def told(plan: Plan) -> list[tuple[str, tuple[int, ...], str, int]]:
    return [(one.name, one.fidelities, one.view, one.first_n) for one in plan]


def clips(n: int) -> Ragged:
    random = np.random.default_rng(0)
    lengths = random.integers(1000, 9000, n)
    tones = [np.sin(np.arange(m) * 0.1 * (1 + k % 2)) + 0.1 * random.normal(size=m) for k, m in enumerate(lengths)]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return Ragged((3000 * np.concatenate(tones)).astype(np.float32).reshape(-1, 1, 1, 1), offsets)


def test_without_weights_the_plan_is_what_it_was(weights: Path) -> None:
    weights.unlink()
    assert told(make_plan(INFO)) == WITHOUT_WEIGHTS


def test_damaged_weights_leave_the_plan_as_it_was(weights: Path) -> None:
    weights.write_bytes(b"hello")
    assert told(make_plan(INFO)) == WITHOUT_WEIGHTS


def test_weights_add_features(weights: Path) -> None:
    plan = make_plan(INFO)
    assert told(plan) == [*WITHOUT_WEIGHTS, ("pretrained features", PRETRAINED_SAMPLES, "features tiny", 100)]
    SPEC.warm_up(INFO, plan[-1])


def test_every_family_learns_beside_one_sample_silence_and_ten_minutes(weights: Path) -> None:
    usual = clips(21)
    lengths = [1, 3000, 9_600_000, *usual.lengths]  # the last of the odd ones at 16 kHz
    values = np.zeros((sum(lengths), 1, 1, 1), np.float32)
    values[3001:9_603_001, 0, 0, 0] = np.tile(usual.values.ravel()[:1000], 9600)
    values[9_603_001:] = usual.values
    values[0] = 1.0
    rows = Ragged(values, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64))
    y = np.eye(2, dtype=np.float32)[np.arange(24) % 2]
    pipeline = SpeechPipeline(INFO)
    pipeline.fit(Examples(rows))
    for family in make_plan(INFO):
        x = pipeline.transform(rows, family.view, family.fidelities[0])
        learner = family.make_learner(2, 0)
        learner.fit(Examples(x, y), Budget(0.2))
        answer = learner.predict_proba(x)
        assert answer.shape == (24, 2)
        assert np.isfinite(answer).all(), family.name


def test_features_are_saved_with_their_network(weights: Path, tmp_path: Path) -> None:
    rows, y = clips(12), np.eye(2, dtype=np.float32)[np.arange(12) % 2]
    pipeline = SpeechPipeline(INFO)
    pipeline.fit(Examples(rows))
    family: Family = make_plan(INFO)[-1]
    x = pipeline.transform(rows, family.view, 8000)
    assert x.shape == (12, N_FEATURES)
    learner = standardised_linear(2, 0)
    learner.fit(Examples(x, y), Budget())
    write_model(tmp_path / "model", {"learner": learner, "pipeline": pipeline}, {})
    weights.unlink()
    loaded, _ = read_model(tmp_path / "model")
    again = loaded["pipeline"].transform(rows, family.view, 8000)
    assert again == pytest.approx(x, abs=1e-6)
    assert loaded["learner"].predict_proba(again) == pytest.approx(learner.predict_proba(x), abs=1e-5)


def test_a_run_with_weights_ends_well(weights: Path) -> None:
    def ridge_and_pretrained(plan: Plan, priors: Priors) -> Schedule:
        return by_gain([plan[0], plan[-1]], priors)

    train, test = (SimpleNamespace(folder=COMMANDS / split) for split in ("train", "test"))
    solver = Solver(
        DatasetInfo.from_folder(COMMANDS / "train"),
        on_error="raise",
        clock=WorkClock(),
        make_schedule=ridge_and_pretrained,
    )
    while not solver.done:
        solver.train(train, 60.0)
        answer = solver.test(test, 60.0)
    assert {record.stage.family for record in solver.history.records} == {"ridge", "pretrained features"}
    assert nauc(np.loadtxt(COMMANDS.with_suffix(".solution")), answer) > 0.7
