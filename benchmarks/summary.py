"""From results to figures: means with bootstrap intervals, ranks, critical differences, times to a share of the best.

Every figure of a system on a dataset is the mean over its seeds. Intervals resample datasets (percentile bootstrap,
95 %), because datasets, not seeds, are what a claim generalises over. Ranks compare systems on the datasets that all
of a group were run on. Sources: Demsar, Statistical Comparisons of Classifiers over Multiple Data Sets, JMLR 2006
(Friedman and Nemenyi tests); Efron and Tibshirani, An Introduction to the Bootstrap, 1993.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import friedmanchisquare, rankdata, studentized_range

from benchmarks.jobs import FINISHED, Protocol, Result
from benchmarks.systems import MODALITIES

Array = NDArray[Any]
N_RESAMPLES = 2000
LEVEL = 0.95
SHARES = (0.9, 0.99)
ALL = "all"


@dataclass(frozen=True)
class Cell:
    """A system on a dataset: means over its seeds; a run without a prediction counts as NAUC 0 at an infinite time."""

    dataset: str
    system: str
    modality: str
    alc: float
    final_nauc: float
    first_s: float
    n_seeds: int
    n_failed: int
    runs: tuple[Result, ...]


@dataclass(frozen=True)
class Interval:
    """A mean and its bootstrap interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Row:
    """A system over a group of datasets.

    Attributes:
        n_datasets: of the group that it was run on.
        alc: mean.
        final_nauc: mean.
        rank: mean rank among the systems of the group's ranking; None if it is not part of it.
        first_s: median seconds to the first prediction.
        ahead: ALC of the first system less its own, over the datasets that both were run on; None for the first itself.
        n_failed: runs that did not finish.
        reached: for each of SHARES, on how many datasets that share of the best final score was reached, and the
            median seconds there.
    """

    system: str
    n_datasets: int
    alc: Interval
    final_nauc: float
    rank: float | None
    first_s: float
    ahead: Interval | None
    n_failed: int
    reached: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Ranking:
    """Systems that were all run on the same datasets.

    Attributes:
        systems: by mean rank.
        ranks: mean rank by ALC, 1 is best.
        n_datasets: how many.
        critical_difference: of mean ranks, 5 % (Nemenyi); nan below two systems or datasets.
        p_value: of the Friedman test; nan below three systems or two datasets.
        cliques: runs of systems (first, last index) that differ by less than the critical difference.
    """

    systems: tuple[str, ...]
    ranks: tuple[float, ...]
    n_datasets: int
    critical_difference: float
    p_value: float
    cliques: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Group:
    """The datasets of a modality, or all of them."""

    name: str
    datasets: tuple[str, ...]
    rows: tuple[Row, ...]
    ranking: Ranking


@dataclass(frozen=True)
class Summary:
    """All that tables and the page show."""

    protocol: Protocol
    cells: dict[tuple[str, str], Cell]
    groups: tuple[Group, ...]
    systems: tuple[str, ...]
    datasets: tuple[str, ...]
    best: dict[str, float]


def summarise(results: Sequence[Result], protocol: Protocol, systems: Sequence[str] = ()) -> Summary:
    """Summary of the results of one protocol.

    Args:
        results: see jobs.py.
        protocol: theirs.
        systems: order of the systems; the first is the one that others are compared with. Others follow by name.
    """
    cells = _cells(results)
    names = sorted({system for _, system in cells})
    order = (*(s for s in dict.fromkeys(systems) if s in names), *(s for s in names if s not in systems))
    by_modality = {dataset: cell.modality for (dataset, _), cell in cells.items()}
    datasets = tuple(sorted(by_modality, key=lambda d: (MODALITIES.index(by_modality[d]), d)))
    best = {d: max(cells[d, s].final_nauc for s in order if (d, s) in cells) for d in datasets}
    groups = []
    for name in (ALL, *MODALITIES):
        chosen = tuple(d for d in datasets if name in (ALL, by_modality[d]))
        if chosen:
            groups.append(_group(name, chosen, order, cells, best))
    return Summary(protocol, cells, tuple(groups), order, datasets, best)


def _cells(results: Sequence[Result]) -> dict[tuple[str, str], Cell]:
    def key(result: Result) -> tuple[str, str]:
        return result["dataset"], result["system"]

    cells = {}
    for (dataset, system), group in groupby(sorted(results, key=key), key=key):
        runs = tuple(sorted(group, key=lambda result: int(result["seed"])))
        cells[dataset, system] = Cell(
            dataset,
            system,
            runs[0]["modality"],
            float(np.mean([run["alc"] for run in runs])),
            float(np.mean([run["final_nauc"] or 0.0 for run in runs])),
            float(np.mean([math.inf if run["first_s"] is None else run["first_s"] for run in runs])),
            len(runs),
            sum(run["status"] != FINISHED for run in runs),
            runs,
        )
    return cells


