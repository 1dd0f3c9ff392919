"""Protobuf messages, many at once: one numpy call reads the next field of every record.

Records of one dataset are alike but not equal: map entries come in any order, numbers take one byte or more. So nothing
is assumed about the bytes; cursors, one per message, walk side by side, field by field. Only length-delimited fields
(wire type 2) occur in the format as its writers write it. Whatever else a record holds marks it as irregular, here and
without an error: the caller hands such records to `example_canonical`, which reads all of protobuf, one at a time.
Source: https://protobuf.dev/programming-guides/encoding
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autodl_solver.data.examples import Array

_LENGTH_DELIMITED = 2
_MAX_LENGTH_BYTES = 5  # of a length's varint: 32 GiB
_MAX_VARINT_BYTES = 10
_FEW_MESSAGES, _MANY_FIELDS = 64, 4096  # where a numpy call per field stops to pay


@dataclass(frozen=True)
class Spans:
    """Stretches of the buffer, `start[k] .. end[k]`, each within record `owner[k]`; owners ascend.

    Shape:
        owner, start, end: [n_spans] int64.
    """

    owner: Array
    start: Array
    end: Array

    def __len__(self) -> int:
        return len(self.owner)

    @property
    def sizes(self) -> Array:
        """[n_spans] int64, in bytes."""
        return self.end - self.start

    def where(self, mask: Array) -> Spans:
        """The spans at which the mask is set."""
        return self if bool(mask.all()) else Spans(self.owner[mask], self.start[mask], self.end[mask])


class WireReader:
    """Reads messages of n_records records.

    Attributes:
        buffer: [n_bytes] uint8.
        irregular: [n_records] bool: records for which this reader's answers are void.
    """

    def __init__(self, buffer: Array, n_records: int) -> None:
        self.buffer = buffer
        self.irregular = np.zeros(n_records, bool)

    def children(self, messages: Spans, number: int) -> Spans:
        """The payloads of all fields with a number; a record with a field of another number becomes irregular."""
        numbers, _, fields = self.fields(messages)
        wanted = numbers == number
        self.irregular[fields.owner[~wanted]] = True
        return fields.where(wanted)

    def fields(self, messages: Spans) -> tuple[Array, Array, Spans]:
        """The fields of some messages, in the order of the messages.

        Returns:
            (numbers, messages, payloads): [n_fields] field numbers, [n_fields] which message a field is of (an index
            into `messages`), and where its payload lies.
        """
        found: list[tuple[Array, Array, Array, Array]] = []
        at = messages.start
        limit = messages.end
        index = np.arange(len(messages))
        while True:
            is_open = at < limit
            if not is_open.all():
                at, limit, index = at[is_open], limit[is_open], index[is_open]
            if not len(index):
                break
            if len(index) < _FEW_MESSAGES and len(found) >= _MANY_FIELDS:
                self.irregular[messages.owner[index]] = True
                break
            tag = self.buffer[at]
            start, end = self._payloads(at + 1)
            is_bad = (end > limit) | (tag & 7 != _LENGTH_DELIMITED) | (tag < 8) | (tag > 127)
            if is_bad.any():
                self.irregular[messages.owner[index[is_bad]]] = True
                tag, index, start, end, limit = (a[~is_bad] for a in (tag, index, start, end, limit))
            found.append((tag >> 3, index, start, end))
            at = end
        if not found:
            nothing = np.empty(0, np.int64)
            return nothing, nothing, Spans(nothing, nothing, nothing)
        numbers, index, start, end = (
            np.concatenate(column) if len(found) > 1 else column[0] for column in zip(*found, strict=True)
        )
        if len(found) > 1:
            order = np.argsort(index, kind="stable")
            numbers, index, start, end = numbers[order], index[order], start[order], end[order]
        return numbers, index, Spans(messages.owner[index], start, end)

    def _payloads(self, at: Array) -> tuple[Array, Array]:
        """Where the payloads start and end whose lengths lie at a position; an end past the buffer if unreadable."""
        byte = self.buffer.take(at, mode="clip")
        size = byte.astype(np.int64)
        start = at + 1
        going_on = np.flatnonzero(byte > 127)
        if not len(going_on):
            return start, start + size
        size[going_on] &= 127
        for position in range(1, _MAX_LENGTH_BYTES):
            byte = self.buffer.take(at[going_on] + position, mode="clip")
            size[going_on] |= (byte & 127).astype(np.int64) << (7 * position)
            start[going_on] += 1
            going_on = going_on[byte > 127]
            if not len(going_on):
                return start, start + size
        size[going_on] = len(self.buffer) + 1
        return start, start + size

    def single(self, spans: Spans) -> Spans:
        """One span per record, empty (0 .. 0) where there is none; records with several become irregular."""
        n_records = len(self.irregular)
        everyone = np.arange(n_records)
        if len(spans) == n_records and bool((spans.owner == everyone).all()):
            return spans
        self.irregular |= np.bincount(spans.owner, minlength=n_records) > 1
        start, end = np.zeros((2, n_records), np.int64)
        start[spans.owner], end[spans.owner] = spans.start, spans.end
        return Spans(everyone, start, end)

    def map_values(self, maps: Spans, keys: Sequence[bytes]) -> list[Spans]:
        """Of messages whose field 1 is a map<string, message>: the values of some keys, at most one per record.

        An entry that is not just a key followed by a value makes its record irregular.
        """
        entries = self.children(maps, 1)
        numbers, entry, parts = self.fields(entries)
        n_parts = np.bincount(entry, minlength=len(entries))
        first = np.cumsum(n_parts) - n_parts
        is_pair = n_parts == 2
        key = first[is_pair]
        is_pair[is_pair] = (numbers[key] == 1) & (numbers[key + 1] == 2)
        self.irregular[entries.owner[~is_pair]] = True
        key = first[is_pair]
        names = Spans(parts.owner[key], parts.start[key], parts.end[key])
        values = Spans(names.owner, parts.start[key + 1], parts.end[key + 1])
        return [self.single(values.where(self.equals(names, text))) for text in keys]

    def equals(self, spans: Spans, text: bytes) -> Array:
        """[n_spans] bool: whether a span holds just this text (which must not end in a zero byte)."""
        same: Array = spans.sizes == len(text)
        if same.any():
            same[same] = self.windows(f"S{len(text)}")[spans.start[same]] == text
        return same

    def windows(self, dtype: str) -> Array:
        """A view in which element i is the value of that type that starts at byte i of the buffer."""
        n_windows = max(len(self.buffer) - np.dtype(dtype).itemsize + 1, 0)
        windows: Array = np.ndarray((n_windows,), dtype, self.buffer, 0, (1,))
        return windows

    def packed_floats(self, spans: Spans) -> tuple[Array, Array]:
        """Packed float32 values, and the record of each; a span that is no multiple of 4 bytes is irregular."""
        self.irregular[spans.owner[spans.sizes % 4 != 0]] = True
        counts = spans.sizes // 4
        values = self.windows("<f4")[element_positions(spans.start, counts, 4)]
        return values.astype(np.float32, copy=False), np.repeat(spans.owner, counts)

    def packed_ints(self, spans: Spans) -> tuple[Array, Array]:
        """Packed int64 values, and the record of each; a span whose last value is cut short is irregular."""
        spans = spans.where(spans.sizes > 0)
        is_cut = self.buffer[spans.end - 1] > 127
        self.irregular[spans.owner[is_cut]] = True
        spans = spans.where(~is_cut)
        content = self.buffer[element_positions(spans.start, spans.sizes, 1)]
        owner = np.repeat(spans.owner, spans.sizes)
        last = np.flatnonzero(content < 128)
        first = np.concatenate([np.zeros(1, np.int64), last[:-1] + 1])[: len(last)]
        n_bytes = last - first + 1
        values = (content[first] & 127).astype(np.uint64)
        for position in range(1, min(int(n_bytes.max(initial=0)), _MAX_VARINT_BYTES)):
            longer = np.flatnonzero(n_bytes > position)
            values[longer] |= (content[first[longer] + position] & 127).astype(np.uint64) << np.uint64(7 * position)
        self.irregular[owner[first[n_bytes > _MAX_VARINT_BYTES]]] = True
        return values.view(np.int64), owner[first]


def element_positions(starts: Array, counts: Array, step: int) -> Array:
    """Where the elements of spans start: `starts[k] + step * i` for i below counts[k], one span after the other."""
    if len(counts) and counts.min() == counts.max() == 1:
        return starts
    before = np.cumsum(counts) - counts
    return np.repeat(starts - step * before, counts) + step * np.arange(int(counts.sum()))


def stands_at(
    buffer: Array | bytes, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], content: bytes
) -> Array:
    """Whether the content stands at `offset + index . strides`, for all indices below shape: [*shape] bool."""
    same = np.ones(shape, bool)
    at = 0
    for width in (8, 4, 2, 1):
        while len(content) - at >= width:
            word = int.from_bytes(content[at : at + width], "little")
            same &= np.ndarray(shape, f"<u{width}", buffer, offset + at, strides) == word
            at += width
    return same
