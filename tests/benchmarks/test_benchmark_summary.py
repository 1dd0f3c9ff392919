"""The figures: means over seeds, intervals over datasets, ranks, critical differences, times."""

from __future__ import annotations

import math

import numpy as np
import pytest
from benchmark_harness import SMOKE, result

from benchmarks.summary import bootstrap, rank_systems, seconds_to, summarise


def test_seeds_are_averaged_before_datasets_are_compared() -> None:
    runs = [result("a", "ours", 0, 0.2), result("a", "ours", 1, 0.4), result("b", "ours", 0, 0.9)]
    (everything, _) = summarise(runs, SMOKE).groups
    assert everything.rows[0].alc.mean == pytest.approx((0.3 + 0.9) / 2)
    assert everything.rows[0].n_datasets == 2


def test_a_run_without_predictions_counts_as_zero() -> None:
    runs = [result("a", "ours", alc=0.0, curve=(), status="failed"), result("a", "other", alc=0.3)]
    summary = summarise(runs, SMOKE, ["ours"])
    cell = summary.cells["a", "ours"]
    assert (cell.final_nauc, cell.first_s, cell.n_failed) == (0.0, math.inf, 1)
    assert summary.groups[0].rows[0].n_failed == 1


def test_the_interval_holds_the_mean_and_shrinks_with_more_datasets() -> None:
    few, many = bootstrap([0.1, 0.5, 0.9]), bootstrap([0.1, 0.5, 0.9] * 20)
    assert few.low <= few.mean <= few.high
    assert many.high - many.low < few.high - few.low
    assert bootstrap([0.4]) == bootstrap([0.4, 0.4])


def test_ranks_share_ties() -> None:
    ranking = rank_systems(["a", "b", "c"], np.array([[0.9, 0.9, 0.1], [0.9, 0.9, 0.1]]))
    assert dict(zip(ranking.systems, ranking.ranks, strict=True)) == {"a": 1.5, "b": 1.5, "c": 3.0}


def test_the_critical_difference_is_that_of_the_literature() -> None:
    # Demsar 2006, section 3.2.2: 4 systems, 14 datasets, q = 2.569: CD = 1.25
    alc = np.random.default_rng(0).random((14, 4))
    assert rank_systems(list("abcd"), alc).critical_difference == pytest.approx(1.25, abs=0.005)


def test_the_friedman_test_is_that_of_the_literature() -> None:
    # always the same order of three systems on ten datasets: chi2 = 20 with 2 degrees of freedom
    ranking = rank_systems(list("abc"), np.tile([0.9, 0.5, 0.1], (10, 1)))
    assert ranking.p_value == pytest.approx(math.exp(-10), rel=1e-6)


@pytest.mark.parametrize(
    ("alc", "cliques"),
    [
        (np.tile([0.9, 0.5, 0.1], (30, 1)), ()),  # always in this order: all differ
        (np.array([[0.9, 0.1], [0.1, 0.9]]), ((0, 1),)),  # as often the one as the other
        (np.array([[0.9, 0.5, 0.1]]), ()),  # one dataset tells nothing
    ],
)
def test_cliques_join_what_cannot_be_told_apart(alc: np.ndarray, cliques: tuple[tuple[int, int], ...]) -> None:
    assert rank_systems(list("abc")[: alc.shape[1]], alc).cliques == cliques


def test_only_systems_that_ran_everywhere_are_ranked() -> None:
    runs = [
        result(d, s, alc=0.5) for d, s in [("a", "ours"), ("b", "ours"), ("a", "trees"), ("a", "prior"), ("b", "prior")]
    ]
    group = summarise(runs, SMOKE, ["ours"]).groups[0]
    assert set(group.ranking.systems) == {"ours", "prior"}
    assert {row.system: row.rank is None for row in group.rows} == {"ours": False, "prior": False, "trees": True}


def test_others_are_compared_with_the_first_on_the_same_datasets() -> None:
    runs = [result("a", "ours", alc=0.5), result("b", "ours", alc=0.9), result("a", "trees", alc=0.4)]
    rows = {row.system: row for row in summarise(runs, SMOKE, ["ours"]).groups[0].rows}
    assert rows["ours"].ahead is None
    assert rows["trees"].ahead is not None
    assert rows["trees"].ahead.mean == pytest.approx(0.1)


def test_groups_follow_the_modalities() -> None:
    runs = [result("t", modality="text"), result("i", modality="image"), result("j", modality="image")]
    groups = summarise(runs, SMOKE).groups
    assert [(group.name, group.datasets) for group in groups] == [
        ("all", ("i", "j", "t")),
        ("image", ("i", "j")),
        ("text", ("t",)),
    ]


@pytest.mark.parametrize(("score", "seconds"), [(0.1, 1.0), (0.5, 1.0), (0.6, 3.0), (0.9, math.inf)])
def test_time_to_a_score_is_that_of_the_first_prediction_there(score: float, seconds: float) -> None:
    assert seconds_to(result(curve=((1.0, 0.5), (2.0, 0.4), (3.0, 0.8))), score) == seconds


def test_shares_are_of_the_best_final_score_of_any_system() -> None:
    fast = result("a", "fast", curve=((0.5, 0.91),))
    slow = result("a", "slow", curve=((1.0, 0.5), (4.0, 1.0)))
    rows = {row.system: row for row in summarise([fast, slow], SMOKE).groups[0].rows}
    assert rows["fast"].reached == ((1, 0.5), (0, math.inf))
    assert rows["slow"].reached == ((1, 4.0), (1, 4.0))
