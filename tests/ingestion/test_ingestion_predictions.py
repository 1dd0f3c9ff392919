"""What a model may return from test."""

import numpy as np
import pytest

from ingestion.errors import PredictionError
from ingestion.predictions import as_scores


class OnTheDevice:
    """Like a tensor on a GPU, which numpy cannot read."""

    def __array__(self, dtype: object = None, copy: object = None) -> None:
        raise TypeError("can't convert cuda tensor")


@pytest.mark.parametrize(
    "prediction",
    [
        np.zeros((2, 3), np.float32),
        [[0, 1, 2], [3, 4, 5]],  # lists are arrays
        np.ones((2, 3), bool),
        np.array([[0.5, 1, 2]] * 2, object),  # numbers wrapped as objects
    ],
)
def test_arrays_of_finite_numbers_are_accepted(prediction: object) -> None:
    scores = as_scores(prediction, (2, 3))
    assert scores.dtype.kind in "fiub"
    assert np.array_equal(scores, np.asarray(prediction))


@pytest.mark.parametrize(
    ("prediction", "fact"),
    [
        (np.zeros((3, 2)), "= (2, 3), however it returned (3, 2)"),
        (np.zeros(6), "however it returned (6,)"),
        (np.zeros((0, 3)), "however it returned (0, 3)"),
        (0.5, "however it returned ()"),
        ([[1, 2, 3], [4]], "cannot read a list"),  # ragged
        ([["a", "b", "c"]] * 2, "cannot read a list"),
        ([[1, 2, {}]] * 2, "cannot read a list"),
        (OnTheDevice(), "cannot read a OnTheDevice (can't convert cuda tensor)"),
        (np.zeros((2, 3), complex), "real numbers, however it returned complex128"),
        (np.array([[0, 1, 2], [0, np.nan, np.inf]]), "2 of 6 are not, the first in row 1, column 1: nan"),
        (np.full((2, 3), -np.inf), "6 of 6 are not, the first in row 0, column 0: -inf"),
    ],
)
def test_what_cannot_be_scored_is_refused_with_the_fact(prediction: object, fact: str) -> None:
    with pytest.raises(PredictionError) as error:
        as_scores(prediction, (2, 3))
    assert fact in str(error.value)
