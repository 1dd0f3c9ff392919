"""Examples: the rows of a dataset, in the layout that their data asks for.

    Array               [n, time, row, col, channel]; every row has the same shape
    Ragged              rows differ in time only (text, speech, unequal series)
    EncodedFrames       JPEG or PNG files not decoded yet: a stage decodes what it needs, at the size it needs
    csr_array           [n, n_columns], sparse tables
    list of arrays      rows of arbitrary shapes (a dataset that was iterated, images of many sizes)

All kinds answer to `take_rows` and `concat_rows`; after a pipeline, x is an Array or a csr_array.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from autodl_solver.errors import ShapeError

Array: TypeAlias = NDArray[Any]


@dataclass(frozen=True)
class Ragged:
    """Rows of differing length: row i is `values[offsets[i]:offsets[i + 1]]`.

    Shape:
        values: [sum of lengths, row, col, channel]; offsets: [n_rows + 1] int64, offsets[0] = 0.
    """

    values: Array
    offsets: Array

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> Array:
        row = range(len(self))[row]
        return self.values[self.offsets[row] : self.offsets[row + 1]]

    @property
    def lengths(self) -> Array:
        """[n_rows] int64: time steps of each row."""
        return np.diff(self.offsets)

    @property
    def nbytes(self) -> int:
        return int(self.values.nbytes + self.offsets.nbytes)


@dataclass(frozen=True)
class EncodedFrames:
    """Compressed images, not decoded yet.

    Frame k lies at `buffers[file_index[k]][starts[k] : starts[k] + sizes[k]]`; row i holds the frames
    `offsets[i] .. offsets[i + 1] - 1` (an image has one frame, a video one per time step).

    Shape:
        buffers: uint8 arrays (mapped files); file_index, starts, sizes: [n_frames]; offsets: [n_rows + 1].
    """

    buffers: tuple[Array, ...]
    file_index: Array
    starts: Array
    sizes: Array
    offsets: Array

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def frame(self, k: int) -> Array:
        """The bytes of frame k, [n_bytes] uint8, without a copy."""
        start = self.starts[k]
        frame: Array = self.buffers[self.file_index[k]][start : start + self.sizes[k]]
        return frame

    @property
    def lengths(self) -> Array:
        """[n_rows] int64: frames of each row."""
        return np.diff(self.offsets)

    @property
    def nbytes(self) -> int:
        return int(self.file_index.nbytes + self.starts.nbytes + self.sizes.nbytes + self.offsets.nbytes)


Rows: TypeAlias = "Array | Ragged | EncodedFrames | sparse.csr_array | list[Array]"


@dataclass(frozen=True)
class Examples:
    """Some rows of a dataset.

    Shape:
        x: see the module; y: [n, n_classes] float32, or None where labels are unknown (test rows).
    """

    x: Rows
    y: Array | None = None

    def __post_init__(self) -> None:
        if self.y is not None and len(self.y) != n_rows(self.x):
            raise ShapeError(
                f"x and y must have the same number of rows; however they have {n_rows(self.x)} and {len(self.y)}."
            )

    def __len__(self) -> int:
        return n_rows(self.x)

    def take(self, index: Array | slice) -> Examples:
        """The rows of `index` (integers or a slice), in that order."""
        return Examples(take_rows(self.x, index), None if self.y is None else self.y[index])


def n_rows(x: Rows) -> int:
    """How many rows x holds."""
    return x.shape[0] if isinstance(x, sparse.csr_array) else len(x)


def typical_length(x: Rows) -> float:
    """Median time steps of a row; 1 for sparse rows, 0 if there are no rows."""
    if isinstance(x, sparse.csr_array):
        return 1.0
    if isinstance(x, np.ndarray):
        return float(x.shape[1])
    lengths = [len(row) for row in x] if isinstance(x, list) else x.lengths
    return float(np.median(lengths)) if len(lengths) else 0.0


def nbytes(x: Rows) -> int:
    """Bytes that x holds in memory (of mapped files: what they would take)."""
    if isinstance(x, sparse.csr_array):
        return int(x.data.nbytes + x.indices.nbytes + x.indptr.nbytes)
    return sum(row.nbytes for row in x) if isinstance(x, list) else int(x.nbytes)


def take_rows(x: Rows, index: Array | slice) -> Rows:
    """The rows of `index` (integers or a slice) of any kind of rows; a slice of an Array stays a view."""
    if isinstance(x, (np.ndarray, sparse.csr_array)):
        return x[index]
    rows = np.arange(len(x))[index]
    if isinstance(x, list):
        return [x[i] for i in rows]
    steps, offsets = _steps_of(rows, x.offsets)
    if isinstance(x, Ragged):
        return Ragged(x.values[steps], offsets)
    return EncodedFrames(x.buffers, x.file_index[steps], x.starts[steps], x.sizes[steps], offsets)


def _steps_of(rows: Array, offsets: Array) -> tuple[Array | slice, Array]:
    """Which steps the rows own, and their new offsets."""
    lengths = (offsets[1:] - offsets[:-1])[rows]
    taken = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    if len(rows) and np.array_equal(rows, np.arange(rows[0], rows[0] + len(rows))):
        return slice(int(offsets[rows[0]]), int(offsets[rows[-1] + 1])), taken
    return np.repeat(offsets[:-1][rows] - taken[:-1], lengths) + np.arange(taken[-1]), taken


def concat_rows(parts: Sequence[Rows]) -> Rows:
    """One after the other. Parts of different kinds, or arrays of different shapes, become a list of arrays.

    Raises:
        ShapeError: no parts, or sparse or encoded rows are mixed with others.
    """
    if not parts:
        raise ShapeError("concat_rows needs at least one part; however the sequence is empty.")
    if len(parts) == 1:
        return parts[0]
    tables = [part for part in parts if isinstance(part, sparse.csr_array)]
    if tables and len(tables) < len(parts):
        raise ShapeError("Sparse rows can only be joined to sparse rows; however other rows are among the parts.")
    if tables:
        return sparse.csr_array(sparse.vstack(tables, format="csr"))
    encoded = [part for part in parts if isinstance(part, EncodedFrames)]
    if len(encoded) == len(parts):
        return _concat_encoded(encoded)
    if encoded:
        raise ShapeError("Encoded frames can only be joined to encoded frames; however other rows are among the parts.")
    ragged = [part for part in parts if isinstance(part, Ragged)]
    if len(ragged) == len(parts) and len({part.values.shape[1:] for part in ragged}) == 1:
        return Ragged(np.concatenate([p.values for p in ragged]), _join_offsets([p.offsets for p in ragged]))
    arrays = [part for part in parts if isinstance(part, np.ndarray)]
    if len(arrays) == len(parts) and len({part.shape[1:] for part in arrays}) == 1:
        return np.concatenate(arrays)
    return [part[i] for part in parts if isinstance(part, (Ragged, np.ndarray, list)) for i in range(len(part))]


def _join_offsets(offsets: Sequence[Array]) -> Array:
    return np.concatenate([[0], np.cumsum(np.concatenate([np.diff(o) for o in offsets]))]).astype(np.int64)


def _concat_encoded(parts: Sequence[EncodedFrames]) -> EncodedFrames:
    buffers: list[Array] = []
    moved = []
    for part in parts:
        if len(part.buffers) == 1 and buffers and part.buffers[0] is buffers[-1]:
            moved.append(part.file_index + (len(buffers) - 1))
        else:
            moved.append(part.file_index + len(buffers))
            buffers.extend(part.buffers)
    return EncodedFrames(
        tuple(buffers),
        np.concatenate(moved),
        np.concatenate([p.starts for p in parts]),
        np.concatenate([p.sizes for p in parts]),
        _join_offsets([p.offsets for p in parts]),
    )


def concat_examples(parts: Sequence[Examples]) -> Examples:
    """One after the other; y is None as soon as one part has none."""
    labels = [part.y for part in parts if part.y is not None]
    y = np.concatenate(labels) if len(labels) == len(parts) else None
    return Examples(concat_rows([part.x for part in parts]), y)


class Gathering:
    """Joins parts as they come. Arrays of one shape are written to where they end up, so none lies in memory twice.

    Args:
        most_rows: rows that may come; None if nobody knows.
    """

    def __init__(self, most_rows: int | None) -> None:
        self._most_rows = most_rows
        self._whole: Array | None = None
        self._parts: list[Rows] = []  # what does not fit into the whole, behind it
        self._labels: list[Array | None] = []
        self._n_written = 0
        self._n_rows = 0

    def add(self, part: Examples) -> None:
        """Puts rows behind those that came before."""
        if len(part) == 0:
            return
        self._labels.append(part.y)
        self._n_rows += len(part)
        if len(self._labels) == 1 and isinstance(part.x, np.ndarray) and len(part) < (self._most_rows or 0):
            self._whole = np.empty((self._most_rows, *part.x.shape[1:]), part.x.dtype)
        if self._fits(part.x):
            assert self._whole is not None, "rows fit into something"
            self._whole[self._n_written : self._n_written + len(part)] = part.x
            self._n_written += len(part)
        else:
            self._parts.append(part.x)

    def __len__(self) -> int:
        return self._n_rows

    def joined(self) -> Examples:
        """All parts as one, as concat_examples would join them.

        Raises:
            ShapeError: no rows came.
        """
        written = [] if self._whole is None else [self._whole[: self._n_written]]
        labels = [y for y in self._labels if y is not None]
        y = np.concatenate(labels) if len(labels) == len(self._labels) else None
        return Examples(concat_rows([*written, *self._parts]), y)

    def _fits(self, x: Rows) -> bool:
        if self._whole is None or self._parts or not isinstance(x, np.ndarray):
            return False
        is_alike = x.shape[1:] == self._whole.shape[1:] and x.dtype == self._whole.dtype
        return is_alike and self._n_written + len(x) <= len(self._whole)
