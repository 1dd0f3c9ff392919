"""Sequences as flat arrays, and their resampling."""

import numpy as np
import pytest
from scipy import sparse

from autodl_solver.data.examples import Ragged
from autodl_solver.data.sequences import as_ragged, resampled
from autodl_solver.errors import ShapeError


@pytest.mark.parametrize(
    "x",
    [
        np.arange(12.0).reshape(2, 3, 1, 2, 1),  # an array
        [np.arange(6.0).reshape(3, 1, 2, 1), np.arange(6.0, 12).reshape(3, 1, 2, 1)],  # a list
        Ragged(np.arange(12.0).reshape(6, 1, 2, 1), np.array([0, 3, 6])),  # already
    ],
)
def test_all_kinds_come_out_alike(x: object) -> None:
    rows = as_ragged(x)  # type: ignore[arg-type]
    assert rows.values.shape == (6, 1, 2, 1)
    assert rows.lengths.tolist() == [3, 3]
    assert np.ravel(rows[1]).tolist() == [6, 7, 8, 9, 10, 11]


def test_sparse_rows_are_no_sequences() -> None:
    with pytest.raises(ShapeError, match="csr_array"):
        as_ragged(sparse.csr_array((2, 2)))


@pytest.mark.parametrize(
    ("row", "points"),
    [
        ([0.0, 10.0], [0, 2.5, 5, 7.5, 10]),  # stretched
        ([0.0, 1, 2, 3, 4, 5, 6, 7, 8], [0, 2, 4, 6, 8]),  # thinned
        ([7.0], [7, 7, 7, 7, 7]),  # one step
        ([], [0, 0, 0, 0, 0]),  # no step
    ],
)
def test_resampled_is_linear_interpolation(row: list[float], points: list[float]) -> None:
    other = [1.0, 1.0]
    values = np.array(row + other).reshape(-1, 1, 1, 1)
    course = resampled(Ragged(values, np.array([0, len(row), len(row) + 2])), 5)
    assert course[0, :, 0].tolist() == points
    assert course[1, :, 0].tolist() == [1] * 5


def test_resampled_agrees_with_numpy_interp_on_a_real_length() -> None:
    series = np.random.default_rng(0).normal(size=187)
    course = resampled(Ragged(series.reshape(-1, 1, 1, 1), np.array([0, 187])), 64)
    expected = np.interp(np.linspace(0, 186, 64), np.arange(187), series)
    assert course[0, :, 0] == pytest.approx(expected)
