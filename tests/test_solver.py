"""The any-time loop on real data handed over as plain pairs, and every fault it must survive."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits

from autodl_solver.anytime.plan import Family
from autodl_solver.budget import Budget, WorkClock
from autodl_solver.data.examples import Examples
from autodl_solver.data.info import DatasetInfo, Format, MatrixSpec
from autodl_solver.errors import DataError
from autodl_solver.learners.base import Features, Learner
from autodl_solver.learners.linear import LinearLearner
from autodl_solver.metrics import nauc
from autodl_solver.modalities import SPECS, Modality
from autodl_solver.solver import Solver

Pairs = list[tuple[np.ndarray, np.ndarray]]


pytestmark = pytest.mark.usefixtures("quick_plans")


def info_of(shape: tuple[int, int, int, int], n_classes: int) -> DatasetInfo:
    time, n_rows, n_cols, n_channels = shape
    return DatasetInfo("made", None, -1, n_classes, time, (MatrixSpec(n_rows, n_cols, n_channels, Format.DENSE),))


def digits(n_train: int = 400) -> tuple[DatasetInfo, Pairs, Pairs, np.ndarray]:
    """8x8 images; the test rows come without labels."""
    x, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))  # the file is sorted by writer
    x, y = x[order], np.eye(10, dtype=np.float32)[labels[order]]
    rows = [(row.reshape(1, 8, 8, 1).astype(np.float32), label) for row, label in zip(x, y, strict=True)]
    test = [(row, np.zeros(10, np.float32)) for row, _ in rows[n_train:800]]
    return info_of((1, 8, 8, 1), 10), rows[:n_train], test, y[n_train:800]


def play(solver: Solver, train: Any, test: Any, seconds: float | None = 30) -> list[np.ndarray]:
    """Plays the challenge: train and test in turn until done."""
    answers = []
    while not solver.done:
        solver.train(train, seconds)
        answers.append(solver.test(test, seconds))
        assert len(answers) < 50
    return answers


def test_digits_get_better_and_better() -> None:
    info, train, test, y = digits()
    answers = play(Solver(info, on_error="raise"), train, test)
    scores = [nauc(y, answer) for answer in answers]
    assert all(answer.shape == y.shape and answer.dtype == np.float32 for answer in answers)
    assert len(answers) >= 2
    assert scores[-1] > 0.96
    assert scores[-1] >= max(scores) - 0.01


def test_warm_up_sees_the_metadata_only_and_changes_no_prediction() -> None:
    info, train, test, _ = digits(100)
    warm, cold = Solver(info, on_error="raise"), Solver(info, on_error="raise")
    warm.warm_up()
    assert warm.history.records == []
    assert np.array_equal(play(warm, train, test)[-1], play(cold, train, test)[-1])


def test_same_seed_same_predictions() -> None:
    info, train, test, _ = digits(200)
    first, second = (play(Solver(info, seed=3), train, test) for _ in range(2))
    assert len(first) == len(second)
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_a_table_with_holes_and_infinities_is_learned() -> None:
    x, labels = load_breast_cancer(return_X_y=True)
    rng = np.random.default_rng(0)
    x[rng.random(x.shape) < 0.1] = np.nan
    x[0, 0], x[1, 1] = np.inf, -np.inf
    y = np.eye(2, dtype=np.float32)[labels]
    rows = [(row.reshape(1, 1, 30, 1).astype(np.float32), label) for row, label in zip(x, y, strict=True)]
    answers = play(Solver(info_of((1, 1, 30, 1), 2), on_error="raise"), rows[:400], rows[400:])
    assert nauc(y[400:], answers[-1]) > 0.95


def test_planned_by_work_a_run_repeats_its_stages_whatever_time_they_take() -> None:
    info, train, test, y = digits()
    runs = []
    for dataset in (train, iter(train)):  # read differently, so at another pace
        solver = Solver(info, on_error="raise", clock=WorkClock())
        answers = play(solver, dataset, test, 30)
        runs.append(([record.stage.name for record in solver.history.records], answers))
    (names, answers), (other_names, other_answers) = runs
    assert names == other_names
    assert all(np.array_equal(a, b) for a, b in zip(answers, other_answers, strict=True))
    assert nauc(y, answers[-1]) > 0.96


class FailingLearner(Learner):
    """Works on up to `limit` rows, and then fails in the given way."""

    limit = 100
    fault = "raise"

    def _fit(self, x: Features, y: np.ndarray, budget: Any) -> None:
        self._n_rows = x.shape[0]
        if self.fault == "raise" and self._n_rows > self.limit:
            raise MemoryError("no room for a fit")

    def _predict_proba(self, x: Features) -> np.ndarray:
        if self.fault == "nan":
            return np.full((x.shape[0], self.n_classes), np.nan)
        if self.fault == "shape" and self._n_rows > self.limit:
            return np.zeros((x.shape[0], self.n_classes + 1))
        return np.asarray(x)[:, : self.n_classes]


@pytest.mark.parametrize("fault", ["raise", "nan", "shape"])
@pytest.mark.parametrize("limit", [0, 100])
def test_a_failing_stage_leaves_the_last_answer(monkeypatch: pytest.MonkeyPatch, fault: str, limit: int) -> None:
    info, train, test, y = digits()
    monkeypatch.setattr(FailingLearner, "fault", fault)
    monkeypatch.setattr(FailingLearner, "limit", limit)
    solver = Solver(info)
    failing = dataclasses.replace(
        SPECS[Modality.IMAGE], make_plan=lambda info: [Family("failing", FailingLearner, (8,), first_n=50)]
    )
    monkeypatch.setitem(SPECS, Modality.IMAGE, failing)
    answers = play(solver, train, test)
    assert all(answer.shape == y.shape and np.isfinite(answer).all() for answer in answers)
    assert any(record.failed for record in solver.history.records) or fault == "nan"


def test_after_done_the_answer_stays() -> None:
    info, train, test, _ = digits(100)
    solver = Solver(info)
    last = play(solver, train, test)[-1]
    n_stages = len(solver.history.records)
    solver.train(train, 10)
    assert np.array_equal(solver.test(test, 10), last)
    assert np.array_equal(solver.test(test, 10), last)
    assert len(solver.history.records) == n_stages


@pytest.mark.parametrize(
    ("seconds", "score"),
    [
        (None, 0.5),  # without end
        (36_000.0, 0.5),  # ten hours
        (0.1, 0.0),  # whatever is ready by then
        (0.0, 0.0),  # no time: the class frequencies, which rank nothing
    ],
)
def test_any_budget_brings_an_answer(seconds: float | None, score: float) -> None:
    info, train, test, y = digits(200)
    solver = Solver(info, on_error="raise")
    answers = play(solver, train, test, seconds)
    assert answers[-1].shape == y.shape
    assert nauc(y, answers[-1]) >= score


@pytest.mark.parametrize("hangs_in", ["_fit", "_predict_proba"])
def test_a_learner_that_hangs_does_not_outlast_the_budget(monkeypatch: pytest.MonkeyPatch, hangs_in: str) -> None:
    info, train, test, y = digits()
    never = threading.Event()

    class Hanging(LinearLearner):
        """Hangs as soon as it is given more than 100 rows."""

        def __getattribute__(self, name: str) -> Any:
            if name == hangs_in and self.__dict__.get("n_rows", 0) > 100:
                never.wait()
            return super().__getattribute__(name)

        def fit(self, train: Examples, budget: Budget) -> None:
            self.n_rows = len(train)
            super().fit(train, budget)

    hanging = dataclasses.replace(
        SPECS[Modality.IMAGE], make_plan=lambda info: [Family("hanging", Hanging, (8,), first_n=50)]
    )
    monkeypatch.setitem(SPECS, Modality.IMAGE, hanging)
    solver, budget = Solver(info), Budget(3)
    while not solver.done:
        solver.train(train, budget.left)
        answer = solver.test(test, budget.left)
    assert not budget.expired
    assert nauc(y, answer) > 0.5
    assert solver.history.records[-1].failed
    assert solver.test(test, budget.left) is answer  # nothing is computed any more
    never.set()


def test_test_before_train_answers_with_even_odds() -> None:
    info, _, test, y = digits()
    answer = Solver(info).test(test, 10)
    assert answer.shape == y.shape
    assert np.ptp(answer) == 0


def test_test_rows_are_not_read_before_test() -> None:
    info, train, _, _ = digits(100)

    class Guarded:
        def __iter__(self) -> Iterator[Any]:
            raise AssertionError("a test row was read")

    solver = Solver(info, on_error="raise")
    solver.warm_up()
    solver.train(train, 10)
    with pytest.raises(AssertionError, match="a test row was read"):
        solver.test(Guarded(), 10)


def test_one_class_only_is_answered() -> None:
    info, train, test, _ = digits(60)
    single = [(x, np.eye(10, dtype=np.float32)[3]) for x, _ in train]
    answer = play(Solver(info, on_error="raise"), single, test)[-1]
    assert (answer.argmax(axis=1) == 3).all()


def test_an_empty_test_split_is_answered_with_no_rows() -> None:
    info, train, _, _ = digits(60)
    assert play(Solver(info, on_error="raise"), train, [])[-1].shape == (0, 10)


def test_an_empty_training_split_is_an_error() -> None:
    info, _, _, _ = digits()
    with pytest.raises(DataError, match="holds none"):
        Solver(info).train([], 10)


def test_a_memory_bound_means_fewer_rows_not_a_crash() -> None:
    info, train, test, y = digits()
    solver = Solver(info, on_error="raise", memory_bytes=20_000)  # about 80 rows of 8x8 pixels
    answers = play(solver, train, test)
    assert nauc(y, answers[-1]) > 0.7


def test_one_shot_iterators_are_enough() -> None:
    info, train, test, y = digits(200)
    answers = play(Solver(info, on_error="raise"), iter(train), iter(test))
    assert nauc(y, answers[-1]) > 0.9


def test_images_of_many_sizes_are_played() -> None:
    rng = np.random.default_rng(0)
    info = DatasetInfo("made", None, -1, 2, 1, (MatrixSpec(-1, -1, 3, Format.COMPRESSED),))
    rows = []
    for i in range(60):
        size = (1, int(rng.integers(1, 50)), int(rng.integers(1, 50)), 3)
        rows.append((rng.normal(i % 2, 0.5, size).astype(np.float32), np.eye(2, dtype=np.float32)[i % 2]))
    answers = play(Solver(info, on_error="raise"), rows[:40], rows[40:])
    assert nauc(np.stack([y for _, y in rows[40:]]), answers[-1]) > 0.9
