"""One run, in processes of its own: a crash, of whatever kind, is a result with what had been predicted."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest
from benchmark_harness import N_ROWS, write_submission, write_toy

from benchmarks.execute import Limits, execute
from benchmarks.jobs import Job, Protocol, Result
from benchmarks.systems import System

GOOD = f"""
import os
import numpy as np

class Model:
    done_training = False

    def __init__(self, metadata):
        np.linalg.svd(np.random.default_rng(0).random((1000, 1000)))  # long enough to be looked at
        self.right = np.eye(2)[np.arange({N_ROWS}) % 2]
        self.k = 0

    def train(self, dataset, remaining_time_budget=None):
        self.k += 1
        self.done_training = self.k == 2

    def test(self, dataset, remaining_time_budget=None):
        return self.right if self.k else None
"""
CRASHES = GOOD.replace("self.k += 1", "self.k += 1\n        if self.k == 2: os._exit(3)")
GROWS = GOOD.replace("self.k += 1", "self.k += 1\n        while self.k == 2: self.right = [self.right, b'x' * 10**7]")
CHILD_GROWS = GOOD.replace(
    "self.k += 1",
    "self.k += 1\n        import subprocess, sys\n        if self.k == 2: "
    "subprocess.run([sys.executable, '-c', 'x = [bytes([1]) * 10**7 for _ in range(200)]; input()'], "
    "stdin=subprocess.PIPE, timeout=60)",
)
TELLS = GOOD.replace(
    "self.k = 0",
    "self.k = 0\n        assert os.environ['AUTODL_SEED'] == '7' and len(os.sched_getaffinity(0)) == 1\n"
    "        import benchmarks.peers.one_shot",
)
PROTOCOL = Protocol("short", 20.0, 1.0)
ROOMY = Limits(8e9)


def run(tmp_path: Path, text: str, limits: Limits = ROOMY, seed: int = 0, keep: Path | None = None) -> Result:
    system = System("toy_model", write_submission(tmp_path, "toy_model", text))
    dataset = write_toy(tmp_path / "data")
    job = Job("toy", system.name, seed, PROTOCOL)
    return execute(job, system, dataset, "tabular", limits, tmp_path / "cache", keep)


def test_a_run_that_ends_well_has_a_curve_and_says_what_it_ran_on(tmp_path: Path) -> None:
    result = run(tmp_path, GOOD, keep=tmp_path / "kept")
    assert (result["status"], result["cause"], result["log_tail"]) == ("finished", "", [])
    assert [score for _, score in result["curve"]] == [1.0, 1.0]
    assert 0.5 < result["alc"] <= 1
    assert 0 < result["first_s"] < PROTOCOL.time_budget
    assert result["peak_bytes"] > 10e6
    assert result["machine"]["cores"] == len(os.sched_getaffinity(0))
    assert result["versions"]["numpy"]
    assert len(result["data_sha256"]) == 64
    assert (tmp_path / "kept" / "scores" / "scores.txt").is_file()


@pytest.mark.parametrize(
    ("text", "limits", "status"),
    [
        (CRASHES, ROOMY, "failed"),  # the process dies
        (GROWS, Limits(0.4e9), "out_of_memory"),  # it grows beyond its bound
        pytest.param(CHILD_GROWS, Limits(0.6e9), "out_of_memory", marks=pytest.mark.slow),  # a process of its own does
    ],
)
def test_a_crash_keeps_what_had_been_predicted(tmp_path: Path, text: str, limits: Limits, status: str) -> None:
    result = run(tmp_path, text, limits)
    assert result["status"] == status
    assert "killed" in result["cause"] or "ended without" in result["cause"]
    assert [score for _, score in result["curve"]] == [1.0]
    assert result["alc"] > 0.5
    assert result["log_tail"]
    assert [process for process in psutil.Process().children(recursive=True) if process.is_running()] == []


@pytest.mark.slow
def test_a_submission_that_cannot_be_imported_is_a_result_of_zero(tmp_path: Path) -> None:
    result = run(tmp_path, "import nothing_of_that_name")
    assert (result["status"], result["curve"], result["alc"]) == ("failed", [], 0)
    assert result["final_nauc"] is None
    assert "nothing_of_that_name" in " ".join(result["log_tail"])


@pytest.mark.slow
def test_a_run_gets_its_seed_its_core_and_our_reader(tmp_path: Path) -> None:
    assert run(tmp_path, TELLS, Limits(8e9, n_cores=1), seed=7)["status"] == "finished"
