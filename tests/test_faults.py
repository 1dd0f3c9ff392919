"""Faults of a whole run: ingestion is killed, memory is short, a fit finds no room."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from autodl_solver.anytime.plan import Family
from autodl_solver.budget import Budget
from autodl_solver.data.example_encoding import encode_example
from autodl_solver.data.info import METADATA_FILE, DatasetInfo, Format, MatrixSpec, write_metadata
from autodl_solver.data.tfrecord import write_records
from autodl_solver.learners.base import Features
from autodl_solver.learners.linear import LinearLearner
from autodl_solver.metrics import nauc
from autodl_solver.modalities import SPECS, Modality
from autodl_solver.modalities.image.pipeline import FLAT
from autodl_solver.solver import Solver

ROOT = Path(__file__).resolve().parents[1]
SAMPLE_DATA = ROOT / "sample_data"

ONE_GOOD_PREDICTION_THEN_HANGS = """
import os, signal, subprocess
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
            signal.pause()

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


@dataclasses.dataclass(frozen=True)
class Folder:
    """What ingestion hands over, as far as the solver looks at it."""

    folder: Path


def play(solver: Solver, data: Path) -> np.ndarray:
    """Plays the challenge to its end; the last answer."""
    while not solver.done:
        solver.train(Folder(data / "train"), 60)
        answer = solver.test(Folder(data / "test"), 60)
    return answer


@pytest.mark.usefixtures("quick_plans")
@pytest.mark.parametrize("name", ["digits", "cbf", "docstring_topics", "docstring_sections", "breast_cancer"])
def test_nothing_need_be_kept_in_memory(name: str) -> None:
    data = SAMPLE_DATA / name / f"{name}.data"
    answers = [
        play(Solver(DatasetInfo.from_folder(data / "train"), on_error="raise", memory_bytes=n_bytes), data)
        for n_bytes in (0, 1e9)
    ]
    solution = np.loadtxt(SAMPLE_DATA / name / f"{name}.solution")
    assert nauc(solution, answers[0]) == pytest.approx(nauc(solution, answers[1]), abs=0.03)


def enlarged_digits(folder: Path, n_train: int, n_test: int) -> tuple[DatasetInfo, np.ndarray]:
    """scikit-learn's digits with noise, as often as needed; the labels of the test rows."""
    rng = np.random.default_rng(0)
    x, labels = load_digits(return_X_y=True)
    rows = rng.integers(0, len(x), n_train + n_test)
    images = (x[rows] + rng.normal(0, 1, (len(rows), 64))).astype(np.float32)
    for split, part in (("train", slice(0, n_train)), ("test", slice(n_train, None))):
        (folder / split).mkdir()
        info = DatasetInfo("many", folder / split, len(images[part]), 10, 1, (MatrixSpec(8, 8, 1, Format.DENSE),))
        write_metadata(info, folder / split / METADATA_FILE)
        known = [[(label, 1.0)] if split == "train" else [] for label in labels[rows[part]].tolist()]
        records = [encode_example(k, known[k], dense=image[None]) for k, image in enumerate(images[part])]
        write_records(folder / split / f"sample-{split}.tfrecord", records)
    return DatasetInfo.from_folder(folder / "train"), np.eye(10)[labels[rows[n_train:]]]


def test_of_a_dataset_larger_than_the_memory_the_first_rows_are_learned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info, solution = enlarged_digits(tmp_path, n_train=6000, n_test=300)
    pixels = dataclasses.replace(
        SPECS[Modality.IMAGE], make_plan=lambda info: [Family("pixels", LinearLearner, (8,), FLAT)]
    )
    monkeypatch.setitem(SPECS, Modality.IMAGE, pixels)
    solver = Solver(info, on_error="raise", memory_bytes=2500 * 64 * 4)
    answer = play(solver, tmp_path)
    assert solver.history.n_available == 6000
    assert max(record.n_examples for record in solver.history.records) == 2500
    assert nauc(solution, answer) > 0.9


class Greedy(LinearLearner):
    """Finds no room for more than so many rows."""

    max_rows = 0

    def _fit(self, x: Features, y: np.ndarray, budget: Budget) -> None:
        if x.shape[0] > self.max_rows:
            raise MemoryError(f"no room for {x.shape[0]} rows")
        super()._fit(x, y, budget)


@pytest.mark.parametrize(
    ("max_rows", "families"),
    [
        (200, [Family("greedy", Greedy, (8,), FLAT, first_n=3000)]),  # the same with fewer rows
        (0, [Family("greedy", Greedy, (8,), FLAT), Family("modest", LinearLearner, (8,), FLAT)]),  # another family
    ],
)
def test_after_a_fit_without_room_something_cheaper_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, max_rows: int, families: list[Family]
) -> None:
    info, solution = enlarged_digits(tmp_path, n_train=3000, n_test=300)
    monkeypatch.setattr(Greedy, "max_rows", max_rows)
    monkeypatch.setitem(
        SPECS, Modality.IMAGE, dataclasses.replace(SPECS[Modality.IMAGE], make_plan=lambda info: families)
    )
    solver = Solver(info)
    answer = play(solver, tmp_path)
    records = solver.history.records
    assert isinstance(records[0].error, MemoryError)
    assert any(not record.failed for record in records)
    assert nauc(solution, answer) > 0.8
