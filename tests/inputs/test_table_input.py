"""Tables: what their columns become, and that new rows follow training."""

from __future__ import annotations

import datetime as dt
import decimal
import logging
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from autodl_solver.data.info import DatasetInfo, Format
from autodl_solver.errors import InputError
from autodl_solver.inputs.table import TableInput
from autodl_solver.modalities.infer import Modality, infer_modality

N = 40


def fitted(table: Any) -> TableInput:
    table_input = TableInput()
    table_input.fit(table)
    return table_input


def info_of(table_input: TableInput) -> DatasetInfo:
    return table_input.info("made", N, ("no", "yes"))


def columns_of(table_input: TableInput, table: Any) -> dict[str, list[float]]:
    """Feature name -> its values."""
    rows = table_input.encode(table).rows
    assert isinstance(rows, np.ndarray)
    assert rows.dtype == np.float32
    assert rows.shape[1:3] == (1, 1)
    return dict(zip(info_of(table_input).feature_names, rows[:, 0, 0, :, 0].T.tolist(), strict=True))


def alternating(*cells: Any) -> list[Any]:
    return [cells[k % len(cells)] for k in range(N)]


def arrow(cells: list[Any]) -> pd.Series:
    return pd.Series(pd.arrays.ArrowExtensionArray(pa.chunked_array([pa.array(cells)])))


NAN = float("nan")


@pytest.mark.parametrize(
    ("cells", "first_two"),
    [
        ([*range(N)], [0, 1]),
        (alternating(0.5, np.inf), [0.5, np.inf]),
        (alternating(True, False), [1, 0]),
        (pd.array(alternating(7, None), dtype="Int64"), [7, NAN]),
        (pd.array(alternating(True, None), dtype="boolean"), [1, NAN]),
        (arrow(alternating(2.5, None)), [2.5, NAN]),
        (arrow(alternating(decimal.Decimal("1.5"), None)), [1.5, NAN]),
        (alternating(decimal.Decimal("1.5"), 2), [1.5, 2]),
        (alternating(True, None), [1, NAN]),
        (["?", "1.5", *["2"] * (N - 2)], [NAN, 1.5]),  # a mark for what is missing, among numbers
        (alternating(1e300, 1), [np.inf, 1]),  # beyond float32
        (pd.arrays.SparseArray(alternating(0.0, 1.0)), [0, 1]),
        ([None] * N, [NAN, NAN]),
        (alternating(1.7e9, 1.7e9 + 1), [0, 1]),  # float32 alone would make them one
        # categories: codes by frequency, then by name
        (["rare", *["often"] * (N - 1)], [1, 0]),
        (alternating("b", "a"), [1, 0]),
        (arrow(alternating("a", None)), [0, NAN]),
        (alternating("a", 1, None, NAN), [1, 0]),
        (pd.Categorical(alternating("lo", "hi"), ["lo", "mid", "hi"], ordered=True), [0, 2]),
        (pd.cut(np.arange(N), 2), [0, 0]),
        (alternating([1], {"a": 2}), [0, 1]),  # cells without a hash
        # times
        (alternating(dt.timedelta(hours=1), None), [3600, NAN]),
        (alternating(dt.time(1, 2), None), [3720, NAN]),
        (arrow(alternating(dt.timedelta(seconds=5), None)), [5, NAN]),
    ],
)
def test_a_column_becomes_one_of_numbers(cells: Any, first_two: list[float]) -> None:
    table = pd.DataFrame({"x": cells})
    table_input = fitted(table)
    column = columns_of(table_input, table)
    assert list(column) == ["x"]
    assert column["x"][:2] == pytest.approx(first_two, nan_ok=True)


