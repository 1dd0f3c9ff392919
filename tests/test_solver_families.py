"""Every family of every modality, on noise that tells the classes apart; by work, so that no slow machine runs out."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits

from autodl_solver.anytime.history import History
from autodl_solver.anytime.plan import Plan, next_stages
from autodl_solver.anytime.priors import Priors
from autodl_solver.anytime.schedule import Choice, Schedule
from autodl_solver.budget import WorkClock
from autodl_solver.data.examples import Examples
from autodl_solver.data.info import DatasetInfo, Format, MatrixSpec
from autodl_solver.metrics import nauc
from autodl_solver.modalities.tabular import forest
from autodl_solver.nn import trainer
from autodl_solver.solver import Solver

N_DIGITS = 500
N_TABLE = 450


def info_of(shape: tuple[int, int, int, int], n_classes: int) -> DatasetInfo:
    time, n_rows, n_cols, n_channels = shape
    return DatasetInfo("made", None, -1, n_classes, time, (MatrixSpec(n_rows, n_cols, n_channels, Format.DENSE),))


@pytest.mark.parametrize(
    ("shape", "n_classes"),
    [
        ((40, 1, 3, 1), 3),  # series
        ((-1, 1, 1, 1), 2),  # series or speech: the lengths decide
        ((5, 8, 8, 3), 2),  # video
        ((1, 12, 9, 7), 4),  # images of seven channels
        ((1, 1, 5, 1), 2),  # a table
    ],
)
def test_every_dense_layout_is_played(
    shape: tuple[int, int, int, int], n_classes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer, "NOMINAL_VALUES_PER_S", 1e6)  # a tenth of the steps for the same work
    monkeypatch.setattr(forest, "MOST_LEAVES", 800)  # twenty trees are a forest too
    rng = np.random.default_rng(0)
    rows = []
    for i in range(80):
        time = shape[0] if shape[0] > 0 else int(rng.integers(1, 60))
        label = np.eye(n_classes, dtype=np.float32)[i % n_classes]
        rows.append((rng.normal(i % n_classes, 1, (time, *shape[1:])).astype(np.float32), label))
    solver, answers = Solver(info_of(shape, n_classes), on_error="raise", clock=WorkClock()), []
    while not solver.done:
        solver.train(rows[:50], 2.5)
        answers.append(solver.test(rows[50:], 2.5))
    assert nauc(np.stack([y for _, y in rows[50:]]), answers[-1]) > 0.5


def test_members_of_a_small_table_are_repeated_in_parts() -> None:
    def members_then_parts(plan: Plan, priors: Priors) -> Schedule:
        chosen = [family for family in plan if family.name in ("boosting quick", "extra trees")]

        def schedule(history: History, left_s: float) -> Choice | None:
            fresh = [family.fresh(1, N_TABLE) for family in chosen]
            in_parts = [stage for stage in next_stages(chosen, history, left_s) if stage.cross_fits]
            tried = {record.stage.name for record in history.records}
            return next((Choice(stage) for stage in [*fresh, *in_parts] if stage.name not in tried), None)

        return schedule

    x, labels = load_breast_cancer(return_X_y=True)
    x, y = x.astype(np.float32).reshape(len(x), 1, 1, -1, 1), np.eye(2, dtype=np.float32)[labels]
    train, test = Examples(x[:N_TABLE], y[:N_TABLE]), Examples(x[N_TABLE:])
    solver = Solver(info_of((1, 1, x.shape[3], 1), 2), on_error="raise", make_schedule=members_then_parts)
    answers = []
    while not solver.done:
        solver.train(train, 60)
        answers.append(solver.test(test, 60))
    *members, first, second = solver.history.records
    assert [record.stage.refit_of for record in (first, second)] == [record.stage.name for record in members]
    for member, repeated in zip(members, (first, second), strict=True):
        assert member.held_out is not None
        assert repeated.out_of_fold is not None
        assert repeated.n_fitted == N_TABLE == len(repeated.out_of_fold)
        assert solver.history.y is not None
        assert nauc(solver.history.y, repeated.out_of_fold) > 0.9
        known = {tuple(row) for row in member.held_out}  # what it spared, it predicts as it did
        assert known <= {tuple(row) for row in repeated.out_of_fold.astype(member.held_out.dtype)}
    assert {part.name for part in solver.predictor().parts} == {first.stage.name, second.stage.name}
    assert nauc(y[N_TABLE:], answers[-1]) > 0.95


@pytest.mark.parametrize("begins_anew", [True, False])
def test_a_network_comes_to_the_hold_out_rows_at_its_end(begins_anew: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer, "NOMINAL_VALUES_PER_S", 1e6)  # a tenth of the steps for the same work

    def network_and_refit(plan: Plan, priors: Priors) -> Schedule:
        [network] = [family for family in plan if family.name == "network"]

        def schedule(history: History, left_s: float) -> Choice | None:
            if not history.records:
                return Choice(replace(network.fresh(network.fidelities[0], N_DIGITS), seconds=0.5, looks=3))
            refits = [stage for stage in next_stages([network], history, 0.5) if stage.refit]
            stage = next((one for one in refits if one.begins_anew == begins_anew), None)
            return None if stage is None or len(history.records) == 2 else Choice(stage)

        return schedule

    x, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))  # the file is sorted by writer
    x, y = x[order].astype(np.float32).reshape(-1, 1, 8, 8, 1), np.eye(10, dtype=np.float32)[labels[order]]
    rows = list(zip(x, y, strict=True))
    info = info_of((1, 8, 8, 1), 10)
    solver = Solver(info, on_error="raise", clock=WorkClock(), make_schedule=network_and_refit)
    answers = []
    while not solver.done:
        solver.train(rows[:N_DIGITS], 30)
        answers.append(solver.test(rows[N_DIGITS:], 30))
    first, refit = solver.history.records
    assert (first.n_fitted < N_DIGITS, refit.n_fitted) == (True, N_DIGITS)
    [part] = solver.predictor().parts
    assert part.name == refit.stage.name
    assert [learner.looks for learner in getattr(part.learner, "_members", [part.learner])] == [3] * (1 + begins_anew)
    assert math.isnan(refit.score)
    assert nauc(y[N_DIGITS:], answers[-1]) > nauc(y[N_DIGITS:], answers[0]) > 0.9
