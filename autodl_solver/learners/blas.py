"""One thread for small products of matrices.

A second thread saves a quarter of a product that takes milliseconds, and waits for the scheduler wherever another
process is busy: the five small fits in front of a first answer (40 rows, 330 columns) took .02 s in one thread, and .04
to .19 s in two on two cores.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController

SMALL_WORK = 2e9
"""Multiplications: 25 ms of one thread."""


@contextmanager
def threads_for(work: float) -> Iterator[None]:
    """Within it numpy's products run in one thread if the work is small, else as they would.

    Some libraries limit the thread that asks, some the whole process: two of our steps never overlap, but where one was
    left behind at its deadline.

    Args:
        work: multiplications, roughly.
    """
    if work > SMALL_WORK:
        yield
        return
    with _libraries().limit(limits=1, user_api="blas"):
        yield


@cache
def _libraries() -> ThreadpoolController:
    """Found out once: it takes a millisecond."""
    return ThreadpoolController()
