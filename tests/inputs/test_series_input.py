"""Series of equal and unequal length."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from autodl_solver.data.examples import Examples, Ragged
from autodl_solver.errors import InputError
from autodl_solver.inputs.series import SeriesInput
from autodl_solver.modalities.infer import Modality, infer_modality
from autodl_solver.modalities.series.pipeline import SeriesPipeline

NAN = float("nan")
EQUAL = np.arange(24.0).reshape(4, 3, 2)


def fitted(series: Any) -> SeriesInput:
    series_input = SeriesInput()
    series_input.fit(series)
    return series_input


@pytest.mark.parametrize(
    "series",
    [
        EQUAL,
        list(EQUAL),
        EQUAL.tolist(),
        [pd.DataFrame(steps, columns=["a", "b"]) for steps in EQUAL],
        [pd.DataFrame(steps, columns=["a", "b"])[["a", "b"]].assign(when="noon") for steps in EQUAL],
    ],
)
def test_series_of_one_length_are_an_array(series: Any) -> None:
    series_input = fitted(series)
    info = series_input.info("made", 4, ("no", "yes"))
    assert info.sequence_size == 3
    assert infer_modality(info) is Modality.SERIES
    rows = series_input.encode(series).rows
    assert isinstance(rows, np.ndarray)
    assert rows.dtype == np.float32
    assert np.array_equal(rows, EQUAL[:, :, None, :, None])


def test_new_series_may_have_another_length() -> None:
    rows = fitted(EQUAL).encode(np.zeros((2, 5, 2))).rows
    assert isinstance(rows, Ragged)
    assert rows.lengths.tolist() == [5, 5]


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        ([[1, 2], [3, None, 5]], [[1, 2], [3, NAN, 5]]),
        ([np.array([1, 2]), pd.Series([3, NAN, 5])], [[1, 2], [3, NAN, 5]]),
        ([np.zeros((2, 2)), np.ones((1, 2))], [[0, 0, 0, 0], [1, 1]]),
        ([[], [1.0], [2.0, 3.0]], [[NAN], [1], [2, 3]]),  # nothing is one missing step
        (pd.DataFrame({"t0": [1.0, 2.0], "t1": [3.0, NAN]}), [[1, 3], [2, NAN]]),  # a series in each row
        (np.array([[1, 3], [2, NAN]]), [[1, 3], [2, NAN]]),
    ],
)
def test_lengths_and_gaps_are_kept(series: Any, expected: list[list[float]]) -> None:
    rows = fitted(series).encode(series).rows
    for k, steps in enumerate(expected):
        assert np.ravel(rows[k]).tolist() == pytest.approx(steps, nan_ok=True)  # type: ignore[index]


def test_columns_of_frames_are_found_by_name() -> None:
    training = [pd.DataFrame({"a": range(k), "b": 1.0, "day": pd.date_range("2020-01-01", periods=k)}) for k in (2, 3)]
    series_input = fitted(training)
    assert series_input.info("made", 2, ("no", "yes")).feature_names == ("a", "b")
    rows = series_input.encode([pd.DataFrame({"b": [5], "c": [6], "a": [7]}), training[0].iloc[:0]]).rows
    assert np.ravel(rows[0]).tolist() == [7, 5]  # type: ignore[index]
    assert np.isnan(rows[1]).all()  # type: ignore[index]
    with pytest.raises(InputError, match="example 1 has no b"):
        series_input.encode([training[0], training[0][["a"]]])


@pytest.mark.parametrize(
    ("series", "message"),
    [
        ([], "it is empty"),
        ([["a"], ["b", "c"]], "example 0 does not"),
        ([np.zeros((2, 2)), np.zeros((2, 3))], "must have 2 channels, .* example 1 has 3"),
        ([np.zeros((2, 2, 2))], r"shape \(2, 2, 2\)"),
        ([np.ones(3) * 1j], "Complex data not supported"),
        ([pd.DataFrame({"when": ["noon"]})], "none of its columns does: when"),
    ],
)
def test_what_are_no_series_is_refused(series: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        fitted(series)


def test_gaps_and_empty_series_pass_the_pipeline() -> None:
    series = [[1.0, NAN, 3.0], [], [NAN, NAN], list(range(30))] * 4
    series_input = fitted(series)
    rows = series_input.encode(series).rows
    pipeline = SeriesPipeline(series_input.info("made", 16, ("no", "yes")))
    pipeline.fit(Examples(rows))
    for view, fidelity in (("", 16), ("hydra", 2), ("minirocket", 84)):
        assert np.isfinite(pipeline.transform(rows, view, fidelity)).all()


def test_one_step_is_still_a_series() -> None:
    series_input = fitted(np.zeros((4, 1, 3)))
    assert infer_modality(series_input.info("made", 4, ("no", "yes"))) is Modality.SERIES
