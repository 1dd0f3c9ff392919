"""World: what stage logs recorded of a dataset, so that runs on it can be simulated (simulate.py).

For each family and fidelity a world holds scores and costs at the rows, or at the seconds of contract, that were
recorded; between them the log error and the log cost are interpolated over the log of the size. Below the smallest size
the error goes on as it does on average in that family; beyond the largest it improves no more. What was not recorded is
not offered: families and fidelities without a scored stage are no part of the world's plan, nor are more rows than were
ever seen.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from autodl_solver.anytime.forecast import error_of
from autodl_solver.anytime.history import Record
from autodl_solver.anytime.plan import Family
from autodl_solver.anytime.priors import GENERAL
from autodl_solver.anytime.stage import Stage
from autodl_solver.anytime.stage_entries import Entry, PredictionEntry, RunFacts, StageEntry
from autodl_solver.errors import DataError
from autodl_solver.learners.prior import PriorLearner

LEAST_S = 1e-4
"""Costs below are taken for so much."""


@dataclass(frozen=True)
class Observed:
    """A stage as it was recorded.

    Attributes:
        family: of the stage.
        fidelity: of its view.
        n_rows: rows that it got, hold-out rows among them.
        contract_s: seconds of it and of those that it went on with; None for a learner that ends by itself.
        score: hold-out NAUC.
        n_held_out: rows of that hold-out.
        fit_s: seconds of reading, fitting and scoring, without its own contract.
        predict_s: seconds of its test pass; nan if it had none.
        share: of its own contract that it used.
        kind: of the family; empty if the log does not say.
    """

    family: str
    fidelity: int
    n_rows: int
    contract_s: float | None
    score: float
    n_held_out: int
    fit_s: float
    predict_s: float = math.nan
    share: float = 1.0
    kind: str = ""

    @property
    def size(self) -> float:
        """Rows, or seconds of contract."""
        return float(self.n_rows) if self.contract_s is None else self.contract_s


def observed(run: Sequence[Entry]) -> list[Observed]:
    """The scored stages of one run.

    Args:
        run: entries of a stage log, beginning with its RunFacts (stage_log.split_runs).
    """
    passes = {name: s for entry in run if isinstance(entry, PredictionEntry) for name, s in entry.passes.items()}
    contracts_s: defaultdict[str, float] = defaultdict(float)
    stages = []
    for entry in run:
        if not isinstance(entry, StageEntry) or entry.failed or entry.refit or entry.score is None:
            continue
        own_s = entry.contract_s
        if own_s is not None:
            contracts_s[entry.family] += own_s
        used_s = 0.0 if own_s is None else min(own_s, entry.fit_s)
        stages.append(
            Observed(
                entry.family,
                entry.fidelity,
                entry.n_examples,
                None if own_s is None else contracts_s[entry.family],
                entry.score,
                entry.n_held_out,
                max(entry.fit_s - used_s, LEAST_S),
                passes.get(entry.name, math.nan),
                used_s / own_s if own_s else 1.0,
                entry.family_kind,
            )
        )
    return stages


@dataclass(frozen=True)
class _Course:
    """A quantity over the log2 of sizes: straight lines, `slope` before the first point, the last value at the end.

    `size` grows strictly; neither array is empty.
    """

    size: tuple[float, ...]
    value: tuple[float, ...]
    slope: float
    slope_beyond: float = 0.0

    @classmethod
    def through(cls, points: Iterable[tuple[float, float]], slope: float, slope_beyond: float = 0.0) -> _Course:
        """Points of one size are averaged."""
        places: defaultdict[float, list[tuple[float, float]]] = defaultdict(list)
        for size, value in points:
            x = math.log2(max(size, 1e-3))
            places[round(x, 3)].append((x, value))
        means = [np.mean(places[place], axis=0) for place in sorted(places)]
        return cls(tuple(float(x) for x, _ in means), tuple(float(y) for _, y in means), slope, slope_beyond)

    def at(self, size: float) -> float:
        x = math.log2(max(size, 1e-3))
        before, beyond = min(x - self.size[0], 0.0), max(x - self.size[-1], 0.0)
        return float(np.interp(x, self.size, self.value)) + self.slope * before + self.slope_beyond * beyond


@dataclass(frozen=True)
class _Terrain:
    """One family at one fidelity: the logarithms of error and seconds over size, and the share of contracts used."""

    log_error: _Course
    log_fit_s: _Course
    log_predict_s: float
    share: float


@dataclass(frozen=True)
class World:
    """What is known of a dataset: how each stage would end.

    Attributes:
        name: of the dataset.
        modality: of the dataset.
        n_train: rows of the training split; None if the logs do not say.
        n_test: rows of the test split; 0 if the logs do not say.
        plan: families and fidelities that were recorded, in the order in which they first ran.
        held_out_share: of the rows of a stage; 1 where estimates are cross-fitted.
    """

    name: str
    modality: str
    n_train: int | None
    n_test: int
    plan: tuple[Family, ...]
    held_out_share: float
    _terrains: Mapping[tuple[str, int], _Terrain] = field(repr=False)
    _slopes: Mapping[str, float] = field(repr=False)  # of the log error over log2 of rows or seconds, by family

    @classmethod
    def of(cls, runs: Sequence[Sequence[Entry]]) -> World:
        """The world that the runs on one dataset recorded.

        Args:
            runs: entries of each run, beginning with its RunFacts.
        Raises:
            DataError: there is no run, no scored stage, or the runs are of several datasets.
        """
        facts = [entry for run in runs for entry in run if isinstance(entry, RunFacts)]
        stages = [stage for run in runs for stage in observed(run)]
        names = sorted({one.dataset for one in facts})
        if len(names) != 1 or not stages:
            raise DataError(
                f"A world is made of the runs on one dataset, with a scored stage; however {len(stages)} stages of "
                f"{', '.join(names) or 'no dataset'} were given; give the logs of one dataset."
            )
        by_family: defaultdict[str, list[Observed]] = defaultdict(list)
        for stage in stages:
            by_family[stage.family].append(stage)
        slopes = {name: _slope(own) for name, own in by_family.items()}
        n_test = [entry.n_test or 0 for run in runs for entry in run if isinstance(entry, PredictionEntry)]
        largest = max(stages, key=lambda stage: (stage.n_rows, stage.n_held_out))
        return cls(
            names[0],
            facts[-1].modality,
            facts[-1].n_train,
            max(n_test, default=0),
            tuple(_family(own) for own in by_family.values()),
            min(1.0, largest.n_held_out / largest.n_rows),
            _terrains(by_family, slopes),
            slopes,
        )

    def log_error(self, stage: Stage, contract_s: float) -> float:
        """Log of 1 - NAUC of a stage, after so many seconds of contract in all."""
        return self._terrains[stage.family, stage.fidelity].log_error.at(self._size(stage, contract_s))

    def fit_seconds(self, stage: Stage, contract_s: float) -> float:
        """Seconds of a stage without its contract, after so many seconds of contract in all."""
        return math.exp(self._terrains[stage.family, stage.fidelity].log_fit_s.at(self._size(stage, contract_s)))

    def contract_share(self, stage: Stage) -> float:
        """The share of a contract that its learner uses before it ends by itself."""
        return self._terrains[stage.family, stage.fidelity].share

    def predict_seconds(self, stage: Stage) -> float:
        """Seconds of the test pass of a stage."""
        return math.exp(self._terrains[stage.family, stage.fidelity].log_predict_s)

    def refit_gain(self, record: Record) -> float:
        """How far the log error of a record falls when all its rows are learned from, by its curve over rows."""
        is_over_rows = math.isinf(record.stage.seconds)  # what was recorded of contracts tells of their seconds
        slope = self._slopes[record.stage.family] if is_over_rows else GENERAL.error_rows
        return -slope * math.log2(record.n_examples / max(record.n_fitted, 1))

    def n_rows(self, stage: Stage) -> int:
        """Rows that a stage would get."""
        most = max(family.max_n for family in self.plan)
        return min(stage.n_examples, most if self.n_train is None else self.n_train)

    def _size(self, stage: Stage, contract_s: float) -> float:
        return contract_s if math.isfinite(stage.seconds) else float(self.n_rows(stage))


def _family(stages: Sequence[Observed]) -> Family:
    """A family that offers what was recorded; its learner is never made."""
    first = stages[0]
    fidelities = tuple(sorted({stage.fidelity for stage in stages}))
    rows = [stage.n_rows for stage in stages]
    first_s = math.inf if first.contract_s is None else min(stage.size for stage in stages)
    return Family(first.family, PriorLearner, fidelities, "", min(rows), max(rows), first_s, kind=first.kind)


def _terrains(
    by_family: Mapping[str, Sequence[Observed]], slopes: Mapping[str, float]
) -> dict[tuple[str, int], _Terrain]:
    passes = [math.log(max(one.predict_s, LEAST_S)) for own in by_family.values() for one in own if one.predict_s > 0]
    usual_pass = math.fsum(passes) / len(passes) if passes else math.log(LEAST_S)
    terrains = {}
    for name, own in by_family.items():
        cost_slope = (GENERAL.cost_rows if own[0].contract_s is None else 0.0) * math.log(2)
        known = [math.log(max(one.predict_s, LEAST_S)) for one in own if one.predict_s > 0]
        for fidelity in {stage.fidelity for stage in own}:
            here = [stage for stage in own if stage.fidelity == fidelity]
            mine = [math.log(max(one.predict_s, LEAST_S)) for one in here if one.predict_s > 0] or known
            terrains[name, fidelity] = _Terrain(
                _Course.through(
                    [(one.size, math.log(error_of(one.score, one.n_held_out))) for one in here], slopes[name]
                ),
                _Course.through([(one.size, math.log(one.fit_s)) for one in here], cost_slope, cost_slope),
                math.fsum(mine) / len(mine) if mine else usual_pass,
                math.fsum(one.share for one in here) / len(here),
            )
    return terrains


def _slope(stages: Sequence[Observed]) -> float:
    """Of the log error over log2 of the size: least squares within fidelities; the general one if nothing tells."""
    x, y = [], []
    for fidelity in {stage.fidelity for stage in stages}:
        here = [stage for stage in stages if stage.fidelity == fidelity]
        sizes = np.log2([stage.size for stage in here])
        errors = np.log([error_of(stage.score, stage.n_held_out) for stage in here])
        x.extend(sizes - sizes.mean())
        y.extend(errors - errors.mean())
    spread = float(np.dot(x, x))
    general = GENERAL.error_rows if stages[0].contract_s is None else GENERAL.error_seconds
    return general if spread < 0.5 else min(0.0, float(np.dot(x, y)) / spread)
