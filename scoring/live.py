"""One line about a run while it goes on, from start.txt and scores.txt alone; no numpy, so that it starts fast."""

from __future__ import annotations

import json
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from scoring.run_files import SCORES_FILE, read_fields, read_start

PLAIN_LINE_EVERY_S = 10.0
BAR_WIDTH = 24


@dataclass(frozen=True)
class Results:
    """What scores.txt says: the area, and NAUC and seconds of each prediction."""

    alc: float
    nauc: list[float]
    seconds: list[float]

    @staticmethod
    def read(score_dir: Path) -> Results:
        """Read scores.txt; without one nothing has been scored."""
        fields = read_fields(score_dir / SCORES_FILE)
        nauc = json.loads(fields.get("nauc_scores", "[]"))
        return Results(float(fields.get("score", 0)), nauc, json.loads(fields.get("timestamps", "[]")))


class LiveLine:
    """How the run stands: one line, redrawn on a terminal, else printed every `PLAIN_LINE_EVERY_S`."""

    def __init__(self, prediction_dir: Path, score_dir: Path, time_budget: float) -> None:
        self._prediction_dir = prediction_dir
        self._score_dir = score_dir
        self._time_budget = time_budget
        self._on_terminal = sys.stdout.isatty()
        self._next_print = time.monotonic() + PLAIN_LINE_EVERY_S

    def draw(self) -> None:
        """Show how the run stands."""
        if self._on_terminal:
            width = shutil.get_terminal_size().columns - 1
            print(f"\r{self._text()[:width]:<{width}}", end="", flush=True)
        elif time.monotonic() >= self._next_print:
            self._next_print += PLAIN_LINE_EVERY_S
            print(self._text(), flush=True)

    def close(self) -> None:
        """Show the last state and leave the line."""
        self._next_print = 0.0
        self.draw()
        if self._on_terminal:
            print()

    def _text(self) -> str:
        start = read_start(self._prediction_dir)
        if start is None:
            return "initialising the model (its time does not count) ..."
        elapsed = min(max(time.time() - start.start_time, 0.0), self._time_budget)
        filled = round(BAR_WIDTH * elapsed / self._time_budget)
        bar = "#" * filled + "." * (BAR_WIDTH - filled)
        text = f"[{bar}] {elapsed:.0f}/{self._time_budget:g} s"
        results = Results.read(self._score_dir)
        if not results.nauc:
            return f"{text}  no prediction yet"
        return f"{text}  predictions {len(results.nauc)}  NAUC {results.nauc[-1]:.4f}  ALC so far {results.alc:.4f}"