@pytest.mark.parametrize(
    "cells",
    [
        pd.to_datetime(alternating("2020-01-01 06:00", "2021-01-08 06:00", None)),
        alternating("2020-01-01 06:00:00", "2021-01-08T06:00", ""),  # as CSV files have them
        alternating(dt.datetime(2020, 1, 1, 6), dt.datetime(2021, 1, 8, 6), None),
        pd.to_datetime(alternating("2020-01-01 08:00+02:00", "2021-01-08 08:00+02:00", None)),  # in UTC
        arrow(alternating(dt.datetime(2020, 1, 1, 6), dt.datetime(2021, 1, 8, 6), None)),
    ],
)
def test_a_date_becomes_days_and_the_parts_that_vary(cells: Any) -> None:
    table = pd.DataFrame({"day": cells})
    columns = columns_of(fitted(table), table)
    assert list(columns) == ["day", "day (year)", "day (day)", "day (day_of_week)"]  # all at six, in January
    assert columns["day"][:3] == pytest.approx([18262.25, 18635.25, NAN], nan_ok=True)
    assert columns["day (year)"][:3] == pytest.approx([2020, 2021, NAN], nan_ok=True)
    assert columns["day (day_of_week)"][:2] == [2, 4]


def test_dates_without_times_and_periods_are_dates() -> None:
    for cells in (
        alternating(dt.date(2020, 1, 1), dt.date(2020, 2, 1)),
        pd.period_range("2020-01", periods=N, freq="M"),
    ):
        table = pd.DataFrame({"day": cells})
        assert columns_of(fitted(table), table)["day (month)"][:2] == [1, 2]


def test_free_text_becomes_its_length_and_hashed_words() -> None:
    table = pd.DataFrame({"text": [f"the quick fox number {k}" for k in range(N)], "x": 1.0})
    columns = columns_of(fitted(table), table)
    assert columns["text (letters)"][:1] == [22]
    assert columns["text (words)"][:1] == [5]
    assert sum(column[0] for name, column in columns.items() if name.startswith("text (words ")) == 5
    new = columns_of(fitted(table), pd.DataFrame({"text": [None, "", 5], "x": 1.0}))
    assert new["text (words)"] == pytest.approx([NAN, 0, 1], nan_ok=True)


def test_ids_are_left_out_and_that_is_said(caplog: pytest.LogCaptureFixture) -> None:
    table = pd.DataFrame({"id": [f"user{k}" for k in range(N)], "x": range(N)})
    with caplog.at_level(logging.INFO):
        assert list(columns_of(fitted(table), table)) == ["x"]
    assert "'id' is left out" in caplog.text
    with pytest.raises(InputError, match="no two rows share a value"):
        fitted(table[["id"]])


def test_of_very_many_levels_the_frequent_ones_count() -> None:
    shops = [f"shop {k}" for k in range(400)] + ["big shop"] * 10 + ["other shop"] * 5
    table = pd.DataFrame({"shop": shops})
    codes = columns_of(fitted(table), table)["shop"]
    assert set(codes[400:]) == {0, 1}
    assert np.isnan(codes[:400]).all()


def test_new_values_of_a_category_are_missing_and_numbers_find_theirs() -> None:
    table_input = fitted(pd.DataFrame({"c": pd.Categorical(alternating(3, 1, 3)), "d": alternating("1", "x")}))
    columns = columns_of(table_input, pd.DataFrame({"c": [1.0, 2.0, NAN, 3.0], "d": [1, 1.0, "y", None]}))
    assert columns["c"] == pytest.approx([1, NAN, NAN, 0], nan_ok=True)
    assert columns["d"] == pytest.approx([0, 0, NAN, NAN], nan_ok=True)


@pytest.fixture(scope="module")
def mixed() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "number": np.arange(N) / 2,
            "name": alternating("a", "b", None),
            "day": pd.date_range("2020-01-01", periods=N),
            "nullable": pd.array(alternating(1, None), dtype="Int64"),
            "text": [f"some words in row {k}" for k in range(N)],
            "wait": pd.to_timedelta(np.arange(N), unit="h"),
        }
    )


@pytest.mark.parametrize("form", ["reversed", "objects", "strings", "dicts", "polars-like", "pyarrow"])
def test_columns_are_found_by_name_whatever_their_order_and_dtype(mixed: pd.DataFrame, form: str) -> None:
    forms: dict[str, Any] = {
        "reversed": mixed[mixed.columns[::-1]].assign(more=1),
        "objects": mixed.astype(object),
        "strings": mixed.astype(str),
        "dicts": mixed.to_dict("records"),
        "polars-like": pa.Table.from_pandas(mixed),  # whatever has to_pandas
        "pyarrow": mixed.convert_dtypes(dtype_backend="pyarrow"),
    }
    table_input = fitted(mixed)
    expected = columns_of(table_input, mixed)
    found = columns_of(table_input, forms[form])
    for name, values in expected.items():
        assert found[name] == pytest.approx(values, nan_ok=True), name


