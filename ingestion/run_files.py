"""The files by which ingestion and scoring speak to each other.

    start.txt          ingestion_pid, task_name, time_budget, start_time; then `K: seconds since 1970` per prediction
    NAME.predict_K     the K-th prediction, one line per test example
    end.txt            ingestion_duration, ingestion_success (1 or 0), end_time; after a failure also ingestion_error

Every file is written under a temporary name and renamed, so a reader never sees a part of one. The line of a prediction
enters start.txt after its file is in place: whoever finds the line finds the file (the official order is the reverse).
"""

import json
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingestion.errors import OutputError

if TYPE_CHECKING:
    import numpy.typing as npt

START_FILE, END_FILE = "start.txt", "end.txt"
_PARTIAL = ".partial."  # then the process id; looks like no prediction


@dataclass
class RunFiles:
    """The output folder of one run.

    Attributes:
        folder: exists; only this run writes to it.
        task_name: NAME of NAME.data.
        time_budget: seconds.
        ingestion_pid: process that scoring may stop.
    """

    folder: Path
    task_name: str
    time_budget: float
    ingestion_pid: int
    _timestamps: list[float] = field(default_factory=list, init=False)
    _start_time: float = field(default=0.0, init=False)

    def write_start(self, start_time: float) -> None:
        """Announce the run; start_time in seconds since 1970."""
        self._start_time = start_time
        self._write_start_file()

    def write_prediction(self, scores: "npt.NDArray[Any]", received_at: float) -> Path:
        """Write scores [n_test, n_classes] as the next NAME.predict_K, then its line in start.txt.

        Args:
            scores: finite numbers.
            received_at: seconds since 1970 at which the model returned them.
        """
        from ingestion.formatting import format_rows

        path = self.folder / f"{self.task_name}.predict_{len(self._timestamps)}"
        write_atomically(path, format_rows(scores))
        self._timestamps.append(received_at)
        self._write_start_file()
        return path

    def write_end(self, start_time: float, error: str | None = None) -> None:
        """Close the run, as a failure if there is an error, which scoring shows."""
        now = time.time()
        lines = [
            f"ingestion_duration: {now - start_time}",
            f"ingestion_success: {int(error is None)}",
            f"end_time: {now}",
        ]
        if error is not None:
            lines.append(f"ingestion_error: {json.dumps(error)}")
        write_atomically(self.folder / END_FILE, [_text(lines)])

    def remove_partial(self) -> None:
        """Remove what the ingestion process was writing when it was killed."""
        (self.folder / f"{_PARTIAL}{self.ingestion_pid}").unlink(missing_ok=True)

    def _write_start_file(self) -> None:
        lines = [
            f"ingestion_pid: {self.ingestion_pid}",
            f"task_name: {self.task_name}",
            f"time_budget: {self.time_budget}",
            f"start_time: {self._start_time}",
        ]
        lines += [f"{k}: {timestamp}" for k, timestamp in enumerate(self._timestamps)]
        write_atomically(self.folder / START_FILE, [_text(lines)])


def prepare_output_folder(folder: Path, task_name: str) -> None:
    """Create the folder where needed, remove what an earlier run left in it, and make sure that it can be written.

    Raises:
        OutputError: it cannot be created or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in list(folder.iterdir()):
            if path.name in (START_FILE, END_FILE) or path.name.startswith((f"{task_name}.predict_", _PARTIAL)):
                path.unlink()
        probe = folder / f"{_PARTIAL}{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise OutputError(
            f"The output folder must be writable, however {folder} is not ({error.strerror}); choose another one"
        ) from error


def write_atomically(path: Path, parts: Iterable[bytes]) -> None:
    """Write a file that appears whole or not at all.

    Raises:
        OutputError: the disk is full, the folder has gone, ...; no part is left behind.
    """
    temporary = path.with_name(f"{_PARTIAL}{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            file.writelines(parts)
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise OutputError(f"{path} must be writable, however it is not ({error.strerror})") from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _text(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")
