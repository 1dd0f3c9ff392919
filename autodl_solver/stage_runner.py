"""StageRunner: what a stage does to data and learners. The loop in solver.py decides which stage, and forgives."""

from __future__ import annotations

import copy
import logging
from functools import partial
from typing import Any

import numpy as np

from autodl_solver.anytime.history import History, Record
from autodl_solver.anytime.schedule import RESERVE, Schedule
from autodl_solver.anytime.stage_entries import RunFacts
from autodl_solver.budget import Budget
from autodl_solver.data.examples import Array, Examples, typical_length
from autodl_solver.data.info import DatasetInfo
from autodl_solver.data.source import ExampleSource, memory_share, open_reader
from autodl_solver.data.split import HoldOut
from autodl_solver.errors import DataError
from autodl_solver.learners.base import Learner
from autodl_solver.learners.prior import PriorLearner
from autodl_solver.metrics import nauc
from autodl_solver.modalities import SPECS, Modality, Pipeline, infer_modality

logger = logging.getLogger(__name__)

SAMPLE_ROWS = 64  # first training rows, from which the pipeline learns what the metadata does not tell


class StageRunner:
    """The splits of one dataset, their pipeline, and the learners that may still be needed.

    Args:
        info: facts of the training split.
        history: is told how many rows there are, and the labels of the hold-out.
        seed: of every learner.
        memory_bytes: bound on the transformed rows kept of each split; None for a share of what is free.
    """

    def __init__(self, info: DatasetInfo, history: History, seed: int, memory_bytes: float | None) -> None:
        self._info = info
        self._history = history
        self._seed = seed
        self._memory_bytes = memory_share() if memory_bytes is None else memory_bytes
        self._sources: dict[str, ExampleSource] = {}
        self._learners: dict[str, Learner] = {}
        self._prior: PriorLearner | None = None
        self._hold_out = HoldOut(info.n_classes)

    def warm_up(self) -> None:
        """Plays the first stage on made-up rows; both of speech and series while only lengths can tell them apart."""
        known = infer_modality(self._info)
        for modality in [known] if known else [Modality.SPEECH, Modality.SERIES]:
            SPECS[modality].warm_up(self._info)

    def open_train(self, dataset: Any) -> Schedule:
        """Looks at the first training rows; the schedule of the modality that they are of.

        Raises:
            DataError: the split holds no rows, or they cannot be read.
        """
        source = self._open("train", dataset)
        sample = source.read(0, SAMPLE_ROWS)
        if len(sample) == 0:
            raise DataError(f"A training split must hold examples; however that of {self._info.name} holds none.")
        prior = PriorLearner(self._info.n_classes)
        prior.fit(Examples(np.zeros((len(sample), 1)), sample.y), Budget())
        self._prior = prior
        modality = infer_modality(self._info, typical_length(sample.x))
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
        return SPECS[modality].make_schedule(self._info)

    def facts(self) -> RunFacts:
        """What the log says of the dataset, once the training split is open."""
        return RunFacts.gather(self._info, self._modality.value, self._history.n_available, self._is_multi_label)

    def open_test(self, dataset: Any) -> None:
        """Remembers where the test rows are."""
        self._open("test", dataset)

    def fit(self, record: Record, budget: Budget) -> None:
        """Fits the stage's learner and scores it on the hold-out; fills in the record."""
        stage, source = record.stage, self._sources["train"]
        transform = partial(self._pipeline.transform, fidelity=stage.fidelity)
        rows = source.collect(stage.fidelity, transform, stage.n_examples)
        record.n_examples = len(rows)
        self._history.n_available = source.n_rows
        assert rows.y is not None, "training rows carry labels"
        held_out = self._hold_out.among(rows.y)
        fitted = np.arange(len(rows)) if stage.refit or held_out.all() else np.flatnonzero(~held_out)
        earlier = self._learners.get(stage.continues or "")  # copied: it may have to answer once more
        learner = copy.deepcopy(earlier) or stage.make_learner(self._info.n_classes, self._seed)
        reserve_s = RESERVE * self._history.last_predict_s
        learner.fit(rows.take(fitted), budget.slice(min(stage.seconds, budget.left - reserve_s)))
        self._learners[stage.name] = learner
        if not stage.refit and held_out.any():
            scored = rows.take(np.flatnonzero(held_out))
            record.held_out = learner.predict_proba(scored.x)
            record.score = nauc(self._hold_out.y[: len(scored)], record.held_out)
            self._history.y_held_out = self._hold_out.y

    def predict(self, record: Record, budget: Budget) -> Array:
        """[n_test or fewer, n_classes]: scores of the first test rows, all of them unless the budget ends before."""
        stage, source = record.stage, self._sources["test"]
        transform = partial(self._pipeline.transform, fidelity=stage.fidelity)
        scores = [np.zeros((0, self._info.n_classes), np.float32)]
        for part in source.transformed(stage.fidelity, transform, None):
            scores.append(self._learners[stage.name].predict_proba(part.x))
            if budget.expired and source.n_rows is not None:
                break
        return np.concatenate(scores)

    def n_test(self) -> int:
        """Rows of the test split; a dataset that does not tell is gone through once."""
        return self._sources["test"].count()

    def prior_scores(self, n_rows: int) -> Array:
        """[n_rows, n_classes]: class frequencies, or even odds while no training row was seen."""
        if self._prior is not None:
            return self._prior.predict_proba(np.zeros((n_rows, 1)))
        return np.full((n_rows, self._info.n_classes), 0.5, np.float32)

    def keep_learners(self, names: set[str]) -> None:
        """Forgets the learners of other stages."""
        self._learners = {name: learner for name, learner in self._learners.items() if name in names}

    def _open(self, split: str, dataset: Any) -> ExampleSource:
        reader = open_reader(dataset, self._info, split)
        self._sources[split] = ExampleSource(reader, self._memory_bytes)
        return self._sources[split]
