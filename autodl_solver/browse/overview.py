"""Overview: the facts of a dataset, and some examples of each class.

Labels and lengths are those of all training rows; values and sizes are looked at in the first N_LOOKED_AT, which is
what keeps a large dataset quick.
Cost: 0.2 s for 60,000 images, 1.1 s for 11,000 documents of 290 words, one core.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import sparse

from autodl_solver.data.examples import Array, EncodedFrames, Examples, Ragged, Rows, concat_rows, nbytes, take_rows
from autodl_solver.data.export import open_split
from autodl_solver.data.image_header import ImageHeader, read_headers
from autodl_solver.data.info import DatasetInfo
from autodl_solver.data.tfrecord import RecordFile, record_files
from autodl_solver.errors import InputError
from autodl_solver.inputs.sources import autodl_folder
from autodl_solver.modalities import Modality, infer_modality

N_LOOKED_AT = 5000
"""Rows whose values are looked at."""

MOST_VALUES = 20_000_000
"""Of these rows: dense values that are looked at."""

MOST_CLASSES = 30
"""Classes of which examples are picked."""

PER_CLASS = 6
FIRST_CHUNK_ROWS, CHUNK_ROWS, CHUNK_BYTES = 64, 4096, 2**28
"""Rows that are read at a time: at first, and later so many as these bounds admit."""

MOST_PIXELS = 100_000_000


@dataclass(frozen=True)
class ColumnFacts:
    """One column of a dense table; low, mean and high are NaN where all values are missing."""

    name: str
    missing: float
    low: float
    mean: float
    high: float


@dataclass(frozen=True)
class Picked:
    """Some examples.

    Attributes:
        x: their rows.
        rows: [n] int64, their numbers in the training split.
        y: [n, n_classes].
        of_class: class -> places among them.
    """

    x: Rows
    rows: Array
    y: Array
    of_class: dict[int, list[int]]


@dataclass(frozen=True)
class Overview:
    """What is told of a dataset.

    Attributes:
        info: of the training split.
        modality: of its rows.
        n_train: rows.
        n_test: rows of the test split; None if there is none.
        n_bytes: of all record files.
        class_counts: [n_classes] training rows with each label.
        labels_per_row: lowest, mean and highest.
        lengths: time steps of a row: lowest, median and highest; of a sparse table, its entries.
        sizes: (rows, columns) of images or frames -> how many have it, among those looked at.
        values: lowest and highest finite value; NaN for encoded images.
        missing: share of values that are missing (not finite), among those looked at.
        columns: of a dense table.
        picked: examples of the classes.
    """

    info: DatasetInfo
    modality: Modality
    n_train: int
    n_test: int | None
    n_bytes: int
    class_counts: Array
    labels_per_row: tuple[float, float, float]
    lengths: tuple[float, float, float]
    sizes: dict[tuple[int, int], int]
    values: tuple[float, float]
    missing: float
    columns: tuple[ColumnFacts, ...]
    picked: Picked

    def class_name(self, k: int) -> str:
        """The name of class k; its number if it has none."""
        return self.info.class_names[k] if self.info.class_names else str(k)

    @classmethod
    def read(cls, path: Path) -> Overview:
        """Looks through the training split.

        Args:
            path: NAME.data, or the folder it is in.
        Raises:
            InputError: there is no dataset, or it has no rows.
            DataError: its records are not what its metadata promises.
        """
        folder = autodl_folder(path)
        if folder is None:
            raise InputError(
                f"A dataset is a folder NAME.data, or one that holds it, with train/metadata.textproto inside; however "
                f"{path} is neither; convert other data first."
            )
        source, info = open_split(folder / "train")
        n_train = source.count()
        if n_train == 0:
            raise InputError(f"A dataset must hold training rows; however those of {folder} are none.")
        seen = _Seen(info.n_classes)
        chunk_rows = FIRST_CHUNK_ROWS
        while seen.n_rows < n_train:
            examples = source.read(seen.n_rows, min(seen.n_rows + chunk_rows, n_train))
            seen.add(examples)
            chunk_rows = int(np.clip(CHUNK_BYTES * len(examples) // max(nbytes(examples.x), 1), 1, CHUNK_ROWS))
        y, lengths, x = np.concatenate(seen.y), np.concatenate(seen.lengths), concat_rows(seen.looked_at)
        modality = infer_modality(info, float(np.median(lengths)))
        assert modality is not None, "the length is known"
        values = _values(x)
        finite = values[np.isfinite(values)]
        per_row = y.sum(axis=1)
        return cls(
            info,
            modality,
            n_train,
            _n_rows(folder / "test"),
            sum(file.stat().st_size for split in ("train", "test") for file in record_files(folder / split)),
            (y > 0).sum(axis=0),
            (float(per_row.min()), float(per_row.mean()), float(per_row.max())),
            (float(lengths.min()), float(np.median(lengths)), float(lengths.max())),
            _sizes(x),
            (float(finite.min()), float(finite.max())) if len(finite) else (np.nan, np.nan),
            1 - len(finite) / max(values.size, 1) if values.size else 0.0,
            _columns(x, info) if modality is Modality.TABULAR else (),
            seen.picked(y),
        )


class _Seen:
    """What is kept of the rows while they go by: labels and lengths of all, the first rows, and some of each class."""

    def __init__(self, n_classes: int) -> None:
        self.n_rows = 0
        self.y: list[Array] = []
        self.lengths: list[Array] = []
        self.looked_at: list[Rows] = []
        self._n_values = 0
        self._examples: list[Rows] = []
        self._rows: list[Array] = []
        self._n_of_class = np.zeros(min(n_classes, MOST_CLASSES), np.int64)

    def add(self, examples: Examples) -> None:
        assert examples.y is not None
        self.y.append(examples.y)
        self.lengths.append(_lengths(examples.x))
        room = min(
            N_LOOKED_AT - self.n_rows, (MOST_VALUES - self._n_values) * len(examples) * 4 // max(nbytes(examples.x), 1)
        )
        if not self.looked_at or room > 0:
            self.looked_at.append(take_rows(examples.x, slice(0, max(room, 1))))
            self._n_values += nbytes(self.looked_at[-1]) // 4
        self._pick(examples)
        self.n_rows += len(examples)

    def _pick(self, examples: Examples) -> None:
        """Keeps what classes need that have fewer than PER_CLASS examples."""
        assert examples.y is not None
        has = examples.y[:, : len(self._n_of_class)] > 0
        ordinal = np.cumsum(has, axis=0) + self._n_of_class
        self._n_of_class = ordinal[-1]
        chosen = np.flatnonzero((has & (ordinal <= PER_CLASS)).any(axis=1))
        if self.n_rows == 0:
            chosen = np.union1d(chosen, np.arange(min(PER_CLASS, len(examples))))  # for rows without labels
        if len(chosen):
            self._examples.append(take_rows(examples.x, chosen))
            self._rows.append(self.n_rows + chosen)

    def picked(self, y: Array) -> Picked:
        """The examples of the first classes; the first of all, if none has a label."""
        rows = np.concatenate(self._rows)
        of_class = {k: np.flatnonzero(y[rows, k] > 0)[:PER_CLASS].tolist() for k in range(len(self._n_of_class))}
        return Picked(concat_rows(self._examples), rows, y[rows], {k: found for k, found in of_class.items() if found})


def _lengths(x: Rows) -> Array:
    if isinstance(x, sparse.csr_array):
        return np.diff(x.indptr)
    if isinstance(x, np.ndarray):
        return np.full(len(x), x.shape[1])
    return np.array([len(row) for row in x], np.int64) if isinstance(x, list) else x.lengths


def _values(x: Rows) -> Array:
    """Values to look at, in one row; none of encoded images."""
    if isinstance(x, EncodedFrames):
        return np.zeros(0, np.float32)
    if isinstance(x, sparse.csr_array):
        return np.asarray(x.data)
    if isinstance(x, list):
        return np.concatenate([row.ravel() for row in x])
    return np.asarray(x.values if isinstance(x, Ragged) else x, np.float32).reshape(-1)


def _sizes(x: Rows) -> dict[tuple[int, int], int]:
    """Rows and columns of frames, the most frequent first; of a list or encoded frames."""
    found: list[tuple[int, int]] = []
    if isinstance(x, EncodedFrames):
        headers = read_headers(x, MOST_PIXELS).of(np.arange(len(x.starts)))
        found = [(header.n_rows, header.n_cols) for header in headers if isinstance(header, ImageHeader)]
    elif isinstance(x, list):
        found = [(row.shape[1], row.shape[2]) for row in x]
    elif isinstance(x, np.ndarray):
        found = [(x.shape[2], x.shape[3])] * len(x)
    counts = {size: found.count(size) for size in set(found)}
    return dict(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0])))


def _columns(x: Rows, info: DatasetInfo) -> tuple[ColumnFacts, ...]:
    if not isinstance(x, np.ndarray):
        return ()
    table = np.asarray(x, np.float64).reshape(len(x), -1)
    facts = []
    for k, column in enumerate(table.T):
        present = column[np.isfinite(column)]
        low, mean, high = (present.min(), present.mean(), present.max()) if len(present) else [np.nan] * 3
        name = info.feature_names[k] if k < len(info.feature_names) else str(k)
        facts.append(ColumnFacts(name, 1 - len(present) / len(column), float(low), float(mean), float(high)))
    return tuple(facts)


def _n_rows(folder: Path) -> int | None:
    files = record_files(folder) if folder.is_dir() else []
    return sum(len(RecordFile(file)) for file in files) if files else None
