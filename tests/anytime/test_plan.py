"""Which stages could come next, for every state of a run."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from autodl_solver.anytime.history import History, Record
from autodl_solver.anytime.plan import MAX_RESTARTS, Family, following, next_stages
from autodl_solver.anytime.stage import Stage
from autodl_solver.learners.prior import PriorLearner

RIDGE = Family("ridge", PriorLearner, (8, 16), first_n=1000)
NETWORK = Family("network", PriorLearner, (16, 32), first_s=5.0)


def names(plan: list[Family], history: History, left_s: float = 1e6) -> list[str]:
    return [stage.name for stage in next_stages(plan, history, left_s)]


def ran(
    family: Family, n: int, fidelity: int, *, failed: bool = False, weight: float = 0.0, n_fitted: int = 0
) -> Record:
    stage = family.fresh(fidelity, n)
    fit_s = stage.seconds if family.goes_on else 1.0
    return Record(stage, n, fit_s, error=ValueError() if failed else None, weight=weight, n_fitted=n_fitted)


def test_a_run_opens_with_the_first_stage_of_each_family() -> None:
    assert names([RIDGE, NETWORK], History(5000)) == ["ridge 1000@8", "network 5000@16, contract 1"]


@pytest.mark.parametrize(
    ("n_available", "n", "expected"),
    [
        (50_000, 1000, ["4000@8", "50000@8", "1000@16", "50000@16"]),  # growth, and the leap to all
        (5000, 1000, ["5000@8", "1000@16", "5000@16"]),  # 4,000 would be nearly all
        (1000, 1000, ["1000@16"]),  # all rows were seen: more detail
        (None, 1000, ["4000@8", "1000@16", "4000@16"]),  # nobody knows how many there are
        (None, 700, ["1000@16"]),  # the split ended before the thousand that were asked for
    ],
)
def test_rows_grow_and_detail_follows(n_available: int | None, n: int, expected: list[str]) -> None:
    record = Record(RIDGE.fresh(8, 1000), n, 1.0)
    assert names([RIDGE], History(n_available, [record])) == [f"ridge {name}" for name in expected]


@pytest.mark.parametrize(
    ("left_s", "seconds"),
    [
        (100.0, [10.0, 100.0]),  # twice as long as before, or all that is left
        (8.0, [8.0]),  # no time for twice as long
    ],
)
def test_contracts_double_or_take_all_that_is_left(left_s: float, seconds: list[float]) -> None:
    history = History(5000, [ran(NETWORK, 5000, 32)])
    stages = next_stages([NETWORK], history, left_s)
    assert [stage.seconds for stage in stages] == seconds
    assert {stage.continues for stage in stages} == {"network 5000@32, contract 1"}


@pytest.mark.parametrize(
    ("elapsed_s", "left_s", "seconds"),
    [
        (2.0, 100.0, 5.0),  # early: as its family says
        (40.0, 100.0, 20.0),  # late: what is shorter than half of the run would hardly be seen in log time
        (90.0, 30.0, 15.0),  # but not all that is left
        (40.0, math.inf, 20.0),
    ],
)
def test_a_network_that_begins_late_begins_with_more(elapsed_s: float, left_s: float, seconds: float) -> None:
    history = History(5000, elapsed_s=elapsed_s)
    assert [stage.seconds for stage in next_stages([NETWORK], history, left_s)] == [seconds]


def test_a_learner_that_gave_its_contract_back_gets_no_other() -> None:
    done = ran(NETWORK, 5000, 32)
    done.fit_s = 0.1
    assert names([NETWORK], History(5000, [done])) == []


def trained(scores: list[float]) -> list[Record]:
    """Contracts of 5, 10, 20, ... s at the last fidelity, each going on from the one before, and their scores."""
    stage = NETWORK.fresh(32, 5000)
    records = [Record(stage, 5000, 5.0, score=scores[0])]
    for rank, score in enumerate(scores[1:], start=2):
        stage = NETWORK.contract(records[-1], rank, 32, 5000, 5.0 * 2 ** (rank - 1))
        records.append(Record(stage, 5000, stage.seconds, score=score))
    return records


def test_where_training_on_has_stopped_to_help_there_is_no_further_contract() -> None:
    assert next_stages([NETWORK], History(5000, trained([0.7, 0.8, 0.79])), 1000.0) == []


def test_without_rows_to_spare_a_network_goes_on() -> None:
    records = trained([0.8, 0.7])
    records[-1].n_fitted = records[-1].n_examples
    stages = next_stages([NETWORK], History(5000, records), 1000.0)
    assert {stage.continues for stage in stages} == {"network 5000@32, contract 2"}


@pytest.mark.parametrize("scores", [[0.7], [0.7, 0.8], [math.nan, math.nan]])
def test_a_network_that_still_improves_or_is_not_known_not_to_goes_on(scores: list[float]) -> None:
    stages = next_stages([NETWORK], History(5000, trained(scores)), 1000.0)
    assert {stage.continues for stage in stages} == {f"network 5000@32, contract {len(scores)}"}


def test_a_network_may_begin_with_the_rows_that_were_read_already_and_go_on_with_all() -> None:
    seen = ran(RIDGE, 1000, 8)
    first = next_stages([NETWORK], History(50_000, [seen]), 100)
    assert [stage.n_examples for stage in first] == [1000, 50_000]
    later = next_stages([NETWORK], History(50_000, [seen, ran(NETWORK, 1000, 32)]), 8)
    assert [stage.n_examples for stage in later] == [1000, 50_000]


def test_a_contract_may_go_on_with_more_detail() -> None:
    assert {stage.fidelity for stage in next_stages([NETWORK], History(5000, [ran(NETWORK, 5000, 16)]), 100)} == {
        16,
        32,
    }


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([ran(RIDGE, 1000, 8, failed=True)], ["ridge 250@8"]),  # nothing worked: fewer rows
        ([ran(RIDGE, 15, 8, failed=True)], []),  # nothing works
        ([ran(RIDGE, 1000, 8), ran(RIDGE, 4000, 8, failed=True)], ["ridge 1000@16"]),  # no more of what failed
        ([ran(RIDGE, 1000, 8), ran(RIDGE, 4000, 8, failed=True), ran(RIDGE, 1000, 16, failed=True)], []),  # given up
    ],
)
def test_after_a_failure_less_is_asked_for(records: list[Record], expected: list[str]) -> None:
    assert names([RIDGE], History(5000, records)) == expected


def test_a_family_that_does_not_scale_is_not_offered() -> None:
    small = Family("neighbours", PriorLearner, max_available=100)
    assert names([small], History(101)) == []


def test_members_that_spared_rows_are_repeated_once() -> None:
    member = ran(RIDGE, 1000, 16, weight=0.5, n_fitted=800)
    refits = [stage for stage in next_stages([RIDGE], History(1000, [member]), 10) if stage.refit]
    assert [stage.refit_of for stage in refits] == ["ridge 1000@16"]
    repeated = Record(refits[0], 1000, 1.0, weight=0.5, n_fitted=1000)
    assert names([RIDGE], History(1000, [member, repeated])) == []


@pytest.mark.parametrize(("n_available", "n_parts"), [(1000, 1), (1001, 0), (2000, 0)])
def test_members_of_small_tables_are_repeated_in_parts_too(n_available: int, n_parts: int) -> None:
    family = replace(RIDGE, max_cross_fitted=1500)
    member = ran(family, 1000, 16, weight=0.5, n_fitted=800)
    history = History(n_available, [member])
    in_parts = [stage for stage in next_stages([family], history, 10) if stage.cross_fits]
    assert [stage.refit_of for stage in in_parts] == ["ridge 1000@16"] * n_parts
    history.records += [Record(stage, 1000, 1.0, weight=0.5, n_fitted=1000) for stage in in_parts]
    assert not any(stage.cross_fits for stage in next_stages([family], history, 10))


@pytest.mark.parametrize(
    "record",
    [
        ran(RIDGE, 1000, 16, weight=0.0, n_fitted=800),  # no member
        ran(RIDGE, 1000, 16, weight=1.0, n_fitted=1000),  # it saw every row
    ],
)
def test_others_are_not_repeated(record: Record) -> None:
    assert not any(stage.refit for stage in next_stages([RIDGE], History(1000, [record]), 10))


def refits_of(history: History, left_s: float) -> list[Stage]:
    return [stage for stage in next_stages([NETWORK], history, left_s) if stage.refit]


def test_when_no_whole_contract_fits_in_a_network_learns_the_hold_out_rows_too() -> None:
    member = ran(NETWORK, 1000, 32, weight=0.6, n_fitted=800)
    anew, further = refits_of(History(1000, [member]), 8)
    for refit in (anew, further):
        assert (refit.refit_of, refit.continues) == (member.stage.name, member.stage.name)
    assert (anew.begins_anew, anew.seconds, anew.restart) == (True, 5, 1)  # as long as it was trained
    assert (further.begins_anew, further.seconds) == (False, 8)  # for all that is left


def test_networks_on_all_rows_answer_together() -> None:
    history = History(1000, [ran(NETWORK, 1000, 32, weight=0.6, n_fitted=800)])
    for rank in range(1, MAX_RESTARTS + 1):
        anew = refits_of(history, 8)[0]
        assert (anew.begins_anew, anew.restart, anew.continues) == (True, rank, history.records[-1].stage.name)
        assert (names([NETWORK], history, 8) == [anew.name]) == (rank > 1)  # at first it may train on instead
        history.records.append(Record(anew, 1000, 5.0, weight=0.6, n_fitted=1000))
    assert names([NETWORK], history, 8) == []
    assert {stage.refit for stage in next_stages([NETWORK], history, 100)} == {False}  # there is more time after all


def test_after_a_last_contract_on_all_rows_nothing_of_the_family_follows() -> None:
    member = ran(NETWORK, 1000, 32, weight=0.6, n_fitted=800)
    further = refits_of(History(1000, [member]), 8)[-1]
    assert names([NETWORK], History(1000, [member, Record(further, 1000, 7.0, weight=0.6, n_fitted=1000)]), 1) == []


@pytest.mark.parametrize(
    ("weight", "n_fitted", "left_s", "expected"),
    [
        (0.4, 800, 8.0, [True]),  # others lead, and its weight could not grow
        (0.4, 800, 2.0, []),  # too late to begin anew
        (0.6, 1000, 8.0, []),  # it saw every row
        (0.6, 800, 100.0, []),  # a contract that can be scored fits in
    ],
)
def test_a_network_is_refitted_only_where_it_could_help(
    weight: float, n_fitted: int, left_s: float, expected: list[bool]
) -> None:
    member = ran(NETWORK, 1000, 32, weight=weight, n_fitted=n_fitted)
    assert [stage.begins_anew for stage in refits_of(History(1000, [member]), left_s)] == expected


def test_a_network_that_became_worse_is_not_trained_on_without_a_score() -> None:
    first = ran(NETWORK, 1000, 32, n_fitted=800)
    second = Record(NETWORK.contract(first, 2, 32, 1000, 10.0), 1000, 10.0, weight=0.6, n_fitted=800)
    first.score, second.score = 0.8, 0.9
    assert [stage.begins_anew for stage in refits_of(History(1000, [first, second]), 9)] == [True, False]
    second.score, first.weight, second.weight = 0.7, 0.3, 0.6
    anew = refits_of(History(1000, [first, second]), 100)
    assert [(stage.begins_anew, stage.seconds) for stage in anew] == [(True, 5.0), (True, 15.0)], "as long as each was"


@pytest.mark.parametrize(("predict_s", "looks", "expected"), [(0.3, 1, 3), (0.4, 1, 1), (0.9, 3, 3), (math.nan, 1, 1)])
def test_a_network_looks_more_than_once_where_that_takes_a_small_share_of_its_contract(
    predict_s: float, looks: int, expected: int
) -> None:
    family = replace(NETWORK, looks=3)
    first = ran(family, 1000, 32, weight=1.0, n_fitted=800)
    first.stage, first.predict_s = replace(first.stage, looks=looks), predict_s
    assert first.stage.seconds == 5.0
    further = next_stages([family], History(1000, [first]), 40)[0]
    assert (further.seconds, further.looks) == (10.0, expected)
    assert [stage.looks for stage in refits_of(History(1000, [first]), 8)] == [looks, looks]


def test_looking_ahead_follows_the_family() -> None:
    assert [stage.name for stage in following(RIDGE, RIDGE.fresh(8, 5000), 5000)] == ["ridge 5000@16"]
    assert [stage.seconds for stage in following(NETWORK, NETWORK.fresh(32, 5000), 5000)] == [10.0]
