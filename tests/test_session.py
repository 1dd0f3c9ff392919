"""A run in a thread of its own: improvements, a switch to stop it, checkpoints to go on from."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from autodl_solver.checkpoint import Checkpoint
from autodl_solver.data.examples import Examples
from autodl_solver.data.info import DatasetInfo, Format, MatrixSpec
from autodl_solver.errors import DataError, ModelFileError
from autodl_solver.metrics import nauc
from autodl_solver.session import Session

pytestmark = pytest.mark.usefixtures("quick_plans")

INFO = DatasetInfo("digits", None, -1, 10, 1, (MatrixSpec(8, 8, 1, Format.DENSE),))


def digits(n_rows: int = 600) -> tuple[Examples, Examples]:
    x, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))[:n_rows]
    rows = x[order].reshape(-1, 1, 8, 8, 1).astype(np.float32)
    y = np.eye(10, dtype=np.float32)[labels[order]]
    n_train = n_rows * 2 // 3
    return Examples(rows[:n_train], y[:n_train]), Examples(rows[n_train:], y[n_train:])


def score(session: Session, test: Examples) -> float:
    assert session.latest is not None
    assert test.y is not None
    return nauc(test.y, session.latest.predictor.predict_proba(test.x))


def test_each_improvement_predicts_and_the_last_is_good() -> None:
    train, test = digits()
    session = Session(INFO, train, budget_s=20)
    found = list(session.improvements())
    assert len(found) >= 2
    assert session.latest is found[-1]
    assert [one.elapsed_s for one in found] == sorted(one.elapsed_s for one in found)
    for one in found:
        scores = one.predictor.predict_proba(test.x)
        assert scores.shape == (len(test), 10)
        assert np.isfinite(scores).all()
    assert score(session, test) > 0.95


def test_the_status_tells_what_ran() -> None:
    train, _ = digits()
    session = Session(INFO, train, budget_s=20)
    assert session.status().state == "starting"
    list(session.improvements())
    status = session.status()
    assert status.state == "done"
    assert status.stage == ""
    assert status.n_stages == len(status.stages) > 0
    assert status.score == status.curve[-1][1]
    assert 0 < status.elapsed_s <= status.budget_s == 20
    assert sum(line.weight for line in status.stages) == pytest.approx(1)


def test_stopped_at_the_first_improvement_it_keeps_that() -> None:
    train, test = digits()
    session = Session(INFO, train, budget_s=3600)
    next(session.improvements())
    session.finish()
    assert session.status().state == "done"
    assert session.status().elapsed_s < 600
    assert score(session, test) > 0.5


def test_without_time_class_frequencies_answer() -> None:
    train, test = digits()
    session = Session(INFO, train, budget_s=5, spent_s=6)
    assert list(session.improvements()) == []
    assert session.latest is not None
    scores = session.latest.predictor.predict_proba(test.x)
    assert np.ptp(scores, axis=0).max() == 0
    assert math.isnan(session.latest.score)


def test_an_empty_training_set_is_refused_in_the_thread_that_asks() -> None:
    session = Session(INFO, Examples(np.zeros((0, 1, 8, 8, 1), np.float32), np.zeros((0, 10), np.float32)), budget_s=5)
    with pytest.raises(DataError, match="holds none"):
        list(session.improvements())


def test_a_run_goes_on_from_its_checkpoint_and_counts_the_time_it_took(tmp_path: Path) -> None:
    train, test = digits()
    first = Session(INFO, train, budget_s=20, checkpoint=Checkpoint(tmp_path, "same"))
    list(first.improvements())
    whole = Checkpoint(tmp_path, "same").read()
    assert whole is not None
    assert len(whole.records) == first.status().n_stages > 1
    assert 0 < whole.elapsed_s <= first.status().elapsed_s
    cut = dataclasses.replace(whole, records=whole.records[:1], elapsed_s=7.0)  # as if killed after the first stage
    second = Session(INFO, train, budget_s=20, checkpoint=Checkpoint(tmp_path, "same"), saved=cut)
    assert second.status().elapsed_s >= 7
    list(second.improvements())
    assert [line.name for line in second.status().stages] == [line.name for line in first.status().stages]
    assert second.status().curve[0] == first.status().curve[0]
    assert second.status().stages[1].started_s >= 7
    assert score(second, test) == score(first, test)


def test_a_resumed_run_answers_as_the_saved_one_before_it_learns_more() -> None:
    train, test = digits()
    first = Session(INFO, train, budget_s=20)
    list(first.improvements())
    again = Session(INFO, train, budget_s=first.saved().elapsed_s, saved=first.saved())
    list(again.improvements())
    assert first.latest is not None
    assert again.latest is not None
    before, after = (one.predictor.predict_proba(test.x) for one in (first.latest, again.latest))
    np.testing.assert_allclose(after, before, atol=1e-6)


def test_a_checkpoint_of_other_rows_is_refused(tmp_path: Path) -> None:
    train, _ = digits(150)
    session = Session(INFO, train, budget_s=20, checkpoint=Checkpoint(tmp_path, "these"))
    next(session.improvements())
    session.finish()
    assert Checkpoint(tmp_path, "these").read() is not None
    with pytest.raises(ModelFileError, match="differ"):
        Checkpoint(tmp_path, "others").read()


def test_no_checkpoint_is_no_run(tmp_path: Path) -> None:
    assert Checkpoint(tmp_path, "any").read() is None


def test_a_checkpoint_that_cannot_be_written_costs_no_more_than_itself(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    train, test = digits()
    session = Session(INFO, train, budget_s=20, checkpoint=Checkpoint(tmp_path / "file", "x"))
    list(session.improvements())
    assert score(session, test) > 0.9


def test_learners_that_are_needed_no_more_leave_the_checkpoint(tmp_path: Path) -> None:
    train, _ = digits()
    session = Session(INFO, train, budget_s=20)
    list(session.improvements())
    saved, checkpoint = session.saved(), Checkpoint(tmp_path, "x")
    checkpoint.write(saved)
    assert len(list((tmp_path / "learners").iterdir())) == len(saved.learners) == 2
    last = list(saved.learners)[-1]
    checkpoint.write(dataclasses.replace(saved, learners={last: saved.learners[last]}))
    again = checkpoint.read()
    assert again is not None
    assert list(again.learners) == [last]
    assert len(list((tmp_path / "learners").iterdir())) == 1
