"""The any-time loop. Read this first.

    train:  stage = schedule(history, seconds left); read and transform its rows; fit; score on the hold-out; record
    test:   transform the test rows (kept per fidelity); predict with the champion of the history (kept per stage)

Each train runs stages until one changes the champion. A stage that raises is recorded as failed and the last answer
stands; if nothing ever worked, the class frequencies answer.
"""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import numpy as np

from autodl_solver.anytime.history import History, Record
from autodl_solver.anytime.schedule import RESERVE, Schedule
from autodl_solver.anytime.stage import Stage
from autodl_solver.budget import Budget
from autodl_solver.data.examples import Array, Examples, typical_length
from autodl_solver.data.info import DatasetInfo
from autodl_solver.data.source import ExampleSource, open_reader
from autodl_solver.data.split import HoldOut
from autodl_solver.errors import DataError
from autodl_solver.learners.base import Learner
from autodl_solver.learners.prior import PriorLearner
from autodl_solver.metrics import nauc
from autodl_solver.modalities import SPECS, Modality, Pipeline, infer_modality

logger = logging.getLogger(__name__)

SHORT_S = 1.0  # a budget below that begins with the class frequencies
SAMPLE_ROWS = 64  # first training rows, from which the pipeline learns what the metadata does not tell


class Solver:
    """Learns a dataset of any modality within a budget, and predicts better and better.

    Args:
        info: facts of the training split.
        on_error: "log" forgives a stage that raises; "raise" (tests) does not.
        seed: same seed, same stages, same predictions.
        memory_bytes: bound on the transformed rows kept of each split.
        clock: seconds that never go back.
    """

    def __init__(
        self,
        info: DatasetInfo,
        *,
        on_error: Literal["log", "raise"] = "log",
        seed: int = 0,
        memory_bytes: float = 4e9,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.info = info
        self.history = History()
        self.done = False
        self._on_error = on_error
        self._seed = seed
        self._memory_bytes = memory_bytes
        self._clock = clock
        self._sources: dict[str, ExampleSource] = {}
        self._learners: dict[str, Learner] = {}
        self._prior = PriorLearner(info.n_classes)
        self._hold_out = HoldOut(info.n_classes)
        self._answer: tuple[str, Array] | None = None  # the stage that predicted the test split last, and its scores

    def warm_up(self) -> None:
        """Pays for imports, threads and kernels before the budget runs, on made-up rows: no example is opened."""
        known = infer_modality(self.info)
        for modality in [known] if known else [Modality.SPEECH, Modality.SERIES]:
            SPECS[modality].warm_up(self.info)

    def train(self, dataset: Any, seconds: float | None = None) -> None:
        """Runs stages until one changes the champion, nothing is worth its cost any more, or time is up.

        Args:
            dataset: what the challenge hands over for training (see data/source.py).
            seconds: left in the budget of the run; None means without end.
        Raises:
            DataError: the training split cannot be read at all.
        """
        budget = Budget(seconds, self._clock)
        if "train" not in self._sources:
            self._open_train(dataset)
        if self._answer is None and budget.left < SHORT_S and not self.history.records:
            return  # the class frequencies cost nothing, and something stands if the first stage is too slow
        before = self.history.champion()
        while not self.done and self.history.champion() is before:
            stage = self._schedule(self.history, budget.left)
            if stage is not None:
                self._run(stage, budget)
            self.done = stage is None or budget.expired or self._schedule(self.history, budget.left) is None

    def test(self, dataset: Any, seconds: float | None = None) -> Array:
        """Scores for every test row, by the champion of the moment.

        Args:
            dataset: what the challenge hands over for testing.
            seconds: left in the budget of the run; None means without end.
        Returns:
            [n_test, n_classes] float32, finite, in [0, 1].
        """
        budget = Budget(seconds, self._clock)
        if "test" not in self._sources:
            self._sources["test"] = ExampleSource(open_reader(dataset, self.info, "test"), self._memory_bytes)
        champion = self.history.champion()
        while champion is not None and (self._answer is None or self._answer[0] != champion.stage.name):
            self._forgiving(champion, partial(self._predict_test, champion, budget))
            champion = self.history.champion()  # an earlier one if that failed
        if self._answer is None:
            self._answer = "prior", self._prior_scores(self._sources["test"].count())
        return self._answer[1]

    def _open_train(self, dataset: Any) -> None:
        source = self._sources["train"] = ExampleSource(open_reader(dataset, self.info, "train"), self._memory_bytes)
        sample = source.read(0, SAMPLE_ROWS)
        if len(sample) == 0:
            raise DataError(f"A training split must hold examples; however that of {self.info.name} holds none.")
        self._prior.fit(Examples(np.zeros((len(sample), 1)), sample.y), Budget())
        modality = infer_modality(self.info, typical_length(sample.x))
        assert modality is not None, "a length decides what the metadata leaves open"
        self._pipeline: Pipeline = SPECS[modality].make_pipeline(self.info)
        self._pipeline.fit(sample)
        self._schedule: Schedule = SPECS[modality].make_schedule(self.info)
        self.history.n_available = source.n_rows
        if source.n_rows is not None and self.info.n_examples not in (-1, source.n_rows):
            logger.warning("The metadata promises %d rows, the records hold %d.", self.info.n_examples, source.n_rows)
        logger.info("%s: %s, %s training rows", self.info.name, modality.value, source.n_rows)

    def _run(self, stage: Stage, budget: Budget) -> None:
        record = Record(stage, stage.n_examples, 0.0)
        self.history.records.append(record)
        started = budget.elapsed
        self._forgiving(record, partial(self._fit_and_score, record, budget))
        record.fit_s = budget.elapsed - started
        champion = self.history.champion()
        needed = {
            stage.name,
            champion.stage.name if champion else "",
        }  # the last is gone on with, the champion predicts
        self._learners = {name: learner for name, learner in self._learners.items() if name in needed}
        logger.info("%s: %.2f s, hold-out NAUC %.4f", stage.name, record.fit_s, record.score)

    def _forgiving(self, record: Record, step: Callable[[], None]) -> None:
        """The one place that forgives: the record is marked as failed and the run goes on."""
        try:
            step()
        except Exception:
            record.failed = True
            logger.exception("The stage %s failed; the last prediction stands.", record.stage.name)
            if self._on_error == "raise":
                raise

    def _fit_and_score(self, record: Record, budget: Budget) -> None:
        stage, source = record.stage, self._sources["train"]
        transform = partial(self._pipeline.transform, fidelity=stage.fidelity)
        rows = source.collect(stage.fidelity, transform, stage.n_examples)
        record.n_examples = len(rows)
        self.history.n_available = source.n_rows
        assert rows.y is not None, "training rows carry labels"
        held_out = self._hold_out.among(rows.y)
        fitted = np.arange(len(rows)) if stage.refit or held_out.all() else np.flatnonzero(~held_out)
        earlier = self._learners.get(stage.continues or "")  # copied: it may have to answer once more
        learner = copy.deepcopy(earlier) or stage.make_learner(self.info.n_classes, self._seed)
        self._learners[stage.name] = learner
        reserve_s = RESERVE * self.history.last_predict_s
        learner.fit(rows.take(fitted), budget.slice(min(stage.seconds, budget.left - reserve_s)))
        if not stage.refit and held_out.any():
            scored = rows.take(np.flatnonzero(held_out))
            record.held_out = learner.predict_proba(scored.x)
            record.score = nauc(self._hold_out.y[: len(scored)], record.held_out)
            self.history.y_held_out = self._hold_out.y

    def _predict_test(self, record: Record, budget: Budget) -> None:
        started, stage, source = budget.elapsed, record.stage, self._sources["test"]
        scores = []
        transform = partial(self._pipeline.transform, fidelity=stage.fidelity)
        for part in source.transformed(stage.fidelity, transform, None):
            scores.append(self._learners[stage.name].predict_proba(part.x))
            if budget.expired and source.n_rows is not None:
                break
        missing = (source.n_rows or 0) - sum(map(len, scores))
        if missing and self._answer is not None:
            raise TimeoutError(f"A pass over the test split must fit into the budget; however {missing} rows are left.")
        scores.append(self._prior_scores(missing))
        self._answer = stage.name, np.concatenate(scores)
        record.predict_s = budget.elapsed - started

    def _prior_scores(self, n_test: int) -> Array:
        """[n_test, n_classes]: class frequencies, or even odds while no training row was seen."""
        if "train" in self._sources:
            return self._prior.predict_proba(np.zeros((n_test, 1)))
        return np.full((n_test, self.info.n_classes), 0.5, np.float32)
