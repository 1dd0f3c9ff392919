"""The schedule as a pure function: whole runs in no time, on machines and datasets that are formulas."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection

import pytest

from autodl_solver.anytime.history import History, Record
from autodl_solver.anytime.plan import Family
from autodl_solver.anytime.priors import FamilyPrior, Priors
from autodl_solver.anytime.schedule import HORIZON_S, by_gain
from autodl_solver.anytime.stage import Stage
from autodl_solver.learners.prior import PriorLearner

QUICK = Family("quick", PriorLearner, first_n=1000)
STRONG = Family("strong", PriorLearner, first_n=4000)
NETWORK = Family("network", PriorLearner, first_s=4.0)
Errors = dict[str, Callable[[Stage, float], float]]

ERRORS: Errors = {
    "quick": lambda stage, _: 0.3 * (stage.n_examples / 1000) ** -0.1,
    "strong": lambda stage, _: 0.2 * (stage.n_examples / 1000) ** -0.2,
    "network": lambda stage, spent_s: 0.4 * spent_s**-0.4,
}
ROW_S = {"quick": 1e-5, "strong": 1e-3, "network": 1e-5}


def play(
    plan: list[Family],
    budget_s: float,
    n_available: int | None = 20_000,
    errors: Errors = ERRORS,
    fails: Collection[str] = (),
    priors: Priors | None = None,
) -> tuple[list[Record], float]:
    """Runs the schedule against errors and costs that are formulas; the records, and seconds left at the end."""
    schedule = by_gain(plan, priors or Priors())
    history, left, spent, best = History(n_available), budget_s, 0.0, 1.0
    while (choice := schedule(history, left)) is not None:
        stage = choice.stage
        n = min(stage.n_examples, n_available or 20_000)
        if stage.family == "network":
            spent += stage.seconds
        cost = n * ROW_S[stage.family] + (stage.seconds if math.isfinite(stage.seconds) else 0.0)
        record = Record(stage, n, cost, predict_s=0.01, n_fitted=n)
        history.records.append(record)
        if stage.name in fails:
            record.error = ValueError()
        else:
            record.score = 1 - errors[stage.family](stage, max(spent, 1.0))
            if 1 - record.score < best:
                best = 1 - record.score
                for one in history.records:
                    one.weight = 0.0
                record.weight = 1.0
            record.answer_score = 1 - best
            record.n_held_out = 1000
        left -= cost + 0.01
        history.elapsed_s += cost + 0.01
        assert left > 0, "a budget is never overrun"
        assert len(history.records) < 60, "a schedule must end"
    return history.records, left


def test_the_first_stage_is_that_of_the_first_family() -> None:
    assert play([QUICK, STRONG], 100)[0][0].stage.name == "quick 1000@1"


def test_all_rows_and_all_families_are_reached_when_time_is_plenty() -> None:
    names = [record.stage.name for record in play([QUICK, STRONG], 1e4)[0]]
    assert {"quick 20000@1", "strong 20000@1"} <= set(names)


def test_what_does_not_fit_is_not_started() -> None:
    names = [record.stage.name for record in play([QUICK, STRONG], 12)[0]]
    assert "strong 4000@1" in names
    assert "strong 20000@1" not in names


def test_the_last_contract_ends_with_the_budget() -> None:
    records, left = play([QUICK, NETWORK], 100)
    assert records[-1].stage.family == "network"
    assert 0 < left < 8


def after_a_contract(left_s: float, predict_s: float) -> str | None:
    """What follows a first contract, of which the hold-out took a tenth of a test pass."""
    record = Record(NETWORK.fresh(1, 20_000), 20_000, 4 + 0.1 * predict_s, predict_s=predict_s, weight=1.0)
    record.score = record.answer_score = 0.6
    record.n_held_out = 1000
    choice = by_gain([NETWORK])(History(20_000, [record], n_test=10_000, elapsed_s=5.0), left_s)
    return None if choice is None else choice.stage.name


def test_a_last_contract_shorter_than_what_is_needed_beside_it_is_not_given() -> None:
    assert after_a_contract(8.0, predict_s=0.1) is not None
    assert after_a_contract(8.0, predict_s=3.0) is None


def test_what_reading_cost_once_is_not_expected_again() -> None:
    record = Record(NETWORK.fresh(1, 20_000), 20_000, 14.0, predict_s=1.0, weight=1.0)  # 10 s beside its contract
    record.score = record.answer_score = 0.6
    record.n_held_out = 1000
    choice = by_gain([NETWORK])(History(20_000, [record], n_test=10_000, elapsed_s=15.0), 12.0)
    assert choice is not None
    assert choice.stage.seconds > 4


def test_a_first_contract_is_given_whole_or_not_at_all() -> None:
    assert {record.stage.family for record in play([QUICK, NETWORK], 4.0)[0]} == {"quick"}


def test_contracts_grow() -> None:
    seconds = [record.stage.seconds for record in play([NETWORK], 500)[0]]
    assert seconds[0] == NETWORK.first_s
    assert len(seconds) >= 3
    assert seconds[:-1] == sorted(seconds[:-1])  # the last one takes what is left


def test_a_family_that_priors_call_hopeless_comes_last() -> None:
    hopeless = Priors({"quick": FamilyPrior(error=-1.2), "strong": FamilyPrior(error=1.0)})
    promising = Priors({"quick": FamilyPrior(error=-1.2), "strong": FamilyPrior(error=-3.0)})
    rank = {}
    for name, priors in (("hopeless", hopeless), ("promising", promising)):
        families = [record.stage.family for record in play([QUICK, STRONG, NETWORK], 300, priors=priors)[0]]
        rank[name] = families.index("strong") if "strong" in families else math.inf
    assert rank["promising"] < rank["hopeless"]


@pytest.mark.parametrize(
    ("fails", "next_name"),
    [
        ({"quick 1000@1"}, "quick 250@1"),  # the first answer fails: fewer rows
        ({"quick 1000@1", "quick 250@1", "quick 62@1", "quick 15@1"}, None),  # nothing works
    ],
)
def test_a_run_goes_on_after_a_failure(fails: set[str], next_name: str | None) -> None:
    records, _ = play([QUICK], 100, fails=fails)
    worked = [record.stage.name for record in records if not record.failed]
    assert (worked[0] if worked else None) == next_name


def test_an_unknown_number_of_rows_is_explored() -> None:
    records, _ = play([QUICK], 100, n_available=None)
    assert max(record.stage.n_examples for record in records) >= 16_000


def test_a_budget_without_end_is_planned_and_ends() -> None:
    schedule = by_gain([QUICK, NETWORK])
    history = History(1000)
    first = Record(
        QUICK.fresh(1, 1000), 1000, 0.1, predict_s=0.01, score=0.5, answer_score=0.5, weight=1.0, n_fitted=1000
    )
    history.records.append(first)
    choice = schedule(history, math.inf)
    assert choice is not None
    assert choice.stage.seconds < HORIZON_S


def test_every_choice_says_what_is_expected() -> None:
    history = History(20_000)
    history.records.append(
        Record(
            QUICK.fresh(1, 1000),
            1000,
            0.1,
            predict_s=0.01,
            score=0.5,
            answer_score=0.5,
            weight=1.0,
            n_held_out=200,
            n_fitted=800,
        )
    )
    choice = by_gain([QUICK, STRONG])(history, 100)
    assert choice is not None
    assert {"score", "fit_s", "predict_s", "gain", "area", "reason"} <= set(choice.expected)


def test_same_history_same_answer() -> None:
    schedule = by_gain([QUICK, STRONG])
    assert schedule(History(10), 5.0) == schedule(History(10), 5.0)
