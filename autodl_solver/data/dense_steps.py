"""The floats of dense features: a header and n_values floats per time step, of millions of steps at once.

A step is written as Feature { FloatList { packed floats } }: three lengths, then the floats. With the number of values
known, the header is known to the byte; it is compared, never parsed, and the floats are taken by stride.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from autodl_solver.data.example_encoding import dense_step_header
from autodl_solver.data.examples import Array, Ragged
from autodl_solver.data.wire import Spans, WireReader, element_positions

_BLOCK_BYTES = 1 << 18  # steps are checked and copied while they are in the cache
_WIDE_STEP_VALUES = 16  # from here on a step is worth a memcpy of its own


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
    same = _has_header(reader.buffer, offset, (len(steps), n_steps), strides, header)
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
    gather = _gather_wide if n_values >= _WIDE_STEP_VALUES else _gather_narrow
    values = gather(reader, steps.start, n_steps, header, n_values).reshape(-1, *shape)
    if len(n_steps) == 0 or n_steps.min() == n_steps.max():
        return values.reshape(len(steps), n_steps[0] if len(steps) else max(sequence_size, 0), *shape)
    return Ragged(values, np.concatenate([[0], np.cumsum(n_steps)]))


def _gather_wide(reader: WireReader, starts: Array, n_steps: Array, header: bytes, n_values: int) -> Array:
    """[total steps, n_values] float32, one memcpy a step."""
    at = element_positions(starts, n_steps, len(header) + 4 * n_values)
    same = reader.windows(f"S{len(header)}")[at] == header
    if not same.all():
        reader.irregular[np.repeat(np.arange(len(n_steps)), n_steps)[~same]] = True
    values: Array = reader.windows(f"V{4 * n_values}")[at + len(header)].view("<f4")
    return values.reshape(len(at), n_values)


def _gather_narrow(reader: WireReader, starts: Array, n_steps: Array, header: bytes, n_values: int) -> Array:
    """[total steps, n_values] float32, a block of records at a time."""
    step_bytes = len(header) + 4 * n_values
    before = np.concatenate([[0], np.cumsum(n_steps)])
    values = np.empty((before[-1], n_values), np.float32)
    aims = np.arange(0, before[-1], max(_BLOCK_BYTES // step_bytes, 1))
    cuts = np.unique(np.append(np.searchsorted(before, aims), len(n_steps)))
    file = reader.buffer.data
    pieces = [slice(a, b) for a, b in zip(starts.tolist(), (starts + step_bytes * n_steps).tolist(), strict=True)]
    for first, last in pairwise(cuts):
        block = b"".join([file[piece] for piece in pieces[first:last]])
        n_here = len(block) // step_bytes
        if n_here == 0:
            continue
        same = _has_header(block, 0, (n_here,), (step_bytes,), header)
        if not same.all():
            wrong = before[first] + np.flatnonzero(~same)
            reader.irregular[np.searchsorted(before, wrong, side="right") - 1] = True
        floats = np.ndarray((n_here, n_values), "<f4", block, len(header), (step_bytes, 4))
        values[before[first] : before[last]] = floats
    return values


def _has_header(
    buffer: Array | bytes, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], header: bytes
) -> Array:
    """Whether the header stands at `offset + index . strides`, for all indices below shape: [*shape] bool."""
    same = np.ones(shape, bool)
    at = 0
    for width in (8, 4, 2, 1):
        while len(header) - at >= width:
            word = int.from_bytes(header[at : at + width], "little")
            same &= np.ndarray(shape, f"<u{width}", buffer, offset + at, strides) == word
            at += width
    return same
