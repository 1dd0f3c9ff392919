"""Loops of the transforms with convolutional kernels, compiled by numba: one pass over a row that stays in the cache.

As operations on whole tensors each comparison went through memory: MiniRocket took 2.7 to 4.2 times as long as aeon's,
which is compiled too (docs/experiments.md). Compiled code lets go of the interpreter, so rows share the cores.
Cost: numba takes 0.3 s to import; each function is compiled at its first call. Nothing is kept on the disk.

Arrays are float32 in C order. Rows [n_rows, n_channels, n_points] have `lengths` [n_rows] int64, at least 1.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

TAPS = 9
"""Points that a kernel looks at."""

REACH = TAPS // 2

SUMS_IN_ANY_ORDER = {"reassoc", "contract", "nsz"}
"""What lets a sum be split into lanes; values stay what they are, infinity included."""


def _compiled(function: Any) -> Any:
    return numba.njit(nogil=True, fastmath=SUMS_IN_ANY_ORDER)(function)


@_compiled
def _mix(values: Any, mixture: Any, length: int, reach: int, mixed: Any) -> None:
    """The sum of the channels of a row, [n_channels, n_points], with `reach` zeros on both sides."""
    for point in range(length + 2 * reach):
        mixed[point] = 0.0
    target = mixed[reach : reach + length]
    for channel in range(len(mixture)):
        weight = mixture[channel]
        if weight != 0.0:
            source = values[channel]
            for point in range(length):
                target[point] += weight * source[point]


@_compiled
def _respond(mixed: Any, weights: Any, dilation: int, length: int, found: Any) -> None:
    """Responses of one kernel, `weights` [TAPS], to all points of a row.

    Two loops, and slices: so the compiler can tell that `found` lies apart from all that is read, which it does for
    few arrays at a time, and takes 16 points at once (3e9 responses/s a core; a single loop 0.2e9).
    """
    w0, w1, w2, w3, w4 = weights[0], weights[1], weights[2], weights[3], weights[4]
    w5, w6, w7, w8 = weights[5], weights[6], weights[7], weights[8]
    m0, m1, m2 = mixed[:length], mixed[dilation : dilation + length], mixed[2 * dilation : 2 * dilation + length]
    m3, m4 = mixed[3 * dilation : 3 * dilation + length], mixed[4 * dilation : 4 * dilation + length]
    m5, m6 = mixed[5 * dilation : 5 * dilation + length], mixed[6 * dilation : 6 * dilation + length]
    m7, m8 = mixed[7 * dilation : 7 * dilation + length], mixed[8 * dilation : 8 * dilation + length]
    for point in range(length):
        found[point] = w0 * m0[point] + w1 * m1[point] + w2 * m2[point] + w3 * m3[point] + w4 * m4[point]
    for point in range(length):
        found[point] += w5 * m5[point] + w6 * m6[point] + w7 * m7[point] + w8 * m8[point]


@_compiled
def looked_at(column: int, n_columns: int, length: int, reach: int) -> tuple[int, int]:
    """First point, and that behind the last: all for half of the kernels, for the others those without padded zeros.

    A row too short to have such points is looked at as a whole.
    """
    if column < n_columns // 2 or length <= 2 * reach:
        return 0, length
    return reach, length - reach


@_compiled
def compete(values: Any, lengths: Any, mixing: Any, weights: Any, dilation: int, features: Any) -> None:
    """How often, and by how much, each kernel of a group wins.

    Args:
        values, lengths: rows.
        mixing: [n_groups, n_channels].
        weights: [n_groups, n_kernels, TAPS].
        dilation: of the kernels.
        features: [n_rows, 2, n_groups, n_kernels], overwritten: the mean winning response (of those above 0), and
            the share of points at which a kernel's response is the least.
    """
    n_groups, n_kernels = weights.shape[:2]
    n_points, reach = values.shape[2], REACH * dilation
    mixed = np.empty(n_points + 2 * reach, np.float32)
    found = np.empty((n_kernels, n_points), np.float32)
    highest, lowest = np.empty(n_points, np.float32), np.empty(n_points, np.float32)
    for row in range(len(values)):
        length = lengths[row]
        for group in range(n_groups):
            _mix(values[row], mixing[group], length, reach, mixed)
            for kernel in range(n_kernels):
                _respond(mixed, weights[group, kernel], dilation, length, found[kernel])
            for point in range(length):
                highest[point] = lowest[point] = found[0, point]
            for kernel in range(1, n_kernels):
                for point in range(length):
                    response = found[kernel, point]
                    highest[point] = response if response > highest[point] else highest[point]
                    lowest[point] = response if response < lowest[point] else lowest[point]
            for kernel in range(n_kernels):
                gain, losses = np.float32(0), np.float32(0)
                for point in range(length):
                    response = found[kernel, point]
                    gain += response if response == highest[point] and response > 0 else np.float32(0)
                    losses += np.float32(1) if response == lowest[point] else np.float32(0)
                features[row, 0, group, kernel] = gain / length
                features[row, 1, group, kernel] = losses / length


@_compiled
def exceed(values: Any, lengths: Any, mixing: Any, weights: Any, dilation: int, biases: Any, features: Any) -> None:
    """The share of points at which a response exceeds each bias; of every second half of the kernels, see `looked_at`.

    Args:
        values, lengths: rows.
        mixing: [n_groups, n_channels].
        weights: [n_groups, n_kernels, TAPS].
        dilation: of the kernels.
        biases: [n_biases, n_groups * n_kernels].
        features: [n_rows, n_biases, n_groups * n_kernels], overwritten.
    """
    n_groups, n_kernels = weights.shape[:2]
    n_points, reach = values.shape[2], REACH * dilation
    mixed = np.empty(n_points + 2 * reach, np.float32)
    found = np.empty(n_points, np.float32)
    for row in range(len(values)):
        length = lengths[row]
        for group in range(n_groups):
            _mix(values[row], mixing[group], length, reach, mixed)
            for kernel in range(n_kernels):
                _respond(mixed, weights[group, kernel], dilation, length, found)
                column = group * n_kernels + kernel
                start, stop = looked_at(column, n_groups * n_kernels, length, reach)
                seen = found[start:stop]
                for index in range(len(biases)):
                    bias, above = biases[index, column], np.int32(0)
                    for point in range(len(seen)):
                        above = np.int32(above + (1 if seen[point] > bias else 0))
                    features[row, index, column] = above / len(seen)


@_compiled
def respond_each(
    values: Any, lengths: Any, rows: Any, mixing: Any, weights: Any, dilation: int, found: Any, counts: Any
) -> None:
    """Responses of each kernel to one row of its own, at the points that it looks at.

    Args:
        values, lengths: rows.
        rows: [n_groups * n_kernels] int64: which of them.
        mixing: [n_groups, n_channels].
        weights: [n_groups, n_kernels, TAPS].
        dilation: of the kernels.
        found: [n_groups * n_kernels, n_points], overwritten, infinity behind the last one.
        counts: [n_groups * n_kernels] int64, overwritten: how many there are.
    """
    n_groups, n_kernels = weights.shape[:2]
    n_points, reach = values.shape[2], REACH * dilation
    mixed = np.empty(n_points + 2 * reach, np.float32)
    responses = np.empty(n_points, np.float32)
    for column in range(n_groups * n_kernels):
        group, kernel = column // n_kernels, column % n_kernels
        length = lengths[rows[column]]
        _mix(values[rows[column]], mixing[group], length, reach, mixed)
        _respond(mixed, weights[group, kernel], dilation, length, responses)
        start, stop = looked_at(column, n_groups * n_kernels, length, reach)
        counts[column] = stop - start
        for point in range(n_points):
            found[column, point] = responses[start + point] if point < stop - start else np.inf
