"""A small dataset with known content, and what a run of the ingestion program leaves behind."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from autodl_solver.data.sequence_example import encode_example
from autodl_solver.data.tfrecord import write_records

ROOT = Path(__file__).resolve().parents[2]
N_TRAIN, N_TEST, N_CLASSES, N_COLUMNS = 6, 4, 3, 2

METADATA = """\
is_sequence: false
sample_count: {sample_count}
sequence_size: 1
output_dim: 3
matrix_spec {{
  col_count: 2
  row_count: 1
  format: DENSE
  num_channels: 1
}}
"""


@dataclass
class Outcome:
    """What a run of the program left behind."""

    exit_code: int
    log: str
    folder: Path

    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir()) if self.folder.is_dir() else []

    def fields(self, name: str) -> dict[str, str]:
        lines = (self.folder / name).read_text(encoding="utf-8").splitlines()
        return dict(line.split(": ", 1) for line in lines)

    def n_predictions(self) -> int:
        """Predictions of which start.txt tells; each must have its file."""
        numbers = [int(key) for key in self.fields("start.txt") if key.isdigit()]
        assert numbers == list(range(len(numbers)))
        name = self.fields("start.txt")["task_name"]
        assert {f"{name}.predict_{k}" for k in numbers} == {file for file in self.files() if ".predict_" in file}
        return len(numbers)


def write_dataset(parent: Path, name: str = "tiny") -> Path:
    """Write NAME.data: example i of a folder is the row (i, i + 0.5) with the label i mod 3."""
    folder = parent / f"{name}.data"
    for part, n_examples in (("train", N_TRAIN), ("test", N_TEST)):
        (folder / part).mkdir(parents=True)
        (folder / part / "metadata.textproto").write_text(METADATA.format(sample_count=n_examples), encoding="utf-8")
        records = (
            encode_example(i, [(i % 3, 1.0)] if part == "train" else [], dense=np.array([[i, i + 0.5]], np.float32))
            for i in range(n_examples)
        )
        write_records(folder / part / f"sample-{name}-{part}.tfrecord", records)
    return folder
