"""Whether a horizontal flip leaves labels alone."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

from autodl_solver.learners.mirror import looks_alike_in_a_mirror


def one_hot(labels: np.ndarray, n_classes: int) -> np.ndarray:
    return np.eye(n_classes, dtype=np.float32)[labels]


def stripes(n: int, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """uint8 noise, brighter in the first or in the second half of an axis."""
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 2
    x = rng.integers(0, 120, (n, 12, 12, 3))
    halves = np.moveaxis(x, axis, 1)
    halves[labels == 0, :6] += 60
    halves[labels == 1, 6:] += 60
    return x.astype(np.uint8), one_hot(labels, 2)


def test_digits_do_not() -> None:
    digits = load_digits()
    assert not looks_alike_in_a_mirror(digits.images[..., None], one_hot(digits.target, 10))


@pytest.mark.parametrize(("axis", "alike"), [(1, True), (2, False)])  # above and below; left and right
def test_classes_that_differ_from_left_to_right_do_not(axis: int, alike: bool) -> None:
    assert looks_alike_in_a_mirror(*stripes(400, axis)) is alike


@pytest.mark.parametrize("n_rows", [1, 2, 3, 5])
def test_too_few_rows_count_as_no(n_rows: int) -> None:
    x, y = stripes(400, 1)
    assert looks_alike_in_a_mirror(x[:n_rows], y[:n_rows]) in (True, False)
    assert not looks_alike_in_a_mirror(x[:1], y[:1])


def test_noise_tells_nothing() -> None:
    x, y = stripes(2000, 1)
    assert not looks_alike_in_a_mirror(x, np.roll(y, 7, axis=0)[np.random.default_rng(1).permutation(len(y))])
