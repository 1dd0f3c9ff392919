"""ExampleSource: the rows of one split, read on demand.

Where the folder that the challenge reads is readable, its record files are read natively, row ranges in any order.
Elsewhere the object that was handed over is iterated: an eager or a graph-mode tf.data.Dataset, or any iterable of (x,
y) pairs. What a pipeline made of the rows is kept within a memory bound, so that it is made once.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from autodl_solver.data.examples import Array, Examples, Rows, concat_examples, concat_rows, nbytes
from autodl_solver.data.info import DatasetInfo
from autodl_solver.data.sequence_example import decode_examples
from autodl_solver.data.tfrecord import RecordFile, interleave_order, record_files
from autodl_solver.errors import DataError

logger = logging.getLogger(__name__)

KEPT_SHARE = 0.2
"""Of the free memory, for the rows of one split: two splits and a learner that copies its rows twice fit into 80 %."""

CHUNK_ROWS = 4096
"""Rows that are decoded and transformed at a time, at most."""

CHUNK_BYTES = 2**28
"""And so many bytes of them, as they are read: a clip of a video may have 15 MB."""

FIRST_CHUNK_ROWS = 64
"""While nobody knows how large a row is."""


class RowReader(Protocol):
    """Where rows come from. n_rows is None until it is known."""

    @property
    def n_rows(self) -> int | None: ...

    def read(self, start: int, stop: int) -> Examples:
        """Rows start..stop, fewer at the end of the split."""
        ...


class RecordReader:
    """Reads sample*.tfrecord of a folder natively, in the official order."""

    def __init__(self, folder: Path, info: DatasetInfo) -> None:
        self._info = info
        self._files = [RecordFile(path) for path in record_files(folder)]
        if not self._files:
            raise DataError(f"A split must hold files named sample*; however {folder} holds none.")
        self._order: tuple[Array, Array] | None = None

    @property
    def n_rows(self) -> int:
        """Rows of all files; completes the index."""
        return sum(len(file) for file in self._files)

    def read(self, start: int, stop: int) -> Examples:
        for file in self._files:
            file.let_go()  # of half a million dense rows, more memory than the arrays made of them
        if len(self._files) == 1:
            return self._decode(0, start, stop)
        if self._order is None:
            self._order = interleave_order([len(file) for file in self._files])
        files, records = (index[start:stop] for index in self._order)
        parts, places = [], []
        for k in np.unique(files):
            place = np.flatnonzero(files == k)
            parts.append(self._decode(int(k), int(records[place[0]]), int(records[place[-1]]) + 1))
            places.append(place)
        if not parts:
            return self._decode(0, 0, 0)
        return concat_examples(parts).take(np.argsort(np.concatenate(places), kind="stable"))

    def _decode(self, k: int, first: int, last: int) -> Examples:
        """Records first..last of file k."""
        info, file = self._info, self._files[k]
        starts, sizes = file.locate(first, last)
        return decode_examples(
            file.buffer,
            starts,
            sizes,
            info.specs[0],
            info.n_classes,
            sequence_size=info.sequence_size,
            source=file.path.name,
            first_record=first,
        )


class HeldReader:
    """Rows that lie in memory."""

    def __init__(self, examples: Examples) -> None:
        self._examples = examples

    @property
    def n_rows(self) -> int:
        return len(self._examples)

    def read(self, start: int, stop: int) -> Examples:
        return self._examples.take(slice(start, stop))


class IteratedReader:
    """Iterates what the challenge handed over, remembers the place, and starts anew only when asked for earlier rows.

    A one-shot iterator cannot start anew, so its rows are kept.
    """

    def __init__(self, dataset: Iterable[Any], n_classes: int) -> None:
        self._dataset = dataset
        self._n_classes = n_classes
        self._kept: list[tuple[Array, Array]] | None = [] if isinstance(dataset, Iterator) else None
        self._rows: Iterator[tuple[Array, Array]] | None = None
        self._place = 0
        self._n_rows: int | None = None

    @property
    def n_rows(self) -> int | None:
        return self._n_rows

    def read(self, start: int, stop: int) -> Examples:
        if self._kept is not None:
            self._advance(stop - self._place, self._kept)
            return self._examples(self._kept[start:stop])
        if self._rows is None or start < self._place:
            self._rows, self._place = None, 0
        self._advance(start - self._place, None)
        pairs: list[tuple[Array, Array]] = []
        self._advance(stop - start, pairs)
        return self._examples(pairs)

    def _advance(self, n_rows: int, into: list[tuple[Array, Array]] | None) -> None:
        """Goes on by n_rows, or to the end."""
        if self._rows is None:
            self._rows = iterate_pairs(self._dataset)
        for _ in range(n_rows):
            pair = next(self._rows, None)
            if pair is None:
                self._n_rows = self._place
                return
            self._place += 1
            if into is not None:
                into.append(pair)

    def _examples(self, pairs: list[tuple[Array, Array]]) -> Examples:
        y = np.zeros((len(pairs), self._n_classes), np.float32)
        for i, (_, label) in enumerate(pairs):
            if label.size == self._n_classes:  # a test split may come with empty labels
                y[i] = label.ravel()
        xs: list[Rows] = [np.asarray(x, np.float32)[None] for x, _ in pairs]
        same_shape = len({x.shape for x in xs}) == 1  # type: ignore[union-attr]
        return Examples(concat_rows(xs) if same_shape else [x[0] for x in xs], y)  # type: ignore[index]


def is_tf_dataset(dataset: object) -> bool:
    """Whether the object is a tf.data.Dataset, without importing TensorFlow."""
    return any(base.__module__.partition(".")[0] == "tensorflow" for base in type(dataset).__mro__)


def iterate_pairs(dataset: Any) -> Iterator[tuple[Array, Array]]:
    """(x, y) of each example as arrays; of several bundles the first is x.

    A tf.data.Dataset is iterated eagerly, or through a session of its graph when TensorFlow 1 behaviour is on.
    """
    if is_tf_dataset(dataset) and not sys.modules["tensorflow"].executing_eagerly():
        yield from _iterate_graph(dataset)
        return
    rows = dataset.as_numpy_iterator() if is_tf_dataset(dataset) else dataset
    for row in rows:
        yield np.asarray(row[0]), np.asarray(row[-1])


def _iterate_graph(dataset: Any) -> Iterator[tuple[Array, Array]]:
    import tensorflow as tf  # the dataset exists, so TensorFlow is loaded

    graph = getattr(dataset, "_graph", None) or tf.compat.v1.get_default_graph()
    with graph.as_default():
        row = tf.compat.v1.data.make_one_shot_iterator(dataset).get_next()
    session = tf.compat.v1.Session(graph=graph)  # no `with`: a default session must not outlive a suspended generator
    try:
        while True:
            values = session.run(row)
            yield values[0], values[-1]
    except tf.errors.OutOfRangeError:
        return
    finally:
        session.close()


def open_reader(dataset: Any, info: DatasetInfo, split: str) -> RowReader:
    """The fastest way to the rows of a split.

    Examples are rows already. The folder is that which the dataset names (`.folder`, our own ingestion). A bare
    tf.data.Dataset is what the official program makes of the folder that the metadata names, and of its sibling for the
    other split
    (docs/decisions/0001).
    Anything else is data of its own and is iterated.

    Args:
        dataset: what `train` or `test` was handed.
        info: facts of the dataset; `info.folder` is that of the training split.
        split: "train" or "test".
    """
    if isinstance(dataset, Examples):
        return HeldReader(dataset)
    folder = getattr(dataset, "folder", None)
    if folder is None and info.folder is not None and is_tf_dataset(dataset):
        folder = info.folder if split == info.folder.name else info.folder.parent / split
    if folder is not None and Path(folder).is_dir() and record_files(Path(folder)):
        return RecordReader(Path(folder), info)
    logger.info("The folder of the %s split is not readable: iterating the dataset instead.", split)
    return IteratedReader(dataset, info.n_classes)


def memory_share(share: float = KEPT_SHARE) -> float:
    """Bytes: a share of the memory that is free now, or of the limit of this process where that is lower."""
    import psutil

    free = float(psutil.virtual_memory().available)
    with suppress(ImportError, OSError):  # no such limits on Windows
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        if limit != resource.RLIM_INFINITY:
            free = min(free, limit - psutil.Process().memory_info().vms)
    return max(share * free, 0.0)


class ExampleSource:
    """The rows of one split: raw rows on demand, and transformed ones that are kept.

    Args:
        reader: where rows come from.
        memory_bytes: bound on the transformed rows that are kept.
    """

    def __init__(self, reader: RowReader, memory_bytes: float = 2e9) -> None:
        self._reader = reader
        self._memory_bytes = memory_bytes
        self._kept: dict[Hashable, list[Examples]] = {}
        self._chunk_rows = FIRST_CHUNK_ROWS

    @property
    def n_rows(self) -> int | None:
        """Rows of the split; None until it is known."""
        return self._reader.n_rows

    def count(self) -> int:
        """Rows of the split; one that does not tell is gone through."""
        start = 0
        while (n_rows := self._reader.n_rows) is None:
            start += max(len(self.read(start, start + self._chunk_rows)), 1)
        return n_rows

    def read(self, start: int, stop: int) -> Examples:
        """Raw rows start..stop, fewer at the end of the split."""
        rows = self._reader.read(start, stop)
        if len(rows):
            fitting = CHUNK_BYTES * len(rows) // max(nbytes(rows.x), 1)
            self._chunk_rows = int(min(max(fitting, 1), CHUNK_ROWS))
        return rows

    def chunks(self, start: int, stop: int) -> Iterator[Examples]:
        """Raw rows start..stop, some at a time; none that is empty."""
        while start < stop and len(part := self.read(start, min(start + self._chunk_rows, stop))):
            yield part
            start += len(part)

    def labels(self, stop: int) -> Array:
        """[n, n_classes] float32: the labels of the first `stop` rows, fewer at the end of the split."""
        labels = [part.y for part in self.chunks(0, stop) if part.y is not None]
        return np.concatenate(labels) if labels else np.zeros((0, 0), np.float32)

    def transformed(self, key: Hashable, transform: Callable[[Rows], Rows]) -> Iterator[Examples]:
        """All rows after `transform`, part by part.

        Args:
            key: names the transform; rows that were transformed under this key before come from memory where they fit.
            transform: from raw rows to rows, each row for itself.
        """
        kept = self._kept.setdefault(key, [])
        yield from list(kept)
        n_kept = sum(map(len, kept))
        keeps = True
        for raw in self.chunks(n_kept, sys.maxsize):
            part = Examples(transform(raw.x), raw.y)
            keeps = keeps and self._make_room(key, nbytes(part.x))
            if keeps:
                kept.append(part)
            yield part

    def _make_room(self, key: Hashable, n_bytes: int) -> bool:
        """Whether n_bytes more fit, once what other transforms left was dropped where that is needed."""
        sizes = {k: sum(nbytes(part.x) for part in parts) for k, parts in self._kept.items()}
        dropped, fits = crowded_out(sizes, key, n_bytes, self._memory_bytes)
        for other in dropped:
            self._kept[other] = []
        return fits


def crowded_out(
    sizes: Mapping[Hashable, int], key: Hashable, n_bytes: int, memory_bytes: float
) -> tuple[list[Hashable], bool]:
    """What has to go, oldest first, so that something grows within the bound, and whether it fits then.

    Args:
        sizes: bytes of all that is kept, oldest first.
        key: of what grows.
        n_bytes: by how much.
        memory_bytes: bound on all of it.
    """
    total, dropped = sum(sizes.values()) + n_bytes, list[Hashable]()
    for other, size in sizes.items():
        if total <= memory_bytes:
            break
        if other != key:
            dropped.append(other)
            total -= size
    return dropped, total <= memory_bytes
