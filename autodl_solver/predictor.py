"""Predictor: the answer of a moment, without the solver that found it: the members of the blend, for any rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from autodl_solver.anytime.answer import blended
from autodl_solver.anytime.ensemble import Temperature
from autodl_solver.anytime.thresholds import BalancedThresholds
from autodl_solver.data.examples import Array, Examples, Rows, n_rows
from autodl_solver.data.source import ExampleSource, HeldReader
from autodl_solver.learners.base import Learner
from autodl_solver.modalities import Pipeline


@dataclass(frozen=True)
class Part:
    """One member of the blend.

    Attributes:
        name: of the stage that fitted it.
        learner: fitted.
        view, fidelity: what the pipeline makes of the rows for it.
        weight: share of the blend; the weights of all parts need not sum to one.
        temperature: makes its scores comparable to those of others.
    """

    name: str
    learner: Learner
    view: str
    fidelity: int
    weight: float
    temperature: Temperature


@dataclass(frozen=True)
class Predictor:
    """Scores rows of one dataset's kind.

    Attributes:
        pipeline: fitted; makes the views of the parts.
        parts: may be empty: then class frequencies answer.
        frequencies: [n_classes] in [0, 1].
        thresholds: the map that puts the best threshold of each class at .5; None where no hold-out tells it.
    """

    pipeline: Pipeline
    parts: Sequence[Part]
    frequencies: Array
    thresholds: BalancedThresholds | None = None

    def predict_proba(self, rows: Rows) -> Array:
        """Scores of each row.

        Args:
            rows: raw, as the dataset that was learned holds them.
        Returns:
            [n_rows, n_classes] float32, finite, in [0, 1]; the rows of exclusive classes sum to about one.
        """
        if not self.parts or n_rows(rows) == 0:
            return np.tile(self.frequencies.astype(np.float32), (n_rows(rows), 1))
        source = ExampleSource(HeldReader(Examples(rows)), memory_bytes=0)
        scored = [(part.weight, part.temperature, self._scores(part, source)) for part in self.parts]
        return blended(scored)

    def _scores(self, part: Part, source: ExampleSource) -> Array:
        """A chunk at a time, so that memory is bounded whatever the number of rows."""
        transform: Callable[[Rows], Rows] = partial(self.pipeline.transform, view=part.view, fidelity=part.fidelity)
        chunks = source.transformed((part.view, part.fidelity), transform)
        return np.concatenate([part.learner.predict_proba(chunk.x) for chunk in chunks])
