"""What is known of a run at one moment, and how scores.txt tells it.

scores.txt, one `key: value` a line. As in the official program:

    score           ALC of the protocol in force
    Duration        seconds from the start of the budget to the last prediction that counts
    timestamps      seconds from the start to each prediction that counts; the lists below follow its order
    nauc_scores     2 * AUC - 1
    accuracy        the official, soft accuracy; only where every row has exactly one label

and more:

    bac_scores      balanced accuracy, in [0, 1]; the curve shows 2 * BAC - 1
    f1_scores       macro F1
    argmax_accuracy share of rows whose highest score falls on a true label
    alc_autodl      ALC of the 2019 challenge: NAUC, step curve
    alc_beta        ALC of the 2018 beta test: 2 * BAC - 1, trapezoid curve
    metric, curve, t0, time_budget      the protocol in force
    state           waiting, running, finished, stopped or failed
    cause           why, where it is stopped or failed
    n_ignored       predictions that do not count: unusable, or later than the budget
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

from scoring.curve import STEP, TRAPEZOID, LearningCurve
from scoring.metrics import Metrics

METRICS = {"nauc": "NAUC", "bac": "2·BAC−1", "accuracy": "Accuracy", "f1": "F1"}


class State(str, enum.Enum):
    """How far a run is. After the last three nothing changes any more."""

    WAITING = "waiting"
    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        """Whether the run is over."""
        return self not in (State.WAITING, State.RUNNING)


@dataclass(frozen=True)
class Protocol:
    """How predictions become one number: which metric, which curve, which t0 (seconds)."""

    metric: str
    rule: str
    t0: float = 60.0


PROTOCOLS = {"autodl": Protocol("nauc", STEP), "beta": Protocol("bac", TRAPEZOID)}


@dataclass(frozen=True)
class Scored:
    """One prediction: its number k, the seconds since the start of the budget, its scores."""

    k: int
    seconds: float
    metrics: Metrics


@dataclass(frozen=True)
class Report:
    """A run at one moment.

    Attributes:
        name: of the dataset.
        protocol: how to score.
        time_budget: T in seconds.
        state: how far the run is.
        cause: why it stopped or failed; "" otherwise.
        elapsed: seconds since the start of the budget, at most until the end of the run.
        scored: predictions that count, by time.
        n_ignored: predictions that do not count.
    """

    name: str
    protocol: Protocol
    time_budget: float
    state: State
    cause: str = ""
    elapsed: float = 0.0
    scored: tuple[Scored, ...] = ()
    n_ignored: int = 0

    def curve(self, protocol: Protocol | None = None) -> LearningCurve:
        """The learning curve, by the protocol in force or another."""
        by = protocol or self.protocol
        points = tuple((one.seconds, one.metrics.on_curve(by.metric)) for one in self.scored)
        return LearningCurve(points, self.time_budget, by.t0, by.rule)

    def scores_text(self) -> str:
        """The text of scores.txt; its keys are listed at the top of this module."""

        def each(value: Callable[[Scored], float]) -> str:
            return "[" + ", ".join(repr(value(one)) for one in self.scored) + "]"

        soft = [one.metrics.soft_accuracy for one in self.scored]
        t0 = self.protocol.t0
        alc = {name: self.curve(Protocol(p.metric, p.rule, t0)).area() for name, p in PROTOCOLS.items()}
        fields: dict[str, object] = {
            "score": self.curve().area(),
            "Duration": self.scored[-1].seconds if self.scored else 0.0,
            "timestamps": each(lambda one: one.seconds),
            "nauc_scores": each(lambda one: one.metrics.nauc),
            **({"accuracy": soft} if None not in soft else {}),
            "bac_scores": each(lambda one: one.metrics.bac),
            "f1_scores": each(lambda one: one.metrics.f1),
            "argmax_accuracy": each(lambda one: one.metrics.accuracy),
            **{f"alc_{name}": area for name, area in alc.items()},
            "metric": self.protocol.metric,
            "curve": self.protocol.rule,
            "t0": t0,
            "time_budget": self.time_budget,
            "state": self.state.value,
            "cause": " ".join(self.cause.split()),
            "n_ignored": self.n_ignored,
        }
        return "".join(f"{key}: {value}\n" for key, value in fields.items())
