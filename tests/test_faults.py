"""Faults of a whole run: ingestion is killed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SAMPLE_DATA = ROOT / "sample_data"

ONE_GOOD_PREDICTION_THEN_HANGS = """
import os, subprocess, time
import numpy as np

class Model:
    done_training = False
    n_trained = 0

    def __init__(self, metadata):
        pass

    def train(self, dataset, remaining_time_budget=None):
        self.n_trained += 1
        if self.n_trained == 2:
            subprocess.Popen(["kill", "-9", {victim}])
            time.sleep(600)

    def test(self, dataset, remaining_time_budget=None):
        return np.loadtxt({solution!r})
"""


@pytest.mark.parametrize(
    ("victim", "cause"),
    [
        ("str(os.getpid())", "ended without a word"),  # its watchdog is left, and closes the run
        ('"--", str(-os.getpgid(0))', "died without a word"),  # the whole process group: nobody is left to close it
    ],
)
def test_what_a_killed_ingestion_has_predicted_is_scored(tmp_path: Path, victim: str, cause: str) -> None:
    solution = SAMPLE_DATA / "digits" / "digits.solution"
    code, out = tmp_path / "code", tmp_path / "out"
    code.mkdir()
    (code / "model.py").write_text(ONE_GOOD_PREDICTION_THEN_HANGS.format(victim=victim, solution=str(solution)))
    command = [sys.executable, "run_local_test.py", f"-dataset_dir={solution.parent}", f"-code_dir={code}"]
    command += ["-time_budget=300", f"-output_dir={out}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert "ingestion failed" in done.stderr
    assert "predictions       1" in done.stdout
    assert "final NAUC        1.0000" in done.stdout
    scores = dict(line.split(": ", 1) for line in (out / "scores" / "scores.txt").read_text("utf-8").splitlines())
    assert float(scores["score"]) > 0.9  # the prediction counts until the end of the 300 s
    assert scores["state"] == "failed"
    assert cause in scores["cause"]
