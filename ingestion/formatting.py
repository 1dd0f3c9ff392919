"""Scores to text, byte for byte what `'{0:g}'.format(float(value))` gives, without a Python call per value.

Each value is scaled to an integer of six digits with numpy. Its characters occupy a fixed row of sixteen, filled by
table look-up as two machine words; a mask, which depends only on the exponent and the number of digits, picks those to
keep. Values for which this could differ from the exact decimal rounding (the scaled value lies within 1e-6 of a tie;
its error is below 1e-9) and those outside 0 and [1e-99, 10) go through '%g'.
Cost: a fifth to a tenth of the official loop (benchmarks/prediction_writing.py).
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

_BLOCK = 16_384  # values at a time: the working arrays stay in the processor's cache
_MIN_EXPONENT = -99  # two exponent digits at most
_TIE_MARGIN = 1e-6
_MAX_IRREGULAR = 0.1  # share of values from which '%g' for all is cheaper than patching some

# The row of one value:  L . 0 0 0 D D D  D D D e - X X separator     (L: 0, or the first digit where the point follows)
_WIDTH = 16
_POINT, _FIRST_DIGIT, _EXPONENT, _SEPARATOR = 1, 5, 11, 15
_ONE, _SCIENTIFIC, _ZERO = 4, 5, 6  # layouts: 0 to 3 are 0.000x to 0.x, then x.x, x.xe-XX and 0


def _kept(layout: int, n_digits: int) -> npt.NDArray[np.bool_]:
    """The characters that a value of this layout and number of digits keeps, [_WIDTH]."""
    keep = np.zeros(_WIDTH, bool)
    keep[[0, _SEPARATOR]] = True
    if layout < _ONE:
        keep[_POINT : _FIRST_DIGIT - layout] = True
        keep[_FIRST_DIGIT : _FIRST_DIGIT + n_digits] = True
    elif layout != _ZERO and n_digits > 1:
        keep[_POINT] = True
        keep[_FIRST_DIGIT + 1 : _FIRST_DIGIT + n_digits] = True
    if layout == _SCIENTIFIC:
        keep[_EXPONENT:_SEPARATOR] = True
    return keep


def _words(template: str, count: int) -> npt.NDArray[np.uint64]:
    """The text of 0 .. count - 1 in a template of eight characters, as one machine word each, [count]."""
    return np.array([template.format(i).encode() for i in range(count)], "S8").view(np.uint64)


_POWERS = np.array([float(f"1e{5 - exponent}") for exponent in range(_MIN_EXPONENT, 1)])
_NUMBERS = np.arange(1000)
_N_DIGITS = np.where(_NUMBERS % 10 > 0, 3, np.where(_NUMBERS % 100 > 0, 2, np.where(_NUMBERS > 0, 1, 0)))
_MASKS = np.stack([_kept(layout, n) for layout in range(_ZERO + 1) for n in range(1, 7)])
_FIRST_HALF = np.concatenate(  # indexed by the first three digits, plus 1000 where the first digit leads
    [
        _words("0.000{:03}", 1000),
        np.array([f"{i // 100}.000{i:03}".encode() for i in range(1000)], "S8").view(np.uint64),
    ]
)
_SECOND_HALF = _words("{:03}e-00 ", 1000)  # indexed by the last three digits ...
_EXPONENTS = _words("000e-{:02} ", 1 - _MIN_EXPONENT) ^ _SECOND_HALF[0]  # ... and by minus the exponent


def format_rows(scores: npt.NDArray[Any]) -> Iterator[bytes]:
    """Yield the text of scores [n_rows, n_columns]: six significant digits, spaces between, a line feed after each row.

    Args:
        scores: any real dtype; each value is formatted as the float64 that it converts to.
    Yields:
        The bytes of some whole rows.
    """
    n_columns = scores.shape[1]
    n_rows_per_block = max(1, _BLOCK // max(1, n_columns))
    for start in range(0, len(scores), n_rows_per_block):
        block = np.asarray(scores[start : start + n_rows_per_block], np.float64)
        yield _format_block(block) if n_columns else b"\n" * len(block)


def _format_block(block: npt.NDArray[np.float64]) -> bytes:
    values = block.ravel()  # [n]
    zero = (values == 0) & ~np.signbit(values)
    regular = (values >= float(f"1e{_MIN_EXPONENT}")) & (values < 10)
    digits, exponent, exact = _decimal(np.where(regular, values, 1.0))
    irregular = np.flatnonzero(~(regular & exact | zero))
    if len(irregular) > _MAX_IRREGULAR * len(values):
        line = b" ".join([b"%g"] * block.shape[1]) + b"\n"
        return b"".join([line % tuple(row) for row in block.tolist()])

    first = digits // 1000
    last = digits - first * 1000
    layout = np.where(exponent < -4, _SCIENTIFIC, exponent + _ONE)
    layout[zero] = _ZERO
    n_digits = np.where(last > 0, 3 + _N_DIGITS.take(last), _N_DIGITS.take(first))
    first[zero] = 0
    first += 1000 * ((layout == _ONE) | (layout == _SCIENTIFIC))

    words = np.empty((len(values), 2), np.uint64)
    words[:, 0] = _FIRST_HALF.take(first)
    words[:, 1] = _SECOND_HALF.take(last) ^ _EXPONENTS.take(-exponent)
    characters = words.view(np.uint8)  # [n, _WIDTH]
    characters[block.shape[1] - 1 :: block.shape[1], _SEPARATOR] = ord("\n")
    keep = _MASKS.take(layout * 6 + n_digits - 1, axis=0)
    for i in irregular:
        text = b"%g" % values[i]
        characters[i, : len(text)] = np.frombuffer(text, np.uint8)
        keep[i, :_SEPARATOR] = np.arange(_SEPARATOR) < len(text)
    return characters.ravel().compress(keep.ravel()).tobytes()


def _decimal(
    values: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.bool_]]:
    """Of [1e-99, 10): six decimal digits (100,000 to 999,999), exponent, and if both are certain; each [n]."""
    exponent = np.floor(np.log10(values)).astype(np.int32)
    np.clip(exponent, _MIN_EXPONENT, 0, out=exponent)
    scaled = values * _POWERS.take(exponent - _MIN_EXPONENT)
    digits = np.rint(scaled)
    exact = np.abs(np.abs(scaled - digits) - 0.5) > _TIE_MARGIN
    # 9.999996 becomes 1 with the next exponent; so does a power of ten whose logarithm was rounded down.
    carried = digits >= 1e6
    exponent += carried
    exact &= exponent <= 0
    digits[carried] = 100_000
    np.minimum(exponent, 0, out=exponent)
    return digits.astype(np.int32), exponent, exact
