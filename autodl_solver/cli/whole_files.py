"""Files that are there as a whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


@contextmanager
def write_whole(path: Path) -> Iterator[TextIO]:
    """A file to write in UTF-8, under a temporary name; on success it takes its own, else what was there stands.

    Raises:
        OSError: it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("w", encoding="utf-8", errors="replace", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # a full disk is reported now, not when the name is taken already
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
