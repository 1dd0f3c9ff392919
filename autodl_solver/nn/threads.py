"""Blocks of work in threads of their own, with one thread an operation.

Small operations that share their work among threads wait for each other, ten times as long where another process is
busy; blocks that are independent do not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

T = TypeVar("T")


def each_in_threads(work: Callable[[T], None], blocks: Iterable[T]) -> None:
    """Calls work(block) for every block, without gradients, on as many threads as torch has.

    Raises:
        whatever a call raises; the others are finished before.
    """
    n_threads = torch.get_num_threads()

    def alone(block: T) -> None:
        with torch.inference_mode():
            work(block)

    try:
        with ThreadPoolExecutor(n_threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            for _ in pool.map(alone, blocks):
                pass
    finally:
        torch.set_num_threads(n_threads)
