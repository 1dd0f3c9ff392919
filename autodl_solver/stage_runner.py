"""StageRunner: what a stage does to data and learners. The loop in solver.py decides which stage, and forgives."""

from __future__ import annotations

import copy
import logging
import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from autodl_solver.anytime.answer import Member
from autodl_solver.anytime.history import History, Record
from autodl_solver.anytime.look_ahead import RESERVE
from autodl_solver.anytime.plan import Plan
from autodl_solver.anytime.priors import NO_PRIORS, Priors, shipped_priors
from autodl_solver.anytime.saved_run import SavedRun
from autodl_solver.anytime.stage import Stage
from autodl_solver.anytime.stage_entries import RunFacts
from autodl_solver.anytime.thresholds import BalancedThresholds
from autodl_solver.anytime.worker import usable_s
from autodl_solver.budget import Budget
from autodl_solver.data.examples import Array, Examples, Rows, typical_length
from autodl_solver.data.info import DatasetInfo
from autodl_solver.data.source import ExampleSource, memory_share, open_reader
from autodl_solver.data.split import HoldOut
from autodl_solver.data.training_rows import Collected, TrainingRows
from autodl_solver.errors import DataError
from autodl_solver.learners.averaged import AveragedLearner
from autodl_solver.learners.base import Learner
from autodl_solver.learners.cross_fitted import CrossFittedLearner
from autodl_solver.learners.prior import PriorLearner
from autodl_solver.modalities import SPECS, Modality, Pipeline, infer_modality
from autodl_solver.predictor import Part, Predictor

logger = logging.getLogger(__name__)

SAMPLE_ROWS = 64  # first training rows, from which the pipeline learns what the metadata does not tell
LATE_WARM_UP_S = 0.05  # of fitting, where the budget runs already: imports and kernels are what counts
FEW_ROWS = 300  # up to so many training rows none is spared for the hold-out: estimates are cross-fitted


