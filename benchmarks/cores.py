"""Cores for a run: a run that asks for some gets them for itself, also beside other runs on the same machine.

Each core of this machine is a lock file. The operating system lets go of a lock when its process ends, however it
ends, so no core is lost. A run is bound to its cores (sched_setaffinity), which OpenMP, torch and joblib respect.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from benchmarks.errors import BenchmarkError

LOOK_EVERY_S = 0.5


@contextmanager
def reserved_cores(n_cores: int, folder: Path | None = None) -> Iterator[set[int]]:
    """Wait until n_cores are free and keep them.

    Args:
        n_cores: 0: all cores of this process, without waiting.
        folder: of the lock files; default: one for all benchmarks on this machine.
    Raises:
        BenchmarkError: this process may not use as many.
    """
    allowed = sorted(os.sched_getaffinity(0))
    if n_cores > len(allowed):
        raise BenchmarkError(f"A run can have {len(allowed)} cores here, however it asks for {n_cores}; ask for fewer.")
    if n_cores == 0:
        yield set(allowed)
        return
    folder = folder or Path(tempfile.gettempdir()) / f"autodl-cores-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    while True:
        with ExitStack() as locks:
            free = _lock_free_ones(allowed, n_cores, folder, locks)
            if len(free) == n_cores:
                yield free
                return
        time.sleep(LOOK_EVERY_S)  # too few: let go of all, so that two that wait cannot starve each other


def _lock_free_ones(allowed: list[int], n_cores: int, folder: Path, locks: ExitStack) -> set[int]:
    free: set[int] = set()
    for core in allowed:
        if len(free) < n_cores:
            file = locks.enter_context((folder / f"core-{core}").open("w"))
            if _is_locked(file):
                free.add(core)
    return free


def _is_locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
