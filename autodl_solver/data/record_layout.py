"""Where the parts of tf.train.SequenceExample records lie: id, labels, and the feature lists of a bundle.

Messages of one size are mostly of one layout: what differs between them are values, and values are parts. So the first
message of a size is parsed; others whose remaining bytes (tags, lengths and keys) are the same have their parts at the
same places. That is done for whole records (dense data) and for contexts (all data); the rest is parsed field by field.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from autodl_solver.data.examples import Array
from autodl_solver.data.wire import Spans, WireReader, stands_at

BYTES_LIST, FLOAT_LIST, INT64_LIST = 1, 2, 3  # field numbers of tf.train.Feature
_CONTEXT, _FEATURE_LISTS = 1, 2  # field numbers of tf.train.SequenceExample
_CONTEXT_KEYS = (b"id", b"label_index", b"label_score")
_MIN_MESSAGES = 2048  # below that, parsing costs less than comparing
_MAX_BYTES = 1024  # to be compared

# Start and end of the parts of messages, 0 where absent: [n_parts, 2, n_records].
_Parse: TypeAlias = Callable[[WireReader, Spans], Array]


def find_parts(reader: WireReader, records: Spans, list_keys: Sequence[bytes]) -> list[Spans]:
    """The parts of each record, 0 .. 0 where it has none.

    Args:
        reader: records in unusual encodings become irregular in it.
        records: one span per record.
        list_keys: names of feature lists.
    Returns:
        Packed label indices, packed label scores, then the FeatureLists by `list_keys`; one span per record each.
    """

    def parse(reader: WireReader, records: Spans) -> Array:
        numbers, _, sections = reader.fields(records)
        reader.irregular[sections.owner[numbers > _FEATURE_LISTS]] = True
        contexts, lists = (reader.single(sections.where(numbers == n)) for n in (_CONTEXT, _FEATURE_LISTS))
        context_parts = _by_layout(reader, contexts, len(_CONTEXT_KEYS), _parse_contexts)
        return np.concatenate([context_parts, _stack(reader.map_values(lists, list_keys))])

    _, *parts = _by_layout(reader, records, len(_CONTEXT_KEYS) + len(list_keys), parse)
    return [Spans(records.owner, start, end) for start, end in parts]


def _parse_contexts(reader: WireReader, contexts: Spans) -> Array:
    example_id, index, score = reader.map_values(contexts, _CONTEXT_KEYS)
    index = reader.single(reader.children(reader.children(index, INT64_LIST), 1))
    score = reader.single(reader.children(reader.children(score, FLOAT_LIST), 1))
    return _stack([example_id, index, score])


def _stack(parts: Sequence[Spans]) -> Array:
    return np.stack([np.stack([part.start, part.end]) for part in parts])


def _by_layout(reader: WireReader, messages: Spans, n_parts: int, parse: _Parse) -> Array:
    """What `parse` finds in the messages, one per record; most of it by comparison."""
    parts = np.zeros((n_parts, 2, len(messages)), np.int64)
    is_open = np.ones(len(messages), bool)
    sizes = messages.sizes
    for size, count in zip(*np.unique(sizes, return_counts=True), strict=True):
        if size and count >= _MIN_MESSAGES:
            group = np.flatnonzero(sizes == size)
            places, same = _compare(reader.buffer, messages.start[group], int(size), parse)
            alike = group[same]
            for part in np.flatnonzero(places[:, 0]):
                parts[part][:, alike] = places[part][:, None] + messages.start[alike]
            is_open[alike] = False
    rest = np.flatnonzero(is_open)
    if len(rest):
        rest_reader = WireReader(reader.buffer, len(rest))
        parts[:, :, rest] = parse(rest_reader, Spans(np.arange(len(rest)), messages.start[rest], messages.end[rest]))
        reader.irregular[rest] |= rest_reader.irregular
    return parts


def _compare(buffer: Array, starts: Array, size: int, parse: _Parse) -> tuple[Array, Array]:
    """The places of the parts in the first of some messages of one size, and which messages share them.

    Returns:
        (places, same): [n_parts, 2] offsets in the message, zeros if absent; [n_messages] bool.
    """
    reader = WireReader(buffer, 1)
    places = parse(reader, Spans(np.zeros(1, np.int64), starts[:1], starts[:1] + size))[:, :, 0]
    is_present = places[:, 0] > 0
    places[is_present] -= starts[0]
    begins, ends = np.sort(places[is_present], axis=0).T.tolist()
    pieces = [(a, b) for a, b in zip([0, *ends], [*begins, size], strict=True) if a < b]
    if reader.irregular[0] or sum(b - a for a, b in pieces) > _MAX_BYTES:
        return places, np.zeros(len(starts), bool)
    same = np.ones(len(starts), bool)
    spacing = np.diff(starts)
    is_even = bool((spacing == spacing[0]).all())
    for start, end in pieces:
        first = int(starts[0]) + start
        if is_even:  # by stride and by words: a third of the time
            content = bytes(buffer[first : first + end - start])
            same &= stands_at(buffer, first, (len(starts),), (int(spacing[0]),), content)
        else:
            contents = reader.windows(f"S{end - start}")[starts + start]
            same &= contents == contents[0]
    return places, same
