"""The program: what it plans, how it goes on where it stopped, and a small benchmark from end to end."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from benchmark_harness import SMOKE, result, write_submission, write_toy

from benchmarks.errors import BenchmarkError
from benchmarks.jobs import Job, write_result
from benchmarks.run import limits_of, main, parse_flags, plan

ROOT = Path(__file__).resolve().parents[2]
CONSTANT = """
import os, pathlib
import numpy as np

class Model:
    done_training = False

    def __init__(self, metadata):
        self.n_classes = metadata.get_output_size()
        with open(pathlib.Path(__file__).with_name("made"), "a") as file:
            file.write("x")

    def train(self, dataset, remaining_time_budget=None):
        self.done_training = True

    def test(self, dataset, remaining_time_budget=None):
        n_rows = sum(1 for _ in open(pathlib.Path(__file__).with_name("rows")))
        return np.linspace(0, 1, n_rows)[:, None].repeat(self.n_classes, axis=1)
"""


def test_a_system_is_asked_about_the_modalities_that_it_is_for() -> None:
    flags = parse_flags(["--systems", "autodl_solver", "lightgbm_default", "aeon_minirocket", "--seeds", "0", "1"])
    planned = {(task.job.dataset, task.job.system) for task in plan(flags)}
    assert {("digits", "autodl_solver"), ("breast_cancer", "lightgbm_default"), ("cbf", "aeon_minirocket")} <= planned
    assert not {("digits", "lightgbm_default"), ("breast_cancer", "aeon_minirocket")} & planned
    assert len(plan(flags)) == 2 * len(planned)


def test_a_run_on_a_cluster_asks_for_cores() -> None:
    assert limits_of(parse_flags([])).n_cores == 0
    assert limits_of(parse_flags(["--ray", "auto"])).n_cores == 2
    assert limits_of(parse_flags(["--memory-gib", "2"])).memory_bytes == 2 * 2**30
    with pytest.raises(BenchmarkError, match="--cores must be positive"):
        limits_of(parse_flags(["--ray", "auto", "--cores", "0"]))


def test_a_wrong_name_ends_with_a_message(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["--datasets", "nothing", "--out", str(tmp_path)]) == 1
    assert "A dataset must be known by its name" in capsys.readouterr().err


def test_a_report_needs_no_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_result(result(), Job("toy", "ours", 0, SMOKE), tmp_path)
    assert main(["--report-only", "--protocol", "smoke", "--out", str(tmp_path)]) == 0
    assert "toy" in (tmp_path / "smoke" / "table.md").read_text()
    assert (tmp_path / "smoke" / "index.html").read_text().startswith("<!DOCTYPE html>")


@pytest.mark.slow
def test_the_same_command_goes_on_where_it_stopped(tmp_path: Path) -> None:
    write_toy(tmp_path / "data")
    folder = write_submission(tmp_path, "constant", CONSTANT)
    (folder / "rows").write_text("\n" * 20)
    command = ["--local", str(tmp_path / "data"), "--systems", str(folder), "--protocol", "smoke", "--seeds", "0", "1"]
    command += ["--out", str(tmp_path / "out"), "--cache", str(tmp_path / "cache")]
    write_result(result(system="constant", seed=1), Job("toy", "constant", 1, SMOKE), tmp_path / "out")
    assert main(command) == 0
    assert (folder / "made").read_text() == "x"
    assert main(command) == 0
    assert (folder / "made").read_text() == "x"
    assert main([*command, "--redo", "constant"]) == 0
    assert (folder / "made").read_text() == "xxx"


@pytest.mark.slow
def test_three_datasets_and_three_systems_take_less_than_three_minutes(tmp_path: Path) -> None:
    """What `make bench-smoke` runs."""
    systems = ["autodl_solver", "prior", "sklearn_extra_trees"]
    command = [sys.executable, "benchmarks/run.py", "--datasets", "digits", "docstring_sections", "breast_cancer"]
    command += ["--systems", *systems, "--no-venvs", "--protocol", "smoke", "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    results = [json.loads(path.read_text()) for path in (tmp_path / "smoke").glob("*.json")]
    assert Counter(result["system"] for result in results) == dict(zip(systems, (3, 3, 2), strict=True))
    assert {result["status"] for result in results} == {"finished"}, results
    assert {result["alc"] for result in results if result["system"] == "prior"} == {0.0}
    assert all(result["alc"] > 0 for result in results if result["system"] != "prior")
    assert (tmp_path / "smoke" / "index.html").stat().st_size > 10_000
