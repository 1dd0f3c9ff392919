"""The any-time loop. Read this first.

    train:  stage = schedule(history, seconds left); read and transform its rows; fit; score on the hold-out; record
    test:   transform the test rows (kept per fidelity); predict with each member of the answer (kept per stage); blend

Each train runs stages until one changes the answer. A stage that raises is recorded as failed and the last answer
stands; one that has not ended when the budget does is left behind. If nothing ever worked, class frequencies answer.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal

from autodl_solver.anytime.answer import Member, answer_of, held_out_answer, members, superseded, weigh
from autodl_solver.anytime.history import History, Record
from autodl_solver.anytime.plan import Plan
from autodl_solver.anytime.priors import Priors
from autodl_solver.anytime.saved_run import SavedRun
from autodl_solver.anytime.schedule import Choice, Schedule, by_gain
from autodl_solver.anytime.stage_log import STAGE_LOG_FILE, StageLog
from autodl_solver.anytime.thresholds import BalancedThresholds
from autodl_solver.anytime.worker import AbandonedError, usable_s
from autodl_solver.budget import Budget, WorkClock
from autodl_solver.data.examples import Array
from autodl_solver.data.info import DatasetInfo
from autodl_solver.guard import Guard
from autodl_solver.heap import give_back_freed_memory
from autodl_solver.modalities import Modality
from autodl_solver.predictor import Predictor
from autodl_solver.stage_runner import StageRunner

logger = logging.getLogger(__name__)

WARM_UP_S = 600.0  # for all families together; the challenge gives 1,200 s
SHORT_S = 1.0  # a budget below that begins with the class frequencies
TRIM_S = 1.0  # a longer stage is followed by giving memory back, 60 ms a gigabyte


class Solver:
    """Learns a dataset of any modality within a budget, and predicts better and better.

    Args:
        info: facts of the training split.
        on_error: "log" forgives a stage that raises; "raise" (tests) does not.
        seed: same seed, same stages, same predictions.
        memory_bytes: bound on the transformed rows kept of each split; None for a share of what is free.
        clock: seconds that never go back. A WorkClock makes the run repeatable: the budget of the first `train` counts
            work, whatever time that takes.
        make_schedule: (plan, priors) -> what decides which stage comes next; benchmarks compare others.
        run_dir: where stages.jsonl is written, the log that `python -m autodl_solver explain` reads; None for no log.
        modality: of the rows; None to infer it.

    Attributes:
        history: the stages so far.
        running: the stage that runs now, and what is expected of it; None between stages.
        done: whether further calls would bring nothing.
    """

    def __init__(
        self,
        info: DatasetInfo,
        *,
        on_error: Literal["log", "raise"] = "log",
        seed: int = 0,
        memory_bytes: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        make_schedule: Callable[[Plan, Priors], Schedule] = by_gain,
        run_dir: Path | None = None,
        modality: Modality | None = None,
    ) -> None:
        self.history = History()
        self.running: Choice | None = None
        self.done = False
        self._clock = clock
        self._make_schedule = make_schedule
        self._log = StageLog(run_dir / STAGE_LOG_FILE if run_dir else None)
        self._guard = Guard(on_error)
        self._runner = StageRunner(info, self.history, seed, memory_bytes, modality)
        self._schedule: Schedule | None = None  # until the training split is open
        self._whole = Budget(clock=clock)  # of the run: it begins with the first call of train
        self._is_test_open = False
        self._members: tuple[Member, ...] = ()  # of the next answer
        self._answered: tuple[Member, ...] = ()  # of the latest
        self._scores: dict[str, Array] = {}  # of members, for the test split
        self._answer: Array | None = None

    def warm_up(self) -> None:
        """Pays for imports, threads and kernels before the budget runs, on made-up rows: no example is opened."""
        budget = Budget(WARM_UP_S, self._clock)
        for name, step in self._runner.warm_ups():
            self._guard.forgiving(name, step, budget.left)

    def train(self, dataset: Any, seconds: float | None = None) -> None:
        """Runs stages until one changes the answer, nothing is worth its cost any more, or time is up.

        Args:
            dataset: what the challenge hands over for training (see data/source.py).
            seconds: left in the budget of the run; None means without end.
        Raises:
            DataError: the training split cannot be read at all.
        """
        budget = self._left(seconds)
        if not self._open(dataset, budget):
            return
        if self._answer is None and budget.left < SHORT_S and not self.history.records:
            return  # the class frequencies cost nothing, and something stands if the first stage is too slow
        before, choice = self._members, self._next(budget)
        while choice is not None and self._members == before:
            self._run(choice, budget)
            choice = self._next(budget)
        self.done |= choice is None

    def step(self, dataset: Any, seconds: float | None = None) -> bool:
        """Runs one stage, for callers who want to know of each; arguments and errors are those of `train`.

        Returns:
            Whether there was one that is worth its cost, and time for it; else all is done.
        """
        budget = self._left(seconds)
        choice = self._next(budget) if self._open(dataset, budget) else None
        before = self._members
        if choice is not None:
            self._run(choice, budget)
        if self._members != before:
            self._log.prediction({one.record.stage.name: one.weight for one in self._members}, self._whole.elapsed, 0.0)
        self.done |= choice is None
        return choice is not None

    def test(self, dataset: Any, seconds: float | None = None) -> Array:
        """Scores for every test row, by the members of the moment.

        Args:
            dataset: what the challenge hands over for testing.
            seconds: left in the budget of the run; None means without end.
        Returns:
            [n_test, n_classes] float32, finite, in [0, 1].
        """
        if self._guard.abandoned and self._answer is not None:
            return self._answer  # at once: the budget is at its end
        budget = self._left(seconds)
        if not self._is_test_open:
            self._runner.open_test(dataset)
            self._is_test_open = True
        started, passes = self._whole.elapsed, dict[str, float]()
        while missing := [m for m in self._members if m.record.stage.name not in self._scores]:
            record = max(missing, key=lambda member: member.weight).record
            step = partial(self._runner.predict, record, budget, is_first=self._answer is None)
            scores = self._guard.forgiving(f"test pass of {record.stage.name}", step, self._patience_s(budget), record)
            if scores is not None:
                self._scores[record.stage.name] = scores
                passes[record.stage.name] = record.predict_s
            elif self._guard.abandoned:
                self.done = True  # out of time
                break
            else:
                self._members = members(self.history)  # without the one that failed
        ready = tuple(m for m in self._members if m.record.stage.name in self._scores)
        if passes:
            weights = {m.record.stage.name: m.weight for m in ready}
            self._log.prediction(weights, started, sum(passes.values()), passes, self.history.n_test)
        if sum(m.weight for m in ready) > 0.5:  # else those that could not be asked matter more
            self._answered, self._answer = ready, answer_of(ready, self._scores)
        if self._answer is None:
            self._answer = self._runner.prior_scores(self._runner.n_test())
        return self._answer

    def thresholds(self) -> BalancedThresholds | None:
        """The map of the latest answer that puts the best threshold of each class at .5; None without a hold-out."""
        held_out = held_out_answer(self._answered, self.history)
        return None if held_out is None else BalancedThresholds.fitted(*held_out)

    def predictor(self) -> Predictor:
        """The answer of the moment, for any rows; at least one step has run, or was tried."""
        return self._runner.predictor(self._members, held_out_answer(self._members, self.history))

    def saved(self) -> SavedRun:
        """What was learned so far, between two steps."""
        return self._runner.saved(self._whole.elapsed)

    def open(self, dataset: Any, elapsed_s: float = 0.0, saved: SavedRun | None = None) -> None:
        """Opens the training split ahead of the first step, for callers who resume.

        Args:
            dataset: see `train`.
            elapsed_s: of the run, up to now.
            saved: an earlier run on the same rows, to go on with.
        Raises:
            DataError: the training split cannot be read at all.
            ModelFileError: the saved run is of another version.
        """
        self._open(dataset, Budget(clock=self._clock), saved)
        self._whole = Budget(clock=self._clock, spent_s=elapsed_s)
        self._members = members(self.history)

    def _open(self, dataset: Any, budget: Budget, saved: SavedRun | None = None) -> bool:
        """Whether the training split is open; the first call opens it."""
        if self._schedule is None and not self.done:
            step = partial(self._runner.open_train, dataset, saved)
            try:
                plan, priors = self._guard.waiting(step, self._patience_s(budget))
            except AbandonedError:
                self.done = True  # not even the first rows could be read in time
                return False
            self._schedule = self._make_schedule(plan, priors)
            if saved is None:
                self._log.run(self._runner.facts())
        return self._schedule is not None

    def _next(self, budget: Budget) -> Choice | None:
        self.history.elapsed_s = self._whole.elapsed
        if self._schedule is None or self.done or budget.expired:
            return None
        return self._schedule(self.history, budget.left)

    def _run(self, choice: Choice, budget: Budget) -> None:
        self.running, stage = choice, choice.stage
        record = Record(stage, stage.n_examples, 0.0, started_s=self._whole.elapsed)
        self.history.records.append(record)
        step = partial(self._runner.fit, record, budget)
        self._guard.forgiving(f"stage {stage.name}", step, self._patience_s(budget), record)
        self.running = None
        record.fit_s = self._whole.elapsed - record.started_s
        if self._guard.abandoned:  # its thread still takes the cores and the interpreter, and no time is left
            self.done = True
        else:
            self._members = members(self.history)
            weigh(self.history, self._members)
        self._log.stage(record, choice.expected)
        for one in superseded(self.history, self._members):
            self._runner.retire(one)
            self._scores.pop(one.stage.name, None)
        if record.fit_s > TRIM_S and not self._guard.abandoned:
            give_back_freed_memory()
        logger.info("%s: %.2f s, hold-out NAUC %.4f", stage.name, record.fit_s, record.score)

    def _left(self, seconds: float | None) -> Budget:
        budget = Budget(seconds, self._clock)
        if self._schedule is None:
            self._whole = budget
        return self._whole if isinstance(self._clock, WorkClock) else budget

    def _patience_s(self, budget: Budget) -> float:
        """How long a step is waited for: work has no deadline in time."""
        return math.inf if isinstance(self._clock, WorkClock) else usable_s(budget.left)
