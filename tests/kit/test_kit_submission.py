"""The submission zip under a double of the challenge's own program: unpacked elsewhere, run from there."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from autodl_solver.metrics import nauc

ROOT = Path(__file__).resolve().parents[2]
DOUBLE = Path(__file__).with_name("official_double.py")
LARGEST_BYTES = 300e6  # what the challenge accepts
BUDGET_S = 20.0
TIMEOUT_S = 150.0

needs_tensorflow = pytest.mark.skipif(importlib.util.find_spec("tensorflow") is None, reason="needs tensorflow")


@pytest.fixture(scope="module")
def submission(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip that `make submission` packs, from a copy of the sources: other tests may pack at the same time."""
    folder = tmp_path_factory.mktemp("sources")
    for name in ("Makefile", "LICENSE", "model.py"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "autodl_solver", folder / "autodl_solver", ignore=shutil.ignore_patterns("__pycache__"))
    environment = {
        name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MFLAGS", "MAKELEVEL"}
    }
    command = ["make", "submission", f"PYTHON={sys.executable}"]
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, timeout=60)
    return folder / "submission.zip"


def test_the_zip_is_small_enough_and_has_model_py_at_its_root(submission: Path) -> None:
    assert submission.stat().st_size < LARGEST_BYTES
    with zipfile.ZipFile(submission) as packed:
        assert "model.py" in packed.namelist()
        assert sum(file.file_size for file in packed.infolist()) < LARGEST_BYTES


def test_the_zip_runs_from_where_it_is_unpacked_without_tensorflow(submission: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(submission) as packed:
        packed.extractall(tmp_path / "code")
    program = "import sys, model; print(model.__file__); print('tensorflow' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path / "code", capture_output=True, text=True, timeout=60
    )
    assert done.stdout.split() == [str(tmp_path / "code" / "model.py"), "False"], done.stderr


@needs_tensorflow
@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "naming", "dataset", "lowest"),
    [
        ("graph", "named", "digits", 0.9),  # images, encoded; TensorFlow 1, the folder is read natively
        ("graph", "nameless", "cbf", 0.8),  # series; TensorFlow 1, through a session
        ("eager", "named", "docstring_topics", 0.9),  # text
        ("eager", "nameless", "breast_cancer", 0.9),  # a table, through eager iteration
    ],
)
def test_the_submission_plays_under_the_official_program(
    submission: Path, tmp_path: Path, mode: str, naming: str, dataset: str, lowest: float
) -> None:
    code, output, data = tmp_path / "program", tmp_path / "output", tmp_path / "input"
    with zipfile.ZipFile(submission) as packed:
        packed.extractall(code)
    output.mkdir()
    shutil.copytree(ROOT / "sample_data" / dataset / f"{dataset}.data", data / f"{dataset}.data")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, str(DOUBLE), str(data), str(output), str(code), str(BUDGET_S), mode, naming]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S)
    assert done.returncode == 0, done.stderr[-3000:]
    told = dict(
        line.split(": ", 1) for line in done.stdout.splitlines() if line.startswith(("model:", "package:", "eager:"))
    )
    assert told["eager"] == str(mode == "eager")
    assert Path(told["model"]).parent == code
    assert Path(told["package"]).is_relative_to(code), "not the package that is installed for these tests"
    assert "Traceback" not in done.stderr, done.stderr[-3000:]
    assert_played(output, dataset, lowest)


def assert_played(output: Path, dataset: str, lowest: float) -> None:
    """The run ended well, and its last prediction is worth something."""
    end = dict(line.split(": ") for line in (output / "end.txt").read_text().splitlines())
    assert end["ingestion_success"] == "1"
    assert float(end["ingestion_duration"]) < BUDGET_S + 2
    stamps = [line for line in (output / "start.txt").read_text().splitlines() if line.split(":")[0].isdigit()]
    files = {path.name for path in output.glob("*.predict_*")}
    assert files == {f"{dataset}.predict_{k}" for k in range(len(stamps))}
    solution = np.loadtxt(ROOT / "sample_data" / dataset / f"{dataset}.solution", ndmin=2)
    scores = np.loadtxt(output / f"{dataset}.predict_{len(stamps) - 1}", ndmin=2)
    assert scores.shape == solution.shape
    assert nauc(solution, scores) > lowest
