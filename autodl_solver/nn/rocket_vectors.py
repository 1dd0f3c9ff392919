"""The innermost loops of the transforms with convolutional kernels, written as vector instructions for numba.

Left to find vectors by itself, the compiler took 6 s for Hydra's eight kernels in one loop, and found few for rows of
15 points. Here Python writes the instructions of LLVM, 16 numbers each, and its loops unroll what has a fixed size: so
responses stay in registers. LLVM splits vectors that are longer than a processor's.
Cost: one core with AVX-512, rows of 300 points: 3.9e9 responses/s of Hydra (loops of numba 1.7e9), 21e9 comparisons/s
of MiniRocket (8e9); all is compiled in about 2 s.

All arrays are float32 in C order; `n_points` is a multiple of LANES, and so many points can be read and written.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import cgutils, types
from numba.extending import intrinsic

TAPS = 9
"""Points that a kernel looks at."""

RIVALS = 8
"""Kernels of a group of Hydra's: their responses and sums fill the registers."""

LANES = 2 * RIVALS

VECTOR = ir.VectorType(ir.FloatType(), LANES)
ZEROS, ONES, THREES = (ir.Constant(VECTOR, [value] * LANES) for value in (0.0, 1.0, 3.0))
FUSED = ("contract",)
"""A product and a sum may become one instruction."""

build: Any = cgutils  # has no types
kinds: Any = types


def _instructions(function: Any) -> Any:
    return intrinsic(function)


