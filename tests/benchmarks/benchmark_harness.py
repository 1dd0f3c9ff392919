"""Results and datasets that are made for the tests of the benchmark."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from autodl_solver.data.example_encoding import encode_example
from autodl_solver.data.tfrecord import write_records
from benchmarks.jobs import PROTOCOLS, Job, Result

SMOKE = PROTOCOLS["smoke"]
METADATA = """\
sample_count: {n_rows}
sequence_size: 1
output_dim: 2
matrix_spec {{ col_count: 3 row_count: 1 format: DENSE num_channels: 1 }}
"""
N_ROWS = 20


def result(
    dataset: str = "toy",
    system: str = "ours",
    seed: int = 0,
    alc: float = 0.5,
    curve: tuple[tuple[float, float], ...] = ((1.0, 0.5),),
    **more: Any,
) -> Result:
    """A result with all fields."""
    return {
        **Job(dataset, system, seed, SMOKE).fields(),
        "modality": "tabular",
        "status": "finished",
        "cause": "",
        "curve": [list(point) for point in curve],
        "alc": alc,
        "final_nauc": curve[-1][1] if curve else None,
        "first_s": curve[0][0] if curve else None,
        "wall_s": 2.0,
        "init_s": 1.0,
        "peak_bytes": 10**8,
        "commit": "0123456789",
        "machine": {"node": "n", "processor": "CPU", "cores": 2, "memory_gib": 24.0, "system": "Linux"},
        "python": "3.11.7",
        "versions": {"numpy": "2"},
        "data_sha256": "0",
        "log_tail": [],
        "started": "2026-01-01T00:00:00+00:00",
        **more,
    }


def write_toy(parent: Path, name: str = "toy") -> Path:
    """parent/NAME with NAME.data and NAME.solution: a table of two classes that its first column tells apart."""
    for split in ("train", "test"):
        folder = parent / name / f"{name}.data" / split
        folder.mkdir(parents=True)
        (folder / "metadata.textproto").write_text(METADATA.format(n_rows=N_ROWS), encoding="utf-8")
        records = (
            encode_example(i, [(i % 2, 1.0)] if split == "train" else [], dense=np.array([[i % 2, i, 1]], np.float32))
            for i in range(N_ROWS)
        )
        write_records(folder / f"sample-{name}-{split}.tfrecord", records)
    np.savetxt(parent / name / f"{name}.solution", np.eye(2)[np.arange(N_ROWS) % 2], fmt="%d")
    return parent / name


def write_submission(parent: Path, name: str, text: str) -> Path:
    """parent/NAME/model.py."""
    (parent / name).mkdir(parents=True)
    (parent / name / "model.py").write_text(text, encoding="utf-8")
    return parent / name