def _group(
    name: str,
    datasets: tuple[str, ...],
    order: Sequence[str],
    cells: dict[tuple[str, str], Cell],
    best: dict[str, float],
) -> Group:
    complete = [s for s in order if all((d, s) in cells for d in datasets)]
    ranking = rank_systems(complete, np.array([[cells[d, s].alc for s in complete] for d in datasets]))
    rank = dict(zip(ranking.systems, ranking.ranks, strict=True))
    rows = []
    for system in order:
        own = [cells[d, system] for d in datasets if (d, system) in cells]
        if not own:
            continue
        gaps = [
            cells[d, order[0]].alc - cells[d, system].alc
            for d in datasets
            if {(d, s) for s in (order[0], system)} <= cells.keys()
        ]
        rows.append(
            Row(
                system,
                len(own),
                bootstrap([cell.alc for cell in own]),
                float(np.mean([cell.final_nauc for cell in own])),
                rank.get(system),
                float(np.median([cell.first_s for cell in own])),
                bootstrap(gaps) if gaps and system != order[0] else None,
                sum(cell.n_failed for cell in own),
                tuple(_reached(own, best, share) for share in SHARES),
            )
        )
    return Group(name, datasets, tuple(rows), ranking)


def bootstrap(values: Sequence[float], seed: int = 0) -> Interval:
    """Mean of some values and the percentile interval of the mean of resamples."""
    array = np.asarray(values, float)
    rng = np.random.default_rng(seed)
    means = array[rng.integers(0, len(array), (N_RESAMPLES, len(array)))].mean(axis=1)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(array.mean()), float(low), float(high))


def rank_systems(systems: Sequence[str], alc: Array) -> Ranking:
    """Mean ranks and what they tell apart.

    Args:
        systems: names.
        alc: [n_datasets, n_systems]; more is better; ties share a rank.
    """
    n_datasets, n_systems = len(alc), len(systems)
    if n_systems == 0:
        return Ranking((), (), n_datasets, math.nan, math.nan, ())
    mean_ranks = rankdata(-alc, axis=1).mean(axis=0)
    order = np.argsort(mean_ranks, kind="stable")
    ranks = [float(mean_ranks[i]) for i in order]
    difference, p_value = math.nan, math.nan
    if n_systems >= 2 and n_datasets >= 2:
        quantile = float(studentized_range.ppf(LEVEL, n_systems, np.inf)) / math.sqrt(2)
        difference = quantile * math.sqrt(n_systems * (n_systems + 1) / (6 * n_datasets))
    if n_systems >= 3 and n_datasets >= 2 and np.ptp(mean_ranks) > 0:
        p_value = float(friedmanchisquare(*alc.T).pvalue)
    names = tuple(systems[i] for i in order)
    return Ranking(names, tuple(ranks), n_datasets, difference, p_value, _cliques(ranks, difference))


def _cliques(ranks: Sequence[float], difference: float) -> tuple[tuple[int, int], ...]:
    """Longest runs (first, last) of at least two systems whose ranks differ by less than the critical difference."""
    cliques: list[tuple[int, int]] = []
    for first in range(len(ranks)):
        last = max((i for i in range(first, len(ranks)) if ranks[i] - ranks[first] < difference), default=first)
        if last > first and not (cliques and cliques[-1][1] >= last):
            cliques.append((first, last))
    return tuple(cliques)


def seconds_to(run: Result, score: float) -> float:
    """When a run first reached a score; infinite if never."""
    return next((float(seconds) for seconds, nauc in run["curve"] if nauc >= score), math.inf)


def score_at(cell: Cell, seconds: float) -> float:
    """NAUC at a time, the mean over seeds; 0 before the first prediction."""
    return float(np.mean([[0.0, *(nauc for at, nauc in run["curve"] if at <= seconds)][-1] for run in cell.runs]))


def first_score(cell: Cell) -> float:
    """NAUC of the first prediction, the mean over seeds; 0 without any."""
    return float(np.mean([run["curve"][0][1] if run["curve"] else 0.0 for run in cell.runs]))


def _reached(cells: Sequence[Cell], best: dict[str, float], share: float) -> tuple[int, float]:
    """On how many datasets all seeds reached a share of the best final score, and the median seconds there."""
    times = [
        float(np.mean([seconds_to(run, share * best[cell.dataset]) for run in cell.runs]))
        for cell in cells
        if best[cell.dataset] > 0
    ]
    there = [seconds for seconds in times if math.isfinite(seconds)]
    return len(there), float(np.median(there)) if there else math.inf
