"""The table of policies, and that each policy is a submission."""

from __future__ import annotations

import importlib
import math
from pathlib import Path

import pytest

from benchmarks.compare_policies import FOLDER, areas_of, main, parse_flags, table, tasks_of
from benchmarks.jobs import Protocol
from benchmarks.policies.schedules import COMPARED, POLICIES

AREAS = {
    "a": {"gain": [0.8, 0.9], "doubling": [0.8]},
    "b": {"gain": [0.5], "doubling": [0.6]},
    "c": {"gain": [0.7]},  # no run of the other yet
}


def test_the_table_has_means_over_seeds_and_the_worst_loss() -> None:
    lines = table(AREAS, ["gain", "doubling"]).splitlines()
    assert lines[2] == "| a | 0.8500 | 0.8000 | +0.0500 |"
    assert lines[4] == "| c | 0.7000 | - | - |"
    assert lines[5] == "| **mean** | 0.6750 | 0.7000 | -0.0250 |"  # of the datasets that all ran on
    assert lines[6].endswith("| -0.1000 (b) |")
    assert {line.count("|") for line in lines} == {5}


def test_a_table_of_one_policy_has_nothing_to_compare() -> None:
    assert table({"a": {"gain": [0.5]}}, ["gain"]).splitlines()[2:] == ["| a | 0.5000 |", "| **mean** | 0.5000 |"]


def test_a_table_of_few_runs_has_no_mean() -> None:
    assert "mean" not in table({"a": {"gain": [0.5]}}, ["gain", "doubling"])


def test_areas_are_gathered_by_dataset_and_policy() -> None:
    results = [{"dataset": "a", "system": "gain", "alc": alc} for alc in (0.1, 0.2)]
    assert areas_of(results) == {"a": {"gain": [0.1, 0.2]}}


@pytest.mark.parametrize("name", POLICIES)
def test_every_policy_is_a_submission(name: str) -> None:
    assert (FOLDER / name / "model.py").is_file()
    assert importlib.import_module(f"benchmarks.policies.{name}.model").Model.policy == name


def test_runs_are_planned_side_by_side(tmp_path: Path) -> None:
    flags = parse_flags(["--datasets", "digits", "cbf", "--seeds", "0", "1", "--out", str(tmp_path)])
    jobs = [task.job for task in tasks_of(flags, Protocol("x", 120.0, 6.0))]
    assert [(job.dataset, job.seed, job.system) for job in jobs[:4]] == [
        *(("digits", 0, name) for name in COMPARED),
        ("digits", 1, "gain"),
    ]
    assert len(jobs) == 2 * 2 * 3


def test_an_unknown_dataset_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--datasets", "nowhere", "--out", str(tmp_path)]) == 1
    assert "nowhere" in capsys.readouterr().err


@pytest.mark.slow
def test_runs_are_made_once_and_leave_their_logs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["--datasets", "breast_cancer", "--seeds", "0", "--budget", "3", "--t0", "0.3", "--out", str(tmp_path)]
    assert main([*command, "--max-runs", "1"]) == 1  # not all of them
    capsys.readouterr()  # the table of that one
    assert main(command) == 0
    logs = sorted(path.parent.name for path in tmp_path.rglob("stages.jsonl"))
    assert logs == [f"breast_cancer--{name}--0" for name in sorted(COMPARED)]
    row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("| breast_cancer"))
    assert all(math.isfinite(float(cell)) for cell in row.split("|")[2:-1])
