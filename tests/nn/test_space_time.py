"""The (2+1)-D network: convolutions over time on folded memory, clips of any length, the side that is affordable."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
import torch
from torch.nn import functional

from autodl_solver.nn import scratch_choice, space_time_choice
from autodl_solver.nn.space_time import SpaceTimeConvolution, SpaceTimeNetwork
from autodl_solver.nn.space_time_choice import affordable_side


@pytest.mark.parametrize(("n_times", "times_pooled"), [(5, 1), (5, 2), (4, 2), (1, 2)])
def test_it_convolves_as_three_dimensional_filters_do(n_times: int, times_pooled: int) -> None:
    torch.manual_seed(0)
    layer = SpaceTimeConvolution(3, 4, pooled=2, times_pooled=times_pooled)
    clips = torch.randn(2, 3, n_times, 7, 8)
    folded = clips.transpose(1, 2).flatten(0, 1).contiguous(memory_format=torch.channels_last)
    space = functional.conv3d(clips, layer.space.weight[:, :, None], padding=(0, 1, 1))
    space = functional.max_pool3d(space, (1, 2, 2), ceil_mode=True)
    space = functional.relu(functional.batch_norm(space, None, None, training=True))
    time = functional.conv3d(space, layer.time.weight[..., None], padding=(1, 0, 0))
    time = functional.max_pool3d(time, (times_pooled, 1, 1), ceil_mode=True)
    expected = functional.relu(functional.batch_norm(time, None, None, training=True))
    found = layer(folded, n_times)
    torch.testing.assert_close(found, expected.transpose(1, 2).flatten(0, 1), atol=1e-4, rtol=1e-4)
    assert found.is_contiguous(memory_format=torch.channels_last)  # nothing was copied into another order


@pytest.mark.parametrize("n_frames", [1, 2, 3, 4, 9])
@pytest.mark.parametrize(("size", "fine"), [((5, 7), False), ((16, 16), False), ((40, 33), True)])
def test_clips_of_any_length_and_size_are_answered(n_frames: int, size: tuple[int, int], fine: bool) -> None:
    network = SpaceTimeNetwork(2, n_frames, 3, min(size), widths=(4, 8), fine=fine)
    clips = torch.randn(8, n_frames * 2, *size)
    network.prepare(clips)
    assert network(clips).shape == (8, 3)
    longer = torch.randn(8, (n_frames + 5) * 2, *size)
    assert torch.isfinite(network.eval()(longer)).all()


def test_a_pass_in_parts_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    network = SpaceTimeNetwork(1, 4, 3, 8, widths=(4,)).eval()
    clips = torch.randn(7, 4, 8, 8)
    whole = network(clips)
    monkeypatch.setattr("autodl_solver.nn.space_time.CHUNK_VALUES", {"cpu": 3 * 4 * 8 * 8})
    torch.testing.assert_close(network(clips), whole)


@pytest.fixture
def forgotten() -> Iterator[None]:
    """What was measured is measured anew, and not kept."""
    space_time_choice._affordable_side.cache_clear()
    yield
    space_time_choice._affordable_side.cache_clear()


@pytest.mark.usefixtures("forgotten")
@pytest.mark.parametrize(("budget_s", "expected_px"), [(0.0, 8), (math.inf, 16)])
def test_time_decides_the_side(budget_s: float, expected_px: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch_choice, "NOMINAL_S", budget_s)
    state = torch.random.get_rng_state()
    assert affordable_side([(8, 4), (16, 6)], 1, 100, (4, 8)) == expected_px
    assert torch.equal(torch.random.get_rng_state(), state)
