"""Cores: no two runs share one, and none is lost."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.cores import reserved_cores
from benchmarks.errors import BenchmarkError

N_CORES = len(os.sched_getaffinity(0))


@pytest.mark.skipif(N_CORES < 2, reason="needs two cores")
def test_two_runs_get_different_cores(tmp_path: Path) -> None:
    with reserved_cores(1, tmp_path) as one, reserved_cores(1, tmp_path) as other:
        assert len(one) == len(other) == 1
        assert one != other


def test_a_core_is_free_again_afterwards(tmp_path: Path) -> None:
    for _ in range(3):
        with reserved_cores(N_CORES, tmp_path) as cores:
            assert cores == os.sched_getaffinity(0)


def test_a_core_is_free_again_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), reserved_cores(N_CORES, tmp_path):
        raise ZeroDivisionError
    with reserved_cores(N_CORES, tmp_path) as cores:
        assert len(cores) == N_CORES


def test_none_asked_for_means_all_without_waiting(tmp_path: Path) -> None:
    with reserved_cores(N_CORES, tmp_path), reserved_cores(0, tmp_path) as cores:
        assert cores == os.sched_getaffinity(0)


def test_more_than_there_are_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="ask for fewer"), reserved_cores(N_CORES + 1, tmp_path):
        pass
