"""Make the sample datasets: one small real dataset per modality, in AutoDL format.

Run from the root of the repository:

    python -m sample_data.make_sample_data [--out DIR] [NAME ...]

Every dataset is split by a fixed seed. README.md beside this file lists sources, licences, and which of the datasets
come out the same bit for bit. All of them together take 10 s and less than 5 MB.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from autodl_solver.data.examples import Array
from autodl_solver.data.info import write_metadata
from autodl_solver.data.sequence_example import encode_example
from autodl_solver.data.tfrecord import record_files, write_records
from sample_data.recipes.dataset import SampleDataset, fixed_stream
from sample_data.recipes.docstrings import make_docstring_sections, make_docstring_topics
from sample_data.recipes.pictures import make_digit_pairs, make_digits, make_moving_digits
from sample_data.recipes.signals import make_cbf, make_spoken_commands
from sample_data.recipes.tables import make_breast_cancer

RECIPES: dict[str, Callable[[], SampleDataset]] = {
    "digits": make_digits,
    "digit_pairs": make_digit_pairs,
    "moving_digits": make_moving_digits,
    "spoken_commands": make_spoken_commands,
    "cbf": make_cbf,
    "docstring_topics": make_docstring_topics,
    "docstring_sections": make_docstring_sections,
    "breast_cancer": make_breast_cancer,
}
SPLIT_SEED = 0


def split_rows(labels: Sequence[tuple[int, ...]], n_test: int) -> tuple[Array, Array]:
    """A shuffled split in which every set of labels has its share of the test rows.

    Args:
        labels: class indices of each example.
        n_test: test rows wanted; kept exactly.
    Returns:
        train and test row numbers, int64.
    """
    shuffled = fixed_stream(SPLIT_SEED).permutation(len(labels))
    grouped = sorted(shuffled, key=lambda row: labels[row])  # stable: shuffled inside each group
    taken = np.linspace(0, len(grouped), n_test, endpoint=False).astype(np.int64)
    is_test = np.zeros(len(labels), bool)
    is_test[np.asarray(grouped)[taken]] = True
    return shuffled[~is_test[shuffled]], shuffled[is_test[shuffled]]


def write_dataset(dataset: SampleDataset, out: Path) -> Path:
    """Write NAME/NAME.data/{train,test} and NAME/NAME.solution below `out`; test records carry no labels.

    Returns:
        The folder of the dataset, out / NAME.
    """
    name = dataset.info.name
    root = out / name
    train, test = split_rows(dataset.labels, dataset.n_test)
    for split, rows in (("train", train), ("test", test)):
        folder = root / f"{name}.data" / split
        folder.mkdir(parents=True, exist_ok=True)
        for earlier in record_files(folder):
            earlier.unlink()
        write_metadata(replace(dataset.info, n_examples=len(rows)), folder / "metadata.textproto")
        records = [
            encode_example(
                i, [(k, 1.0) for k in dataset.labels[row]] if split == "train" else [], **dataset.examples[row]
            )
            for i, row in enumerate(rows)
        ]
        for k in range(dataset.n_files):
            suffix = "" if dataset.n_files == 1 else f"-{k:05d}-of-{dataset.n_files:05d}"
            # Dealt like cards, since several files are read interleaved: the rows come back in their order.
            write_records(folder / f"sample-{name}-{split}{suffix}.tfrecord", records[k :: dataset.n_files])
    solution = np.zeros((len(test), dataset.info.n_classes), np.int64)
    for i, row in enumerate(test):
        solution[i, list(dataset.labels[row])] = 1
    np.savetxt(root / f"{name}.solution", solution, fmt="%d")
    return root


def main() -> None:
    """Make the datasets that the command line names, all by default."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"datasets to make: {', '.join(RECIPES)}; default: all"
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="default: the folder of this file")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.names) - set(RECIPES))
    if unknown:
        parser.error(f"NAME must be one of {', '.join(RECIPES)}; however {', '.join(unknown)} is not.")
    for name in arguments.names or RECIPES:
        root = write_dataset(RECIPES[name](), arguments.out)
        n_bytes = sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
        print(f"{root}: {n_bytes / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