class StageRunner:
    """The splits of one dataset, their pipeline, and the learners that may still be needed.

    Args:
        info: facts of the training split.
        history: is told how many rows there are, and the labels of the hold-out.
        seed: of every learner.
        memory_bytes: bound on the transformed rows kept of each split; None for a share of what is free.
        modality: of the rows; None to infer it.
    """

    def __init__(
        self,
        info: DatasetInfo,
        history: History,
        seed: int,
        memory_bytes: float | None,
        modality: Modality | None = None,
    ) -> None:
        self._info = info
        self._history = history
        self._seed = seed
        self._memory_bytes = memory_share() if memory_bytes is None else memory_bytes
        self._sources: dict[str, ExampleSource] = {}
        self._learners: dict[str, Learner] = {}
        self._prior: PriorLearner | None = None
        self._warm: set[str] = set()  # families that have paid for imports and kernels
        self._hold_out = HoldOut(info.n_classes)
        self._known = modality or infer_modality(info)
        self._priors = NO_PRIORS

    def warm_ups(self) -> list[tuple[str, Callable[[], None]]]:
        """Steps, by name, that play each family on made-up rows; of speech and series if only lengths can tell them."""
        modalities = [self._known] if self._known else [Modality.SPEECH, Modality.SERIES]
        specs = [SPECS[modality] for modality in modalities]
        for spec in specs:
            if spec.prepare is not None:
                spec.prepare()
        plans = [(spec, spec.make_plan(self._info)) for spec in specs]
        self._warm = {family.name for _, plan in plans for family in plan}
        return [
            (f"warm-up of {family.name}", partial(spec.warm_up, self._info, family))
            for spec, plan in plans
            for family in plan
        ]

    def open_train(self, dataset: Any, saved: SavedRun | None = None) -> tuple[Plan, Priors]:
        """Looks at the first training rows; the plan and the priors of the modality that they are of.

        Args:
            dataset: the training split.
            saved: a run on the same rows, to go on with.
        Raises:
            DataError: the split holds no rows, or they cannot be read.
            ModelFileError: the saved run is of another version.
        """
        source = self._open("train", dataset)
        self._training = TrainingRows(source, self._hold_out, self._memory_bytes)
        sample = source.read(0, SAMPLE_ROWS)
        if len(sample) == 0:
            raise DataError(f"A training split must hold examples; however that of {self._info.name} holds none.")
        prior = PriorLearner(self._info.n_classes)
        prior.fit(Examples(np.zeros((len(sample), 1)), sample.y), Budget())
        self._prior = prior
        modality = self._known or infer_modality(self._info, typical_length(sample.x))
        assert modality is not None, "a length decides what the metadata leaves open"
        self._pipeline: Pipeline = SPECS[modality].make_pipeline(self._info)
        self._pipeline.fit(sample)
        self._modality = modality
        self._is_multi_label = None if sample.y is None else bool(((sample.y > 0.5).sum(axis=1) != 1).any())
        n_train, promised = source.n_rows, self._info.n_examples
        self._history.n_available = n_train
        if n_train is not None and promised not in (-1, n_train):
            logger.warning("The metadata promises %d rows, the records hold %d.", promised, n_train)
        logger.info("%s: %s, %s training rows", self._info.name, modality.value, n_train)
        self._priors = shipped_priors(modality.value)
        self._plan = [
            replace(family, fidelities=self._pipeline.worthwhile(family.fidelities))
            for family in SPECS[modality].make_plan(self._info)
        ]
        if saved is not None:
            self._resume(saved, self._plan)
        return self._plan, self._priors

    def facts(self) -> RunFacts:
        """What the log says of the dataset, once the training split is open."""
        return RunFacts.gather(self._info, self._modality.value, self._history.n_available, self._is_multi_label)

    def _resume(self, saved: SavedRun, plan: Plan) -> None:
        """The hold-out follows from the labels, so those that were seen before are looked at again."""
        self._history.records[:] = saved.records_of(plan)
        self._history.y_held_out = saved.y_held_out
        self._learners = dict(saved.learners)
        n_seen = max((record.n_examples for record in self._history.records), default=0)
        labels = self._sources["train"].labels(n_seen)
        mask = self._hold_out.among(labels)
        if any(record.out_of_fold is not None for record in self._history.records):
            self._history.y = np.concatenate([labels[~mask], labels[mask]])  # as they are collected

    def saved(self, elapsed_s: float) -> SavedRun:
        """What a later run needs to go on from here."""
        return SavedRun.of(self._history, elapsed_s, self._learners)

    def predictor(self, chosen: tuple[Member, ...], held_out: tuple[Array, Array] | None) -> Predictor:
        """The members as they are now: learners are copied before they go on, so a predictor keeps its own.

        Args:
            chosen: whose learners are still there.
            held_out: (labels, scores) of the answer; None without a hold-out.
        """
        parts = []
        for member in chosen:
            stage = member.record.stage
            learner = self._learners[stage.name]
            parts.append(Part(stage.name, learner, stage.view, stage.fidelity, member.weight, member.temperature))
        thresholds = None if held_out is None else BalancedThresholds.fitted(*held_out)
        return Predictor(self._pipeline, parts, self.prior_scores(1)[0], thresholds)

    def open_test(self, dataset: Any) -> None:
        """Remembers where the test rows are."""
        self._open("test", dataset)

    def fit(self, record: Record, budget: Budget) -> None:
        """Fits the stage's learner and scores it on the hold-out; fills in the record.

        The hold-out is all of it that any stage has come to see, so that stages on few and on many rows are compared on
        the same rows; where this stage makes it grow, the learners in use predict the new rows too.
        """
        stage, source = record.stage, self._sources["train"]
        cross_fits = source.n_rows is not None and source.n_rows <= FEW_ROWS
        n_rows = FEW_ROWS if cross_fits else stage.n_examples
        collected = self._training.collect(_key(stage), self._transform(stage), n_rows)
        record.n_examples = len(collected.rows)
        self._history.n_available = source.n_rows
        if math.isfinite(stage.seconds):
            self._warm_late(stage)
        if stage.cross_fits:
            learner: Learner = self._beside_member(stage, collected)
        else:
            learner = self._learner_of(stage, cross_fits=cross_fits)
        reserve_s = RESERVE * self._history.last_predict_s
        in_time_s = usable_s(usable_s(budget.left))  # a learner that takes all its time must not be abandoned
        contract = budget.slice(min(stage.seconds, budget.left - reserve_s, in_time_s))
        if isinstance(learner, CrossFittedLearner):
            self._cross_fit(record, learner, collected.rows, contract)
        else:
            self._fit_some(record, learner, collected, contract)
        budget.spend(self._priors.of(stage.family).fit_seconds(record.n_examples, stage.fidelity))

    def _warm_late(self, stage: Stage) -> None:
        """Keeps imports out of a contract, which counts seconds, where nobody called for a warm-up."""
        if stage.family not in self._warm:
            self._warm.add(stage.family)
            family = next(one for one in self._plan if one.name == stage.family)
            SPECS[self._modality].warm_up(self._info, family, LATE_WARM_UP_S)

    def _learner_of(self, stage: Stage, *, cross_fits: bool) -> Learner:
        """One to be fitted: a copy of that which the stage goes on with, since that may have to answer once more."""
        earlier = None if stage.continues is None else copy.deepcopy(self._learners.get(stage.continues))
        if earlier is not None and not stage.restart:
            earlier.looks = stage.looks
            return earlier
        n_classes, seed = self._info.n_classes, self._seed + stage.restart
        if cross_fits:
            return CrossFittedLearner(n_classes, seed, stage.make_learner)
        fresh = stage.make_learner(n_classes, seed)
        fresh.looks = stage.looks
        return fresh if earlier is None else AveragedLearner(earlier, fresh)

    def _beside_member(self, stage: Stage, collected: Collected) -> CrossFittedLearner:
        """One whose first part is what the member spared: its learner knows the others already."""
        member = self._learners[str(stage.refit_of)]
        return CrossFittedLearner(self._info.n_classes, self._seed, stage.make_learner, member, collected.mask)

    def _fit_some(self, record: Record, learner: Learner, collected: Collected, contract: Budget) -> None:
        """Learns the rows that are not held out (all of them in a refit), and predicts those that are."""
        stage = record.stage
        fitted = collected.rows if stage.refit or collected.n_learned == 0 else collected.learned
        learner.fit(fitted, contract)
        self._learners[stage.name], record.n_fitted = learner, len(fitted)
        if not stage.refit and self._hold_out.mask.any():
            self._history.y_held_out = self._hold_out.y
            for one in self._history.records:
                self._predict_held_out(one)

    def _cross_fit(self, record: Record, learner: CrossFittedLearner, rows: Examples, contract: Budget) -> None:
        """Every row is held out once: there are too few to spare some, or to weigh the members by."""
        learner.fit(rows, contract)
        assert rows.y is not None, "training rows carry labels"
        self._learners[record.stage.name], record.n_fitted = learner, len(rows)
        if record.stage.refit:  # what was held out so far still compares it with the others
            self._history.y, record.out_of_fold = rows.y, learner.out_of_fold
        else:
            self._history.y_held_out = rows.y
            record.scored(rows.y, learner.out_of_fold)

    def _predict_held_out(self, record: Record) -> None:
        """Scores of the hold-out rows that the record has none for yet, if its learner is still there."""
        learner = self._learners.get(record.stage.name)
        n_known = record.n_held_out
        if learner is None or record.stage.refit or record.failed or n_known == len(self._hold_out.y):
            return
        rows = self._training.held_out(_key(record.stage), self._transform(record.stage), n_known)
        scores = learner.predict_proba(rows.x)
        known = [scores] if record.held_out is None else [record.held_out, scores]
        record.scored(self._hold_out.y, np.concatenate(known))

    def predict(self, record: Record, budget: Budget, *, is_first: bool) -> Array:
        """[n_test, n_classes] scores of a stage; notes in the record how long that took.

        Args:
            record: of a stage that was fitted.
            budget: seconds for all rows.
            is_first: whether there is no answer yet: then class frequencies stand in for rows that were not reached.
        Raises:
            TimeoutError: the budget ended before the last row.
        """
        stage, source, started = record.stage, self._sources["test"], budget.elapsed
        scores = [np.zeros((0, self._info.n_classes), np.float32)]
        for part in source.transformed(_key(stage), self._transform(stage)):
            scores.append(self._learners[stage.name].predict_proba(part.x))
            if budget.expired and source.n_rows is not None:
                break
        n_done = sum(map(len, scores))
        budget.spend(self._priors.of(stage.family).predict_seconds(n_done, stage.fidelity))
        missing = self.n_test() - n_done
        if missing and not is_first:
            raise TimeoutError(f"A test pass must fit into the budget; however {missing} rows are left.")
        record.predict_s = budget.elapsed - started
        return np.concatenate([*scores, self.prior_scores(missing)])

    def n_test(self) -> int:
        """Rows of the test split; a dataset that does not tell is gone through once."""
        self._history.n_test = self._sources["test"].count()
        return self._history.n_test

    def prior_scores(self, n_rows: int) -> Array:
        """[n_rows, n_classes]: class frequencies, or even odds while no training row was seen."""
        if self._prior is not None:
            return self._prior.predict_proba(np.zeros((n_rows, 1)))
        return np.full((n_rows, self._info.n_classes), 0.5, np.float32)

    def retire(self, record: Record) -> None:
        """Forgets the learner of a stage, which cannot be a member of the answer any more."""
        self._learners.pop(record.stage.name, None)
        record.retired = True

    def _transform(self, stage: Stage) -> Callable[[Rows], Rows]:
        return partial(self._pipeline.transform, view=stage.view, fidelity=stage.fidelity)

    def _open(self, split: str, dataset: Any) -> ExampleSource:
        reader = open_reader(dataset, self._info, split)
        self._sources[split] = ExampleSource(reader, self._memory_bytes)
        return self._sources[split]


def _key(stage: Stage) -> tuple[str, int]:
    """Names what a stage's rows went through."""
    return stage.view, stage.fidelity
