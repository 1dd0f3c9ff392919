"""Timeline: the stages of a run, its passes over the test split and its scores, brought together.

Source: `stages.jsonl`, written by the solver, and `scores/scores.txt`, written by the scoring program; the latter may
be absent, since only who holds the solution can score.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autodl_solver.anytime.stage_entries import LONGEST_S, Entry, PredictionEntry, RunFacts, StageEntry
from autodl_solver.anytime.stage_log import STAGE_LOG_FILE, read_stage_log, split_runs
from autodl_solver.errors import DataError

SCORES_FILE = Path("scores", "scores.txt")
OFFICIAL_T0_S = 60.0
SHORTEST_S = 1e-3


@dataclass(frozen=True)
class Scores:
    """What scores.txt says.

    Attributes:
        alc: area under the learning curve.
        t0: time scale of the curve, in seconds.
        points: (seconds since the start of the budget, NAUC) of each prediction; nan where it is not defined.
    """

    alc: float
    t0: float
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Pass:
    """A pass over the test split and the NAUC of its predictions; None where they were not scored."""

    entry: PredictionEntry
    nauc: float | None

    @property
    def end_s(self) -> float:
        """Seconds at which the pass had ended."""
        return self.entry.started_s + self.entry.predict_s


@dataclass(frozen=True)
class Step:
    """A stage and the passes before the next one; no stage for those before the first."""

    stage: StageEntry | None
    passes: tuple[Pass, ...]

    @property
    def nauc(self) -> float | None:
        """Test NAUC after the stage; None where it brought no new answer that was scored."""
        return self.passes[-1].nauc if self.passes else None


@dataclass(frozen=True)
class Timeline:
    """One run.

    Attributes:
        facts: of its dataset and machine.
        steps: in the order in which they ran.
        scores: None if the run was not scored.
        n_earlier_runs: runs before this one in the same log, which are not shown.
    """

    facts: RunFacts
    steps: tuple[Step, ...]
    scores: Scores | None
    n_earlier_runs: int = 0

    @classmethod
    def read(cls, run_dir: Path) -> Timeline:
        """The last run whose log lies in `run_dir`.

        Raises:
            DataError: there is no log, or a file is damaged.
        """
        runs = split_runs(read_stage_log(run_dir / STAGE_LOG_FILE))
        scores = read_scores(run_dir / SCORES_FILE)
        facts, *entries = runs[-1]
        assert isinstance(facts, RunFacts), "a run begins with its facts"
        return cls(facts, _steps(entries, scores), scores, len(runs) - 1)

    @property
    def hold_out(self) -> tuple[tuple[float, float], ...]:
        """(seconds, hold-out NAUC of the answer) after each stage for which it is known."""
        stages = [step.stage for step in self.steps if step.stage is not None]
        return tuple((one.started_s + one.fit_s, one.answer_score) for one in stages if one.answer_score is not None)

    @property
    def end_s(self) -> float:
        """Seconds at which the last event had ended."""
        ends = [step.stage.started_s + step.stage.fit_s for step in self.steps if step.stage is not None]
        ends += [one.end_s for step in self.steps for one in step.passes]
        ends += [seconds for seconds, _ in self.scores.points] if self.scores else []
        return max(ends, default=SHORTEST_S) or SHORTEST_S

    def fraction(self, seconds: float) -> float:
        """Where a moment lies between the start, 0, and the last event, 1, on the log time of the learning curve."""
        t0 = self.scores.t0 if self.scores else OFFICIAL_T0_S
        return min(math.log1p(seconds / t0) / math.log1p(self.end_s / t0), 1.0)


def read_scores(path: Path) -> Scores | None:
    """What scores.txt says; None if there is none.

    Raises:
        DataError: it is damaged.
    """
    if not path.is_file():
        return None
    try:
        pairs = (line.partition(":") for line in path.read_text(encoding="utf-8").splitlines())
        fields = {key.strip(): value.strip() for key, _, value in pairs}
        seconds, nauc = (_numbers(fields.get(key, "[]")) for key in ("timestamps", "nauc_scores"))
        alc, t0 = float(fields.get("score", 0)), float(fields.get("t0", OFFICIAL_T0_S))
        if not (0 < t0 < math.inf) or not all(0 <= one < LONGEST_S for one in seconds):
            raise ValueError("times must be seconds within a run, and t0 positive")
        return Scores(alc, t0, tuple(zip(seconds, nauc, strict=True)))
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise DataError(
            f"scores.txt must hold `key: value` lines with as many timestamps as nauc_scores; however {path} does not: "
            f"{error}; score the run again, or delete the file."
        ) from error


def _numbers(text: str) -> list[float]:
    return [float(value) for value in json.loads(text)]


def _steps(entries: Sequence[Entry], scores: Scores | None) -> tuple[Step, ...]:
    naucs = iter(_naucs([entry for entry in entries if isinstance(entry, PredictionEntry)], scores))
    steps = [Step(None, ())]
    for entry in entries:
        if isinstance(entry, StageEntry):
            steps.append(Step(entry, ()))
        elif isinstance(entry, PredictionEntry):
            steps[-1] = Step(steps[-1].stage, (*steps[-1].passes, Pass(entry, next(naucs))))
    return tuple(step for step in steps if step.stage is not None or step.passes)


def _naucs(passes: Sequence[PredictionEntry], scores: Scores | None) -> list[float | None]:
    """The NAUC of each pass.

    In order, if there are as many as passes. Otherwise (an answer was returned twice, a file was ignored) by time: a
    prediction was written after its pass had ended and before the next one had.
    """
    points = scores.points if scores else ()
    if len(points) == len(passes):
        return [_defined(nauc) for _, nauc in points]
    ends = [one.started_s + one.predict_s for one in passes]
    within = zip(ends, [*ends[1:], math.inf], strict=True) if ends else ()
    return [next((_defined(nauc) for at, nauc in points if end <= at < following), None) for end, following in within]


def _defined(nauc: float) -> float | None:
    return nauc if math.isfinite(nauc) else None
