"""How the command line says what a run does."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from autodl_solver.explain.wording import printable

if TYPE_CHECKING:
    from autodl_solver.session import Status


def duration_text(seconds: float) -> str:
    """A duration for people, in whole seconds: 42 s, 2 min 5 s, 1 h 10 min."""
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def score_text(score: float) -> str:
    """Four digits, or that there is none."""
    return f"{score:.4f}" if math.isfinite(score) else "none yet"


def clock_text(status: Status) -> str:
    """What is spent of the budget."""
    return f"{duration_text(status.elapsed_s)} of {duration_text(status.budget_s)}"


def now_text(status: Status) -> str:
    """What runs now, and when it should bring the next prediction."""
    if status.state == "stopping":
        return "stopping"
    if not status.stage:
        return "looking at the data" if status.state == "starting" else "choosing what to do next"
    if not math.isfinite(status.next_s):
        return printable(status.stage)
    left = "about to end" if status.next_s < 1 else f"next prediction in about {duration_text(status.next_s)}"
    return f"{printable(status.stage)}, {left}"


def answer_text(status: Status) -> str:
    """What is known by now."""
    stages = "1 stage" if status.n_stages == 1 else f"{status.n_stages} stages"
    return f"hold-out score {score_text(status.score)}, {stages}"
