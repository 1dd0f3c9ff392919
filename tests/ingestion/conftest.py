"""The ingestion program on a small dataset, run as the challenge runs it: as a process of its own."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from ingestion_harness import ROOT, Outcome, write_dataset


@pytest.fixture
def dataset_dir(tmp_path: Path) -> Path:
    """A folder that holds tiny.data."""
    write_dataset(tmp_path / "dataset")
    return tmp_path / "dataset"


@pytest.fixture
def ingest(tmp_path: Path, dataset_dir: Path) -> Callable[..., Outcome]:
    """Run the program on a model given as text."""

    def run(
        model: str | None,
        *,
        flags: Sequence[str] = ("--time_budget=60",),
        dataset_dir: Path = dataset_dir,
        output_dir: Path = tmp_path / "output",
        python_path: Sequence[Path] = (),
        command: Sequence[str] = (str(ROOT / "ingestion" / "ingestion.py"),),
        timeout_s: float = 60,
    ) -> Outcome:
        code_dir = tmp_path / "code"
        code_dir.mkdir(exist_ok=True)
        if model is not None:
            (code_dir / "model.py").write_text(textwrap.dedent(model), encoding="utf-8")
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
        environment["PYTHONPATH"] = os.pathsep.join(map(str, python_path))
        result = subprocess.run(
            [
                sys.executable,
                *command,
                f"--dataset_dir={dataset_dir}",
                f"--output_dir={output_dir}",
                f"--code_dir={code_dir}",
                *flags,
            ],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=timeout_s,
        )
        return Outcome(result.returncode, result.stdout, output_dir)

    return run
