"""Which of torchvision's networks is trained from scratch: what is measured, and when it is affordable."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from autodl_solver.nn import scratch_choice
from autodl_solver.nn.device import best_compute
from autodl_solver.nn.scratch_choice import (
    first_affordable_from_scratch,
    is_affordable_from_scratch,
    most_seconds,
    network_from_scratch,
    seconds_a_row,
)

SMALL = "shufflenet_v2_x0_5"


@pytest.fixture
def forgotten() -> Iterator[None]:
    """What was measured is measured anew, and not kept."""
    best_compute()  # what is really there, before anything is claimed
    is_affordable_from_scratch.cache_clear()
    yield
    is_affordable_from_scratch.cache_clear()


@pytest.mark.parametrize(
    ("model", "side_px", "n_frames"),
    [
        (SMALL, 32, None),
        ("mc3_18", 16, 4),
    ],
)
def test_a_step_on_images_or_clips_is_measured_and_no_random_number_is_used(
    model: str, side_px: int, n_frames: int | None
) -> None:
    make = partial(network_from_scratch, model, side_px, 2, n_frames)
    state = torch.random.get_rng_state()
    assert seconds_a_row(make, (3 * (n_frames or 1), side_px, side_px), 2) > 0
    assert torch.equal(torch.random.get_rng_state(), state)


class TooLarge(nn.Module):
    """For any memory."""

    def forward(self, x: Tensor) -> Tensor:
        raise torch.OutOfMemoryError(f"no room for {len(x)} rows")


@pytest.mark.usefixtures("forgotten")
def test_a_network_that_does_not_fit_into_memory_is_not_affordable() -> None:
    seconds = seconds_a_row(TooLarge, (3, 8, 8), 2)
    assert math.isnan(seconds)
    assert not seconds <= most_seconds(1, 1)


@pytest.mark.parametrize(
    ("n_examples", "epochs", "expected_s"),
    [
        (100, 30, 0.1),
        (100, 15, 0.2),
        (10_000, 30, 0.001),
        (-1, 30, 0.001),  # unknown
        (1_000_000, 30, 0.001),  # so many need fewer passes
        (0, 30, 10.0),
    ],
)
def test_a_quarter_of_the_usual_budget_is_shared_by_rows_and_passes(
    n_examples: int, epochs: int, expected_s: float
) -> None:
    assert most_seconds(n_examples, epochs) == pytest.approx(expected_s)


@pytest.mark.usefixtures("forgotten")
@pytest.mark.parametrize(
    ("has_gpu", "budget_s", "expected"),
    [
        (True, math.inf, SMALL),
        (True, 0.0, None),
        (False, math.inf, None),
    ],
)
def test_a_gpu_and_time_decide(
    has_gpu: bool, budget_s: float, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: has_gpu)
    monkeypatch.setattr(scratch_choice, "NOMINAL_S", budget_s)
    assert first_affordable_from_scratch([SMALL], 32, 100, epochs=1, n_rows=2) == expected
