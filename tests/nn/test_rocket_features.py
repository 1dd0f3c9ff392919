"""Features of one length for series of many."""

from __future__ import annotations

import numpy as np
import pytest

from autodl_solver.data.examples import Ragged, take_rows
from autodl_solver.nn.rocket_features import Kind, RocketFeatures

SIZES: dict[Kind, int] = {"hydra": 8, "minirocket": 336}
each_kind = pytest.mark.parametrize("kind", ["hydra", "minirocket"])


def rows_of(lengths: list[int], n_channels: int = 2) -> Ragged:
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    steps = np.arange(offsets[-1])[:, None] * np.array([0.1, 0.3] * n_channels)[:n_channels]
    noise = np.random.default_rng(0).normal(size=(offsets[-1], n_channels))
    return Ragged((np.sin(steps) + 0.1 * noise).astype(np.float32), offsets)


@each_kind
@pytest.mark.parametrize("lengths", [[8, 8, 8], [1, 5, 0, 700, 5000], [10_000], [3]])
def test_features_have_one_length_and_are_finite(kind: Kind, lengths: list[int]) -> None:
    rows = rows_of(lengths)
    features = RocketFeatures(rows, max_points=256).transform(rows, kind, SIZES[kind])
    assert features.shape[0] == len(rows)
    assert np.isfinite(features).all()


@each_kind
def test_rows_depend_on_themselves_only_even_when_far_longer_than_the_sample(kind: Kind) -> None:
    features = RocketFeatures(rows_of([50, 60, 40]), max_points=64)
    rows = rows_of([40, 10, 1000, 0, 64])
    together = features.transform(rows, kind, SIZES[kind])
    alone = [features.transform(take_rows(rows, slice(i, i + 1)), kind, SIZES[kind]) for i in range(len(rows))]
    assert np.concatenate(alone) == pytest.approx(together, abs=1e-5)


@each_kind
def test_no_rows_have_no_features(kind: Kind) -> None:
    features = RocketFeatures(rows_of([50, 60]), max_points=64)
    some = features.transform(rows_of([50]), kind, SIZES[kind])
    assert features.transform(rows_of([]), kind, SIZES[kind]).shape == (0, some.shape[1])


def test_missing_values_do_not_spoil_the_mean_of_their_neighbours() -> None:
    rows = rows_of([1000], n_channels=1)
    gappy = Ragged(rows.values.copy(), rows.offsets)
    gappy.values[::7] = np.nan
    features = RocketFeatures(rows, max_points=100)
    assert features.transform(gappy, "hydra", 8) == pytest.approx(features.transform(rows, "hydra", 8), abs=0.15)
