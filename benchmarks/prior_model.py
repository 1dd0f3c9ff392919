"""The model behind fit_priors.py: sums of effects with Gaussian priors, by least squares.

A quantity of each stage (log error, log2 cost) is a sum of known features times unknown effects, plus noise; each
effect has a prior mean and standard deviation. The most probable effects solve one least-squares problem, in which each
prior is a row of its own. Source: Gelman et al., Bayesian Data Analysis, chapter 15.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autodl_solver.anytime.forecast import DATASET_SD, FAMILY_SD, KIND_SD, SLOPE_SD, STAGE_SD, error_of
from autodl_solver.anytime.priors import GENERAL, NO_PRIORS, FamilyPrior, Priors
from autodl_solver.anytime.stage_entries import Entry, PredictionEntry, StageEntry
from autodl_solver.anytime.world import Observed, observed

LEVEL_SD = 1.5  # of a family's log error at its typical size, and of a family's log2 cost, between families
ERROR_SLOPE_SD = 0.3  # of a family's slopes of the log error per doubling, between families
ERROR_BEND_SD = 0.05  # of what a doubling of the seconds changes in their slope, between families
COST_SLOPE_SD = 0.3  # of a family's slopes of the log2 cost
COST_DATASET_SD = 2.0  # of the log2 cost, between datasets and machines
COST_NOISE_SD = 0.5
STEEPEST_COST = 1.2  # doublings of a cost per doubling of the rows: what is left beside a contract is mostly noise
BLEND_SD = 0.05  # of the log blend factor, between modalities
BLEND_NOISE_SD = 0.1
COMPARABLE = 1.5  # a newcomer with more than so many times the best error tells nothing about blending
BLEND_BOUNDS = (0.7, 1.0)


@dataclass(frozen=True)
class Effect:
    """What an effect was before any log was read."""

    mean: float
    sd: float


class Sums:
    """Observed sums of effects; `effects` gives the most probable ones."""

    def __init__(self) -> None:
        self._priors: dict[Hashable, Effect] = {}
        self._rows: list[tuple[dict[Hashable, float], float, float]] = []

    def prior(self, name: Hashable, mean: float, sd: float) -> None:
        """Says what is known of an effect before; each one that is observed needs it."""
        self._priors.setdefault(name, Effect(mean, sd))

    def observe(self, features: Mapping[Hashable, float], total: float, noise_sd: float) -> None:
        """Adds an observation: the sum of features times effects, with noise."""
        self._rows.append((dict(features), total, noise_sd))

    def effects(self) -> dict[Hashable, float]:
        """The most probable effects, by name."""
        column = {name: index for index, name in enumerate(self._priors)}
        n_rows, n_effects = len(self._rows), len(column)
        matrix = np.zeros((n_rows + n_effects, n_effects))
        target = np.zeros(n_rows + n_effects)
        for i, (features, total, noise_sd) in enumerate(self._rows):
            for name, value in features.items():
                matrix[i, column[name]] = value / noise_sd
            target[i] = total / noise_sd
        for name, effect in self._priors.items():
            matrix[n_rows + column[name], column[name]] = 1 / effect.sd
            target[n_rows + column[name]] = effect.mean / effect.sd
        solution = np.linalg.lstsq(matrix, target, rcond=None)[0] if n_effects else np.zeros(0)
        return {name: float(solution[index]) for name, index in column.items()}


def fit_modality(runs: Mapping[str, Sequence[Sequence[Entry]]]) -> Priors:
    """The priors that the runs of some datasets of one modality give; none where nothing was scored.

    Args:
        runs: by dataset, entries of each run.
    """
    stages = [(dataset, stage) for dataset, each in runs.items() for run in each for stage in observed(run)]
    if not stages:
        return NO_PRIORS
    errors, costs = _fit_errors(stages), _fit_costs(stages)
    passes = _fit_passes(runs, {name: of_detail for name, (_, _, of_detail) in costs.items()})
    families = {}
    for name in sorted({stage.family for _, stage in stages}):
        course, cost = errors[name], costs[name]
        families[name] = FamilyPrior(*course, *cost, predict=passes.get(name, GENERAL.predict))
    return Priors(families, _fit_blend([run for each in runs.values() for run in each]))


def _fit_errors(stages: Sequence[tuple[str, Observed]]) -> dict[str, tuple[float, float, float, float, float]]:
    """By family: error, error_rows, error_fidelity, error_seconds, error_seconds_bend."""
    sums, centres = Sums(), _centres(stages)
    for dataset, stage in stages:
        name, (rows, detail, seconds) = stage.family, _doublings(stage)
        _, detail_0, seconds_0 = centres[name]
        sums.prior((name, "level"), _general_level(centres[name]), LEVEL_SD)
        sums.prior((name, "rows"), GENERAL.error_rows, ERROR_SLOPE_SD)
        sums.prior((name, "fidelity"), GENERAL.error_fidelity, ERROR_SLOPE_SD)
        sums.prior((name, "seconds"), GENERAL.error_seconds, ERROR_SLOPE_SD)
        sums.prior((name, "bend"), GENERAL.error_seconds_bend, ERROR_BEND_SD)
        sums.prior(dataset, 0.0, DATASET_SD)
        sums.prior((dataset, "kind", stage.kind or name), 0.0, KIND_SD)
        sums.prior((dataset, name), 0.0, FAMILY_SD)
        sums.prior((dataset, name, "rows"), 0.0, SLOPE_SD)
        error = error_of(stage.score, stage.n_held_out)
        variance = STAGE_SD**2 + min(1.0, 0.5 / (max(stage.n_held_out, 1) * error))
        features: dict[Hashable, float] = {
            (name, "level"): 1.0,
            (name, "rows"): rows,
            (name, "fidelity"): detail - detail_0,
            (name, "seconds"): seconds - seconds_0,
            (name, "bend"): (seconds - seconds_0) ** 2 / 2,
            dataset: 1.0,
            (dataset, "kind", stage.kind or name): 1.0,
            (dataset, name): 1.0,
            (dataset, name, "rows"): rows,
        }
        sums.observe(features, math.log(error), math.sqrt(variance))
    effects = sums.effects()
    families = {}
    for name, (_, detail_0, seconds_0) in centres.items():
        of_rows, of_detail, of_seconds = (effects[name, kind] for kind in ("rows", "fidelity", "seconds"))
        bend = max(0.0, effects[name, "bend"])  # both are those at the centre
        level = effects[name, "level"] - of_detail * detail_0 - (of_seconds - bend * seconds_0 / 2) * seconds_0
        at_1_s = min(0.0, of_seconds - bend * seconds_0)
        families[name] = (level, min(0.0, of_rows), min(0.0, of_detail), at_1_s, bend if at_1_s < 0 else 0.0)
    return families


def _fit_costs(stages: Sequence[tuple[str, Observed]]) -> dict[str, tuple[float, float, float]]:
    """By family: cost, cost_rows, cost_fidelity."""
    sums, centres = Sums(), _centres(stages)
    for dataset, stage in stages:
        name, (rows, detail, _) = stage.family, _doublings(stage)
        detail_0 = centres[name][1]
        sums.prior((name, "level"), GENERAL.cost + GENERAL.cost_fidelity * detail_0, 2 * LEVEL_SD)
        sums.prior((name, "rows"), GENERAL.cost_rows, COST_SLOPE_SD)
        sums.prior((name, "fidelity"), GENERAL.cost_fidelity, COST_SLOPE_SD)
        sums.prior(dataset, 0.0, COST_DATASET_SD)
        features: dict[Hashable, float] = {
            (name, "level"): 1.0,
            (name, "rows"): rows,
            (name, "fidelity"): detail - detail_0,
            dataset: 1.0,
        }
        sums.observe(features, math.log2(stage.fit_s), COST_NOISE_SD)
    effects = sums.effects()
    return {
        name: (
            effects[name, "level"] - effects[name, "fidelity"] * centre[1],
            min(STEEPEST_COST, max(0.0, effects[name, "rows"])),
            max(0.0, effects[name, "fidelity"]),
        )
        for name, centre in centres.items()
    }


def _fit_passes(runs: Mapping[str, Sequence[Sequence[Entry]]], cost_fidelity: Mapping[str, float]) -> dict[str, float]:
    """By family: log2 of the seconds of a pass over 1,000 test rows at fidelity 1, given the cost of detail."""
    sums = Sums()
    families = set()
    for dataset, each in runs.items():
        for run in each:
            stages = {entry.name: entry for entry in run if isinstance(entry, StageEntry)}
            for entry in run:
                if not isinstance(entry, PredictionEntry) or not entry.n_test:
                    continue
                for name in entry.passes.keys() & stages.keys():
                    stage = stages[name]
                    if stage.family not in cost_fidelity:
                        continue
                    families.add(stage.family)
                    sums.prior(stage.family, GENERAL.predict, 2 * LEVEL_SD)
                    sums.prior((dataset, ""), 0.0, COST_DATASET_SD)
                    cost = math.log2(max(entry.passes[name], 1e-4) * 1000 / entry.n_test)
                    detail = cost_fidelity[stage.family] * math.log2(max(stage.fidelity, 1))
                    sums.observe({stage.family: 1.0, (dataset, ""): 1.0}, cost - detail, COST_NOISE_SD)
    effects = sums.effects()
    return {family: effects[family] for family in families}


def _fit_blend(runs: Sequence[Sequence[Entry]]) -> float:
    """The factor by which the answer beat the better of a newcomer and what was there, on average."""
    sums = Sums()
    sums.prior("blend", math.log(NO_PRIORS.blend), BLEND_SD)
    for run in runs:
        for gain in _blend_gains(run):
            sums.observe({"blend": 1.0}, gain, BLEND_NOISE_SD)
    low, high = BLEND_BOUNDS
    return min(high, max(low, math.exp(sums.effects()["blend"])))


def _blend_gains(run: Sequence[Entry]) -> list[float]:
    """Logs of the factor for the first stage of each family that came second or later and was comparable."""
    gains: list[float] = []
    seen: set[str] = set()
    best, answer = math.inf, math.inf  # errors
    for entry in run:
        if not isinstance(entry, StageEntry) or entry.failed or entry.score is None or entry.answer_score is None:
            continue
        own, after = error_of(entry.score, entry.n_held_out), error_of(entry.answer_score, entry.n_held_out)
        if seen and entry.family not in seen and max(own, best) < COMPARABLE * min(own, best):
            blended_so_far = min(1.0, answer / best)
            gains.append(math.log(min(1.0, after / (min(own, best) * blended_so_far))))
        seen.add(entry.family)
        best, answer = min(best, own), after
    return gains


def _centres(stages: Sequence[tuple[str, Observed]]) -> dict[str, tuple[float, float, float]]:
    """By family, the mean doublings of rows, fidelity and seconds: levels are far better known there than at 1."""
    doublings: defaultdict[str, list[tuple[float, float, float]]] = defaultdict(list)
    for _, stage in stages:
        doublings[stage.family].append(_doublings(stage))
    means = {name: np.mean(own, axis=0) for name, own in doublings.items()}
    return {name: (float(mean[0]), float(mean[1]), float(mean[2])) for name, mean in means.items()}


def _doublings(stage: Observed) -> tuple[float, float, float]:
    """Of rows beyond 1,000, of fidelity and of seconds beyond 1."""
    seconds = 0.0 if stage.contract_s is None else math.log2(max(stage.contract_s, 1e-3))
    return math.log2(max(stage.n_rows, 1) / 1000), math.log2(max(stage.fidelity, 1)), seconds


def _general_level(centre: tuple[float, float, float]) -> float:
    return GENERAL.error + GENERAL.error_fidelity * centre[1] + GENERAL.error_seconds * centre[2]
