"""Decode batches of tf.train.SequenceExample records into Examples.

Record layout:
    context        id, label_index (int64 list), label_score (float list); the labels are empty in a test set
    feature lists  per bundle i: i_dense_input | i_compressed | i_sparse_{row,col,channel}_index and i_sparse_value

All records of a batch are read at once, see `record_layout`; those that are irregular go through `example_canonical`.
Dense data of one layout is not even copied: x is a strided view of the file.
Source of the semantics: the challenge's AutoDL_ingestion_program/dataset.py, `_parse_function`, version 20191204.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from autodl_solver.data.dense_steps import gather_steps, view_steps
from autodl_solver.data.example_canonical import RecordReader
from autodl_solver.data.example_encoding import SPARSE_KEYS, encode_example
from autodl_solver.data.examples import Array, EncodedFrames, Examples, Ragged, Rows, concat_rows, take_rows
from autodl_solver.data.info import Format, MatrixSpec
from autodl_solver.data.record_layout import BYTES_LIST, FLOAT_LIST, INT64_LIST, find_parts
from autodl_solver.data.wire import Spans, WireReader
from autodl_solver.errors import DataError, RecordError

__all__ = ["decode_examples", "encode_example"]


def decode_examples(
    buffer: Array,
    starts: Array,
    sizes: Array,
    spec: MatrixSpec,
    n_classes: int,
    *,
    bundle: int = 0,
    sequence_size: int = -1,
    source: str,
    first_record: int = 0,
) -> Examples:
    """Decodes one bundle and the labels of some records.

    x by format of the bundle:
        dense       Array [n, time, row, col, channel] float32 if all rows have the same number of steps, else Ragged.
                    The array is a read-only, possibly unaligned, view of `buffer` where the records have one layout
                    (`np.ascontiguousarray` copies it).
        sparse      csr_array [n, n_rows * n_cols] float32 for a table (n_cols > n_channels), else Ragged
                    [sum of entries, 1, 1, 1] of channel indices. Of entries at one place the last stands.
        compressed  EncodedFrames.

    Args:
        buffer: [n_bytes] uint8, a mapped file.
        starts: [n] int64, where the records' payloads start.
        sizes: [n] int64, how long they are.
        spec: what the bundle holds.
        n_classes: columns of y.
        bundle: which bundle.
        sequence_size: steps of a dense bundle; -1 for any number.
        source: names the file in errors.
        first_record: number of the first record in its file, for errors.
    Returns:
        Examples; y is [n, n_classes] float32, zeros where a record has no labels.
    Raises:
        RecordError: a record is not a SequenceExample, or does not hold what the spec promises.
        DataError: a label index is not below n_classes, or the spec of a dense bundle has an unknown size.
    """
    decoder = _Decoder(spec, n_classes, bundle, sequence_size, source)
    records = np.arange(first_record, first_record + len(starts))
    starts, sizes = np.asarray(starts, np.int64), np.asarray(sizes, np.int64)
    decoder.check_extent(buffer, starts, sizes, records)
    examples, irregular = decoder.decode(buffer, starts, sizes, records)
    if not irregular.any():
        return examples
    odd = np.flatnonzero(irregular)
    rewritten = decoder.decode_rewritten(buffer, starts[odd], sizes[odd], records[odd])
    if len(odd) == len(starts):
        return rewritten
    even = np.flatnonzero(~irregular)
    examples, _ = decoder.decode(buffer, starts[even], sizes[even], records[even])
    return _merge(examples, rewritten, np.argsort(np.concatenate([even, odd])))


@dataclass(frozen=True)
class _Decoder:
    """What is the same for all records of a dataset; see `decode_examples`."""

    spec: MatrixSpec
    n_classes: int
    bundle: int
    sequence_size: int
    source: str

    def check_extent(self, buffer: Array, starts: Array, sizes: Array, records: Array) -> None:
        outside = np.flatnonzero((starts < 0) | (sizes < 0) | (sizes > len(buffer) - starts))
        if len(outside):
            k = outside[0]
            raise RecordError(
                f"A record must lie within its file; however {self.source}, record {records[k]}, spans "
                f"{sizes[k]} bytes from byte {starts[k]} of {len(buffer)}; locate the records again."
            )

    def decode(self, buffer: Array, starts: Array, sizes: Array, records: Array) -> tuple[Examples, Array]:
        """All records at once.

        Returns:
            (examples, irregular): where `irregular` is set, the rows of the examples are void.
        """
        reader = WireReader(buffer, len(starts))
        extents = Spans(np.arange(len(starts)), starts, starts + sizes)
        index, score, *lists = find_parts(reader, extents, self._list_keys())
        y = self._labels(reader, index, score, records)
        x: Rows
        if self.spec.format is Format.DENSE:
            x = self._dense(reader, lists[0])
        elif self.spec.format is Format.COMPRESSED:
            x = self._frames(reader, lists[0])
        else:
            x = self._sparse(reader, lists, records)
        return Examples(x, y), reader.irregular

    def decode_rewritten(self, buffer: Array, starts: Array, sizes: Array, records: Array) -> Examples:
        """Records in unusual encodings, one by one. Here an error gets its text."""
        payloads = []
        for start, size, record in zip(starts, sizes, records, strict=True):
            reader = RecordReader(buffer[start : start + size].tobytes(), f"{self.source}, record {record}")
            payloads.append(reader.rewrite(self.spec, self.bundle, self.sequence_size))
        new_sizes = np.array([len(payload) for payload in payloads], np.int64)
        new_buffer = np.frombuffer(b"".join(payloads), np.uint8)
        return self.decode(new_buffer, np.cumsum(new_sizes) - new_sizes, new_sizes, records)[0]

    def _list_keys(self) -> list[bytes]:
        """Names of the feature lists of the bundle."""
        names = {Format.DENSE: ("dense_input",), Format.COMPRESSED: ("compressed",), Format.SPARSE: SPARSE_KEYS}
        return [f"{self.bundle}_{name}".encode() for name in names[self.spec.format]]

    def _labels(self, reader: WireReader, indices: Spans, scores: Spans, records: Array) -> Array:
        """[n, n_classes] float32."""
        index, index_row = reader.packed_ints(indices)
        score, score_row = reader.packed_floats(scores)
        y = np.zeros((len(records), self.n_classes), np.float32)
        if not np.array_equal(index_row, score_row):
            counts = [np.bincount(row, minlength=len(records)) for row in (index_row, score_row)]
            reader.irregular |= counts[0] != counts[1]
        if reader.irregular.any():
            index, index_row = _regular(reader, index, index_row)
            score, _ = _regular(reader, score, score_row)
        wrong = np.flatnonzero((index < 0) | (index >= self.n_classes))
        if len(wrong):
            k = wrong[0]
            raise DataError(
                f"A label index must be below output_dim = {self.n_classes}, however {self.source}, record "
                f"{records[index_row[k]]}, holds {index[k]}; correct output_dim in metadata.textproto or the record."
            )
        y[index_row, index] = score
        return y

    def _dense(self, reader: WireReader, steps: Spans) -> Array | Ragged:
        shape = (self.spec.n_rows, self.spec.n_cols, self.spec.n_channels)
        if min(shape) < 1:
            raise DataError(
                f"A dense bundle must have known rows, columns and channels, however {self.source}, bundle "
                f"{self.bundle}, has {shape}; correct matrix_spec in metadata.textproto."
            )
        reader.irregular |= steps.start == 0  # absent
        view = view_steps(reader, steps, shape, self.sequence_size)
        return gather_steps(reader, steps, shape, self.sequence_size) if view is None else view

    def _frames(self, reader: WireReader, steps: Spans) -> EncodedFrames:
        features = reader.children(steps, 1)
        frames = reader.children(reader.children(features, BYTES_LIST), 1)
        file_index = np.zeros(len(frames), np.int64)
        offsets = _offsets(frames.owner, len(steps))
        return EncodedFrames((reader.buffer,), file_index, frames.start, frames.sizes, offsets)

    def _sparse(self, reader: WireReader, lists: list[Spans], records: Array) -> Ragged | sparse.csr_array:
        features = [reader.children(steps, 1) for steps in lists]
        chunks = [reader.children(reader.children(feature, INT64_LIST), 1) for feature in features[:3]]
        indices = [reader.packed_ints(chunk) for chunk in chunks]
        values, owner = reader.packed_floats(reader.children(reader.children(features[3], FLOAT_LIST), 1))
        n = len(records)
        counts = np.bincount(owner, minlength=n)
        for _, index_owner in indices:
            reader.irregular |= np.bincount(index_owner, minlength=n) != counts
        row, col, channel = (_regular(reader, *index)[0] for index in indices)
        values, owner = _regular(reader, values, owner)
        if self.spec.n_cols <= self.spec.n_channels:
            self._check_range("channel", channel, np.iinfo(np.int64).max, records[owner])
            return Ragged(channel.astype(np.float32).reshape(-1, 1, 1, 1), _offsets(owner, n))
        n_rows = max(self.spec.n_rows, 1)
        self._check_range("row", row, n_rows, records[owner])
        self._check_range("column", col, self.spec.n_cols, records[owner])
        return _last_of_each(owner, row * self.spec.n_cols + col, values, (n, n_rows * self.spec.n_cols))

    def _check_range(self, name: str, index: Array, limit: int, records: Array) -> None:
        wrong = np.flatnonzero((index < 0) | (index >= limit))
        if len(wrong):
            k = wrong[0]
            raise RecordError(
                f"A sparse {name} index must lie in 0 .. {limit - 1}, however {self.source}, record {records[k]}, "
                f"holds {index[k]}; re-export the dataset or delete the record."
            )


def _regular(reader: WireReader, values: Array, owner: Array) -> tuple[Array, Array]:
    """What belongs to regular records."""
    keep = ~reader.irregular[owner]
    return values[keep], owner[keep]


def _offsets(owner: Array, n_records: int) -> Array:
    return np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=n_records))]).astype(np.int64)


def _last_of_each(row: Array, column: Array, values: Array, shape: tuple[int, int]) -> sparse.csr_array:
    """Rows of a sparse table; of several values at one place, the last one stands."""
    place = row * shape[1] + column
    if bool((place[1:] <= place[:-1]).any()):
        order = np.argsort(place, kind="stable")
        is_last = np.append(place[order[1:]] != place[order[:-1]], True)
        kept = order[is_last]
        row, column, values = row[kept], column[kept], values[kept]
    return sparse.csr_array((values, column, _offsets(row, shape[0])), shape=shape)


def _merge(first: Examples, second: Examples, order: Array) -> Examples:
    """The rows of both, in an order that counts those of the first before those of the second."""
    parts: list[Rows] = [first.x, second.x]
    dense = [part for part in parts if isinstance(part, (np.ndarray, Ragged))]
    if len(dense) == 2 and not all(isinstance(p, np.ndarray) and p.shape[1] == dense[0][0].shape[0] for p in dense):
        parts = [_as_ragged(part) for part in dense]
    labels = [np.asarray(part.y) for part in (first, second)]
    return Examples(take_rows(concat_rows(parts), order), np.concatenate(labels)[order])


def _as_ragged(x: Array | Ragged) -> Ragged:
    if isinstance(x, Ragged):
        return x
    return Ragged(x.reshape(-1, *x.shape[2:]), x.shape[1] * np.arange(len(x) + 1))
