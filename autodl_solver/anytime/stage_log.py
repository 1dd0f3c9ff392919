"""The log of a run: what ran when, at what cost, with what result; one JSON object a line.

`stages.jsonl` in the output folder feeds two readers: `python -m autodl_solver explain` shows it to people, and the
priors of the schedule are fitted on the logs of many runs. A line of kind "run" opens a run; lines of kind "stage" and
"prediction" follow in the order in which they happened. Times are seconds since the first call of `train`. Each line is
one write to a file opened for appending: a reader never sees lines of two writers mixed, and a killed process leaves
whole lines behind.
Cost: 20 us a line, one core.
"""

from __future__ import annotations

import json
import logging
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autodl_solver.anytime.stage_entries import (
    VERSION,
    Entry,
    Expectation,
    PredictionEntry,
    RunFacts,
    StageEntry,
    parse_entry,
)
from autodl_solver.errors import DataError

if TYPE_CHECKING:  # reading a log needs no numpy
    from autodl_solver.anytime.history import Record

logger = logging.getLogger(__name__)

STAGE_LOG_FILE = "stages.jsonl"


class StageLog:
    """Appends to the log of a run. A folder that cannot be written costs one warning, never the run.

    Args:
        path: the file; None writes nothing.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def run(self, facts: RunFacts) -> None:
        """Opens a run; an earlier one in the same file stays."""
        self._append({"version": VERSION, "kind": "run", **vars(facts), "shape": list(facts.shape)})

    def stage(self, record: Record, expected: Expectation | None = None) -> None:
        """Adds a stage that has ended.

        Args:
            record: what became of it.
            expected: what the schedule expected of it.
        """
        stage = record.stage
        self._append(
            {
                "kind": "stage",
                "name": stage.name,
                "family": stage.family,
                "family_kind": stage.kind,
                "fidelity": int(stage.fidelity),
                "n_examples": int(record.n_examples),
                "n_held_out": record.n_held_out,
                "refit": stage.refit,
                "contract_s": _number(stage.seconds),
                "started_s": _number(record.started_s),
                "fit_s": _number(record.fit_s),
                "score": _number(record.score),
                "answer_score": _number(record.answer_score),
                "failed": record.failed,
                "error": None if record.error is None else _first_line(record.error),
                "expected": None if expected is None else {key: _number(value) for key, value in expected.items()},
                "weight": None,
            }
        )

    def prediction(
        self,
        weights: Mapping[str, float],
        started_s: float,
        predict_s: float,
        passes: Mapping[str, float] | None = None,
        n_test: int | None = None,
    ) -> None:
        """Adds a pass over the test split that has ended.

        Args:
            weights: share of each stage in the answer.
            started_s: seconds since the first call of `train`.
            predict_s: seconds of the pass, blending included.
            passes: seconds of each stage that predicted now.
            n_test: rows of the test split.
        """
        shares = {name: _number(weight) for name, weight in weights.items()}
        times = {"started_s": _number(started_s), "predict_s": _number(predict_s)}
        each = {name: _number(seconds) for name, seconds in (passes or {}).items()}
        self._append({"kind": "prediction", "weights": shares, **times, "passes": each, "n_test": n_test})

    def _append(self, fields: Mapping[str, Any]) -> None:
        if self._path is None:
            return
        line = json.dumps(fields, allow_nan=False).encode() + b"\n"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            try:
                if fields["kind"] == "run" and _ends_torn(file):
                    line = b"\n" + line
                if os.write(file, line) < len(line):
                    raise OSError("the disk is full")
            finally:
                os.close(file)
        except OSError as error:
            logger.warning("The stage log %s cannot be written (%s); the run goes on without.", self._path, error)
            self._path = None


def read_stage_log(path: Path) -> list[Entry]:
    """What a log holds, in order; the stages of each run carry their weight in its last answer.

    A torn line at the end of the file, or at the end of a run that another one follows, is left out.

    Args:
        path: a file written by StageLog.
    Raises:
        DataError: it cannot be read, is empty, does not begin with a run, is of another version, or a line is damaged.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise DataError(
            f"A stage log must be a readable file; however {path} is not ({error.strerror}); give the output folder of "
            "a run of run_local_test.py, or set AUTODL_RUN_DIR for a run of your own."
        ) from error
    entries: list[Entry] = []
    for number, line in enumerate(lines[:-1], start=1):  # behind the last newline: nothing, or a torn line
        try:
            entries.append(parse_entry(line))
        except (ValueError, OverflowError, RecursionError) as error:
            if _opens_run(lines[number]):
                continue
            raise DataError(
                f"Each line of a stage log must be one JSON object of StageLog; however {path}, line {number}, is not: "
                f"{error}; delete the line or run again."
            ) from error
    if not entries or not isinstance(entries[0], RunFacts):
        raise DataError(f"A stage log must begin with a line of kind run; however {path} does not; run again.")
    return [entry for run in split_runs(entries) for entry in _weighted(run)]


def split_runs(entries: Sequence[Entry]) -> list[list[Entry]]:
    """The entries of each run; its first one is the RunFacts."""
    starts = [index for index, entry in enumerate(entries) if isinstance(entry, RunFacts)]
    return [list(entries[a:b]) for a, b in zip(starts, [*starts[1:], len(entries)], strict=True)]


def _weighted(run: Sequence[Entry]) -> list[Entry]:
    """The entries of a run, each stage with its weight in the last answer; None while there was none."""
    answers = [entry.weights for entry in run if isinstance(entry, PredictionEntry)]
    if not answers:
        return list(run)
    last = answers[-1]
    return [replace(one, weight=last.get(one.name, 0.0)) if isinstance(one, StageEntry) else one for one in run]


def _opens_run(line: bytes) -> bool:
    try:
        return isinstance(parse_entry(line), RunFacts)
    except (ValueError, OverflowError, RecursionError):
        return False


def _ends_torn(file: int) -> bool:
    size = os.fstat(file).st_size
    return size > 0 and os.pread(file, 1, size - 1) != b"\n"


def _first_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".strip().splitlines()[0]


def _number(value: float | str | None) -> float | str | None:
    """A plain float that JSON can hold: to the microsecond, None for nan and infinities; words as they are."""
    if value is None or isinstance(value, str):
        return value
    return round(float(value), 6) if math.isfinite(value) else None
