"""Follows one run: waits for its start, scores what appears, publishes, and stops it when its budget is used up.

The order of looks matters: whether the run is over is asked before the predictions are listed, so that the last
prediction of a finished run is never missed; start.txt is read after they are listed, so that it has their timestamps.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from scoring.errors import PredictionError, ScoringError
from scoring.metrics import Array, all_metrics
from scoring.predictions import find_predictions, read_prediction
from scoring.process import Ingestion
from scoring.report import Report, Scored, State
from scoring.run_files import END_FILE, REST_S, START_FILE, RunStart, read_end, read_start

logger = logging.getLogger(__name__)
SHORTEST_POLL_S, LONGEST_POLL_S = 0.1, 0.5  # the CPU belongs to the model: look less often while nothing happens
PUBLISH_S = 2.0  # also without a new prediction, for the elapsed time on the page


@dataclass(frozen=True)
class WatchOptions:
    """How to watch.

    Attributes:
        time_budget: seconds; None: as start.txt says.
        wait_s: how long start.txt may take.
        grace_s: how long ingestion may take to end by itself: after the budget, after SIGTERM, and from the death of
            its process to a verdict.
    """

    time_budget: float | None = None
    wait_s: float = 1800.0
    grace_s: float = 3.0


class Watch:
    """One run under watch.

    Args:
        folder: where ingestion writes.
        solution: [n_examples, n_classes].
        report: what is known before the start: name and protocol.
        publish: called with the report whenever there is something new, and at least every `PUBLISH_S`.
        is_cancelled: asked at every look; once true, what exists is scored and the watch ends.
    """

    def __init__(
        self,
        folder: Path,
        solution: Array,
        report: Report,
        publish: Callable[[Report], None],
        is_cancelled: Callable[[], bool],
        options: WatchOptions,
    ) -> None:
        self.report = report
        self._folder = folder
        self._solution = solution
        self._publish = publish
        self._is_cancelled = is_cancelled
        self._options = options
        self._scored: dict[int, Scored] = {}
        self._ignored: dict[int, int] = {}  # k -> modification time: a file that changes is read again
        self._published = self._last_sign = -math.inf

    def run(self) -> Report:
        """Watch until the run is over, and return the last report, already published.

        Raises:
            ScoringError: start.txt did not come in time, or tells a budget that is none. The page says so as well.
        """
        try:
            start = self._wait_for_start()
        except ScoringError as error:
            self._tell(True, state=State.FAILED, cause=str(error))
            raise
        return self.report if start is None else self._follow(start)

    def _follow(self, start: RunStart) -> Report:
        """Score what appears from the start of the budget to the end of the run."""
        ingestion = Ingestion(start.ingestion_pid, start.start_time)
        self._last_sign, pause_s = time.monotonic(), SHORTEST_POLL_S
        while True:
            if self._is_overdue(start) and read_end(self._folder) is None:
                ingestion.stop(self._options.grace_s)
            state, cause = self._verdict(start, ingestion)
            files = find_predictions(self._folder, self.report.name)
            start = self._read_start() or start
            is_news = self._score_new(files, start, is_last_look=state.is_final)
            self._tell(
                is_news,
                time_budget=start.time_budget,
                state=state,
                cause=cause,
                elapsed=self._elapsed(start),
                scored=tuple(sorted(self._scored.values(), key=lambda one: (one.seconds, one.k))),
                n_ignored=len(self._ignored),
            )
            if state.is_final:
                return self.report
            if is_news:
                self._last_sign = time.monotonic()
            pause_s = SHORTEST_POLL_S if is_news else min(pause_s * 1.2, LONGEST_POLL_S)
            time.sleep(pause_s)

    def _tell(self, is_news: bool, **changes: object) -> None:
        """Bring the report up to date; publish it if there is news, the state changed or some time has passed."""
        before, self.report = self.report, replace(self.report, **changes)  # type: ignore[arg-type]
        now = time.monotonic()
        if is_news or self.report.state is not before.state or now - self._published >= PUBLISH_S:
            self._publish(self.report)
            self._published = now

    def _wait_for_start(self) -> RunStart | None:
        """Wait for start.txt; None, with the final report published, where the run ended without one."""
        deadline = time.monotonic() + self._options.wait_s
        while (start := self._read_start()) is None:
            if read_end(self._folder) is not None:
                self._tell(
                    True, state=State.FAILED, cause="Ingestion ended before the budget started; its log tells why."
                )
                return None
            if self._is_cancelled():
                self._tell(True, state=State.STOPPED, cause="Scoring was interrupted before the run started.")
                return None
            if time.monotonic() > deadline:
                raise ScoringError(
                    f"Ingestion must write {START_FILE} within {self._options.wait_s:g} s, however {self._folder} has "
                    "none that is complete; look into the log of ingestion, or raise --wait_s."
                )
            self._tell(False, state=State.WAITING)
            time.sleep(SHORTEST_POLL_S)
        return start

    def _read_start(self) -> RunStart | None:
        start = read_start(self._folder)
        if start is None:
            return None
        if self._options.time_budget is not None:
            start = replace(start, time_budget=self._options.time_budget)
        if not 0 < start.time_budget < math.inf:
            raise ScoringError(
                f"The time budget must be a positive number of seconds, however {START_FILE} in {self._folder} says "
                f"{start.time_budget:g}; give --time_budget."
            )
        return start

    def _verdict(self, start: RunStart, ingestion: Ingestion) -> tuple[State, str]:
        """How far the run is, and why if it ended badly."""
        if (end := read_end(self._folder)) is not None:
            if end.success:
                return State.FINISHED, ""
            return State.FAILED, end.cause or "The ingestion program reports a failure; its log tells why."
        if self._is_overdue(start):
            return State.STOPPED, f"The budget of {start.time_budget:g} s was used up before the model was done."
        if self._is_cancelled():
            return State.STOPPED, "Scoring was interrupted before the run ended."
        if ingestion.is_alive() or not ingestion.is_visible:
            self._last_sign = time.monotonic()
        elif time.monotonic() - self._last_sign > self._options.grace_s:
            return State.FAILED, f"The ingestion program, process {ingestion.pid}, died without a word in {END_FILE}."
        return State.RUNNING, ""

    def _is_overdue(self, start: RunStart) -> bool:
        return time.time() > start.start_time + start.time_budget + self._options.grace_s

    def _elapsed(self, start: RunStart) -> float:
        end = read_end(self._folder)
        elapsed = time.time() - start.start_time if end is None or end.duration is None else end.duration
        return min(max(elapsed, 0.0), start.time_budget)

    def _score_new(self, files: dict[int, Path], start: RunStart, is_last_look: bool) -> bool:
        """Score the files that are new; whether there were any."""
        news = False
        for k, path in sorted(files.items()):
            try:
                modified = path.stat()
                if k in self._scored or self._ignored.get(k) == modified.st_mtime_ns:
                    continue
                if k not in start.timestamps and not is_last_look and time.time() - modified.st_mtime < REST_S:
                    continue  # its line in start.txt is about to come
                seconds = start.timestamps.get(k, modified.st_mtime) - start.start_time
                self._score_one(k, path, seconds, start.time_budget)
                self._ignored.pop(k, None)
            except FileNotFoundError:
                continue  # being replaced; the next look finds it
            except PredictionError as error:
                logger.error("%s", error)
                self._ignored[k] = modified.st_mtime_ns
            news = True
        return news

    def _score_one(self, k: int, path: Path, seconds: float, time_budget: float) -> None:
        if seconds > time_budget:
            raise PredictionError(
                f"A prediction must come within the budget of {time_budget:g} s, however {path.name} came after "
                f"{seconds:.2f} s; it is ignored."
            )
        n_rows, n_classes = self._solution.shape
        metrics = all_metrics(self._solution, read_prediction(path, (n_rows, n_classes)))
        self._scored[k] = Scored(k, max(seconds, 0.0), metrics)
        logger.info("Prediction %d at %.2f s: NAUC %.4f, BAC %.4f.", k, seconds, metrics.nauc, metrics.bac)
