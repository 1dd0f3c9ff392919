"""A run with all that it needs, so that it can be made here or sent to another machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.datasets import Dataset
from benchmarks.errors import BenchmarkError
from benchmarks.execute import Limits, execute
from benchmarks.jobs import Job, Result
from benchmarks.progress import Progress
from benchmarks.systems import System


@dataclass(frozen=True)
class Task:
    """One run to make, see `execute`."""

    job: Job
    system: System
    dataset: Dataset
    limits: Limits
    cache: Path
    keep: Path | None = None

    def run(self) -> Result:
        """Make it, in processes of its own.

        Raises:
            BenchmarkError: it cannot be made.
        """
        return execute(
            self.job, self.system, self.dataset.folder, self.dataset.modality, self.limits, self.cache, self.keep
        )


def run_in_turn(tasks: list[Task], progress: Progress) -> Iterator[tuple[Task, Result]]:
    """Make the runs one after the other; one that cannot be made is passed over, and said so."""
    for task in tasks:
        progress.start(task.job)
        try:
            result = task.run()
        except BenchmarkError as error:
            progress.skip(task.job, str(error))
            continue
        yield task, result
        progress.end(task.job, result)
