"""Learning curves over log time and the area under them (ALC).

x(t) = log(1 + t / t0) / log(1 + T / t0)          maps [0, T] onto [0, 1]; early seconds weigh most
ALC  = integral over x in [0, 1] of the curve

step        0 before the first prediction, then the latest score; held until T          (AutoDL, 2019)
trapezoid   straight lines from (0, 0) through the points; the last score held until T  (beta test, 2018)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter

STEP, TRAPEZOID = "step", "trapezoid"
RULES = (STEP, TRAPEZOID)


@dataclass(frozen=True)
class LearningCurve:
    """Scores over time.

    Attributes:
        points: (seconds since the start of the budget, score) of each prediction.
        time_budget: T in seconds; points after it do not count. A point before 0 (two clocks) counts at 0.
        t0: seconds; the smaller, the more the first moments weigh.
        rule: how to go from one point to the next, `step` or `trapezoid`.
    """

    points: tuple[tuple[float, float], ...]
    time_budget: float
    t0: float = 60.0
    rule: str = STEP

    def transform(self, seconds: float) -> float:
        """Transformed time x(t) in [0, 1]."""
        inside = min(max(seconds, 0.0), self.time_budget)
        return math.log1p(inside / self.t0) / math.log1p(self.time_budget / self.t0)

    def placed(self) -> list[tuple[float, float]]:
        """The points that count, as (transformed time, score), by time."""
        return [
            (self.transform(t), score) for t, score in sorted(self.points, key=itemgetter(0)) if t <= self.time_budget
        ]

    def vertices(self) -> list[tuple[float, float]]:
        """Corners of the curve from x = 0 to x = 1; straight lines between them are the curve."""
        corners = [(0.0, 0.0)]
        for x, score in self.placed():
            if self.rule == STEP:
                corners.append((x, corners[-1][1]))
            corners.append((x, score))
        corners.append((1.0, corners[-1][1]))
        return corners

    def area(self) -> float:
        """ALC: the area under the curve; 0 without predictions, 1 for a perfect score at once."""
        return math.fsum((x1 - x0) * (y0 + y1) / 2 for (x0, y0), (x1, y1) in pairwise(self.vertices()))
