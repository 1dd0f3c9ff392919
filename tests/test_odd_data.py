"""Odd data through the public door: a clear error, or predictions of the right shape that survive saving."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from odd_data import LEARNED, REFUSED

from autodl_solver.classifier import AutoDLClassifier
from autodl_solver.errors import InputError

BUDGET_S, PATIENCE_S = 3.0, 3.0


def n_rows(y: Any) -> int:
    return int(y.shape[0]) if hasattr(y, "shape") else len(y)


def check(X: Any, y: Any, kind: str | None, folder: Path) -> AutoDLClassifier:
    """Fits, predicts, saves and loads."""
    model = AutoDLClassifier(kind, time_budget=BUDGET_S).fit(X, y)
    proba = model.predict_proba(X)
    assert proba.shape == (n_rows(y), len(model.classes_))
    assert np.isfinite(proba).all()
    assert proba.min() >= 0
    assert proba.max() <= 1
    assert n_rows(model.predict(X)) == n_rows(y)
    assert 0 <= model.score(X, y) <= 1
    model.save(folder / "model")
    np.testing.assert_allclose(AutoDLClassifier.load(folder / "model").predict_proba(X), proba, atol=1e-6)
    return model


@pytest.mark.usefixtures("quick_plans")
@pytest.mark.parametrize("name", list(LEARNED)[::3])  # the slow test below plays them all
def test_odd_data_are_learned_or_refused_by_the_first_learner(name: str, tmp_path: Path) -> None:
    X, y, *kind = LEARNED[name](tmp_path)
    check(X, y, *(kind or [None]), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", LEARNED)
def test_odd_data_are_learned_by_all_learners_in_time(name: str, tmp_path: Path) -> None:
    X, y, *kind = LEARNED[name](tmp_path)
    model = check(X, y, *(kind or [None]), tmp_path)
    status = model.status()
    assert status is not None
    assert status.elapsed_s < BUDGET_S + PATIENCE_S
    assert not [line.name for line in status.stages[:-1] if line.failed]  # the last one may have run out of time


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_learned_is_refused_with_the_reason(name: str) -> None:
    make, reason = REFUSED[name]
    with pytest.raises(InputError, match=reason):
        AutoDLClassifier(time_budget=BUDGET_S).fit(*make())


@pytest.mark.usefixtures("quick_plans")
def test_labels_that_no_row_had_or_all_had_are_told_the_same_of_new_rows() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 3))
    y = np.column_stack([X[:, 0] > 0, np.zeros(100), np.ones(100)]).astype(int)
    predicted = AutoDLClassifier(time_budget=BUDGET_S).fit(X, y).predict(rng.normal(size=(50, 3)))
    assert set(predicted[:, 0]) == {0, 1}
    assert predicted[:, 1:].tolist() == [[0, 1]] * 50


@pytest.mark.usefixtures("quick_plans")
def test_classes_that_were_not_there_at_fit_are_misses() -> None:
    X = np.random.default_rng(0).normal(size=(100, 3))
    one = np.where(X[:, 0] > 0, "up", "down")
    model = AutoDLClassifier(time_budget=BUDGET_S).fit(X, one)
    hits = model.predict(X) == one
    assert model.score(X, np.where(np.arange(100) < 50, one, "new")) == pytest.approx(hits[:50].sum() / 100)
    several = [{"any", name} for name in one]
    model.fit(X, several)
    hits = np.array([a == b for a, b in zip(model.predict(X), several, strict=True)])
    assert hits.mean() > 0.8
    odd = [labels | {"new"} if k % 2 else labels for k, labels in enumerate(several)]
    assert model.score(X, odd) == pytest.approx(hits[::2].sum() / 100)
    assert model.score(X, odd, sample_weight=1 - np.arange(100) % 2) == pytest.approx(hits[::2].mean())
    with pytest.raises(InputError, match="write it as a set of one"):
        model.score(X, one)


@pytest.mark.parametrize("random_state", [-1, "seed", 1.5])
def test_a_seed_must_be_one(random_state: Any) -> None:
    with pytest.raises(InputError, match="random_state"):
        AutoDLClassifier(time_budget=BUDGET_S, random_state=random_state).fit([[1.0], [2.0]], [0, 1])


@pytest.mark.usefixtures("quick_plans")
def test_a_callback_that_raises_ends_the_fit() -> None:
    X, y = np.random.default_rng(0).normal(size=(60, 3)), [0, 1] * 30
    model = AutoDLClassifier(time_budget="1h", random_state=np.random.RandomState(0))
    with pytest.raises(ZeroDivisionError) as error:
        model.fit(X, y, on_improvement=lambda _: 1 / 0)  # type: ignore[arg-type, return-value]
    status = model.status()
    assert error.tb is not None  # holds on to the frames of the fit
    assert status is not None
    assert status.state == "done"
    assert len(model.predict(X)) == 60


@pytest.mark.usefixtures("quick_plans")
def test_what_a_killed_process_was_writing_is_removed_and_nothing_else(tmp_path: Path) -> None:
    X, y = np.random.default_rng(0).normal(size=(60, 3)), [0, 1] * 30
    run = tmp_path / "run"
    run.mkdir()
    (run / ".model.mine.tmp").touch()
    AutoDLClassifier(time_budget=BUDGET_S, run_dir=run).fit(X, y)
    assert (run / ".model.mine.tmp").exists()  # was there before the run
    for name in (".model.0123abcd.tmp", "checkpoint/.history.0123abcd.tmp"):
        (run / name).mkdir()
    (run / ".page.html.7.tmp").touch()
    AutoDLClassifier(time_budget=BUDGET_S, run_dir=run).fit(X, y, resume=True)
    assert {path.name for path in run.rglob(".*.tmp")} <= {".model.mine.tmp"}


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_run_folder_that_cannot_be_is_refused(place: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be made"):
        AutoDLClassifier(time_budget=BUDGET_S, run_dir=tmp_path / place).fit([[1.0], [2.0]], [0, 1])
