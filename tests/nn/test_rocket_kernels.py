"""What the transforms promise of series of any length, with gaps, of one channel or two hundred."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pytest
import torch

from autodl_solver.errors import ShapeError
from autodl_solver.nn.rocket_hydra import Hydra
from autodl_solver.nn.rocket_kernels import ChannelScale, Series
from autodl_solver.nn.rocket_loops import compete, exceed, respond_each
from autodl_solver.nn.rocket_minirocket import PLACES, MiniRocket
from autodl_solver.nn.rocket_vectors import RIVALS, TAPS

Transform = Callable[[Series], np.ndarray]


def features_of(transform: Hydra | MiniRocket, series: Series) -> np.ndarray:
    features = np.full((len(series.lengths), transform.n_features), np.nan, np.float32)
    transform.transform(series, features, np.arange(len(features)))
    return features


def hydra(series: Series) -> Transform:
    n_channels, n_points = series.values.shape[1:]
    return partial(features_of, Hydra(n_channels, n_points, seed=0, n_groups=8))


def minirocket(series: Series) -> Transform:
    return partial(features_of, MiniRocket(series, seed=0, n_features=336))


each_transform = pytest.mark.parametrize("make", [hydra, minirocket])


def waves(n_rows: int, n_channels: int, n_points: int) -> np.ndarray:
    """Sines in noise; rows of the second half are faster."""
    random = np.random.default_rng(0)
    pace = np.where(np.arange(n_rows) < n_rows // 2, 0.2, 0.5)[:, None, None]
    phase = random.uniform(0, 6, (n_rows, n_channels, 1))
    noise = random.normal(size=(n_rows, n_channels, n_points))
    return (np.sin(pace * np.arange(n_points) + phase) + 0.3 * noise).astype(np.float32)


def cleaned(x: np.ndarray) -> Series:
    return ChannelScale.fitted(x).series(x)


def cut(x: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """NaN past the end of each row."""
    return np.where(np.arange(x.shape[2]) < lengths[:, None, None], x, np.nan).astype(np.float32)


@each_transform
@pytest.mark.parametrize(
    "x",
    [
        waves(6, 1, 8),  # shorter than a kernel
        waves(4, 1, 1),  # a single point
        waves(3, 2, 10_000),  # long
        waves(4, 200, 50),  # many channels
        cut(waves(5, 2, 5000), np.array([1, 5, 60, 700, 5000])),  # unequal lengths
        np.concatenate([waves(6, 1, 30), np.full((6, 1, 30), 7.0, np.float32)], axis=1),  # a constant channel
        np.full((4, 2, 20), np.nan, np.float32),  # nothing at all
        waves(4, 1, 40) * np.float32(1e30),
    ],
    ids=["length 8", "length 1", "length 10,000", "200 channels", "lengths 1 to 5,000", "constant", "empty", "huge"],
)
def test_features_are_finite_whatever_the_series(make: Callable[[Series], Transform], x: np.ndarray) -> None:
    series = cleaned(x)
    features = make(series)(series)
    assert features.shape[0] == len(x)
    assert features.dtype == np.float32
    assert np.isfinite(features).all()


@each_transform
def test_a_row_does_not_depend_on_its_neighbours(make: Callable[[Series], Transform]) -> None:
    x = cut(waves(12, 3, 90), np.arange(35, 95, 5))
    scale = ChannelScale.fitted(x)
    transform = make(scale.series(x))
    alone = np.concatenate([transform(scale.series(x[i : i + 1])) for i in range(len(x))])
    assert alone == pytest.approx(transform(scale.series(x)), abs=1e-5)


@each_transform
def test_padding_past_the_end_changes_nothing(make: Callable[[Series], Transform]) -> None:
    x = waves(8, 2, 60)
    padded = np.concatenate([x, np.full((8, 2, 40), np.nan, np.float32)], axis=2)
    scale = ChannelScale.fitted(x)
    transform = make(scale.series(x))
    assert transform(scale.series(padded)) == pytest.approx(transform(scale.series(x)), abs=1e-5)


@each_transform
def test_the_same_seed_gives_the_same_features(make: Callable[[Series], Transform]) -> None:
    series = cleaned(waves(10, 2, 50))
    assert np.array_equal(make(series)(series), make(series)(series))


@each_transform
def test_features_tell_fast_from_slow(make: Callable[[Series], Transform]) -> None:
    series = cleaned(waves(40, 1, 100))
    features = make(series)(series)
    features = features[:, features.std(axis=0) > 0]
    gap = np.abs(features[:20].mean(axis=0) - features[20:].mean(axis=0)) / features.std(axis=0)
    assert gap.max() > 1.5


@pytest.mark.parametrize("n_threads", [1, 2])
def test_the_number_of_threads_is_left_as_it_was_and_changes_nothing(n_threads: int) -> None:
    before, series = torch.get_num_threads(), cleaned(waves(10, 1, 50))
    expected = hydra(series)(series)
    try:
        torch.set_num_threads(n_threads)
        assert np.array_equal(hydra(series)(series), expected)
        assert torch.get_num_threads() == n_threads
    finally:
        torch.set_num_threads(before)


def test_gaps_are_bridged_linearly() -> None:
    x = np.array([[[0.0, np.nan, np.nan, 3.0, 4.0, np.nan]], [[np.nan, 1.0, 2.0, np.inf, 4.0, 5.0]]], np.float32)
    scale = ChannelScale(np.zeros((1, 1)), np.ones((1, 1)))
    series = scale.series(x)
    assert series.lengths.tolist() == [5, 6]
    assert series.values[:, 0].tolist() == [[0, 1, 2, 3, 4, 0], [1, 1, 2, 3, 4, 5]]


def test_each_channel_has_its_own_scale() -> None:
    x = np.stack([np.arange(10.0), 1e6 + 1e3 * np.arange(10.0)])[None]
    values = ChannelScale.fitted(x).series(x).values
    assert values[0, 0] == pytest.approx(values[0, 1], abs=1e-3)
    assert values.std(axis=2) == pytest.approx(np.ones((1, 2)), abs=1e-3)


@dataclass(frozen=True)
class Case:
    """Rows of unequal lengths, kernels, and the responses that a convolution of torch finds."""

    values: np.ndarray  # [n_rows, n_channels, n_points]
    lengths: np.ndarray
    mixing: np.ndarray  # [n_groups, n_channels]
    weights: np.ndarray  # [n_groups, n_kernels, TAPS]
    responses: list[np.ndarray]  # of each row, [n_groups * n_kernels, its length]


LENGTHS = np.array([40, 1, 33, 9, 16, 17, 40])  # one short of a vector of 16 points, as long, one more


def case(n_channels: int, dilation: int, weights: np.ndarray) -> Case:
    random = np.random.default_rng(0)
    values = random.normal(size=(len(LENGTHS), n_channels, 40)).astype(np.float32)
    values *= np.arange(40) < LENGTHS[:, None, None]
    mixing = random.normal(size=(len(weights), n_channels)).astype(np.float32)
    if n_channels == 1:
        mixing[:] = 1
    else:
        mixing[0, 0] = 0  # a channel that a group leaves out
    responses = []
    for row, length in zip(values, LENGTHS, strict=True):
        signals = torch.from_numpy(mixing @ row[:, :length])  # [n_groups, length]
        kernels = torch.from_numpy(weights.reshape(-1, 1, TAPS))
        groups = len(weights)
        found = torch.nn.functional.conv1d(signals, kernels, padding=4 * dilation, dilation=dilation, groups=groups)
        responses.append(found.numpy())
    return Case(values, LENGTHS, mixing, weights, responses)


def fixed_kernels(n_groups: int, n_kernels: int) -> tuple[np.ndarray, np.ndarray]:
    """Places [n_groups, n_kernels, 3] of the taps that are weighed with 2, and the weights [..., TAPS]."""
    picked = np.random.default_rng(2).permutation(len(PLACES))[: n_groups * n_kernels]
    places = PLACES[picked].reshape(n_groups, n_kernels, 3)
    weights = np.full((n_groups, n_kernels, TAPS), -1, np.float32)
    np.put_along_axis(weights, places, 2, axis=2)
    return places, weights


def seen(response: np.ndarray, kernel: int, dilation: int) -> np.ndarray:
    """Of every second half of twelve kernels, only where no zeros are padded, if there is such a point."""
    reach = 4 * dilation
    return response if kernel < 6 or len(response) <= 2 * reach else response[reach:-reach]


each_dilation = pytest.mark.parametrize("dilation", [1, 3, 7])
each_n_channels = pytest.mark.parametrize("n_channels", [1, 5])


@each_dilation
@each_n_channels
def test_each_kernel_responds_as_a_convolution_does(dilation: int, n_channels: int) -> None:
    places, weights = fixed_kernels(4, 3)
    made = case(n_channels, dilation, weights)
    rows, found, counts = np.arange(12) % 7, np.empty((12, 40), np.float32), np.empty(12, np.int64)
    respond_each(made.values, made.lengths, rows, made.mixing, places, dilation, found, counts)
    for kernel, row in enumerate(rows):
        expected = seen(made.responses[row][kernel], kernel, dilation)
        assert counts[kernel] == len(expected)
        assert found[kernel, : counts[kernel]] == pytest.approx(expected, abs=1e-4)
        assert np.isposinf(found[kernel, counts[kernel] :]).all()


@pytest.mark.parametrize("n_biases", [1, 3, 4, 6])
@each_dilation
@each_n_channels
def test_shares_are_those_of_responses_above_each_bias(dilation: int, n_channels: int, n_biases: int) -> None:
    places, weights = fixed_kernels(4, 3)
    made = case(n_channels, dilation, weights)
    biases = np.random.default_rng(1).normal(size=(n_biases, 12)).astype(np.float32)
    features, into = np.full((8, 2 + n_biases * 12 + 1), -1, np.float32), np.array([7, 0, 1, 2, 3, 4, 5])
    exceed(made.values, made.lengths, made.mixing, places, dilation, biases, features, into, 2)
    assert (features[:, [0, 1, -1]] == -1).all()  # what is not its own
    assert (features[6] == -1).all()
    shares = features[into, 2:-1].reshape(7, n_biases, 12)
    for row, responses in enumerate(made.responses):
        for kernel, response in enumerate(responses):
            above = seen(response, kernel, dilation) > biases[:, kernel, None]
            assert shares[row, :, kernel] == pytest.approx(above.mean(axis=1), abs=1e-6)


def test_biases_are_compared_with_the_very_responses_that_they_are_taken_from() -> None:
    places, weights = fixed_kernels(4, 3)
    made = case(5, 3, weights)
    row, rows = slice(0, 1), np.zeros(12, np.int64)
    found, counts, features = np.empty((12, 40), np.float32), np.empty(12, np.int64), np.empty((1, 12), np.float32)
    respond_each(made.values, made.lengths, rows, made.mixing, places, 3, found, counts)
    biases = found[None, :, 5].copy()
    exceed(made.values[row], made.lengths[row], made.mixing, places, 3, biases, features, rows[:1], 0)
    for kernel in range(12):
        responses = found[kernel, : counts[kernel]]
        assert features[0, kernel] == np.float32((responses > responses[5]).sum() / counts[kernel])


@each_dilation
@each_n_channels
def test_kernels_of_a_group_compete_for_every_point(dilation: int, n_channels: int) -> None:
    made = case(n_channels, dilation, np.random.default_rng(3).normal(size=(2, RIVALS, TAPS)).astype(np.float32))
    features, into = np.full((8, 1 + 4 * RIVALS + 1), -1, np.float32), np.array([7, 0, 1, 2, 3, 4, 5])
    compete(made.values, made.lengths, made.mixing, made.weights, dilation, features, into, 1)
    assert (features[:, [0, -1]] == -1).all()  # what is not its own
    assert (features[6] == -1).all()
    wins = features[into, 1:-1].reshape(7, 2, 2, RIVALS)
    for row, responses in enumerate(made.responses):
        found = responses.reshape(2, RIVALS, -1)
        highest, lowest = found.max(axis=1, keepdims=True), found.min(axis=1, keepdims=True)
        gains = np.where(found == highest, found.clip(0), 0).mean(axis=2)
        assert wins[row, 0] == pytest.approx(np.sqrt(gains), abs=1e-4)
        assert wins[row, 1] == pytest.approx(np.sqrt((found == lowest).mean(axis=2)), abs=1e-6)


@pytest.mark.parametrize(("n_channels", "n_points"), [(1, 15), (12, 15), (3, 90)])
def test_there_are_as_many_features_as_asked_for_however_mixtures_share_them(n_channels: int, n_points: int) -> None:
    series = cleaned(waves(10, n_channels, n_points))
    assert features_of(MiniRocket(series, 0, n_features=1008), series).shape == (10, 1008)


def test_the_fixed_kernels_differ_and_weigh_three_taps_of_nine() -> None:
    assert PLACES.shape == (84, 3)
    assert len({frozenset(places) for places in PLACES.tolist()}) == 84
    assert {len(set(places)) for places in PLACES.tolist()} == {3}
    assert (PLACES.min(), PLACES.max()) == (0, TAPS - 1)


def with_kernels(transform: Hydra | MiniRocket, **changed: object) -> Hydra | MiniRocket:
    """The same, its first kernels changed as a damaged file might."""
    first = transform._kernels[0] if isinstance(transform, Hydra) else transform._bank[0]
    damaged = (replace(first[0], **changed), *first[1:])
    if isinstance(transform, Hydra):
        transform._kernels[0] = damaged
    else:
        transform._bank[0] = damaged
    return transform


@pytest.mark.parametrize(
    ("kind", "changed"),
    [
        (Hydra, {"dilation": -50}),
        (Hydra, {"mixing": np.ones((4, 900), np.float32)}),
        (Hydra, {"weights": np.ones((4, RIVALS, TAPS))}),  # doubles
        (Hydra, {"weights": np.ones((4, 2, TAPS), np.float32)}),
        (MiniRocket, {"dilation": -50}),
        (MiniRocket, {"mixing": np.ones((12, 900), np.float32)}),
        (MiniRocket, {"places": np.full((12, 7, 3), 10**9)}),
        (MiniRocket, {"places": np.zeros((1, 7, 3), np.int64)}),
    ],
)
def test_damaged_kernels_are_refused_before_a_loop_leaves_its_arrays(kind: type, changed: dict[str, object]) -> None:
    series = cleaned(waves(6, 2, 40))
    transform = Hydra(2, 40, seed=0, n_groups=8) if kind is Hydra else MiniRocket(series, seed=0, n_features=336)
    with pytest.raises(ShapeError, match="must fit"):
        features_of(with_kernels(transform, **changed), series)


@each_transform
def test_series_of_other_channels_are_refused(make: Callable[[Series], Transform]) -> None:
    transform = make(cleaned(waves(6, 2, 40)))
    with pytest.raises(ShapeError, match="must fit"):
        transform(cleaned(waves(6, 1, 40)))
