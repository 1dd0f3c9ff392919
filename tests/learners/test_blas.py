"""Small products run in one thread, and nobody keeps the limit."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from threadpoolctl import ThreadpoolController

from autodl_solver.learners.blas import SMALL_WORK, threads_for


@pytest.fixture(autouse=True)
def _more_than_one_thread() -> Iterator[None]:
    """Else nothing could be limited: `make test` gives each of its processes one."""
    with ThreadpoolController().limit(limits=2, user_api="blas"):
        yield


def n_threads() -> set[int]:
    """Of the libraries that multiply matrices; empty where there are none that can be asked (macOS)."""
    return {library["num_threads"] for library in ThreadpoolController().select(user_api="blas").info()}


def test_small_work_runs_in_one_thread_and_large_work_as_before() -> None:
    before = n_threads()
    with threads_for(SMALL_WORK / 2):
        assert n_threads() <= {1}
        with threads_for(1.0):
            pass
        assert n_threads() <= {1}
    assert n_threads() == before
    with threads_for(SMALL_WORK * 2):
        assert n_threads() == before


def test_the_limit_is_lifted_after_an_error() -> None:
    before = n_threads()
    with pytest.raises(ZeroDivisionError), threads_for(1.0):
        raise ZeroDivisionError
    assert n_threads() == before
