"""One process at a time works on a run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autodl_solver.errors import InputError

LOCK_FILE = ".lock"


@contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """Holds the lock of a run; the system frees it however the process ends. Without locks of files (Windows): none.

    Raises:
        InputError: another process holds it.
        OSError: the folder cannot be written.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    file = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(
                f"One process at a time may work on a run; however another one works on {folder}; wait for it, or give "
                "--out another folder."
            ) from error
        yield
    finally:
        os.close(file)
