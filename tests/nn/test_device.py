"""Which device and precision."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
import torch

from autodl_solver.nn.device import Compute, best_compute


def test_the_probe_answers_once_for_the_whole_process() -> None:
    assert best_compute() is best_compute()


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_the_probe_works_where_nothing_is_learned(
    mode: Callable[[], AbstractContextManager[None]],
) -> None:
    with mode():
        assert isinstance(best_compute.__wrapped__(), Compute)


@pytest.mark.parametrize(("half", "dtype"), [(True, torch.bfloat16), (False, torch.float32)])
def test_products_run_in_the_precision_chosen(half: bool, dtype: torch.dtype) -> None:
    compute = Compute(torch.device("cpu"), half)
    with compute.autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == dtype


def test_rows_stay_where_they_are_on_a_cpu() -> None:
    x = torch.ones(3)
    assert Compute(torch.device("cpu"), False).holding(x) is x