@_instructions
def contest(
    _: Any, mixed: Any, dilation: Any, length: Any, weights: Any, group: Any, bounds: Any, n_points: Any, won: Any
) -> Any:
    """Lets the kernels of a group compete for every point.

    Args:
        mixed: [at least n_points + (TAPS - 1) * dilation], what the kernels look at.
        dilation: int64.
        length: int64, points of the row.
        weights: [n_groups, RIVALS, TAPS].
        group: int64, whose weights.
        bounds: [2, n_points], what a response must reach to win at a point, and what it must not exceed to lose; no
            response does past the end of the row.
        n_points: int64, as many as hold the row.
        won: [2, RIVALS], overwritten: roots of the mean, over the row, of the responses with which a kernel wins, and
            of the share of points at which it responds least.
    """

    def write(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        at = _Arrays(context, builder, signature, args)
        step, length, group, n_points = args[1], args[2], args[4], args[6]
        sums = [build.alloca_once_value(builder, ZEROS) for _ in range(2 * RIVALS)]
        start = builder.mul(group, _number(RIVALS * TAPS))
        with build.for_range_slice(builder, _number(0), n_points, _number(LANES), intp=start.type) as (point, _):
            # Read anew for each vector of points: 72 vectors of weights, spread before the loop, fill no registers.
            again = builder.asm(ir.FunctionType(start.type, [start.type]), "", "=r,0", [start], True)
            found: list[Any] = [None] * RIVALS
            for tap in range(TAPS):
                seen = at.vector(0, builder.add(point, builder.mul(step, _number(tap))))
                for kernel in range(RIVALS):
                    weight = at.spread(3, builder.add(again, _number(kernel * TAPS + tap)))
                    product = builder.fmul(weight, seen, flags=FUSED)
                    found[kernel] = builder.fadd(found[kernel], product, flags=FUSED) if tap else product
            highest, lowest = at.vector(5, point), at.vector(5, builder.add(point, n_points))
            for response in found:
                highest = builder.select(builder.fcmp_ordered(">", response, highest), response, highest)
                lowest = builder.select(builder.fcmp_ordered("<", response, lowest), response, lowest)
            for response, gain, losses in zip(found, sums[:RIVALS], sums[RIVALS:], strict=True):
                for total, best, gained in ((gain, highest, response), (losses, lowest, ONES)):
                    here = builder.select(builder.fcmp_ordered("==", response, best), gained, ZEROS)
                    builder.store(builder.fadd(builder.load(total), here), total)
        size = _spread(builder, builder.sitofp(length, VECTOR.element))
        means = builder.fdiv(_sums(builder, [builder.load(total) for total in sums]), size)
        at.put(7, _number(0), _root(builder, means))
        return context.get_dummy_value()

    return kinds.void(mixed, dilation, length, weights, group, bounds, n_points, won), write


@_instructions
def levels(_: Any, mixed: Any, first: Any, dilation: Any, n_points: Any, level: Any) -> Any:
    """What the fixed kernels have in common, minus the sum of all taps: level[point], [n_points], is overwritten.

    Args:
        mixed: what the kernels look at.
        first: int64, where the first tap of the first point lies.
        dilation, n_points: int64.
    """

    def write(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        at = _Arrays(context, builder, signature, args)
        with build.for_range_slice(builder, _number(0), args[3], _number(LANES), intp=args[3].type) as (point, _):
            total, place = ZEROS, builder.add(point, args[1])
            for _tap in range(TAPS):
                total, place = builder.fsub(total, at.vector(0, place)), builder.add(place, args[2])
            at.put(4, point, total)
        return context.get_dummy_value()

    return kinds.void(mixed, first, dilation, n_points, level), write


@_instructions
def above(_: Any, level: Any, mixed: Any, i: Any, j: Any, k: Any, n_points: Any, biases: Any) -> Any:
    """Counts responses, level[p] + 3 * (mixed[p + i] + (mixed[p + j] + mixed[p + k])), above each bias.

    Args:
        level: of each point p, minus infinity where none is to be counted.
        mixed: what the kernels look at.
        i, j, k, n_points: int64.
        biases: a tuple of float32.
    Returns:
        A tuple of int64, as long.
    """

    def write(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        at = _Arrays(context, builder, signature, args)
        spread = [_spread(builder, bias) for bias in build.unpack_tuple(builder, args[6])]
        counts = [build.alloca_once_value(builder, _number(0)) for _ in spread]
        with build.for_range_slice(builder, _number(0), args[5], _number(LANES), intp=args[5].type) as (point, _):
            a, b, c = (at.vector(1, builder.add(point, place)) for place in args[2:5])
            triple = builder.fmul(THREES, builder.fadd(a, builder.fadd(b, c)), flags=FUSED)
            response = builder.fadd(at.vector(0, point), triple, flags=FUSED)
            for bias, count in zip(spread, counts, strict=True):
                bits = builder.bitcast(builder.fcmp_ordered(">", response, bias), ir.IntType(LANES))
                more = builder.zext(builder.ctpop(bits), args[5].type)
                builder.store(builder.add(builder.load(count), more), count)
        return context.make_tuple(builder, signature.return_type, [builder.load(count) for count in counts])

    return kinds.UniTuple(kinds.int64, biases.count)(level, mixed, i, j, k, n_points, biases), write


class _Arrays:
    """The arrays among the arguments of a function that is being written."""

    def __init__(self, context: Any, builder: Any, signature: Any, args: Any) -> None:
        self._builder = builder
        self._data = {
            place: context.make_array(kind)(context, builder, value).data
            for place, (kind, value) in enumerate(zip(signature.args, args, strict=True))
            if isinstance(kind, kinds.Array)
        }

    def vector(self, array: int, index: Any) -> Any:
        """LANES numbers from an index on."""
        return self._builder.load(self._lanes(array, index), align=4)

    def spread(self, array: int, index: Any) -> Any:
        """One number in every lane."""
        return _spread(self._builder, self._builder.load(self._builder.gep(self._data[array], [index])))

    def put(self, array: int, index: Any, vector: Any) -> None:
        """Writes LANES numbers, from an index on."""
        self._builder.store(vector, self._lanes(array, index), align=4)

    def _lanes(self, array: int, index: Any) -> Any:
        return self._builder.bitcast(self._builder.gep(self._data[array], [index]), VECTOR.as_pointer())


def _number(value: int) -> Any:
    return ir.Constant(ir.IntType(64), value)


def _spread(builder: Any, value: Any) -> Any:
    one = builder.insert_element(ir.Constant(VECTOR, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    lanes = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(one, one, lanes)


def _sums(builder: Any, vectors: list[Any]) -> Any:
    """One vector: the sum of each of LANES vectors. Neighbouring lanes are added until each vector has one left."""
    index = ir.VectorType(ir.IntType(32), LANES)
    even, odd = (ir.Constant(index, list(range(first, 2 * LANES, 2))) for first in (0, 1))
    while len(vectors) > 1:
        pairs = zip(vectors[::2], vectors[1::2], strict=True)
        vectors = [
            builder.fadd(builder.shuffle_vector(a, b, even), builder.shuffle_vector(a, b, odd)) for a, b in pairs
        ]
    return vectors[0]


def _root(builder: Any, vector: Any) -> Any:
    root = build.get_or_insert_function(builder.module, ir.FunctionType(VECTOR, [VECTOR]), f"llvm.sqrt.v{LANES}f32")
    return builder.call(root, [vector])
