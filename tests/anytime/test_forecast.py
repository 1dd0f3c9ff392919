"""What a stage is expected to cost and bring, before and after others ran."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from autodl_solver.anytime.forecast import LEAST_BLEND, REFIT_ROWS, Forecast, Outlook, error_of
from autodl_solver.anytime.history import History, Record
from autodl_solver.anytime.plan import Family
from autodl_solver.anytime.priors import FamilyPrior, Priors
from autodl_solver.anytime.stage import Stage
from autodl_solver.learners.cross_fitted import N_FOLDS
from autodl_solver.learners.prior import PriorLearner

RIDGE = Family("ridge", PriorLearner, (1, 4), first_n=1000)
FOREST = Family("forest", PriorLearner, first_n=1000)
NETWORK = Family("network", PriorLearner, first_s=2.0)
N_AVAILABLE = 100_000


def ran(stage: Stage, error: float, fit_s: float = 1.0, n_held_out: int = 1000, weight: float = 0.0) -> Record:
    return Record(
        stage,
        stage.n_examples,
        fit_s,
        score=1 - error,
        answer_score=1 - error,
        predict_s=0.5,
        n_held_out=n_held_out,
        n_fitted=stage.n_examples - n_held_out,
        weight=weight,
    )


def history_of(*records: Record, n_test: int = 1000) -> History:
    return History(N_AVAILABLE, list(records), n_test=n_test)


def outlook(stage: Stage, *records: Record, priors: Priors | None = None) -> Outlook:
    return Forecast(priors or Priors(), history_of(*records)).outlooks([stage])[0]


def expected_error(stage: Stage, *records: Record) -> float:
    return math.exp(outlook(stage, *records).log_error)


@pytest.mark.parametrize("error", [0.01, 0.1, 0.5])
def test_the_expected_score_follows_what_was_observed(error: float) -> None:
    stage = RIDGE.fresh(1, 1000)
    assert expected_error(stage, ran(stage, error, n_held_out=10_000)) == pytest.approx(error, rel=0.03)


def test_few_held_out_rows_are_believed_less_than_many() -> None:
    stage = RIDGE.fresh(1, 1000)
    few, many = (expected_error(stage, ran(stage, 0.02, n_held_out=n)) for n in (10, 10_000))
    before = expected_error(stage)
    assert many < few < before


def test_a_good_score_of_one_family_raises_hopes_for_others() -> None:
    assert expected_error(FOREST.fresh(1, 1000), ran(RIDGE.fresh(1, 1000), 0.02)) < expected_error(
        FOREST.fresh(1, 1000)
    )


def test_an_untried_family_stays_wider_than_one_that_was_tried() -> None:
    observed = ran(RIDGE.fresh(1, 1000), 0.2)
    tried, untried = outlook(RIDGE.fresh(1, 4000), observed), outlook(FOREST.fresh(1, 4000), observed)
    assert 2 * tried.sd < untried.sd


def test_width_falls_with_what_was_observed() -> None:
    stage, first = RIDGE.fresh(1, 16_000), ran(RIDGE.fresh(1, 1000), 0.3)
    second = ran(RIDGE.fresh(1, 4000), 0.25)
    widths = [outlook(stage).sd, outlook(stage, first).sd, outlook(stage, first, second).sd]
    assert widths == sorted(widths, reverse=True)


def test_a_steep_learning_curve_is_expected_to_go_on() -> None:
    stage = RIDGE.fresh(1, 64_000)
    first = ran(RIDGE.fresh(1, 1000), 0.4)
    flat, steep = (expected_error(stage, first, ran(RIDGE.fresh(1, 16_000), error)) for error in (0.39, 0.2))
    assert steep / 0.2 < flat / 0.39


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        (RIDGE.fresh(1, 1000), RIDGE.fresh(1, 4000)),  # more rows
        (RIDGE.fresh(1, 1000), RIDGE.fresh(4, 1000)),  # more detail
        (NETWORK.fresh(1, 1000), Stage("longer", PriorLearner, 1, 1000, 20.0, "network")),  # more seconds
    ],
)
def test_more_is_expected_to_be_better(worse: Stage, better: Stage) -> None:
    assert expected_error(better) < expected_error(worse)


def test_a_contract_counts_the_seconds_of_those_that_it_goes_on_with() -> None:
    first = ran(NETWORK.fresh(1, 1000), 0.5, fit_s=2.1)
    goes_on = NETWORK.contract(first, 2, 1, 1000, 4.0)
    anew = Stage("anew", PriorLearner, 1, 1000, 4.0, "network", "network")
    assert expected_error(goes_on, first) < expected_error(anew, first)


def test_more_rows_than_there_are_bring_nothing() -> None:
    assert outlook(RIDGE.fresh(1, N_AVAILABLE)) == outlook(RIDGE.fresh(1, 10 * N_AVAILABLE))


def test_costs_scale_from_the_latest_stage_of_the_family() -> None:
    prior = FamilyPrior(cost_rows=1.0, cost_fidelity=0.5)
    priors = Priors({"ridge": prior})
    latest = ran(RIDGE.fresh(1, 1000), 0.3, fit_s=0.25)
    more, finer = (outlook(stage, latest, priors=priors) for stage in (RIDGE.fresh(1, 8000), RIDGE.fresh(4, 1000)))
    assert (more.fit_s, more.predict_s) == pytest.approx((2.0, 0.5))
    assert (finer.fit_s, finer.predict_s) == pytest.approx((0.5, 1.0))


@pytest.mark.parametrize(("n_rows", "ratio"), [(2000, 2**0.5), (8000, 2**1.5), (16_000, 2**2.5), (64_000, 2**4.5)])
def test_behind_the_first_doublings_costs_grow_in_proportion_to_the_rows(n_rows: int, ratio: float) -> None:
    priors = Priors({"ridge": FamilyPrior(cost_rows=0.5)})
    latest = ran(RIDGE.fresh(1, 1000), 0.3, fit_s=0.25)
    assert outlook(RIDGE.fresh(1, n_rows), latest, priors=priors).fit_s == pytest.approx(0.25 * ratio)


def test_a_contract_costs_its_seconds_and_what_its_family_took_besides() -> None:
    first = ran(NETWORK.fresh(1, 1000), 0.5, fit_s=2.3)
    assert outlook(NETWORK.contract(first, 2, 1, 1000, 4.0), first).fit_s == pytest.approx(4.3)


def test_a_slow_machine_raises_the_cost_of_untried_families() -> None:
    slow, quick = (
        outlook(FOREST.fresh(1, 1000), ran(RIDGE.fresh(1, 1000), 0.3, fit_s=fit_s)).cost_s for fit_s in (8.0, 0.1)
    )
    assert slow > 5 * quick


def test_a_failed_stage_tells_nothing_about_scores() -> None:
    failed = ran(RIDGE.fresh(1, 1000), 0.01)
    failed.error = MemoryError()
    assert outlook(RIDGE.fresh(1, 1000), failed) == outlook(RIDGE.fresh(1, 1000))


@pytest.mark.parametrize(
    ("mean_error", "gain"),
    [
        (0.1, 0.2),  # better than the answer
        (0.3, 0.0),  # as good
        (0.5, 0.0),  # worse
    ],
)
def test_without_width_the_expected_gain_is_the_difference(mean_error: float, gain: float) -> None:
    for sd in (0.0, 1e-5):
        assert Outlook(1.0, 1.0, math.log(mean_error), sd).gain(0.3) == pytest.approx(gain, abs=1e-5)


def test_the_expected_gain_grows_with_width() -> None:
    gains = [Outlook(1.0, 1.0, math.log(0.4), sd).gain(0.3) for sd in (0.0, 0.1, 0.3, 1.0)]
    assert gains == sorted(gains)
    assert gains[0] == 0.0 < gains[-1]


def test_the_expected_gain_is_the_mean_over_the_forecast() -> None:
    errors = np.exp(np.random.default_rng(0).normal(math.log(0.25), 0.4, 400_000))
    assert Outlook(1.0, 1.0, math.log(0.25), 0.4).gain(0.3) == pytest.approx(
        float(np.maximum(0.3 - errors, 0).mean()), rel=0.01
    )


def test_nothing_is_to_be_gained_where_no_error_is_left() -> None:
    assert Outlook(1.0, 1.0, math.log(0.1), 0.3).gain(0.0) == 0.0


def test_a_blend_makes_a_stage_worth_more() -> None:
    one = Outlook(1.0, 1.0, math.log(0.3), 0.1)
    assert one.gain(0.3, blend=0.9) > one.gain(0.3)


def test_a_blend_is_measured_on_the_answer() -> None:
    member = ran(RIDGE.fresh(1, 1000), 0.2, weight=1.0)
    member.answer_score = 0.82
    assert Forecast(Priors(), history_of(member)).blend_now() == pytest.approx(0.9)
    member.answer_score = 0.99  # of few rows, by luck
    assert Forecast(Priors(), history_of(member)).blend_now() == LEAST_BLEND


def test_the_error_of_the_answer_is_that_of_its_best_member() -> None:
    member, other = ran(RIDGE.fresh(1, 1000), 0.2, weight=1.0), ran(FOREST.fresh(1, 1000), 0.1)
    other.answer_score = 0.8
    assert Forecast(Priors(), history_of(member, other)).answer_error() == pytest.approx(0.2, rel=0.1)
    assert Forecast(Priors(), History()).answer_error() == 1.0


def test_a_refit_takes_a_share_of_the_error_by_the_slope_of_rows() -> None:
    priors = Priors({"ridge": FamilyPrior(error_rows=-0.5)})
    member = ran(RIDGE.fresh(1, 1000), 0.2, n_held_out=500, weight=0.5)
    refit = Stage("again", PriorLearner, 1, 1000, family="ridge", refit_of=member.stage.name)
    assert Forecast(priors, history_of(member)).refit_share(refit) == pytest.approx(0.5 * (1 - math.exp(-0.5)))


def test_a_pass_with_more_looks_takes_as_many_times_as_long() -> None:
    once, thrice = NETWORK.fresh(1, 1000), replace(NETWORK.fresh(1, 1000), looks=3)
    first = ran(once, 0.5, fit_s=2.3)
    assert [outlook(stage, first).predict_s for stage in (once, thrice)] == [0.5, 1.5]
    first.stage = thrice
    assert [outlook(stage, first).predict_s for stage in (once, thrice)] == pytest.approx([0.5 / 3, 0.5])


def test_a_repetition_in_parts_costs_that_of_all_but_the_first_and_gains_beyond_a_refit() -> None:
    member = ran(RIDGE.fresh(1, 1000), 0.2, fit_s=0.5, n_held_out=500, weight=0.5)
    refit = replace(member.stage, name="refit", refit_of=member.stage.name)
    in_parts = replace(refit, name="in parts", cross_fits=True)
    alone, beside = Forecast(Priors(), history_of(member)).outlooks([refit, in_parts])
    assert beside.fit_s == pytest.approx((N_FOLDS - 1) * alone.fit_s)
    assert beside.predict_s == pytest.approx(N_FOLDS * alone.predict_s)
    before, after = history_of(member), history_of(member, Record(refit, 1000, 0.5))
    shares = [Forecast(Priors(), history).refit_share(in_parts) for history in (before, after)]
    assert shares[0] > Forecast(Priors(), before).refit_share(refit) > shares[1] > 0
    repeated = Record(in_parts, 1000, 2.0, predict_s=2.5)
    assert outlook(RIDGE.fresh(1, 1000), member, repeated).fit_s == pytest.approx(0.5)


def test_each_further_learner_on_all_rows_is_expected_to_bring_less() -> None:
    member = ran(NETWORK.fresh(1, 1000), 0.2, n_held_out=500, weight=0.5)
    shares = []
    history = history_of(member)
    for rank in (1, 2, 3):
        refit = replace(member.stage, name=f"again {rank}", continues="first", refit_of=member.stage.name, restart=rank)
        shares.append(Forecast(Priors(), history).refit_share(refit))
        history.records.append(Record(refit, 1000, 1.0))
    assert np.array(shares) / shares[0] == pytest.approx([1, 1 / 3, 1 / 6])


def test_a_last_contract_on_the_hold_out_rows_too_is_expected_to_end_better() -> None:
    first = ran(NETWORK.fresh(1, 1000), 0.2, n_held_out=500, weight=0.5)
    contract = NETWORK.contract(first, 2, 1, 1000, 10.0)
    refit = replace(contract, name="again", refit_of=first.stage.name)
    scored, unscored = Forecast(Priors(), history_of(first)).outlooks([contract, refit])
    assert unscored.log_error == pytest.approx(scored.log_error + 0.5 * REFIT_ROWS)
    assert unscored.sd == scored.sd


def test_a_last_contract_on_all_rows_has_no_rows_to_be_scored_on() -> None:
    first = ran(NETWORK.fresh(1, 1000), 0.2, fit_s=NETWORK.first_s + 0.25, n_held_out=500, weight=0.5)
    contract = NETWORK.contract(first, 2, 1, 1000, 10.0)
    refit = replace(contract, name="again", refit_of=first.stage.name)
    history = history_of(first)
    history.n_test = 1000
    scored, unscored = Forecast(Priors(), history).outlooks([contract, refit])
    assert (scored.fit_s, unscored.fit_s) == pytest.approx((10.25, 10.0))
    assert unscored.predict_s == scored.predict_s


@pytest.mark.parametrize(
    ("score", "n_held_out", "error"),
    [
        (0.9, 1000, 0.1),
        (1.0, 1000, 0.0005),  # a thousand rows cannot tell more
        (1.0, 0, 0.5),  # nothing is known
        (1.0, 10**9, 1e-4),  # no error is smaller
    ],
)
def test_an_error_is_no_smaller_than_the_hold_out_can_tell(score: float, n_held_out: int, error: float) -> None:
    assert error_of(score, n_held_out) == pytest.approx(error)


def test_no_stages_no_outlooks() -> None:
    assert Forecast(Priors(), History()).outlooks([]) == []
