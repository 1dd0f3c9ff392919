"""Session: a solver at work on somebody's own rows, in a thread of its own, so that others can watch it and stop it.

    for improvement in session.improvements():     # each better predictor, as soon as there is one
        ...

Stages run one after the other until the budget ends, nothing is worth its cost any more, or `stop` is called. After
each stage the checkpoint is written, if there is one.
"""

from __future__ import annotations

import logging
import math
import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from autodl_solver.anytime.history import Record
from autodl_solver.anytime.saved_run import SavedRun
from autodl_solver.budget import Budget, StoppableClock
from autodl_solver.checkpoint import Checkpoint
from autodl_solver.data.info import DatasetInfo
from autodl_solver.errors import ModelFileError
from autodl_solver.modalities import Modality
from autodl_solver.predictor import Predictor
from autodl_solver.solver import Solver

logger = logging.getLogger(__name__)

State = Literal["starting", "running", "stopping", "done"]

LATE_S = 0.5
"""After the budget nobody waits longer than that for a step that hangs."""

STOP_S = 5.0
"""Nor longer than that after `stop`: learners look at the clock far more often."""

POLL_S = 0.25
"""Between two looks at whether it is late."""


@dataclass(frozen=True)
class StageLine:
    """One stage, for people; seconds since the run began, scores are hold-out NAUC (nan where there is none)."""

    name: str
    started_s: float
    fit_s: float
    score: float
    weight: float
    failed: bool


@dataclass(frozen=True)
class Status:
    """What a run is doing.

    Attributes:
        state: where it is.
        elapsed_s, budget_s: seconds spent, and of the whole run.
        stage: what runs now; empty if nothing does.
        score: hold-out NAUC of the answer; nan before there is one.
        curve: (elapsed_s, score) of each answer that scores otherwise than the one before.
        n_stages: that have ended.
        next_s: expected seconds until the running stage ends; nan if unknown.
        stages: all that began, the running one too.
    """

    state: State
    elapsed_s: float
    budget_s: float
    stage: str
    score: float
    curve: tuple[tuple[float, float], ...]
    n_stages: int
    next_s: float
    stages: tuple[StageLine, ...]


@dataclass(frozen=True)
class Improvement:
    """A better answer.

    Attributes:
        elapsed_s: seconds since the run began.
        score: hold-out NAUC; nan where nothing can tell.
        stage: that brought it.
        predictor: the answer, for any rows.
    """

    elapsed_s: float
    score: float
    stage: str
    predictor: Predictor


