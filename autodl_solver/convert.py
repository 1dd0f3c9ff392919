"""Convert a user's own examples to a dataset in AutoDL format.

    OUT/NAME/NAME.data/train    records with labels, metadata with the names of classes, words and columns
    OUT/NAME/NAME.data/test     records without labels
    OUT/NAME/NAME.solution      0 and 1 for each class, a line for each test row

The dataset appears whole or not at all. What training rows do not show (words, categories, a sample rate) is unknown to
the test rows too, as it will be to new ones.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from autodl_solver.data.examples import Array, EncodedFrames, Rows, n_rows, typical_length
from autodl_solver.data.info import METADATA_FILE, DatasetInfo, write_metadata
from autodl_solver.data.sequence_example import encode_example
from autodl_solver.data.tfrecord import write_records
from autodl_solver.errors import InputError
from autodl_solver.inputs.base import Input
from autodl_solver.inputs.kinds import input_for
from autodl_solver.inputs.labels import Labels
from autodl_solver.inputs.sources import Labelled, read_labelled
from autodl_solver.modalities import infer_modality

logger = logging.getLogger(__name__)

BLOCK_ROWS = 256
"""Examples that are read at a time."""


def convert(
    source_path: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    label: str | None = None,
    kind: str | None = None,
    test_share: float = 0.2,
    seed: int = 0,
    name: str | None = None,
) -> Path:
    """Write a source of labelled examples as a dataset in AutoDL format.

    Args:
        source_path: a folder of class folders, a table, a table of files, an .npz file; see `inputs.sources`.
        out: folder that the dataset's folder is made in.
        label: column of a table with the labels, or several with commas between.
        kind: of the examples; by default what the source looks like.
        test_share: of the rows of each class, for the test split.
        seed: of the split and of the order of the rows.
        name: of the dataset; by default after the source.
    Returns:
        The folder of the dataset, OUT/NAME.
    Raises:
        InputError: the source cannot be learned from, there is such a dataset already, or it has too few rows.
        OSError: something cannot be read or written; nothing is left behind.
    """
    if not 0 < test_share < 1:
        raise InputError(f"The share of test rows must lie between 0 and 1; however it is {test_share}.")
    name = _dataset_name(Path(source_path).absolute(), name)
    target = Path(out) / name
    if target.exists():
        raise InputError(f"A dataset is written to a folder of its own; however {target} exists; give another name.")
    source = read_labelled(source_path, label, kind)
    labels = Labels.fitted(source.labels)
    y = labels.encode(source.labels)
    train, test = split_rows(y, test_share, seed)
    if not len(test):
        raise InputError(
            f"A class needs more than one row before one can be kept for testing; however {source_path} has "
            f"{len(y)} rows of {y.shape[1]} classes; give more rows, or a larger share."
        )
    examples = input_for(source.examples, source.kind)
    examples.fit(_taken(source.examples, train))
    info = examples.info(name, -1, labels.class_names)
    Path(out).mkdir(parents=True, exist_ok=True)
    temporary = Path(out) / f".{name}.{os.getpid()}.tmp"
    try:
        _write_split(temporary / f"{name}.data" / "train", info, examples, source, train, y)
        kept = _write_split(temporary / f"{name}.data" / "test", info, examples, source, test, None)
        np.savetxt(temporary / f"{name}.solution", y[kept], fmt="%g")
        temporary.rename(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return target


def split_rows(y: Array, test_share: float, seed: int) -> tuple[Array, Array]:
    """A shuffled split in which every set of labels has its share of the test rows, and at least one training row.

    Args:
        y: [n_rows, n_classes].
        test_share: between 0 and 1.
        seed: of the order.
    Returns:
        Numbers of the training and of the test rows, int64, in random order.
    """
    shuffled = np.random.default_rng(seed).permutation(len(y))
    _, kind_of_row = np.unique(y[shuffled], axis=0, return_inverse=True)
    grouped = np.argsort(kind_of_row.ravel(), kind="stable")
    count = np.floor(np.arange(len(y) + 1) * test_share + 1e-9)
    is_test = np.zeros(len(y), bool)
    is_test[grouped] = np.diff(count) > 0
    is_test[np.unique(kind_of_row.ravel(), return_index=True)[1]] = False
    return shuffled[~is_test], shuffled[is_test]


def _dataset_name(source: Path, name: str | None) -> str:
    """The name that was given, or the stem of the source's without what could not stand in a path."""
    if name is None:
        stem = source.name if source.is_dir() else source.stem
        return re.sub(r"[^\w.-]+", "_", stem).strip("._") or "dataset"
    if not name or name != Path(name).name or name.startswith("."):
        raise InputError(f"The name of a dataset must be the name of a folder; however it is {name!r}.")
    return name


def _taken(examples: Any, places: Array) -> Any:
    """Some examples, in the kind of container that they came in."""
    if hasattr(examples, "iloc"):
        return examples.iloc[places]
    return examples[places] if isinstance(examples, np.ndarray) else [examples[place] for place in places]


def _write_split(
    folder: Path, info: DatasetInfo, examples: Input, source: Labelled, places: Array, y: Array | None
) -> Array:
    """Writes the examples at some places; without labels if y is None.

    Returns:
        [n_rows] int64: the places of those that could be read.
    """
    folder.mkdir(parents=True)
    kept: list[Array] = []
    lengths: list[float] = []

    def records() -> Iterator[bytes]:
        for start in range(0, len(places), BLOCK_ROWS):
            block = places[start : start + BLOCK_ROWS]
            encoded = examples.encode(_taken(source.examples, block))
            readable = block[encoded.places]
            kept.append(readable)
            lengths.append(typical_length(encoded.rows))
            for place, data in zip(readable, stored(encoded.rows), strict=True):
                classes = () if y is None else np.flatnonzero(y[place])
                labels = [] if y is None else [(int(k), float(y[place, k])) for k in classes]
                yield encode_example(int(place), labels, **data)

    write_records(folder / f"sample-{info.name}-{folder.name}.tfrecord", records())
    written = np.concatenate(kept)
    info = replace(info, n_examples=len(written))
    write_metadata(info, folder / METADATA_FILE)
    modality = infer_modality(info, float(np.median(lengths)))
    if y is not None and modality is not None and modality.value != examples.modality:
        logger.warning(
            "The format does not say what rows are: those of %s will be taken for %s, not %s.",
            info.name, modality.value, examples.modality,
        )  # fmt: skip
    return written


def stored(rows: Rows) -> Iterator[Mapping[str, Any]]:
    """Of each row, the arguments of `encode_example` that hold its data."""
    if isinstance(rows, sparse.csr_array):
        for start, end in zip(rows.indptr[:-1], rows.indptr[1:], strict=True):
            zeros = np.zeros(end - start, np.int64)
            yield {"sparse": (zeros, rows.indices[start:end], zeros, rows.data[start:end])}
    elif isinstance(rows, EncodedFrames):
        for first, last in zip(rows.offsets[:-1], rows.offsets[1:], strict=True):
            yield {"compressed": [rows.frame(k).tobytes() for k in range(first, last)]}
    else:
        for row in (rows[k] for k in range(n_rows(rows))):
            yield {"dense": row.reshape(len(row), -1)}
