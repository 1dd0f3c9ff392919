"""The text of predictions, byte for byte against Python's own formatting."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from ingestion.formatting import format_rows


def official(scores: npt.NDArray[np.generic]) -> bytes:
    return "".join(" ".join(f"{float(value):g}" for value in row) + "\n" for row in scores).encode()


def ours(scores: npt.NDArray[np.generic]) -> bytes:
    return b"".join(format_rows(scores))


SHAPES = array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9)
SCORES = st.floats(0, 10) | st.floats(0, 1e-3) | st.floats(0, 1e-90)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(arrays(np.float64, SHAPES, elements=SCORES))
def test_scores_are_written_as_python_writes_them(scores: npt.NDArray[np.float64]) -> None:
    assert ours(scores) == official(scores)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(arrays(np.float32, SHAPES, elements=st.floats(width=32)))
def test_any_float32_is_written_as_python_writes_it(scores: npt.NDArray[np.float32]) -> None:
    assert ours(scores) == official(scores)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(st.integers(0, 10**7), st.integers(-40, 1), st.sampled_from([-1, 0, 1]))
def test_ties_and_their_neighbours_are_rounded_as_python_rounds_them(digits: int, exponent: int, step: int) -> None:
    value = float(f"{digits}5e{exponent - 7}")
    neighbour = np.nextafter(value, np.inf * step) if step else value
    scores = np.array([[neighbour] + [0.5] * 20])
    assert ours(scores) == official(scores)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, b"0"),  # the short forms of the most frequent scores
        (1.0, b"1"),
        (0.5, b"0.5"),
        (-0.0, b"-0"),  # the sign of zero is kept
        (1e-4, b"0.0001"),  # the last plain one
        (1e-5, b"1e-05"),  # the first scientific one
        (9.9999951e-5, b"0.0001"),  # rounding carries into the plain ones
        (9.99999e-5, b"9.99999e-05"),
        (0.9999996, b"1"),  # rounding carries into the next exponent
        (0.9999994, b"0.999999"),
        (9.999996, b"10"),  # and out of the range of the fast way
        (0.1234565, b"0.123456"),  # a tie that is none: the double lies below it
        (0.1234505, b"0.123451"),  # and here above it
        (0.0000152587890625, b"1.52588e-05"),
        (2.5e-45, b"2.5e-45"),
        (1e-100, b"1e-100"),  # three digits of exponent
        (5e-324, b"4.94066e-324"),  # the smallest double
        (123456.7, b"123457"),
        (1234567.8, b"1.23457e+06"),
        (-0.25, b"-0.25"),
        (float("nan"), b"nan"),
        (float("-inf"), b"-inf"),
    ],
)
def test_a_score_has_six_significant_digits_and_no_more_than_it_needs(value: float, text: bytes) -> None:
    alone, among_others = np.array([[value]]), np.array([[value] + [0.25] * 30])
    assert official(alone) == text + b"\n"
    assert ours(alone) == text + b"\n"
    assert ours(among_others) == text + b" 0.25" * 30 + b"\n"


@pytest.mark.parametrize(
    "scores",
    [
        np.eye(5, dtype=np.int64),  # integers
        np.eye(5, dtype=bool),
        np.array([[2**24 + 1, 3]], dtype=np.int64),
        np.linspace(0, 1, 60, dtype=np.float16).reshape(6, 10),
        np.random.default_rng(0).random((20_000, 3)),  # several blocks, the last one shorter
        np.random.default_rng(0).random((2, 20_000)),  # a row longer than a block
        np.random.default_rng(0).normal(size=(50, 7)),  # so many negative ones that all go the slow way
        np.asfortranarray(np.random.default_rng(0).random((40, 9))),  # another memory layout
        np.zeros((3, 1)),
    ],
)
def test_every_dtype_and_shape_is_written_as_python_writes_it(scores: npt.NDArray[np.generic]) -> None:
    assert ours(scores) == official(scores)