class Session:
    """One run.

    Args:
        info: facts of the rows.
        dataset: labelled training rows in random order: Examples, or whatever Solver.train takes.
        budget_s: seconds of the whole run, those of the saved run among them.
        modality: of the rows; None to infer it.
        seed: see Solver.
        run_dir: for the stage log; None for none.
        checkpoint: written after each stage; None for none.
        saved: an earlier run to go on with.
        spent_s: seconds that went by already, reading the rows.

    Attributes:
        latest: the best answer so far; None until the rows were looked at, then class frequencies at least.
    """

    latest: Improvement | None = None

    def __init__(
        self,
        info: DatasetInfo,
        dataset: Any,
        *,
        budget_s: float,
        modality: Modality | None = None,
        seed: int = 0,
        run_dir: Path | None = None,
        checkpoint: Checkpoint | None = None,
        saved: SavedRun | None = None,
        spent_s: float = 0.0,
    ) -> None:
        self._dataset = dataset
        self._saved = saved
        self._checkpoint = checkpoint
        self._clock = StoppableClock()
        self._solver = Solver(info, seed=seed, clock=self._clock, run_dir=run_dir, modality=modality)
        before_s = spent_s + (saved.elapsed_s if saved else 0.0)
        self._budget = Budget(budget_s - before_s, self._clock, before_s)
        self._budget_s = budget_s
        self._latest_s = budget_s + LATE_S  # nobody waits longer
        self._state: State = "starting"
        self._ended_s = math.nan
        self._found: queue.SimpleQueue[Improvement | None] = queue.SimpleQueue()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="autodl_session", daemon=True)

    def improvements(self) -> Iterator[Improvement]:
        """Starts the run, and yields each better answer; ends with the run. To be called once.

        Raises:
            DataError: the rows cannot be learned.
        """
        self._thread.start()
        while True:
            try:
                found = self._found.get(timeout=POLL_S)
            except queue.Empty:
                if self._budget.elapsed > self._latest_s:
                    logger.warning("A step did not end in time; the answer before it stands.")
                    break
                continue
            if found is None:
                break
            yield found
        self._state = "done"
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Ends the run soon, with what it has; any thread may say so."""
        if self._state != "done" and not self._clock.stopped:
            self._state = "stopping"
            self._latest_s = min(self._latest_s, self._budget.elapsed + STOP_S)
        self._clock.stop()

    def finish(self) -> None:
        """Stops, and waits until the running stage has noticed, a few seconds at most."""
        self.stop()
        if self._thread.is_alive():
            self._thread.join(max(self._latest_s - self._budget.elapsed, 0.0))
        self._state = "done"

    def status(self) -> Status:
        """What the run is doing; any thread may ask."""
        records, running = list(self._solver.history.records), self._solver.running
        ended = records[:-1] if running else records
        curve = tuple(_curve(ended))
        elapsed_s = self._budget.elapsed if math.isnan(self._ended_s) else self._ended_s
        expected_s = running.expected.get("fit_s") if running else None
        next_s = math.nan
        if records and isinstance(expected_s, float):
            next_s = max(records[-1].started_s + expected_s - elapsed_s, 0.0)
        return Status(
            state=self._state,
            elapsed_s=elapsed_s,
            budget_s=self._budget_s,
            stage=running.stage.name if running else "",
            score=curve[-1][1] if curve else math.nan,
            curve=curve,
            n_stages=len(ended),
            next_s=next_s,
            stages=tuple(_lines(records)),
        )

    def saved(self) -> SavedRun:
        """What was learned, once the run has ended: another session goes on from there."""
        return self._solver.saved()

    def _work(self) -> None:
        try:
            self._solver.open(self._dataset, self._budget.elapsed, self._saved)
            if self._state == "starting":
                self._state = "running"
            self._look()
            while self._solver.step(self._dataset, self._budget.left):
                self._keep()
                self._look()
        except BaseException as error:  # handed to whoever waits
            self._error = error
        finally:
            self._ended_s = self._budget.elapsed
            self._found.put(None)

    def _look(self) -> None:
        """Announces the answer if it is another one than before."""
        predictor, before = self._solver.predictor(), self.latest
        if before is None or _members(before.predictor) != _members(predictor):
            records = self._solver.history.records
            stage = records[-1].stage.name if records else ""
            self.latest = Improvement(self._budget.elapsed, self._solver.history.answer_score, stage, predictor)
            if predictor.parts:
                self._found.put(self.latest)

    def _keep(self) -> None:
        if self._checkpoint is None:
            return
        try:
            self._checkpoint.write(self._solver.saved())
        except (OSError, ModelFileError) as error:
            logger.warning("The run cannot be kept on disk any more (%s); it goes on without.", error)
            self._checkpoint = None


def _curve(records: list[Record]) -> Iterator[tuple[float, float]]:
    """Time and score of each answer; a stage that left the answer as it was adds no point."""
    before = math.nan
    for record in records:
        if math.isfinite(record.answer_score) and record.answer_score != before:
            before = record.answer_score
            yield record.started_s + record.fit_s, before


def _lines(records: list[Record]) -> Iterator[StageLine]:
    """A stage that was repeated on all rows counts there, not twice."""
    repeated = {record.stage.refit_of for record in records if record.weight > 0}
    for record in records:
        weight = 0.0 if record.stage.name in repeated else record.weight
        yield StageLine(record.stage.name, record.started_s, record.fit_s, record.score, weight, record.failed)


def _members(predictor: Predictor) -> list[tuple[str, float]]:
    return [(part.name, part.weight) for part in predictor.parts]
