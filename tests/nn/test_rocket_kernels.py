"""What the transforms promise of series of any length, with gaps, of one channel or two hundred."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from autodl_solver.nn.rocket_hydra import Hydra
from autodl_solver.nn.rocket_kernels import ChannelScale, Series
from autodl_solver.nn.rocket_loops import TAPS, compete, exceed, respond_each
from autodl_solver.nn.rocket_minirocket import MiniRocket, fixed_weights

Transform = Callable[[Series], np.ndarray]


def hydra(series: Series) -> Transform:
    n_channels, n_points = series.values.shape[1:]
    return Hydra(n_channels, n_points, seed=0, n_groups=8).transform


def minirocket(series: Series) -> Transform:
    return MiniRocket(series, seed=0, n_features=336).transform


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
    """Rows of unequal lengths, random kernels, and the responses that a convolution of torch finds."""

    values: np.ndarray  # [n_rows, n_channels, n_points]
    lengths: np.ndarray
    mixing: np.ndarray  # [n_groups, n_channels]
    weights: np.ndarray  # [n_groups, n_kernels, TAPS]
    responses: list[np.ndarray]  # of each row, [n_groups, n_kernels, its length]


def case(n_channels: int, dilation: int) -> Case:
    random = np.random.default_rng(0)
    lengths = np.array([40, 40, 33, 9, 1])
    values = random.normal(size=(5, n_channels, 40)).astype(np.float32)
    values *= np.arange(40) < lengths[:, None, None]
    mixing = random.normal(size=(2, n_channels)).astype(np.float32)
    mixing[0, 0] = 0  # a channel that a group leaves out
    weights = random.normal(size=(2, 4, TAPS)).astype(np.float32)
    responses = []
    for row, length in zip(values, lengths, strict=True):
        signals = torch.from_numpy(mixing @ row[:, :length])  # [n_groups, length]
        kernels = torch.from_numpy(weights.reshape(8, 1, TAPS))
        found = torch.nn.functional.conv1d(signals, kernels, padding=4 * dilation, dilation=dilation, groups=2)
        responses.append(found.numpy().reshape(2, 4, length))
    return Case(values, lengths, mixing, weights, responses)


each_dilation = pytest.mark.parametrize("dilation", [1, 3])
each_n_channels = pytest.mark.parametrize("n_channels", [1, 3])


@each_dilation
@each_n_channels
def test_each_kernel_responds_as_a_convolution_does(dilation: int, n_channels: int) -> None:
    made = case(n_channels, dilation)
    rows, found, counts = np.arange(8) % 5, np.empty((8, 40), np.float32), np.empty(8, np.int64)
    respond_each(made.values, made.lengths, rows, made.mixing, made.weights, dilation, found, counts)
    for kernel, row in enumerate(rows):
        expected = seen(made.responses[row].reshape(8, -1)[kernel], kernel, dilation)
        assert counts[kernel] == len(expected)
        assert found[kernel, : counts[kernel]] == pytest.approx(expected, abs=1e-5)
        assert np.isposinf(found[kernel, counts[kernel] :]).all()


@each_dilation
@each_n_channels
def test_shares_are_those_of_responses_above_each_bias(dilation: int, n_channels: int) -> None:
    made = case(n_channels, dilation)
    biases = np.random.default_rng(1).normal(size=(3, 8)).astype(np.float32)
    features = np.empty((5, 3, 8), np.float32)
    exceed(made.values, made.lengths, made.mixing, made.weights, dilation, biases, features)
    for row, responses in enumerate(made.responses):
        for kernel, response in enumerate(responses.reshape(8, -1)):
            above = seen(response, kernel, dilation) > biases[:, kernel, None]
            assert features[row, :, kernel] == pytest.approx(above.mean(axis=1), abs=1e-6)


@each_dilation
@each_n_channels
def test_kernels_of_a_group_compete_for_every_point(dilation: int, n_channels: int) -> None:
    made = case(n_channels, dilation)
    features = np.empty((5, 2, 2, 4), np.float32)
    compete(made.values, made.lengths, made.mixing, made.weights, dilation, features)
    for row, found in enumerate(made.responses):
        highest, lowest = found.max(axis=1, keepdims=True), found.min(axis=1, keepdims=True)
        gains = np.where(found == highest, found.clip(0), 0).mean(axis=2)
        assert features[row, 0] == pytest.approx(gains, abs=1e-5)
        assert features[row, 1] == pytest.approx((found == lowest).mean(axis=2), abs=1e-6)


def seen(response: np.ndarray, kernel: int, dilation: int) -> np.ndarray:
    """Of every second half of the kernels, only where no zeros are padded, if there is such a point."""
    reach = 4 * dilation
    return response if kernel < 4 or len(response) <= 2 * reach else response[reach:-reach]


@pytest.mark.parametrize(("n_channels", "n_points"), [(1, 15), (12, 15), (3, 90)])
def test_there_are_as_many_features_as_asked_for_however_mixtures_share_them(n_channels: int, n_points: int) -> None:
    series = cleaned(waves(10, n_channels, n_points))
    assert MiniRocket(series, 0, n_features=1008).transform(series).shape == (10, 1008)


def test_the_fixed_kernels_sum_to_zero_and_differ() -> None:
    weights = fixed_weights()
    assert weights.shape == (84, TAPS)
    assert weights.sum(dim=1).abs().max() == 0
    assert len(weights.unique(dim=0)) == 84
