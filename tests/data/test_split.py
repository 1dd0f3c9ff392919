"""The hold-out: fixed once, growing with the stream, keeping every class."""

import numpy as np
import pytest

from autodl_solver.data.split import PERIOD, HoldOut


def one_hot(n_rows: int, n_classes: int, seed: int = 0) -> np.ndarray:
    return np.eye(n_classes)[np.random.default_rng(seed).integers(0, n_classes, n_rows)]


def multi_label(n_rows: int, n_classes: int) -> np.ndarray:
    return (np.random.default_rng(0).random((n_rows, n_classes)) < 0.3).astype(float)


@pytest.mark.parametrize(
    "y",
    [
        one_hot(500, 2),  # binary
        one_hot(3000, 300),  # many classes, few rows each
        multi_label(500, 8),  # several labels, some rows without any
    ],
)
@pytest.mark.parametrize("cut", [1, 64, 333])
def test_membership_does_not_depend_on_how_the_stream_is_cut(y: np.ndarray, cut: int) -> None:
    whole, grown = HoldOut(y.shape[1]), HoldOut(y.shape[1])
    for stop in range(cut, len(y), cut):
        grown.among(y[:stop])
    piecewise = HoldOut(y.shape[1])
    pieces = [piecewise.among(y[start : start + cut], start) for start in range(0, len(y), cut)]
    assert np.array_equal(whole.among(y), grown.among(y))
    assert np.array_equal(whole.among(y), np.concatenate(pieces))
    assert np.array_equal(grown.among(y[5:50], 5), whole.mask[5:50])
    assert np.array_equal(grown.y, y[grown.mask])


@pytest.mark.parametrize(("n_rows", "n_classes"), [(100, 2), (1000, 10), (5000, 100)])
def test_every_class_is_on_both_sides_in_proportion(n_rows: int, n_classes: int) -> None:
    y = one_hot(n_rows, n_classes)
    held_out = HoldOut(n_classes).among(y)
    assert (y[~held_out].sum(axis=0) > 0).all()
    assert (y[held_out].sum(axis=0) > 0).all()
    assert held_out.mean() == pytest.approx(1 / PERIOD, abs=0.02)


def test_a_class_of_one_or_two_rows_is_left_to_training() -> None:
    y = np.eye(3)[[0, 0, 0, 0, 0, 1, 2, 2]]
    held_out = HoldOut(3).among(y)
    assert held_out.tolist() == [False, False, True, False, False, False, False, False]


def test_rare_labels_of_a_multi_label_set_are_on_both_sides() -> None:
    y = multi_label(400, 6)
    y[:, 5] = 0
    y[::40, 5] = 1  # ten rows
    held_out = HoldOut(6).among(y)
    assert (y[held_out].sum(axis=0) > 0).all()
    assert (y[~held_out].sum(axis=0) > 0).all()
