"""The any-time loop. Read this first.

    train:  stage = schedule(history, seconds left); read and transform its rows; fit; score on the hold-out; record
    test:   transform the test rows (kept per fidelity); predict with the champion of the history (kept per stage)

Each train runs stages until one changes the champion. A stage that raises is recorded as failed and the last answer
stands; one that has not ended when the budget does is left behind. If nothing ever worked, class frequencies answer.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Literal, TypeVar

import numpy as np

from autodl_solver.anytime.history import History, Record
from autodl_solver.anytime.schedule import Schedule
from autodl_solver.anytime.stage import Stage
from autodl_solver.anytime.worker import AbandonedError, Worker
from autodl_solver.budget import Budget
from autodl_solver.data.examples import Array
from autodl_solver.data.info import DatasetInfo
from autodl_solver.stage_runner import StageRunner

logger = logging.getLogger(__name__)

SHORT_S = 1.0  # a budget below that begins with the class frequencies
MARGIN_S = 0.2  # before the end of the budget work is abandoned: what it takes to return and to write an answer
MARGIN_SHARE = 0.2  # but no more than so much of what is left

T = TypeVar("T")


class Solver:
    """Learns a dataset of any modality within a budget, and predicts better and better.

    Args:
        info: facts of the training split.
        on_error: "log" forgives a stage that raises; "raise" (tests) does not.
        seed: same seed, same stages, same predictions.
        memory_bytes: bound on the transformed rows kept of each split; None for a share of what is free.
        clock: seconds that never go back.

    Attributes:
        history: the stages so far.
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
    ) -> None:
        self.history = History()
        self.done = False
        self._on_error = on_error
        self._clock = clock
        self._worker = Worker()
        self._runner = StageRunner(info, self.history, seed, memory_bytes)
        self._schedule: Schedule | None = None  # until the training split is open
        self._is_test_open = False
        self._answer: tuple[str, Array] | None = None  # the stage that predicted the test split last, and its scores

    def warm_up(self) -> None:
        """Pays for imports, threads and kernels before the budget runs, on made-up rows: no example is opened."""
        self._worker.run(self._runner.warm_up, float("inf"))

    def train(self, dataset: Any, seconds: float | None = None) -> None:
        """Runs stages until one changes the champion, nothing is worth its cost any more, or time is up.

        Args:
            dataset: what the challenge hands over for training (see data/source.py).
            seconds: left in the budget of the run; None means without end.
        Raises:
            DataError: the training split cannot be read at all.
        """
        budget = Budget(seconds, self._clock)
        if self._schedule is None:
            try:
                self._schedule = self._worker.run(partial(self._runner.open_train, dataset), _usable_s(budget))
            except AbandonedError:
                self.done = True  # not even the first rows could be read in time
                return
        if self._answer is None and budget.left < SHORT_S and not self.history.records:
            return  # the class frequencies cost nothing, and something stands if the first stage is too slow
        before = self.history.champion()
        while not self.done and self.history.champion() is before:
            stage = self._schedule(self.history, budget.left)
            if stage is not None:
                self._run(stage, budget)
            self.done |= stage is None or budget.expired or self._schedule(self.history, budget.left) is None

    def test(self, dataset: Any, seconds: float | None = None) -> Array:
        """Scores for every test row, by the champion of the moment.

        Args:
            dataset: what the challenge hands over for testing.
            seconds: left in the budget of the run; None means without end.
        Returns:
            [n_test, n_classes] float32, finite, in [0, 1].
        """
        budget = Budget(seconds, self._clock)
        if not self._is_test_open:
            self._runner.open_test(dataset)
            self._is_test_open = True
        champion = self.history.champion()
        while champion is not None and (self._answer is None or self._answer[0] != champion.stage.name):
            self._answer = self._forgiving(champion, partial(self._predict, champion, budget), budget) or self._answer
            champion = self.history.champion()  # an earlier one if that failed
        if self._answer is None:
            self._answer = "prior", self._runner.prior_scores(self._runner.n_test())
        return self._answer[1]

    def _run(self, stage: Stage, budget: Budget) -> None:
        record = Record(stage, stage.n_examples, 0.0)
        self.history.records.append(record)
        started = budget.elapsed
        self._forgiving(record, partial(self._runner.fit, record, budget), budget)
        record.fit_s = budget.elapsed - started
        champion = self.history.champion()  # it predicts; the last stage may be gone on with
        self._runner.keep_learners({stage.name, champion.stage.name if champion else ""})
        logger.info("%s: %.2f s, hold-out NAUC %.4f", stage.name, record.fit_s, record.score)

    def _forgiving(self, record: Record, step: Callable[[], T], budget: Budget) -> T | None:
        """The one place that forgives: None, and the record is marked as failed, if the step raises or overruns."""
        try:
            return self._worker.run(step, _usable_s(budget))
        except AbandonedError:
            record.failed = self.done = True  # its thread may hold the learners and rows that others would need
            logger.warning("The stage %s did not end in time; the last prediction stands.", record.stage.name)
        except Exception:
            record.failed = True
            logger.exception("The stage %s failed; the last prediction stands.", record.stage.name)
            if self._on_error == "raise":
                raise
        return None

    def _predict(self, record: Record, budget: Budget) -> tuple[str, Array]:
        """The stage's name and its scores, [n_test, n_classes]."""
        started = budget.elapsed
        scores = self._runner.predict(record, budget)
        missing = self._runner.n_test() - len(scores)
        if missing and self._answer is not None:
            raise TimeoutError(f"A test pass must fit into the budget; however {missing} rows are left.")
        record.predict_s = budget.elapsed - started
        return record.stage.name, np.concatenate([scores, self._runner.prior_scores(missing)])


def _usable_s(budget: Budget) -> float:
    """Seconds until work is abandoned."""
    return budget.left - min(MARGIN_S, MARGIN_SHARE * budget.left)
