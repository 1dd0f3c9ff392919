"""How a sweep stands: a bar with the time left, redrawn on a terminal; elsewhere a line for each run that ended."""

from __future__ import annotations

import shutil
import statistics
import sys
import threading
import time
from collections.abc import Iterable
from typing import IO

from benchmarks.jobs import FINISHED, Job, Result
from scoring.svg import seconds_text

REDRAW_S = 0.5
BAR_WIDTH = 24
OVERHEAD_S = 6.0  # of a run besides its budget, while none has ended


class TimeLeft:
    """Estimates what the remaining runs take: as long as those of their system so far, else the whole budget."""

    def __init__(self, done: Iterable[Result]) -> None:
        self._seconds: dict[str, list[float]] = {}
        for result in done:
            self.add(result)

    def add(self, result: Result) -> None:
        """A run has ended."""
        self._seconds.setdefault(result["system"], []).append(float(result["wall_s"]))

    def of(self, jobs: Iterable[Job]) -> float:
        """Seconds that these runs take one after the other."""
        return sum(self._of(job) for job in jobs)

    def _of(self, job: Job) -> float:
        known = self._seconds.get(job.system)
        return statistics.fmean(known) if known else job.protocol.time_budget + OVERHEAD_S


class Progress:
    """A context manager; call `start` and `end` for each run.

    Args:
        jobs: to do.
        done: results of earlier runs, which tell how long a run takes.
        n_parallel: how many runs go on at a time.
        stream: where it is drawn.
    """

    def __init__(self, jobs: list[Job], done: list[Result], n_parallel: int = 1, stream: IO[str] | None = None) -> None:
        self._todo = list(jobs)
        self._n_jobs = len(jobs)
        self.n_parallel = n_parallel
        self._time_left = TimeLeft(done)
        self._running: dict[Job, float] = {}
        self._stream = stream or sys.stderr
        self._on_terminal = self._stream.isatty()
        self._is_over = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._redraw, daemon=True)

    def __enter__(self) -> Progress:
        if self._on_terminal:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        if self._on_terminal:
            self._thread.join()
            self._print("")

    def start(self, job: Job) -> None:
        """A run begins."""
        with self._lock:
            self._running[job] = time.monotonic()

    def end(self, job: Job, result: Result) -> None:
        """A run has ended."""
        with self._lock:
            self._running.pop(job, None)
            self._todo.remove(job)
            self._time_left.add(result)
            line = f"{job.text}: ALC {result['alc']:.4f}, {len(result['curve'])} predictions"
            if result["status"] != FINISHED:
                line += f", {result['status']}: {' '.join(result['cause'].split())[:160]}"
            self._print(line if self._on_terminal else f"[{self._count()}] {line}; {self._left()}")

    def skip(self, job: Job, reason: str) -> None:
        """A run cannot be made."""
        with self._lock:
            self._running.pop(job, None)
            self._todo.remove(job)
            self._print(f"{job.text}: not run. {reason}")

    def line(self) -> str:
        """How it stands, in one line."""
        n_done = self._n_jobs - len(self._todo)
        filled = round(BAR_WIDTH * n_done / max(self._n_jobs, 1))
        running = next(iter(self._running), None)
        now = f"  now: {running.text}" if running else ""
        return f"[{'#' * filled}{'.' * (BAR_WIDTH - filled)}] {self._count()}  {self._left()}{now}"

    def _count(self) -> str:
        return f"{self._n_jobs - len(self._todo)}/{self._n_jobs}"

    def _left(self) -> str:
        spent = sum(time.monotonic() - began for began in self._running.values())
        seconds = max(self._time_left.of(self._todo) - spent, 0.0) / self.n_parallel
        return f"about {seconds_text(seconds)} left" if self._todo else "done"

    def _redraw(self) -> None:
        while not self._is_over.wait(REDRAW_S):
            with self._lock:
                width = shutil.get_terminal_size().columns - 1
                print(f"\r{self.line()[:width]:<{width}}", end="", file=self._stream, flush=True)

    def _print(self, line: str) -> None:
        """A line that stays; a terminal's bar makes way for it."""
        clear = "\r\x1b[K" if self._on_terminal else ""
        print(f"{clear}{line}", file=self._stream, flush=True)
