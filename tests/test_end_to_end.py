"""The sample datasets from records to scores: through the solver in this process, and (slow) through both programs."""

from __future__ import annotations

import dataclasses
import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from autodl_solver.budget import WorkClock
from autodl_solver.data.info import DatasetInfo
from autodl_solver.metrics import nauc
from autodl_solver.modalities.tabular import forest, plan
from autodl_solver.solver import Solver

ROOT = Path(__file__).resolve().parents[1]
SAMPLE_DATA = ROOT / "sample_data"


@dataclasses.dataclass(frozen=True)
class Folder:
    """What ingestion hands over, as far as the solver looks at it."""

    folder: Path


@dataclasses.dataclass(frozen=True)
class Expected:
    """Final NAUC at least; and what the first answer says of the first test row, for the first classes."""

    nauc: float
    first_row: tuple[float, ...]


EXPECTED = {
    "digits": Expected(0.98, (0.000, 0.000, 0.000)),  # image, dense
    "digit_pairs": Expected(0.92, (0.981, 0.200, 0.965)),  # image, encoded, several labels
    "moving_digits": Expected(0.97, (0.006, 0.007, 0.987)),  # video
    "spoken_commands": Expected(0.95, (0.993, 0.001, 0.001)),  # speech
    "cbf": Expected(0.94, (0.038, 0.395, 0.567)),  # series
    "docstring_topics": Expected(0.97, (0.386, 0.065, 0.045)),  # text
    "docstring_sections": Expected(0.68, (0.932, 0.830, 0.959)),  # table, sparse, several labels
    "breast_cancer": Expected(0.98, (0.999, 0.001)),  # table with NaN, two classes: boosting answers first
}


BUDGET_S = 3.0  # of work, so that no slow machine runs out; networks go on until it ends


@functools.cache
def solve(name: str) -> tuple[list[np.ndarray], np.ndarray]:
    """Every answer of a run to the end, and the solution."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forest, "MOST_LEAVES", 20_000)  # some thirty trees are a forest too
        patch.setattr(plan, "SLOW", dataclasses.replace(plan.SLOW, n_rounds=40))
        return play(name)


def play(name: str) -> tuple[list[np.ndarray], np.ndarray]:
    data = SAMPLE_DATA / name / f"{name}.data"
    solver = Solver(DatasetInfo.from_folder(data / "train"), on_error="raise", clock=WorkClock())
    solver.warm_up()
    answers = []
    while not solver.done:
        solver.train(Folder(data / "train"), BUDGET_S)
        answers.append(solver.test(Folder(data / "test"), BUDGET_S))
    return answers, np.loadtxt(SAMPLE_DATA / name / f"{name}.solution")


def test_every_sample_dataset_is_expected_here() -> None:
    assert {path.parent.name for path in SAMPLE_DATA.glob("*/*.solution")} == EXPECTED.keys()


@pytest.mark.parametrize("name", EXPECTED)
def test_sample_dataset_is_learned(name: str) -> None:
    answers, solution = solve(name)
    assert all(answer.shape == solution.shape for answer in answers)
    assert nauc(solution, answers[-1]) > EXPECTED[name].nauc
    golden = EXPECTED[name].first_row
    assert answers[0][0, : len(golden)].tolist() == pytest.approx(golden, abs=0.03)


@pytest.mark.parametrize("name", EXPECTED)
def test_scores_are_not_crowded_when_printed(name: str) -> None:
    answers, _ = solve(name)
    printed = [len({f"{value:g}" for value in column}) for column in answers[-1].T]
    distinct = [len(np.unique(column)) for column in answers[-1].T]
    assert min(p / d for p, d in zip(printed, distinct, strict=True)) > 0.9


def test_a_wrong_sample_count_is_warned_of_and_the_records_are_trusted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copytree(SAMPLE_DATA / "cbf", tmp_path / "cbf")
    split = tmp_path / "cbf" / "cbf.data" / "train"
    metadata = split / "metadata.textproto"
    metadata.write_text(metadata.read_text(encoding="utf-8").replace("sample_count: 90", "sample_count: 7"), "utf-8")
    solver = Solver(DatasetInfo.from_folder(split), on_error="raise")
    solver.train(Folder(split), 60)
    assert "promises 7 rows, the records hold 90" in caplog.text
    assert solver.history.records[0].n_examples == 90


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPECTED)
def test_both_programs_play_the_sample_dataset(name: str, tmp_path: Path) -> None:
    command = [sys.executable, "run_local_test.py", f"-dataset_dir={SAMPLE_DATA / name}", "-code_dir=."]
    command += ["-time_budget=30", f"-output_dir={tmp_path / 'out'}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, env=dict(os.environ))
    assert done.returncode == 0, done.stdout + done.stderr
    log = (tmp_path / "out" / "ingestion.log").read_text(encoding="utf-8")
    assert "Traceback" not in log
    assert "state: finished" in (tmp_path / "out" / "scores" / "scores.txt").read_text(encoding="utf-8")
