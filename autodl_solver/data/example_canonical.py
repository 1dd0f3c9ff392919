"""Read any tf.train.SequenceExample, one record at a time, and write it anew in its usual form.

The complete but slow way, for records that `wire` finds irregular: values that are not packed, lists in pieces,
repeated sections (which protobuf merges), fields nobody knows, long forms of numbers. Bytes that are no message at all
end here too, and get the error that says where and why.
Cost: about 1 us a field.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autodl_solver.data.example_encoding import SPARSE_KEYS, encode_example
from autodl_solver.data.examples import Array
from autodl_solver.data.info import Format, MatrixSpec
from autodl_solver.errors import RecordError

_VARINT, _FIXED64, _LENGTH_DELIMITED, _FIXED32 = 0, 1, 2, 5  # wire types
_UNSET, _BYTES_LIST, _FLOAT_LIST, _INT64_LIST = 0, 1, 2, 3  # kinds of a Feature, by field number
_KIND_NAMES = ("nothing", "a bytes list", "a float list", "an int64 list")
_REMEDY = "re-export the dataset or delete the record."


@dataclass(slots=True)
class _Feature:
    """A tf.train.Feature: its kind, and the values of its list."""

    kind: int = _UNSET
    values: list[Any] = field(default_factory=list)


class RecordReader:
    """Reads one record; `where` names it in errors."""

    def __init__(self, payload: bytes, where: str) -> None:
        """Parses the record.

        Raises:
            RecordError: it is no SequenceExample.
        """
        self._where = where
        self._context: dict[bytes, _Feature] = {}
        self._lists: dict[bytes, list[_Feature]] = {}
        for number, section in self._messages(payload):
            for entry_number, entry in self._messages(section) if number in (1, 2) else ():
                if entry_number == 1 and number == 1:
                    key, messages = self._entry(entry)
                    self._context[key] = self._feature(messages)
                elif entry_number == 1:
                    key, messages = self._entry(entry)
                    steps = [step for message in messages for n, step in self._messages(message) if n == 1]
                    self._lists[key] = [self._feature([step]) for step in steps]

    def rewrite(self, spec: MatrixSpec, bundle: int, sequence_size: int) -> bytes:
        """The record as `encode_example` writes it, with this one bundle.

        Args:
            spec: what the bundle should hold.
            bundle: index of the bundle.
            sequence_size: steps that a dense bundle must have; -1 for any number.

        Raises:
            RecordError: labels or data are not what the format promises.
        """
        labels = self._labels()
        if spec.format is Format.DENSE:
            return encode_example(0, labels, dense=self._dense(spec, bundle, sequence_size), bundle=bundle)
        if spec.format is Format.COMPRESSED:
            return encode_example(0, labels, compressed=self._frames(bundle), bundle=bundle)
        rows, columns, channels = (self._list(f"{bundle}_{key}", (_INT64_LIST,)) for key in SPARSE_KEYS[:3])
        values = self._list(f"{bundle}_{SPARSE_KEYS[3]}", (_FLOAT_LIST, _INT64_LIST))
        n_entries = max(map(len, (rows, columns, channels, values)))
        rows, columns, channels = (part or [0] * n_entries for part in (rows, columns, channels))
        if len({len(part) for part in (rows, columns, channels, values)}) != 1:
            raise self._error(
                "Sparse indices and values must be equally many",
                f"holds {len(rows)} rows, {len(columns)} columns, {len(channels)} channels and {len(values)} values",
            )
        arrays = (np.array(rows), np.array(columns), np.array(channels), np.array(values, np.float32))
        return encode_example(0, labels, sparse=arrays, bundle=bundle)

    def _labels(self) -> list[tuple[int, float]]:
        index = self._context.get(b"label_index", _Feature())
        score = self._context.get(b"label_score", _Feature())
        self._expect("label_index", index, (_INT64_LIST,))
        self._expect("label_score", score, (_FLOAT_LIST, _INT64_LIST))
        if len(index.values) != len(score.values):
            raise self._error(
                "Each label must have one score", f"holds {len(index.values)} labels and {len(score.values)} scores"
            )
        return [(int(i), float(s)) for i, s in zip(index.values, score.values, strict=True)]

    def _dense(self, spec: MatrixSpec, bundle: int, sequence_size: int) -> Array:
        n_values = spec.n_rows * spec.n_cols * spec.n_channels
        key = f"{bundle}_dense_input"
        if key.encode() not in self._lists:
            raise self._error(f"A dense record must hold the feature list {key}", "does not")
        steps = self._lists[key.encode()]
        if sequence_size > 0 and len(steps) != sequence_size:
            raise self._error(
                f"A dense record must hold sequence_size = {sequence_size} time steps", f"holds {len(steps)}"
            )
        for step in steps:
            self._expect(key, step, (_FLOAT_LIST, _INT64_LIST))
            if len(step.values) != n_values:
                raise self._error(
                    f"A dense record must hold rows * cols * channels = {n_values} values per step",
                    f"holds {len(step.values)}",
                )
        return np.array([step.values for step in steps], np.float64).astype(np.float32).reshape(len(steps), n_values)

    def _frames(self, bundle: int) -> list[bytes]:
        return [bytes(frame) for frame in self._list(f"{bundle}_compressed", (_BYTES_LIST,))]

    def _list(self, key: str, kinds: tuple[int, ...]) -> list[Any]:
        """The values of all steps of a feature list; none if it is absent."""
        steps = self._lists.get(key.encode(), [])
        for step in steps:
            self._expect(key, step, kinds)
        return [value for step in steps for value in step.values]

    def _expect(self, key: str, feature: _Feature, kinds: tuple[int, ...]) -> None:
        if feature.kind not in (_UNSET, *kinds):
            raise self._error(f"{key} must be {_KIND_NAMES[kinds[0]]}", f"holds {_KIND_NAMES[feature.kind]}")

    def _entry(self, entry: bytes) -> tuple[bytes, list[bytes]]:
        """Key and value of a map entry; the value in as many pieces as it was written in."""
        key, pieces = b"", []
        for number, content in self._messages(entry):
            if number == 1:
                key = content
            elif number == 2:
                pieces.append(content)
        return key, pieces

    def _feature(self, pieces: list[bytes]) -> _Feature:
        feature = _Feature()
        for piece in pieces:
            for kind, content in self._messages(piece):
                if kind not in (_BYTES_LIST, _FLOAT_LIST, _INT64_LIST):
                    continue
                if kind != feature.kind:  # of a oneof, the last one stands; pieces of the same kind are merged
                    feature = _Feature(kind)
                feature.values.extend(self._values(kind, content))
        return feature

    def _values(self, kind: int, content: bytes) -> Iterator[Any]:
        """The values of a BytesList, FloatList or Int64List, packed or not."""
        for number, wire_type, value in self._fields(content):
            if number != 1:
                continue
            if kind == _BYTES_LIST and wire_type == _LENGTH_DELIMITED:
                yield value
            elif kind == _FLOAT_LIST and wire_type in (_FIXED32, _LENGTH_DELIMITED):
                if len(value) % 4:
                    raise self._error("Packed floats must take 4 bytes each", f"holds {len(value)} bytes of them")
                yield from (number for (number,) in struct.iter_unpack("<f", value))
            elif kind == _INT64_LIST and wire_type == _VARINT:
                yield _signed(value)
            elif kind == _INT64_LIST and wire_type == _LENGTH_DELIMITED:
                at = 0
                while at < len(value):
                    number, at = self._varint(value, at)
                    yield _signed(number)
            else:
                raise self._error("A value must have the wire type of its list", f"holds wire type {wire_type}")

    def _messages(self, message: bytes) -> Iterator[tuple[int, bytes]]:
        """(number, payload) of the length-delimited fields; others are unknown where this is called, and skipped."""
        for number, wire_type, value in self._fields(message):
            if wire_type == _LENGTH_DELIMITED:
                yield number, value

    def _fields(self, message: bytes) -> Iterator[tuple[int, int, Any]]:
        """(number, wire type, value) of all fields: an int for varints, else bytes."""
        at = 0
        while at < len(message):
            tag, at = self._varint(message, at)
            number, wire_type = tag >> 3, tag & 7
            if wire_type == _VARINT:
                value, at = self._varint(message, at)
                yield number, wire_type, value
                continue
            size = {_FIXED64: 8, _FIXED32: 4}.get(wire_type, 0)
            if wire_type == _LENGTH_DELIMITED:
                size, at = self._varint(message, at)
            elif not size:
                raise self._error("A field must have wire type 0, 1, 2 or 5", f"holds wire type {wire_type}")
            if number == 0:
                raise self._error("Fields are numbered from 1", "holds a field 0")
            if size > len(message) - at:
                raise self._error(
                    "A field must lie within its message",
                    f"holds one of {size} bytes where {len(message) - at} are left",
                )
            yield number, wire_type, message[at : at + size]
            at += size

    def _varint(self, message: bytes, at: int) -> tuple[int, int]:
        """A number and the position after it."""
        value = 0
        for shift in range(0, 70, 7):
            if at >= len(message):
                raise self._error("A number must end within its message", "holds one that does not")
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value & 0xFFFF_FFFF_FFFF_FFFF, at
        raise self._error("A number must take at most 10 bytes", "holds a longer one")

    def _error(self, rule: str, fact: str) -> RecordError:
        return RecordError(f"{rule}, however {self._where}, {fact}; {_REMEDY}")


def _signed(value: int) -> int:
    """Two's complement of 64 bits."""
    return value - (1 << 64) if value >> 63 else value
