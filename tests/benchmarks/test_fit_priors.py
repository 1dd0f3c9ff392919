"""Fitting priors on made-up logs, whose slopes are known."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from autodl_solver.anytime.history import Record
from autodl_solver.anytime.priors import GENERAL, parse_priors
from autodl_solver.anytime.stage import Stage
from autodl_solver.anytime.stage_entries import Entry, PredictionEntry, RunFacts, StageEntry
from autodl_solver.anytime.stage_log import StageLog
from autodl_solver.learners.prior import PriorLearner
from benchmarks.fit_priors import evaluate, fit, main, read_logs
from benchmarks.prior_model import Sums, fit_modality

N_TEST = 2000
TRUE_ROWS = {"ridge": -0.10, "forest": -0.30}
TRUE_LEVEL = {"ridge": -1.0, "forest": -1.5}


def facts(dataset: str) -> RunFacts:
    return RunFacts(dataset, "tabular", 16_000, 2, (1, 1, 9, 1), "dense", False, 0, 2, "0")


def made_run(dataset: str, effect: float, seed: int = 0, sizes: Sequence[int] = (1000, 4000, 16_000)) -> list[Entry]:
    """Stages of two families; costs are 2^-2 s a thousand rows, times 2^.5 a doubling of the fidelity."""
    rng = np.random.default_rng(seed)
    entries: list[Entry] = [facts(dataset)]
    for family, n, fidelity in itertools.product(TRUE_ROWS, sizes, (8, 16)):
        doublings = math.log2(n / 1000)
        error = math.exp(TRUE_LEVEL[family] + TRUE_ROWS[family] * doublings + effect + rng.normal(0, 0.01))
        fit_s = 2.0 ** (-2 + doublings + 0.5 * math.log2(fidelity))
        stage = StageEntry(
            f"{family} {n}@{fidelity}",
            family,
            fidelity,
            n,
            n // 5,
            False,
            0.0,
            fit_s,
            1 - error,
            False,
            family_kind=family,
        )
        passes = {stage.name: fit_s / 4 * N_TEST / n}
        entries += [stage, PredictionEntry({stage.name: 1.0}, 0.0, passes[stage.name], passes, N_TEST)]
    return entries


MANY = {f"d{i}": [made_run(f"d{i}", effect, i)] for i, effect in enumerate(np.linspace(-1, 1, 8))}


def test_slopes_of_many_logs_are_found() -> None:
    families = fit_modality(MANY).families
    for name, slope in TRUE_ROWS.items():
        prior = families[name]
        assert prior.error_rows == pytest.approx(slope, abs=0.02)
        assert prior.error_fidelity == pytest.approx(0.0, abs=0.02)
        assert prior.cost_rows == pytest.approx(1.0, abs=0.05)
        assert prior.cost_fidelity == pytest.approx(0.5, abs=0.1)
        assert prior.fit_seconds(4000, 8) == pytest.approx(2.0 ** (-2 + 2 + 1.5), rel=0.2)
        assert prior.predict_seconds(N_TEST, 8) == pytest.approx(2.0 ** (-4 + 1 + 1.5), rel=0.2)
    assert families["ridge"].error - families["forest"].error == pytest.approx(0.5, abs=0.2)


def test_a_single_stage_leaves_the_slopes_at_the_general_ones() -> None:
    one = made_run("d", 0.0)[:2]
    prior = fit_modality({"d": [one]}).families["ridge"]
    assert (prior.error_rows, prior.error_fidelity) == pytest.approx(
        (GENERAL.error_rows, GENERAL.error_fidelity), abs=0.05
    )
    assert prior.cost_rows == pytest.approx(GENERAL.cost_rows, abs=0.05)


def test_a_level_is_not_taken_from_an_easy_dataset_alone() -> None:
    easy = made_run("easy", -3.0)
    family = fit_modality({"easy": [easy]}).families["ridge"]
    assert -4.0 < family.error < -1.0  # half is ascribed to the dataset


def contracts(log_error: Callable[[float], float]) -> dict[str, list[list[Entry]]]:
    """Runs of a network on six datasets, by what its log error is after so many doublings of a second."""
    runs: dict[str, list[list[Entry]]] = {}
    for i in range(6):
        entries: list[Entry] = [facts(f"d{i}")]
        for rank, own_s in enumerate((2.0, 4.0, 12.0, 36.0, 108.0)):
            spent_s = sum((2.0, 4.0, 12.0, 36.0, 108.0)[: rank + 1])
            score = 1 - math.exp(log_error(math.log2(spent_s)))
            name = f"network 1000@32, contract {rank + 1}"
            entries.append(StageEntry(name, "network", 32, 1000, 200, False, 0.0, own_s + 0.25, score, False, own_s))
        runs[f"d{i}"] = [entries]
    return runs


def test_seconds_of_contracts_have_a_slope() -> None:
    prior = fit_modality(contracts(lambda doublings: -0.7 - 0.2 * doublings)).families["network"]
    assert prior.error_seconds == pytest.approx(-0.2, abs=0.03)
    assert prior.error_seconds_bend == pytest.approx(0.0, abs=0.01)
    assert prior.fit_seconds(1000, 32) == pytest.approx(0.25, rel=0.3)


def test_a_slope_that_flattens_is_found() -> None:
    prior = fit_modality(contracts(lambda doublings: -0.5 - 0.6 * doublings + 0.04 * doublings**2)).families["network"]
    assert prior.error_seconds == pytest.approx(-0.6, abs=0.1)
    assert prior.error_seconds_bend == pytest.approx(0.08, abs=0.02)
    assert prior.log_error_by_seconds(50) - prior.log_error_by_seconds(5) == pytest.approx(-0.94, abs=0.1)


@pytest.mark.parametrize(
    ("answer", "low", "high"),
    [
        (0.85, 0.70, 0.80),  # a quarter of the error goes: it counts as often as it is seen
        (0.80, 0.98, 1.00),  # the answer is no better than its best member
    ],
)
def test_the_blend_is_what_newcomers_bring_to_the_answer(answer: float, low: float, high: float) -> None:
    run = [facts("d")]
    first = StageEntry("a", "a", 1, 1000, 1000, False, 0.0, 1.0, 0.79, False, answer_score=0.79)
    second = StageEntry("b", "b", 1, 1000, 1000, False, 0.0, 1.0, 0.80, False, answer_score=answer)
    runs = {f"d{i}": [[*run, first, second]] for i in range(50)}
    assert low <= fit_modality(runs).blend <= high


def test_nothing_that_was_scored_gives_no_priors() -> None:
    assert fit_modality({"d": [[facts("d")]]}).families == {}


def test_effects_without_observations_stay_where_they_were() -> None:
    sums = Sums()
    sums.prior("a", 1.5, 0.1)
    sums.prior("b", 0.0, 1.0)
    sums.observe({"b": 1.0}, 2.0, 1.0)
    assert sums.effects() == pytest.approx({"a": 1.5, "b": 1.0})


def written(folder: Path, run: Sequence[Entry]) -> None:
    """The log file of a made-up run."""
    head = run[0]
    assert isinstance(head, RunFacts)
    log = StageLog(folder / "stages.jsonl")
    log.run(head)
    for entry in run:
        if isinstance(entry, StageEntry):
            assert entry.score is not None
            stage = Stage(entry.name, PriorLearner, entry.fidelity, entry.n_examples, family=entry.family)
            log.stage(Record(stage, entry.n_examples, entry.fit_s, score=entry.score, n_held_out=entry.n_held_out))
        elif isinstance(entry, PredictionEntry):
            log.prediction(entry.weights, 0.0, entry.predict_s, entry.passes, entry.n_test)


def test_a_folder_of_logs_becomes_a_file_of_priors(tmp_path: Path) -> None:
    for i in range(2):
        written(tmp_path / "logs" / str(i), made_run(f"d{i}", 0.0, i))
    out = tmp_path / "priors.json"
    assert main([str(tmp_path / "logs"), "--out", str(out)]) == 0
    priors = parse_priors(out.read_text(encoding="utf-8"))
    assert set(priors["tabular"].families) == set(TRUE_ROWS)


def test_evaluation_leaves_the_dataset_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for i in range(2):
        written(tmp_path / str(i), made_run(f"d{i}", 0.5 * i, i))
    logs = read_logs(tmp_path)
    assert fit(logs, without="d0") == fit({"tabular": {"d1": logs["tabular"]["d1"]}})
    areas = evaluate(logs, budget_s=60.0, t0_s=3.0)
    assert set(areas) == {"d0", "d1"}
    assert all(0 < area < 1 for policies in areas.values() for [area] in policies.values())
    assert main([str(tmp_path), "--evaluate", "--budget", "60", "--t0", "3"]) == 0
    assert "| **mean** |" in capsys.readouterr().out


def test_the_only_dataset_of_a_modality_is_played_without_priors(tmp_path: Path) -> None:
    written(tmp_path, made_run("d", 0.0))
    [areas] = evaluate(read_logs(tmp_path), 60.0, 3.0).values()
    assert areas["gain, priors of others"] == areas["gain, no priors"]


def test_a_folder_without_logs_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 1
    assert "however there is no stages.jsonl" in capsys.readouterr().err
