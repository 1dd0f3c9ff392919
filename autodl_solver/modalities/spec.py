"""ModalitySpec: what a modality must offer the solver."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from autodl_solver.anytime.plan import Family, Plan
from autodl_solver.budget import Budget
from autodl_solver.data.examples import Examples, Rows, n_rows
from autodl_solver.data.info import DatasetInfo
from autodl_solver.metrics import nauc

WARM_UP_S = 1.0
"""Seconds that a learner may fit in warm-up, before the budget runs."""


class Pipeline(ABC):
    """Raw rows -> what a learner takes: a view of them, at a fidelity.

    Args:
        info: facts of the dataset.
    """

    def __init__(self, info: DatasetInfo) -> None:
        self.info = info

    def fit(self, sample: Examples) -> None:  # noqa: B027 (most pipelines have nothing to look at)
        """Looks at the first training rows, for what the metadata does not tell (lengths, say)."""

    def worthwhile(self, fidelities: tuple[int, ...]) -> tuple[int, ...]:
        """Those of a family's fidelities, in growing order, that tell rows like the sample apart; called after fit."""
        return fidelities

    @abstractmethod
    def transform(self, x: Rows, view: str, fidelity: int) -> Rows:
        """An array [n_rows, ...] or a csr_array [n_rows, n_features]; each row depends on itself only."""


@dataclass(frozen=True)
class ModalitySpec:
    """One modality.

    Attributes:
        make_pipeline: for a dataset.
        make_plan: the families of learners for a dataset; the first one gives the first answer.
        example: a made-up raw batch of the kind that the dataset holds: what warm-up runs through pipeline and learner,
            since no real example may be opened before the budget runs.
        prepare: what may be fetched before the budget runs; called ahead of make_plan, by warm-up only.
    """

    make_pipeline: Callable[[DatasetInfo], Pipeline]
    make_plan: Callable[[DatasetInfo], Plan]
    example: Callable[[DatasetInfo], Rows]
    prepare: Callable[[], None] | None = None

    def warm_up(self, info: DatasetInfo, family: Family, seconds: float = WARM_UP_S) -> None:
        """Pays for imports, threads and kernels: the family's first stage, played on the made-up rows.

        Args:
            info: of the dataset.
            family: of its plan.
            seconds: that the learner may fit.
        """
        rows = self.example(info)
        pipeline = self.make_pipeline(info)
        pipeline.fit(Examples(rows))
        x = pipeline.transform(rows, family.view, family.fidelities[0])
        y = np.eye(info.n_classes, dtype=np.float32)[np.arange(n_rows(x)) % info.n_classes]
        learner = family.make_learner(info.n_classes, 0)
        learner.fit(Examples(x, y), Budget(seconds))
        nauc(y, learner.predict_proba(x))
