"""Freed memory goes back to the system."""

from __future__ import annotations

import platform

import psutil
import pytest

from autodl_solver.heap import give_back_freed_memory

BLOCK_BYTES = 100_000
N_BLOCKS = 3000


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be asked")
def test_memory_between_blocks_in_use_goes_back() -> None:
    process = psutil.Process()
    blocks: list[bytes | None] = [bytes([1]) * BLOCK_BYTES for _ in range(N_BLOCKS)]
    for k in range(N_BLOCKS - 1):
        if k % 100:  # what remains keeps the heap from shrinking by itself
            blocks[k] = None
    give_back_freed_memory()
    before = process.memory_info().rss
    again = [bytes([1]) * BLOCK_BYTES for _ in range(N_BLOCKS)]
    held = process.memory_info().rss
    again[:-1] = []
    give_back_freed_memory()
    assert held - before > 0.9 * BLOCK_BYTES * N_BLOCKS
    assert process.memory_info().rss - before < 0.1 * BLOCK_BYTES * N_BLOCKS
    assert blocks[-1] is not None
