"""ModalitySpec: what a modality must offer the solver."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from autodl_solver.anytime.history import History
from autodl_solver.anytime.schedule import Schedule
from autodl_solver.budget import Budget
from autodl_solver.data.examples import Examples, Rows, n_rows
from autodl_solver.data.info import DatasetInfo
from autodl_solver.metrics import nauc


class Pipeline(ABC):
    """Raw rows -> what a learner takes, at a fidelity.

    Args:
        info: facts of the dataset.
    """

    def __init__(self, info: DatasetInfo) -> None:
        self.info = info

    def fit(self, sample: Examples) -> None:  # noqa: B027 (most pipelines have nothing to look at)
        """Looks at the first training rows, for what the metadata does not tell (lengths, say)."""

    @abstractmethod
    def transform(self, x: Rows, fidelity: int) -> Rows:
        """An array [n_rows, ...] or a csr_array [n_rows, n_features]; each row depends on itself only."""


@dataclass(frozen=True)
class ModalitySpec:
    """One modality.

    Attributes:
        make_pipeline: for a dataset.
        make_schedule: for a dataset.
        example: a made-up raw batch of the kind that the dataset holds: what warm-up runs through pipeline and learner,
            since no real example may be opened before the budget runs.
    """

    make_pipeline: Callable[[DatasetInfo], Pipeline]
    make_schedule: Callable[[DatasetInfo], Schedule]
    example: Callable[[DatasetInfo], Rows]

    def warm_up(self, info: DatasetInfo) -> None:
        """Pays for imports, threads and kernels: the first stage, played on the made-up rows."""
        rows = self.example(info)
        pipeline = self.make_pipeline(info)
        pipeline.fit(Examples(rows))
        stage = self.make_schedule(info)(History(), math.inf)
        assert stage is not None, "a schedule begins with a stage"
        x = pipeline.transform(rows, stage.fidelity)
        y = np.eye(info.n_classes, dtype=np.float32)[np.arange(n_rows(x)) % info.n_classes]
        learner = stage.make_learner(info.n_classes, 0)
        learner.fit(Examples(x, y), Budget())
        nauc(y, learner.predict_proba(x))
