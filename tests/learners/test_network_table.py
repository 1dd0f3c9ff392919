"""The network for tables: its encoding of numbers, its members, and how it goes on."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from autodl_solver.budget import Budget
from autodl_solver.data.examples import Examples
from autodl_solver.learners.network_table import TableNetworkLearner, TableTraining
from autodl_solver.metrics import nauc
from autodl_solver.nn.tabular_encoding import Thermometer
from autodl_solver.nn.tabular_network import TabularNetwork

SMALL = TableTraining(n_members=4, hidden=(32,), n_bins=8, max_epochs=15)


def corners(n_rows: int, seed: int) -> Examples:
    """The sign of a product of two columns; a third has gaps."""
    x = np.random.default_rng(seed).normal(size=(n_rows, 3)).astype(np.float32)
    y = np.eye(2, dtype=np.float32)[(x[:, 0] * x[:, 1] > 0).astype(int)]
    x[::7, 2] = np.nan
    return Examples(x, y)


@pytest.mark.parametrize(
    ("column", "n_used"),
    [
        (np.arange(100.0), 4),  # quantiles
        (np.array([0.0, 1.0, 2.0] * 10), 2),  # between the values
        (np.array([5.0] * 10), 0),  # constant
        (np.array([np.nan] * 10), 0),  # missing altogether
        (np.array([np.nan, 1.0, 2.0]), 1),
    ],
)
def test_a_column_has_as_many_bins_as_it_has_use_for(column: np.ndarray, n_used: int) -> None:
    encoder = Thermometer.fitted(column[:, None], n_bins=4)
    assert (encoder.inverse_width > 0).sum() == n_used
    assert np.isfinite(encoder.encode(column[:, None])).all()


def test_a_higher_value_fills_more_bins_and_a_missing_one_none() -> None:
    column = np.random.default_rng(0).exponential(size=(500, 1)) ** 3  # a heavy tail
    encoded = Thermometer.fitted(column, n_bins=8).encode(np.sort(column, axis=0))[:, 0]
    assert (np.diff(encoded[:, :-1].sum(axis=1)) >= 0).all()
    assert np.abs(encoded).max() <= 2
    missing = Thermometer.fitted(column, n_bins=8).encode(np.array([[np.nan]]))[0, 0]
    assert missing.tolist() == [0] * 9 + [1]


def test_members_differ_from_the_beginning_and_a_row_depends_on_itself_only() -> None:
    torch.manual_seed(0)
    network = TabularNetwork(3, 10, 2, n_members=4, embedding_width=4, hidden=(16,), dropout=0.1).eval()
    x = torch.randn(5, 3, 10)
    logits = network(x)
    assert logits.shape == (5, 4, 2)
    assert logits.std(dim=1).min() > 1e-3
    assert torch.allclose(network(x[2:3]), logits[2:3], atol=1e-5)


def test_a_product_of_columns_is_learned() -> None:
    learner, test = TableNetworkLearner(2, 0, SMALL), corners(300, 1)
    learner.fit(corners(1500, 0), Budget(60))
    assert test.y is not None
    assert nauc(test.y, learner.predict_proba(test.x)) > 0.8


def test_a_copy_goes_on_and_leaves_the_original_as_it_is() -> None:
    train = corners(600, 0)
    learner = TableNetworkLearner(2, 0, TableTraining(n_members=2, hidden=(16,), max_epochs=2))
    learner.fit(train, Budget(60))
    before = learner.predict_proba(train.x)
    later = copy.deepcopy(learner)
    later._training = SMALL
    later.fit(train, Budget(60))
    assert np.array_equal(learner.predict_proba(train.x), before)
    assert train.y is not None
    assert nauc(train.y, later.predict_proba(train.x)) > nauc(train.y, before)


def test_noise_ends_training_before_its_time() -> None:
    rng = np.random.default_rng(0)
    noise = Examples(rng.normal(size=(600, 3)).astype(np.float32), np.eye(2, dtype=np.float32)[rng.integers(0, 2, 600)])
    learner = TableNetworkLearner(2, 0, TableTraining(n_members=2, hidden=(16,), patience=3))
    learner.fit(noise, Budget(60))
    assert learner._epochs < 100
