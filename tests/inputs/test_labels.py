"""Labels: from the user's form to columns of y, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.exceptions import DataConversionWarning

from autodl_solver.errors import InputError
from autodl_solver.inputs.labels import Labels


@pytest.mark.parametrize(
    ("y", "classes", "dtype"),
    [
        ([3, 1, 3], [1, 3], np.int64),
        (np.array([3, 1], np.uint8), [1, 3], np.uint8),
        ([2.0, 1.0], [1.0, 2.0], np.float64),  # whole numbers that gaps elsewhere made floats
        ([True, False], [False, True], bool),
        (["dog", "cat", "dog"], ["cat", "dog"], object),
        (np.array(["dog", "cat"]), ["cat", "dog"], "<U3"),
        (np.array([2, 1], object), [1, 2], np.int64),
        (pd.Series(["b", "a"], dtype="category"), ["a", "b"], object),
        (pd.Series([2, 1], dtype="Int64"), [1, 2], np.int64),
        (pd.Series(["b", "a"], dtype="string[pyarrow]"), ["a", "b"], object),
        (pd.Series([True, False], dtype="boolean"), [False, True], bool),
    ],
)
def test_one_label_a_row_comes_back_as_it_was(y: Any, classes: list[Any], dtype: Any) -> None:
    labels = Labels.fitted(y)
    assert labels.classes == classes
    assert [type(name) for name in labels.classes] == [type(name) for name in classes]
    assert labels.class_names == tuple(str(name) for name in classes)
    assert not labels.is_multi_label
    encoded = labels.encode(y)
    assert encoded.dtype == np.float32
    assert encoded.shape == (len(y), 2)
    decoded = labels.decode(encoded)
    assert decoded.dtype == dtype
    assert decoded.tolist() == list(y)


@pytest.mark.parametrize(
    ("y", "names"),
    [
        ([{"a", "b"}, set(), {"c"}], ("a", "b", "c")),
        ([["b"], ["a", "b"], []], ("a", "b")),
        ([("x",), ("y", "x")], ("x", "y")),
        (pd.Series([frozenset({1}), frozenset({1, 2})]), ("1", "2")),
    ],
)
def test_names_of_each_row_come_back_in_their_containers(y: Any, names: tuple[str, ...]) -> None:
    labels = Labels.fitted(y)
    assert labels.is_multi_label
    assert labels.class_names == names
    decoded = labels.decode(labels.encode(y))
    assert [type(row) for row in decoded] == [type(row) for row in y]
    assert [set(row) for row in decoded] == [set(row) for row in y]


@pytest.mark.parametrize(
    "y",
    [
        np.array([[1, 0], [1, 1]]),
        np.array([[True, False], [True, True]]),
        [[1, 0], [1, 1]],  # nested lists of numbers in [0, 1]
    ],
)
def test_an_indicator_matrix_comes_back_with_its_dtype(y: Any) -> None:
    labels = Labels.fitted(y)
    assert labels.is_multi_label
    assert labels.class_names == ("0", "1")
    decoded = labels.decode(np.array([[0.9, 0.2], [0.5, 0.6]]))
    assert decoded.dtype == np.asarray(y).dtype
    assert decoded.tolist() == np.asarray(y).tolist()


def test_a_sparse_matrix_and_shares_are_indicators_too() -> None:
    assert Labels.fitted(sparse.csr_array(np.eye(3))).encode(sparse.csr_array(np.eye(3))).tolist() == np.eye(3).tolist()
    shares = np.array([[0.25, 0.75], [1, 0]])
    assert Labels.fitted(shares).encode(shares).tolist() == shares.tolist()


def test_a_table_of_labels_is_found_by_the_names_of_its_columns() -> None:
    y = pd.DataFrame({"rain": [1, 0, 1], "wind": [True, False, True]})
    labels = Labels.fitted(y)
    assert labels.class_names == ("rain", "wind")
    assert labels.encode(y[["wind", "rain"]]).tolist() == labels.encode(y).tolist()
    decoded = labels.decode(labels.encode(y))
    assert list(decoded.columns) == ["rain", "wind"]
    assert decoded.to_numpy().tolist() == [[1, 1], [0, 0], [1, 1]]
    with pytest.raises(InputError, match="wind was missing"):
        labels.encode(y[["rain", "rain"]].set_axis(["rain", "snow"], axis=1))


def test_a_column_vector_is_taken_as_one_label_a_row_and_that_is_said() -> None:
    with pytest.warns(DataConversionWarning, match="A column-vector y was passed when a 1d array was expected"):
        labels = Labels.fitted(np.array([[1], [2]]))
    assert not labels.is_multi_label


def test_scores_become_the_likeliest_class() -> None:
    labels = Labels.fitted(["no", "yes"])
    assert labels.decode(np.array([[0.4, 0.3], [0.1, 0.2]])).tolist() == ["no", "yes"]
    assert labels.decode(np.array([[False, True], [True, False]])).tolist() == ["yes", "no"]


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "requires y to be passed, but the target y is None"),
        ([], "0 sample"),
        ("abc", "is a str"),
        (5, "is a int"),
        ([1, None, 2], r"NaN or None in 1 of 3 rows \(1\)"),
        (["a", np.nan, "b", None], r"2 of 4 rows \(1, 3\)"),
        ([{"a"}, None], r"1 of 2 rows \(1\)"),
        (pd.Series(["a", None, "b"], dtype="category"), "1 of 3 rows"),
        (pd.DataFrame({"a": pd.array([1, None], dtype="Int64"), "b": [1, 0]}), "1 of 2 rows"),
        ([0.5, 1.5, 2.0], "Unknown label type: continuous"),
        ([1.0, np.inf], "Unknown label type: continuous"),
        ([1, "a"], "mixed-integer"),
        ([b"a", b"b"], "bytes"),
        (pd.to_datetime(["2020-01-01", "2021-01-01"]), "datetime64"),
        (["one"] * 9, "holds one class, 'one'"),
        ([{"a"}, {"a"}], "same labels"),
        (np.ones((4, 2)), "same labels"),
        (list(range(30)), "30 labels in 30 rows: it looks like an id or a regression target"),
        ([f"user {k}" for k in range(95)] + ["user 0"] * 5, "looks like an id"),
        (np.array([[1, 2], [3, 4]]), "Unknown label type: multiclass-multioutput"),
        (np.array([["a", "b"], ["c", "d"]]), "list of sets|give sets|numbers in"),
        (np.ones((2, 2, 2)), "3 dimensions"),
        (np.zeros((3, 0)), "no columns"),
        ([{"a"}, "b"], "row 1 is 'b' among containers"),
        (pd.DataFrame(np.eye(2, dtype=int), columns=["a", "a"]), "stands twice"),
    ],
)
def test_what_are_no_classes_is_refused_with_the_reason(y: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Labels.fitted(y)


@pytest.mark.parametrize(
    ("seen", "new", "message"),
    [
        (["a", "b"], ["a", "c"], "'c' was not"),
        ([1, 2], ["1"], "'1' was not"),
        (["a", "b"], [{"a"}], "one label a row"),
        ([{"a"}, {"b"}], ["a"], "one label for each row"),
        ([{"a"}, {"b"}], [{"c"}], "'c' was not"),
        (["a", "b"], np.eye(2), "has 2 columns"),
        (np.eye(2), np.eye(3), "must have 2 columns"),
    ],
)
def test_labels_that_fit_did_not_see_are_named(seen: Any, new: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Labels.fitted(seen).encode(new)


def test_booleans_and_their_numbers_are_the_same_classes() -> None:
    assert Labels.fitted([False, True]).encode([1, 0, 1.0]).argmax(axis=1).tolist() == [1, 0, 1]
    assert Labels.fitted([0, 1]).encode([True, False]).argmax(axis=1).tolist() == [1, 0]
    assert Labels.fitted([0, 1]).encode(np.array([1.0, 0.0])).argmax(axis=1).tolist() == [1, 0]


def test_no_rows_can_be_encoded() -> None:
    assert Labels.fitted(["a", "b"]).encode([]).shape == (0, 2)
    assert Labels.fitted([{"a"}, {"b"}]).encode([]).shape == (0, 2)


NAMES = st.one_of(
    st.lists(st.integers(-(2**60), 2**60), min_size=2, max_size=15),
    st.lists(st.text(max_size=5), min_size=2, max_size=15),
    st.lists(st.booleans(), min_size=2, max_size=15),
)


@given(
    NAMES.filter(lambda y: len(set(y)) > 1),
    st.sampled_from([list, np.array, pd.Series, lambda y: pd.Series(y, dtype=object)]),
)
@settings(max_examples=60, deadline=None)
def test_any_labels_come_back(y: list[Any], form: Any) -> None:
    given_form = form(y)
    labels = Labels.fitted(given_form)
    encoded = labels.encode(given_form)
    assert np.all(encoded.sum(axis=1) == 1)
    assert labels.decode(encoded).tolist() == list(given_form)


@given(st.lists(st.sets(st.text(max_size=3), max_size=4), min_size=2, max_size=8))
@settings(max_examples=40, deadline=None)
def test_any_sets_come_back(y: list[set[str]]) -> None:
    if len({frozenset(row) for row in y}) == 1:
        with pytest.raises(InputError):
            Labels.fitted(y)
        return
    labels = Labels.fitted(y)
    assert labels.decode(labels.encode(y)) == y
