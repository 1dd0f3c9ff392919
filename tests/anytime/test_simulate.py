"""Simulated runs: what logs recorded comes back, and no second passes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest

from autodl_solver.anytime.history import History
from autodl_solver.anytime.schedule import Choice, Schedule, by_gain
from autodl_solver.anytime.simulate import simulate
from autodl_solver.anytime.stage import Stage
from autodl_solver.anytime.stage_entries import Entry, PredictionEntry, RunFacts, StageEntry
from autodl_solver.anytime.world import World
from autodl_solver.errors import DataError
from benchmarks.policies.schedules import PatientAnswers, doubling, everything

FACTS = RunFacts("toy", "image", 16_000, 10, (1, 8, 8, 1), "dense", False, 0, 2, "0")
ROWS = (1000, 4000, 16_000)
SCORES = {8: (0.60, 0.70, 0.80), 16: (0.65, 0.76, 0.86)}


def entry(family: str, n: int, score: float | None, fit_s: float, **more: object) -> StageEntry:
    fields = {"fidelity": 8, "n_held_out": n // 5, "refit": False, "started_s": 0.0, "failed": False, **more}
    return StageEntry(f"{family} {n}@{fields['fidelity']}", family, n_examples=n, fit_s=fit_s, score=score, **fields)  # type: ignore[arg-type]


def ridge_run() -> list[Entry]:
    """Errors and costs are powers of the rows: .4, .3, .2 and 1, 2, 4 s."""
    stages = [
        entry("ridge", n, score, 2.0**i, fidelity=fidelity)
        for fidelity, scores in SCORES.items()
        for i, (n, score) in enumerate(zip(ROWS, scores, strict=True))
    ]
    return [FACTS, *stages, PredictionEntry({"ridge 1000@8": 1.0}, 1.0, 0.5, {"ridge 1000@8": 0.5}, 300)]


def network_run() -> list[Entry]:
    contracts = [(4.0, 0.5, 4.5), (8.0, 0.7, 8.5), (24.0, 0.9, 24.5)]
    stages = [entry("network", 16_000, score, fit_s, contract_s=own) for own, score, fit_s in contracts]
    return [FACTS, *stages]


def in_turn(stages: Sequence[Stage]) -> Schedule:
    """A schedule that runs the given stages."""

    def schedule(history: History, left_s: float) -> Choice | None:
        n = len(history.records)
        return Choice(stages[n]) if n < len(stages) else None

    return schedule


RIDGE = World.of([ridge_run()])
NETWORK = World.of([network_run()])
BOTH = World.of([ridge_run(), network_run()])


def test_the_plan_of_a_world_offers_what_was_recorded() -> None:
    ridge, network = BOTH.plan
    assert (ridge.name, ridge.fidelities, ridge.first_n, ridge.max_n) == ("ridge", (8, 16), 1000, 16_000)
    assert (network.name, network.goes_on, network.first_s) == ("network", True, 4.0)
    assert (BOTH.n_train, BOTH.n_test, BOTH.held_out_share) == (16_000, 300, 0.2)


@pytest.mark.parametrize(
    ("n", "error"),
    [
        (1000, 0.4),  # as recorded
        (16_000, 0.2),
        (2000, math.sqrt(0.4 * 0.3)),  # half way, in log rows, is half way in log error
        (64_000, 0.2),  # there are no more rows
    ],
)
def test_errors_are_interpolated_over_log_rows(n: int, error: float) -> None:
    assert math.exp(RIDGE.log_error(RIDGE.plan[0].fresh(8, n), 0.0)) == pytest.approx(error, rel=1e-3)


def test_below_what_was_recorded_the_error_grows_and_the_cost_falls() -> None:
    stage = RIDGE.plan[0].fresh(8, 250)
    assert RIDGE.log_error(stage, 0.0) > math.log(0.4)
    assert RIDGE.fit_seconds(stage, 0.0) < 1.0


def test_costs_are_interpolated_over_log_rows() -> None:
    assert RIDGE.fit_seconds(RIDGE.plan[0].fresh(8, 2000), 0.0) == pytest.approx(math.sqrt(2), rel=1e-3)


def test_contracts_are_counted_from_the_first_one_on() -> None:
    [family] = NETWORK.plan
    first = family.fresh(8, 16_000)
    run = simulate(in_turn([first]), NETWORK, 100)
    second = family.contract(run.history.records[0], 2, 8, 16_000, 8.0)
    run = simulate(in_turn([first, second]), NETWORK, 100)
    assert [record.score for record in run.history.records] == pytest.approx([0.5, 0.7], rel=1e-3)
    assert [record.fit_s for record in run.history.records] == pytest.approx([4.5, 8.5], rel=1e-3)


def test_longer_contracts_than_recorded_bring_nothing() -> None:
    [family] = NETWORK.plan
    longest = Stage("network", family.make_learner, 8, 16_000, 1000.0, "network")
    run = simulate(in_turn([longest]), NETWORK, 2000)
    assert run.history.records[0].score == pytest.approx(0.9)
    assert run.history.records[0].fit_s == pytest.approx(1000.5)


def test_runs_on_one_dataset_are_merged() -> None:
    worse = [FACTS, entry("ridge", 1000, 0.5, 4.0)]
    stage = RIDGE.plan[0].fresh(8, 1000)
    merged = World.of([ridge_run(), worse])
    assert merged.log_error(stage, 0.0) == pytest.approx((math.log(0.4) + math.log(0.5)) / 2)
    assert merged.fit_seconds(stage, 0.0) == pytest.approx(2.0)


@pytest.mark.parametrize(
    "runs",
    [
        [],
        [[FACTS]],  # no stage
        [[FACTS, entry("ridge", 1000, None, 1.0, failed=True)]],  # none that worked
        [ridge_run(), [RunFacts(**{**vars(FACTS), "dataset": "other"}), *network_run()[1:]]],  # two datasets
    ],
)
def test_a_world_needs_scored_stages_of_one_dataset(runs: list[list[Entry]]) -> None:
    with pytest.raises(DataError, match="however"):
        World.of(runs)


def test_the_curve_has_a_point_for_each_better_answer_when_its_pass_is_done() -> None:
    [family] = RIDGE.plan
    stages = [family.fresh(8, 1000), family.fresh(8, 16_000), family.fresh(8, 4000)]
    run = simulate(in_turn(stages), RIDGE, 100)
    assert [t for t, _ in run.curve] == pytest.approx([1.5, 6.0])  # 1 s and 4 s of fitting, .5 s for each pass
    assert [score for _, score in run.curve] == pytest.approx([0.6, 0.8])  # the third stage is no better
    assert run.history.elapsed_s == pytest.approx(8.0)


def test_the_area_is_that_of_a_step_function_over_log_time() -> None:
    run = simulate(in_turn([RIDGE.plan[0].fresh(8, 1000)]), RIDGE, 100)
    expected = 0.6 * (1 - math.log1p(1.5 / 5) / math.log1p(100 / 5))
    assert run.alc(5.0) == pytest.approx(expected, rel=1e-6)


def test_what_does_not_end_in_time_brings_nothing() -> None:
    stages = [RIDGE.plan[0].fresh(8, 1000), RIDGE.plan[0].fresh(8, 16_000)]
    run = simulate(in_turn(stages), RIDGE, 5.0)
    assert run.history.records[-1].failed
    assert [score for _, score in run.curve] == pytest.approx([0.6])
    assert run.history.elapsed_s <= 5.0


def test_a_pass_that_does_not_end_in_time_brings_nothing() -> None:
    run = simulate(in_turn([RIDGE.plan[0].fresh(8, 1000)]), RIDGE, 1.2)
    assert (run.curve, run.alc(1.0)) == ((), 0.0)


def test_a_refit_gains_what_the_learning_curve_promises() -> None:
    [family] = RIDGE.plan
    first = family.fresh(8, 16_000)
    refit = Stage("again", family.make_learner, 8, 16_000, family="ridge", refit_of=first.name)
    run = simulate(in_turn([first, refit]), RIDGE, 100)
    assert 0.8 < run.curve[1][1] < 0.85
    assert [record.weight for record in run.history.records] == [1.0, 1.0]
    assert math.isnan(run.history.records[1].score)


def test_a_last_contract_on_all_rows_gains_by_its_seconds_and_by_its_rows() -> None:
    [family] = NETWORK.plan
    first = family.fresh(8, 16_000)
    contract = replace(first, name="more", seconds=8.0, continues=first.name)
    refit = replace(contract, refit_of=first.name)
    ends = [simulate(in_turn([first, last]), NETWORK, 100).curve[-1] for last in (contract, refit)]
    assert ends[0][0] == ends[1][0]
    assert 0.5 < ends[0][1] < ends[1][1] < 0.75


@pytest.mark.parametrize("make_schedule", [by_gain, doubling, everything])
@pytest.mark.parametrize("budget_s", [0.1, 20.0, 1000.0])
def test_every_policy_plays_within_its_budget_and_ends(make_schedule: type, budget_s: float) -> None:
    run = simulate(make_schedule(BOTH.plan), BOTH, budget_s)
    assert run.history.elapsed_s <= budget_s
    assert len(run.history.records) < 40
    times, scores = [t for t, _ in run.curve], [score for _, score in run.curve]
    assert times == sorted(times)
    assert scores == sorted(scores)


def test_doubling_goes_through_rows_then_detail_then_contracts_then_refits() -> None:
    run = simulate(doubling(BOTH.plan), BOTH, 400)
    names = [record.stage.name for record in run.history.records]
    assert names[:5] == [
        "ridge 1000@8",
        "ridge 4000@8",
        "ridge 16000@8",
        "ridge 16000@16",
        "network 16000@8, contract 1",
    ]
    contracts = [record.stage.seconds for record in run.history.records if record.stage.family == "network"]
    assert contracts[:3] == [6.5, 13.0, 39.0]  # half of the time that ridge took, then twice as long as all before
    assert run.history.elapsed_s > 350  # the last contract takes what is left


def test_doubling_repeats_the_answer_on_all_rows_in_the_end() -> None:
    names = [record.stage.name for record in simulate(doubling(RIDGE.plan), RIDGE, 400).history.records]
    assert names[-1] == "ridge 16000@16 refit"


def test_everything_runs_all_sizes_of_all_fidelities() -> None:
    names = {record.stage.name for record in simulate(everything(RIDGE.plan), RIDGE, 400).history.records}
    assert {f"ridge {n}@{fidelity}" for n in ROWS for fidelity in SCORES} <= names


def test_patient_answers_come_less_often_and_the_last_one_comes_anyhow() -> None:
    eager = simulate(doubling(BOTH.plan), BOTH, 400)
    patient = simulate(doubling(BOTH.plan), BOTH, 400, PatientAnswers(400 * 30))
    assert len(patient.curve) < len(eager.curve)
    assert patient.curve[-1][1] == pytest.approx(eager.curve[-1][1])


def test_patient_answers_need_a_gap_and_an_improvement() -> None:
    rule, history = PatientAnswers(600.0), simulate(in_turn([RIDGE.plan[0].fresh(8, 1000)]), RIDGE, 100).history
    assert rule(history, 0.0)  # the first
    assert not rule(history, 50.0)  # no improvement
    history.records[0].answer_score *= 1.01
    assert not rule(history, 0.5)  # too soon
    assert rule(history, 1.0)
    history.records[0].answer_score *= 1.01
    assert not rule(history, 1.2)  # the gap has grown
    assert rule(history, 1.6)


def test_the_same_run_again_is_the_same() -> None:
    assert simulate(by_gain(BOTH.plan), BOTH, 100).curve == simulate(by_gain(BOTH.plan), BOTH, 100).curve
