"""Loops of the transforms with convolutional kernels, compiled by numba: one pass over a row that stays in the cache.

As operations on whole tensors each comparison went through memory: MiniRocket took 2.7 to 4.2 times as long as aeon's,
which is compiled too (docs/experiments.md). Compiled code lets go of the interpreter, so rows share the cores.
Cost: numba takes 0.3 s to import; each function is compiled at its first call. Nothing is kept on the disk.

Arrays are float32 in C order. Rows [n_rows, n_channels, n_points], 0 past their ends, have `lengths` [n_rows] int64, at
least 1.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from autodl_solver.nn.rocket_vectors import LANES, TAPS, above, contest, levels

REACH = TAPS // 2

FUSED = {"contract"}
"""A product and a sum may become one instruction; else sums keep their order: a response is the same in every loop."""


def _compiled(function: Any) -> Any:
    return numba.njit(nogil=True, fastmath=FUSED)(function)


@_compiled
def _whole(n_points: int) -> int:
    """So many points as fill vectors."""
    return -(-n_points // LANES) * LANES


@_compiled
def _mix(values: Any, mixture: Any, length: int, reach: int, mixed: Any) -> None:
    """The sum of the channels of a row, [n_channels, n_points], with `reach` zeros before it and zeros behind."""
    for point in range(len(mixed)):
        mixed[point] = 0.0
    target = mixed[reach : reach + length]
    for channel in range(len(mixture)):
        weight = mixture[channel]
        if weight != 0.0:
            source = values[channel]
            for point in range(length):
                target[point] += weight * source[point]


@_compiled
def compete(
    values: Any, lengths: Any, mixing: Any, weights: Any, dilation: int, features: Any, rows: Any, first: int
) -> None:
    """How often, and by how much, each kernel of a group wins.

    Args:
        values, lengths: rows.
        mixing: [n_groups, n_channels]; all ones if there is one channel.
        weights: [n_groups, RIVALS, TAPS].
        dilation: of the kernels.
        features: [any, n_features], into which [2, n_groups, RIVALS] are written for each row: roots of the mean
            winning response (of those above 0), and of the share of points at which a kernel's response is the least.
        rows: [n_rows] int64, of the features.
        first: column of the features.
    """
    n_groups, n_kernels = weights.shape[:2]
    n_channels = mixing.shape[1]
    reach = REACH * dilation
    mixed = np.empty(_whole(values.shape[2]) + 2 * reach, np.float32)
    won = np.empty((2, n_kernels), np.float32)
    for row in range(len(values)):
        length = lengths[row]
        n_points = _whole(length)
        bounds = np.empty((2, n_points), np.float32)
        for point in range(n_points):
            bounds[0, point] = 0 if point < length else np.inf
            bounds[1, point] = np.inf if point < length else -np.inf
        for group in range(n_groups):
            if group == 0 or n_channels > 1:  # else it is as it was for the last group
                _mix(values[row], mixing[group], length, reach, mixed)
            contest(mixed, dilation, length, weights, group, bounds, n_points, won)
            column = first + group * n_kernels
            for kernel in range(n_kernels):
                features[rows[row], column + kernel] = won[0, kernel]
                features[rows[row], column + n_groups * n_kernels + kernel] = won[1, kernel]


@_compiled
def _looked_at(group: int, n_groups: int, length: int, reach: int) -> tuple[int, int]:
    """First point, and that behind the last: all for half of the groups, for the others those without padded zeros.

    A row too short to have such points is looked at as a whole.
    """
    if group < n_groups // 2 or length <= 2 * reach:
        return 0, length
    return reach, length - reach


@_compiled
def exceed(
    values: Any,
    lengths: Any,
    mixing: Any,
    places: Any,
    dilation: int,
    biases: Any,
    features: Any,
    rows: Any,
    first: int,
) -> None:
    """The share of points at which a response exceeds each bias; for every second half of the groups, see `_looked_at`.

    Args:
        values, lengths: rows.
        mixing: [n_groups, n_channels]; all ones if there is one channel.
        places: [n_groups, n_kernels, 3] int64: the taps that a kernel weighs with 2; it weighs the others with -1.
        dilation: of the kernels.
        biases: [n_biases, n_groups * n_kernels].
        features: [any, n_features], into which [n_biases, n_groups * n_kernels] are written for each row.
        rows: [n_rows] int64, of the features.
        first: column of the features.
    """
    n_groups, n_kernels = places.shape[:2]
    n_channels = mixing.shape[1]
    n_biases, n_columns = biases.shape
    reach = REACH * dilation
    mixed = np.empty(_whole(values.shape[2]) + 2 * reach, np.float32)
    level = np.empty(_whole(values.shape[2]), np.float32)
    for row in range(len(values)):
        length, target = lengths[row], rows[row]
        for group in range(n_groups):
            start, stop = _looked_at(group, n_groups, length, reach)
            skipped = start // LANES * LANES
            n_points = _whole(stop - skipped)
            if group in (0, n_groups // 2) or n_channels > 1:  # else all is as it was for the last group
                _mix(values[row], mixing[group], length, reach, mixed)
                levels(mixed, skipped, dilation, n_points, level)
                level[: start - skipped] = level[stop - skipped : n_points] = -np.inf
            size = np.float32(stop - start)
            for kernel in range(n_kernels):
                column = group * n_kernels + kernel
                i, j, k = places[group, kernel]
                i, j, k = i * dilation + skipped, j * dilation + skipped, k * dilation + skipped
                index = 0
                while index < n_biases:
                    if index + 1 == n_biases:
                        counts = above(level, mixed, i, j, k, n_points, (biases[index, column],))
                        features[target, first + index * n_columns + column] = np.float32(counts[0]) / size
                    else:  # the last one again where there are no four
                        a, b, c, d = index, index + 1, min(index + 2, n_biases - 1), min(index + 3, n_biases - 1)
                        some = biases[a, column], biases[b, column], biases[c, column], biases[d, column]
                        four = above(level, mixed, i, j, k, n_points, some)
                        features[target, first + a * n_columns + column] = np.float32(four[0]) / size
                        features[target, first + b * n_columns + column] = np.float32(four[1]) / size
                        features[target, first + c * n_columns + column] = np.float32(four[2]) / size
                        features[target, first + d * n_columns + column] = np.float32(four[3]) / size
                    index += 4


@_compiled
def respond_each(
    values: Any, lengths: Any, rows: Any, mixing: Any, places: Any, dilation: int, found: Any, counts: Any
) -> None:
    """Responses of each kernel to one row of its own, at the points that it looks at.

    Args:
        values, lengths: rows.
        rows: [n_groups * n_kernels] int64: which of them.
        mixing: [n_groups, n_channels].
        places: [n_groups, n_kernels, 3], as for `exceed`.
        dilation: of the kernels.
        found: [n_groups * n_kernels, n_points], overwritten, infinity behind the last one.
        counts: [n_groups * n_kernels] int64, overwritten: how many there are.
    """
    n_groups, n_kernels = places.shape[:2]
    reach = REACH * dilation
    mixed = np.empty(_whole(values.shape[2]) + 2 * reach, np.float32)
    level = np.empty(_whole(values.shape[2]), np.float32)
    for column in range(n_groups * n_kernels):
        group, kernel = column // n_kernels, column % n_kernels
        length = lengths[rows[column]]
        _mix(values[rows[column]], mixing[group], length, reach, mixed)
        levels(mixed, 0, dilation, _whole(length), level)
        i, j, k = places[group, kernel]
        start, stop = _looked_at(group, n_groups, length, reach)
        counts[column] = stop - start
        found[column] = np.inf
        for point in range(start, stop):
            looked = mixed[point + i * dilation] + (mixed[point + j * dilation] + mixed[point + k * dilation])
            found[column, point - start] = level[point] + np.float32(3) * looked
