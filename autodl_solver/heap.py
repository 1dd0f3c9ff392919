"""The heap of the process: memory that was freed goes back to the system.

glibc keeps what was freed between two blocks that are still in use, and stages free blocks of many sizes: a run of
50,000 images held gigabytes that nobody used.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable


def _trimmer() -> Callable[[int], int] | None:
    """glibc's malloc_trim (malloc_trim(3)); None where the C library has none."""
    if not sys.platform.startswith("linux"):
        return None
    trim: Callable[[int], int] | None = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none
    return trim


_TRIM = _trimmer()


def give_back_freed_memory() -> None:
    """Some milliseconds for a gigabyte; does nothing where the C library cannot."""
    if _TRIM is not None:
        _TRIM(0)
