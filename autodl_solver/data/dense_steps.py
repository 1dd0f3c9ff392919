"""The floats of dense features: a header and n_values floats per time step, of millions of steps at once.

A step is written as Feature { FloatList { packed floats } }: three lengths, then the floats. With the number of values
known, the header is known to the byte; it is compared, never parsed, and the floats are taken by stride.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from autodl_solver.data.example_encoding import dense_step_header
from autodl_solver.data.examples import Array, Ragged
from autodl_solver.data.wire import Spans, WireReader, element_positions, stands_at

_WIDE_STEP_VALUES = 16  # from here on a step is worth a memcpy of its own
_LONG_RECORD_STEPS = 64  # from here on a record is worth a memcpy
_BLOCK_BYTES = 1 << 20
_FOLD_STEPS = 256  # a multiple of 8, so that folds are made of whole words


def view_steps(reader: WireReader, steps: Spans, shape: tuple[int, int, int], sequence_size: int) -> Array | None:
    """A view of the buffer, [n, time, row, col, channel] float32, if the records are spaced evenly; else None.

    A record with another header in one of its steps becomes irregular.
    """
    if len(steps) < 2 or reader.irregular.any():
        return None
    spacing, n_bytes = steps.start[1] - steps.start[0], steps.sizes[0]
    header = dense_step_header(int(np.prod(shape)))
    step_bytes = len(header) + 4 * int(np.prod(shape))
    n_steps, rest = divmod(int(n_bytes), step_bytes)
    if rest or n_steps == 0 or spacing < n_bytes or 0 < sequence_size != n_steps:
        return None
    if not (np.diff(steps.start) == spacing).all() or not (steps.sizes == n_bytes).all():
        return None
    offset, strides = int(steps.start[0]), (int(spacing), step_bytes)
    same = stands_at(reader.buffer, offset, (len(steps), n_steps), strides, header)
    reader.irregular |= ~same.all(axis=1)
    _, n_cols, n_channels = shape
    inner = (4 * n_cols * n_channels, 4 * n_channels, 4)
    view: Array = np.ndarray(
        (len(steps), n_steps, *shape), "<f4", reader.buffer, offset + len(header), (*strides, *inner)
    )
    return view


def gather_steps(reader: WireReader, steps: Spans, shape: tuple[int, int, int], sequence_size: int) -> Array | Ragged:
    """A copy: [n, time, row, col, channel] float32 if all records have as many steps, else Ragged.

    Records with other headers, or (if sequence_size is positive) with another number of steps, become irregular.
    """
    n_values = int(np.prod(shape))
    header = dense_step_header(n_values)
    step_bytes = len(header) + 4 * n_values
    n_steps, rest = np.divmod(steps.sizes, step_bytes)
    reader.irregular |= rest != 0
    if sequence_size > 0:
        reader.irregular |= n_steps != sequence_size
    n_steps[reader.irregular] = 0
    if n_values >= _WIDE_STEP_VALUES:
        gather = _gather_wide
    else:
        gather = _gather_long if n_steps.sum() > _LONG_RECORD_STEPS * len(n_steps) else _gather_short
    values = gather(reader, steps.start, n_steps, header, n_values).reshape(-1, *shape)
    if len(n_steps) == 0 or n_steps.min() == n_steps.max():
        return values.reshape(len(steps), n_steps[0] if len(steps) else max(sequence_size, 0), *shape)
    return Ragged(values, np.concatenate([[0], np.cumsum(n_steps)]))


def _gather_wide(reader: WireReader, starts: Array, n_steps: Array, header: bytes, n_values: int) -> Array:
    """[total steps, n_values] float32; the floats of a step are many enough for a memcpy of their own."""
    at = element_positions(starts, n_steps, len(header) + 4 * n_values)
    _expect_headers(reader, reader.windows(f"V{len(header)}")[at].view(np.uint8), n_steps, header, len(header))
    values: Array = reader.windows(f"V{4 * n_values}")[at + len(header)].view("<f4")
    return values.reshape(len(at), n_values)


def _gather_short(reader: WireReader, starts: Array, n_steps: Array, header: bytes, n_values: int) -> Array:
    """[total steps, n_values] float32; all steps with their headers are copied at once, then the floats."""
    step_bytes = len(header) + 4 * n_values
    content = reader.windows(f"V{step_bytes}")[element_positions(starts, n_steps, step_bytes)].view(np.uint8)
    _expect_headers(reader, content, n_steps, header, step_bytes)
    return np.ascontiguousarray(_floats_of(content, step_bytes, header))


def _gather_long(reader: WireReader, starts: Array, n_steps: Array, header: bytes, n_values: int) -> Array:
    """[total steps, n_values] float32; records are copied whole, a few at a time, and worked on in the cache.

    The copies go to one scratch block: a fresh one each time would cost more in page faults than in copying.
    """
    step_bytes = len(header) + 4 * n_values
    before = np.concatenate([[0], np.cumsum(n_steps)])
    values = np.empty((before[-1], n_values), np.float32)
    aims = np.arange(0, before[-1], _BLOCK_BYTES // step_bytes)
    cuts = np.unique(np.append(np.searchsorted(before, aims), len(n_steps)))
    scratch = np.empty(step_bytes * int(np.diff(before[cuts]).max()), np.uint8)
    sizes = step_bytes * n_steps
    for first, last in pairwise(cuts.tolist()):
        end = 0
        for start, size in zip(starts[first:last].tolist(), sizes[first:last].tolist(), strict=True):
            scratch[end : end + size] = reader.buffer[start : start + size]
            end += size
        content = scratch[:end]
        _expect_headers(reader, content, n_steps[first:last], header, step_bytes, first)
        values[before[first] : before[last]] = _floats_of(content, step_bytes, header)
    return values


def _floats_of(content: Array, step_bytes: int, header: bytes) -> Array:
    """[n_steps, n_values] float32, a view, of steps that lie one behind the other."""
    n_steps, n_values = len(content) // step_bytes, (step_bytes - len(header)) // 4
    if n_steps == 0:
        return np.empty((0, n_values), np.float32)
    view: Array = np.ndarray((n_steps, n_values), "<f4", content, len(header), (step_bytes, 4))
    return view


def _expect_headers(
    reader: WireReader, content: Array, n_steps: Array, header: bytes, stride: int, first_row: int = 0
) -> None:
    """Marks as irregular the records of which a step does not begin with the header; steps lie `stride` bytes apart."""
    n_folded = len(content) // (_FOLD_STEPS * stride) * _FOLD_STEPS
    if n_folded and not _folds_to_header(content, n_folded, stride, header):
        n_folded = 0
    n_left = len(content) // stride - n_folded
    if n_left:
        same = stands_at(content, n_folded * stride, (n_left,), (stride,), header)
        if not same.all():
            wrong = np.repeat(np.arange(len(n_steps)), n_steps)[n_folded:][~same]
            reader.irregular[first_row + wrong] = True


def _folds_to_header(content: Array, n_steps: int, stride: int, header: bytes) -> bool:
    """Whether all steps begin with the header: then, and only then, do AND and OR over them both give it back.

    Twice as fast as comparing: whole words, no temporary arrays. n_steps is a multiple of _FOLD_STEPS.
    """
    words = np.frombuffer(content, "<u8", n_steps * stride // 8).reshape(n_steps // _FOLD_STEPS, -1)
    expected = np.frombuffer(header, np.uint8)
    folds = [fold.reduce(words, axis=0).view(np.uint8) for fold in (np.bitwise_and, np.bitwise_or)]
    return all(bool((fold.reshape(-1, stride)[:, : len(header)] == expected).all()) for fold in folds)