def test_ignored_columns_are_told(mixed: pd.DataFrame, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        fitted(mixed).encode(mixed.assign(more=1, extra=2))
    assert "2 columns are ignored" in caplog.text


def test_missing_columns_are_listed(mixed: pd.DataFrame) -> None:
    with pytest.raises(InputError, match=r"2 of 6 are not there: name, wait"):
        fitted(mixed).encode(mixed.drop(columns=["name", "wait"]))


def test_a_dict_may_leave_out_what_is_unknown(mixed: pd.DataFrame) -> None:
    columns = columns_of(fitted(mixed), [{"number": 5, "name": "b"}, {"name": "a"}])
    assert columns["number"] == pytest.approx([5, NAN], nan_ok=True)
    assert columns["name"] == [1, 0]
    with pytest.raises(InputError, match="6 of 6 are not there"):
        fitted(mixed).encode([{"something": 1}])


@pytest.mark.parametrize(
    "table",
    [
        np.arange(12).reshape(4, 3),
        np.arange(12.0).reshape(4, 3),
        np.asfortranarray(np.arange(12, dtype=np.float32).reshape(4, 3)),
        np.arange(12, dtype=np.float16).reshape(4, 3),
        np.arange(12).reshape(4, 3).astype(object),
        np.arange(12).reshape(4, 3).tolist(),
        [tuple(range(k, k + 3)) for k in range(0, 12, 3)],
        list(np.arange(12).reshape(4, 3)),
        np.arange(12).reshape(4, 3).astype(str),
        pd.DataFrame(np.arange(12).reshape(4, 3)),
    ],
)
def test_arrays_and_lists_of_numbers_go_through_as_they_are(table: Any) -> None:
    table_input = fitted(table)
    rows = table_input.encode(table).rows
    assert isinstance(rows, np.ndarray)
    assert rows.shape == (4, 1, 1, 3, 1)
    assert rows.dtype == np.float32
    assert rows.ravel().tolist() == list(range(12))
    assert infer_modality(info_of(table_input)) is Modality.TABULAR


def test_masked_and_missing_cells_are_nan() -> None:
    masked = np.ma.array([[1, 2], [3, 4]], mask=[[0, 1], [0, 0]])
    for table in (masked, [[1, None], [3, 4]], np.array([[1, None], [3, 4]], object)):
        assert fitted(table).encode(table).rows.ravel().tolist() == pytest.approx([1, NAN, 3, 4], nan_ok=True)  # type: ignore[union-attr]


def test_large_values_of_arrays_stay_apart() -> None:
    table = np.column_stack([1.7e9 + np.arange(4), np.arange(4)])
    before = table.copy()
    rows = fitted(table).encode(table).rows
    assert isinstance(rows, np.ndarray)
    assert rows[:, 0, 0, :, 0].tolist() == [[k, k] for k in range(4)]
    assert np.array_equal(table, before)


def test_lists_of_mixed_rows_are_tables_of_categories() -> None:
    table = [["a", 1.5, None], ["b", 2, "x"], ["a", 3, "x"]]
    rows = fitted(table).encode(table).rows
    assert isinstance(rows, np.ndarray)
    assert rows[:, 0, 0, :, 0].T.tolist() == [[0, 1, 0], [1.5, 2, 3], pytest.approx([NAN, 0, 0], nan_ok=True)]


@pytest.mark.parametrize("make", [sparse.csr_array, sparse.csc_matrix, sparse.coo_array])
def test_sparse_matrices_stay_sparse(make: Any) -> None:
    dense = np.eye(5)[:4] * 3
    table_input = fitted(make(dense))
    for table in (make(dense), dense, pd.DataFrame(dense)):
        rows = table_input.encode(table).rows
        assert isinstance(rows, sparse.csr_array)
        assert rows.dtype == np.float32
        assert rows.toarray().tolist() == dense.tolist()
    assert info_of(table_input).specs[0].format is Format.SPARSE
    assert infer_modality(info_of(table_input)) is Modality.TABULAR


def test_a_sparse_matrix_of_one_column_is_no_text() -> None:
    table = sparse.csr_array(np.arange(4.0)[:, None])
    assert infer_modality(info_of(fitted(table))) is Modality.TABULAR
    assert fitted(table).encode(table).rows.shape == (4, 1, 1, 1, 1)  # type: ignore[union-attr]


def test_a_dense_model_takes_sparse_rows_and_tables() -> None:
    table_input = fitted(np.eye(3))
    for table in (sparse.eye_array(3), pd.DataFrame(np.eye(3), columns=list("abc"))):
        assert table_input.encode(table).rows.ravel().tolist() == np.eye(3).ravel().tolist()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (np.zeros(5), "Expected 2D array, got 1D array instead"),
        ([1, 2, 3], "Expected 2D array, got 1D array instead"),
        (np.zeros((0, 3)), r"0 sample\(s\)"),
        (np.zeros((4, 0)), r"0 feature\(s\) \(shape=\(4, 0\)\) while a minimum of 1 is required."),
        ([], r"0 sample\(s\)"),
        (np.ones((3, 2)) * 1j, "Complex data not supported"),
        (sparse.csr_array(np.eye(2) * 1j), "Complex data not supported"),
        (pd.DataFrame({"a": [1j, 2]}), "Complex data not supported: column 'a'"),
        ([[1, 2], [3]], "one length; however they have 1 to 2 values"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "two of a"),
    ],
)
def test_what_is_no_table_is_refused_with_the_reason(table: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        fitted(table)


@pytest.mark.parametrize("table", [np.eye(5), sparse.eye_array(5), pd.DataFrame(np.eye(5))])
def test_another_number_of_columns_is_refused_in_the_words_of_scikit_learn(table: Any) -> None:
    with pytest.raises(InputError, match=r"X has 3 features, but \w+ is expecting 5 features as input"):
        fitted(table).encode(np.eye(3))


CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.dates(),
    st.datetimes(),
    st.timedeltas(),
    st.times(),
    st.decimals(allow_nan=False),
    st.binary(max_size=3),
    st.lists(st.integers(), max_size=2),
    st.sampled_from([pd.NA, pd.NaT, np.nan, np.float32(2), np.int8(3), "1.5", "2020-02-30", "2020-02-03", "?", ""]),
)
COLUMNS = st.one_of(
    st.lists(CELLS, min_size=6, max_size=6),
    *(
        st.lists(cells | st.none(), min_size=6, max_size=6)
        for cells in (st.text(), st.floats(), st.datetimes(), st.times())
    ),
    st.lists(st.integers(-5, 5), min_size=6, max_size=6).map(lambda c: pd.array(c, dtype="Int8")),
    st.lists(st.sampled_from("abc") | st.none(), min_size=6, max_size=6).map(pd.Categorical),
    st.lists(st.integers(0, 2**33), min_size=6, max_size=6).map(lambda c: pd.to_datetime(c, unit="s", utc=True)),
)
TABLES = st.lists(COLUMNS, min_size=2, max_size=4)


@given(TABLES, TABLES, st.integers(0, 6))
@settings(max_examples=60, deadline=None)
def test_any_new_cells_make_rows_of_the_same_columns(training: list[Any], new: list[Any], n_new: int) -> None:
    names = ["constant", *"abcd"]
    table_input = fitted(pd.DataFrame(dict(zip(names, [[1] * 6, *training], strict=False))))
    new_table = pd.DataFrame(dict(zip(names[1:], new * 2, strict=False)))
    rows = table_input.encode(new_table.assign(constant="odd").iloc[:n_new]).rows
    assert isinstance(rows, np.ndarray)
    assert rows.dtype == np.float32
    assert rows.shape == (n_new, 1, 1, len(info_of(table_input).feature_names), 1)


@given(TABLES)
@settings(max_examples=30, deadline=None)
def test_a_row_alone_is_encoded_as_among_others(training: list[Any]) -> None:
    table = pd.DataFrame({"constant": [1] * 6, **dict(zip("abcd", training, strict=False))})
    table_input = fitted(table)
    rows = table_input.encode(table).rows
    for k in range(len(table)):
        assert np.array_equal(table_input.encode(table.iloc[[k]]).rows, rows[k : k + 1], equal_nan=True)  # type: ignore[arg-type,index]
