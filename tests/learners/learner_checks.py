"""What every learner promises, as checks that run on each of them (see test_learner_battery.py).

A check takes a factory (n_classes, seed) -> learner and a maker of features from a random generator.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import pytest
from scipy import sparse

from autodl_solver.budget import Budget
from autodl_solver.data.examples import Examples, take_rows
from autodl_solver.errors import ShapeError
from autodl_solver.learners.base import Features, Learner

Factory = Callable[[int, int], Learner]
Maker = Callable[[np.ndarray, np.random.Generator], Features]


def dense_features(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """[n, 12] float32: labels mixed into noise."""
    mixing = rng.normal(size=(y.shape[1], 12))
    return (y @ mixing + rng.normal(size=(len(y), 12))).astype(np.float32)


def image_features(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """[n, 6, 6, 2] uint8: labels mixed into noise."""
    mixing = rng.normal(size=(y.shape[1], 72))
    values = 128 + 30 * (y @ mixing + rng.normal(size=(len(y), 72)))
    return values.clip(0, 255).astype(np.uint8).reshape(-1, 6, 6, 2)


def clip_features(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """[n, 6, 4, 4, 1] uint8: labels mixed into noise."""
    mixing = rng.normal(size=(y.shape[1], 96))
    values = 128 + 30 * (y @ mixing + rng.normal(size=(len(y), 96)))
    return values.clip(0, 255).astype(np.uint8).reshape(-1, 6, 4, 4, 1)


def spectrogram_features(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """[n, 8, 12] float16, frames and bands: labels mixed into noise."""
    mixing = rng.normal(size=(y.shape[1], 96))
    values = y @ mixing + rng.normal(size=(len(y), 96))
    return values.astype(np.float16).reshape(-1, 8, 12)


def series_features(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """[n, 20, 3] float16, two channels of labels mixed into noise, and where the series lasts."""
    mixing = rng.normal(size=(y.shape[1], 40))
    values = (y @ mixing + rng.normal(size=(len(y), 40))).reshape(-1, 20, 2)
    within = np.arange(20)[:, None] < rng.integers(10, 21, (len(y), 1, 1))
    return np.concatenate([values * within, within], axis=2).astype(np.float16)


def sparse_features(y: np.ndarray, rng: np.random.Generator) -> sparse.csr_array:
    """[n, 400] counts, most of them rare: each label raises its own columns."""
    rates = 0.02 + y @ rng.gamma(0.05, 1.0, (y.shape[1], 400))
    return sparse.csr_array(rng.poisson(rates).astype(np.float32))


def token_features(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """[n, 12] int32 token ids, 0 behind the last one: half of the tokens of a row are of one of its labels."""
    ids = rng.integers(1, 60, (len(y), 12))
    strongest = (y + rng.random(y.shape) / 2).argmax(axis=1)
    said = (rng.random(ids.shape) < 0.5) & (y.max(axis=1) > 0)[:, None]
    ids = np.where(said, 60 + strongest[:, None], ids)
    ids[np.arange(12) >= rng.integers(1, 13, (len(y), 1))] = 0
    return ids.astype(np.int32)


def one_hot(n_rows: int, n_classes: int) -> np.ndarray:
    return np.eye(n_classes, dtype=np.float32)[np.arange(n_rows) % n_classes]


def label_sets() -> dict[str, np.ndarray]:
    """Labels that learners meet."""
    rng = np.random.default_rng(0)
    several = (rng.random((60, 5)) < 0.3).astype(np.float32)
    single = one_hot(60, 4)
    single[:, 3] = 0
    single[7] = [0, 0, 0, 1]
    return {
        "two classes": one_hot(60, 2),
        "a hundred classes": one_hot(200, 100),
        "one example in a class": single,
        "a class without examples": np.eye(4, dtype=np.float32)[np.arange(60) % 3],
        "several labels per row": several,
        "no label in any row": np.zeros((30, 3), np.float32),
        "one class only": np.tile(np.array([[1, 0]], np.float32), (30, 1)),
        "one column": (rng.random((40, 1)) < 0.5).astype(np.float32),
        "fractional labels": rng.random((40, 3)).astype(np.float32),
        "a single row": np.array([[0, 1]], np.float32),
    }


def check_output(make: Factory, features: Maker, y: np.ndarray) -> None:
    x = features(y, np.random.default_rng(1))
    learner = make(y.shape[1], 0)
    learner.fit(Examples(x, y), Budget(20))
    proba = learner.predict_proba(x)
    assert proba.shape == y.shape
    assert proba.dtype == np.float32
    assert np.isfinite(proba).all()
    assert ((proba >= 0) & (proba <= 1)).all()
    assert learner.predict_proba(take_rows(x, slice(0, 0))).shape == (0, y.shape[1])


def check_prediction_of_a_row_does_not_depend_on_its_neighbours(make: Factory, features: Maker) -> None:
    y = one_hot(60, 3)
    x = features(y, np.random.default_rng(1))
    learner = make(3, 0)
    learner.fit(Examples(x, y), Budget(20))
    alone = np.concatenate([learner.predict_proba(take_rows(x, slice(i, i + 1))) for i in range(5)])
    assert alone == pytest.approx(learner.predict_proba(take_rows(x, slice(0, 5))), abs=1e-5)


def check_same_seed_same_output(make: Factory, features: Maker) -> None:
    y = one_hot(60, 3)
    x = features(y, np.random.default_rng(1))
    both = []
    for _ in range(2):
        learner = make(3, 7)
        learner.fit(Examples(x, y), Budget(20))
        both.append(learner.predict_proba(x))
    assert np.array_equal(*both)


def check_leaves_its_rows_as_they_are(make: Factory, features: Maker) -> None:
    """Learners get views of rows that others will be fitted on, missing values and all."""
    y = one_hot(60, 3)
    x = features(y, np.random.default_rng(1))
    values = x.data if isinstance(x, sparse.csr_array) else x
    if not isinstance(x, sparse.csr_array) and x.dtype == np.float32 and x.ndim == 2:
        values[::7, 0] = np.nan
    before, labels = values.copy(), y.copy()
    learner = make(3, 0)
    learner.fit(Examples(x, y), Budget(20))
    learner.predict_proba(x)
    assert np.array_equal(values, before, equal_nan=True)
    assert np.array_equal(y, labels)


def check_second_fit_goes_on(make: Factory, features: Maker) -> None:
    y = one_hot(90, 3)
    x = features(y, np.random.default_rng(1))
    learner = make(3, 0)
    learner.fit(Examples(take_rows(x, slice(0, 30)), y[:30]), Budget(20))
    learner.fit(Examples(x, y), Budget(20))
    fresh = make(3, 0)
    fresh.fit(Examples(x, y), Budget(20))
    error = np.mean((learner.predict_proba(x) - y) ** 2)
    assert error <= np.mean((fresh.predict_proba(x) - y) ** 2) + 0.02


def check_snapshot_gives_earlier_predictions_back(make: Factory, features: Maker) -> None:
    y = one_hot(60, 3)
    x = features(y, np.random.default_rng(1))
    learner = make(3, 0)
    learner.fit(Examples(take_rows(x, slice(0, 30)), y[:30]), Budget(20))
    before, snapshot = learner.predict_proba(x), learner.snapshot()
    learner.fit(Examples(x, np.roll(y, 1, axis=1)), Budget(20))
    learner.restore(snapshot)
    assert np.array_equal(learner.predict_proba(x), before)


def check_a_copy_goes_on_and_leaves_the_original_alone(make: Factory, features: Maker) -> None:
    y = one_hot(60, 3)
    x = features(y, np.random.default_rng(1))
    learner = make(3, 0)
    learner.fit(Examples(take_rows(x, slice(0, 30)), y[:30]), Budget(20))
    before, copied = learner.predict_proba(x), copy.deepcopy(learner)
    copied.fit(Examples(x, np.repeat(one_hot(1, 3), 60, axis=0)), Budget(20))  # all of one class
    assert np.array_equal(learner.predict_proba(x), before)
    assert not np.array_equal(copied.predict_proba(x), before)


def check_keeps_an_expired_budget(make: Factory, features: Maker) -> None:
    """With no time at all a learner still ends and can predict."""
    y = one_hot(60, 3)
    x = features(y, np.random.default_rng(1))
    learner = make(3, 0)
    learner.fit(Examples(x, y), Budget(0))
    assert np.isfinite(learner.predict_proba(x)).all()


def check_wrong_shapes_are_refused(make: Factory, features: Maker) -> None:
    y = one_hot(30, 3)
    x = features(y, np.random.default_rng(1))
    with pytest.raises(ShapeError, match="never called"):
        make(3, 0).predict_proba(x)
    with pytest.raises(ShapeError, match="however y"):
        make(4, 0).fit(Examples(x, y), Budget(1))
    with pytest.raises(ShapeError, match="however y"):
        make(3, 0).fit(Examples(x), Budget(1))
    with pytest.raises(ShapeError, match="however y"):
        make(3, 0).fit(Examples(take_rows(x, slice(0, 0)), y[:0]), Budget(1))
    learner = make(3, 0)
    learner.fit(Examples(x, y), Budget(1))
    with pytest.raises(ShapeError, match="however x"):
        learner.predict_proba(x[:, :5])
