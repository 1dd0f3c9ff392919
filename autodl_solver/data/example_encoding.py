"""Encode an example as a tf.train.SequenceExample, the record of the challenge's format.

Written as the official converter writes: lists packed, a map entry per feature, one Feature per time step.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from autodl_solver.data.examples import Array
from autodl_solver.errors import ShapeError

_BYTES_LIST, _FLOAT_LIST, _INT64_LIST = 1, 2, 3  # field numbers of tf.train.Feature
SPARSE_KEYS = ("sparse_row_index", "sparse_col_index", "sparse_channel_index", "sparse_value")


def encode_example(
    example_id: int,
    labels: Iterable[tuple[int, float]],
    *,
    dense: Array | None = None,
    compressed: Sequence[bytes] | None = None,
    sparse: tuple[Array, Array, Array, Array] | None = None,
    bundle: int = 0,
) -> bytes:
    """One record: id, labels, and one bundle of data.

    Args:
        example_id: kept in the context, not used by any reader.
        labels: (class index, score) pairs; empty for a test example.
        dense: [n_steps, n_values], stored as float32.
        compressed: one encoded image per step.
        sparse: rows, columns, channels and values, [n_entries] each.
        bundle: index of the bundle.
    Raises:
        ShapeError: not exactly one of dense, compressed and sparse is given, or its shape is wrong.
    """
    if [dense is None, compressed is None, sparse is None].count(False) != 1:
        raise ShapeError("An example must hold dense, compressed or sparse data, and just one of them.")
    pairs = list(labels)
    context = _entry("id", _int_feature(np.array([example_id])))
    context += _entry("label_index", _int_feature(np.array([index for index, _ in pairs], np.int64)))
    context += _entry("label_score", _float_feature(np.array([score for _, score in pairs], "<f4").tobytes()))
    lists = b""
    if dense is not None:
        lists = _entry(f"{bundle}_dense_input", _dense_steps(dense))
    elif compressed is not None:
        frames = (_field(1, _field(_BYTES_LIST, _field(1, bytes(frame)))) for frame in compressed)
        lists = _entry(f"{bundle}_compressed", b"".join(frames))
    elif sparse is not None:
        lists = _sparse_entries(sparse, bundle)
    return _field(1, context) + _field(2, lists)


def dense_step_header(n_values: int) -> bytes:
    """The bytes that stand before the floats of each step: the lengths of Feature, FloatList and packed values."""
    return _field(1, _float_feature(bytes(4 * n_values)))[: -4 * n_values]


def _dense_steps(dense: Array) -> bytes:
    """[n_steps, n_values] -> the Features of a FeatureList."""
    if dense.ndim != 2 or dense.shape[1] == 0:
        raise ShapeError(f"Dense data must be [n_steps, n_values], n_values > 0; however its shape is {dense.shape}.")
    header = np.frombuffer(dense_step_header(dense.shape[1]), np.uint8)
    values = np.ascontiguousarray(dense, "<f4").view(np.uint8)
    steps = np.empty((len(dense), len(header) + values.shape[1]), np.uint8)
    steps[:, : len(header)] = header
    steps[:, len(header) :] = values
    return steps.tobytes()


def _sparse_entries(sparse: tuple[Array, Array, Array, Array], bundle: int) -> bytes:
    columns = [np.asarray(column) for column in sparse]
    if len({column.shape for column in columns}) != 1 or columns[0].ndim != 1:
        raise ShapeError(
            "Sparse rows, columns, channels and values must be [n_entries] alike; however their shapes are "
            f"{[column.shape for column in columns]}."
        )
    features = [_int_feature(column) for column in columns[:3]] + [_float_feature(columns[3].astype("<f4").tobytes())]
    named = zip(SPARSE_KEYS, features, strict=True)
    return b"".join(_entry(f"{bundle}_{key}", _field(1, feature)) for key, feature in named)


def _entry(key: str, message: bytes) -> bytes:
    """An entry of a map<string, message>, which is field 1 wherever the format has a map."""
    return _field(1, _field(1, key.encode()) + _field(2, message))


def _float_feature(values: bytes) -> bytes:
    return _field(_FLOAT_LIST, _field(1, values) if values else b"")


def _int_feature(values: Array) -> bytes:
    packed = b"".join(_varint(int(value)) for value in values)
    return _field(_INT64_LIST, _field(1, packed) if packed else b"")


def _field(number: int, payload: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(payload)) + payload


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1  # negative numbers are stored as their two's complement
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
