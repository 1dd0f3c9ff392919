"""The drawings of the benchmark's page: the curves of all systems on a dataset, and a critical-difference diagram.

Colours are CSS classes s0, s1, ... by the order of the systems (page.py), so that a system looks the same everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from benchmarks.jobs import Protocol, Result
from benchmarks.summary import Cell, Ranking
from scoring.curve import LearningCurve
from scoring.svg import LABEL_PX, Frame, seconds_text, time_ticks

LABEL_STEP_PX = 22
MAX_DOTS = 40  # more hide the curve


def curves_svg(dataset: str, cells: Sequence[Cell], order: Sequence[str], protocol: Protocol, width: int = 920) -> str:
    """NAUC over log time, one step curve for each system, the first system on top.

    Args:
        dataset: its name.
        cells: of this dataset.
        order: of all systems, which gives them their colours.
        protocol: T and t0 of the axis.
        width: px.
    """
    means = {cell.system: mean_curve(cell.runs, protocol) for cell in cells}
    lowest = min([0.0, *(score for curve in means.values() for _, score in curve.points)])
    frame = Frame(width, 380, math.floor(5 * lowest) / 5, top=28)
    axis = LearningCurve((), protocol.time_budget, protocol.t0)
    label = f"Learning curves on {dataset}: NAUC over log time, {len(cells)} systems"
    parts = [f'<svg viewBox="0 0 {width} {frame.height}" role="img" aria-label="{escape(label)}">', *_axes(frame, axis)]
    for system in reversed([name for name in order if name in means]):
        parts += _curve(frame, means[system], system, order.index(system))
    return "\n".join([*parts, "</svg>"])


def mean_curve(runs: Sequence[Result], protocol: Protocol) -> LearningCurve:
    """The mean over seeds of the step curves, as a step curve."""
    moments = sorted({float(seconds) for run in runs for seconds, _ in run["curve"]})
    points = [(t, math.fsum(_score_at(run, t) for run in runs) / len(runs)) for t in moments]
    return LearningCurve(tuple(points), protocol.time_budget, protocol.t0)


def _score_at(run: Result, moment: float) -> float:
    """The latest score; 0 before the first."""
    return next((float(score) for seconds, score in reversed(run["curve"]) if seconds <= moment), 0.0)


def _axes(frame: Frame, axis: LearningCurve) -> list[str]:
    floor = frame.height - frame.bottom
    parts = [_text("axis-name", frame.left - 34, 12, "NAUC")]
    for tenth in range(round(frame.lowest * 10), 11, 2):
        y = frame.y(tenth / 10)
        parts.append(_rule("base" if tenth == 0 else "grid", frame.x(0), y, frame.x(1), y))
        parts.append(_text("tick end", frame.left - 8, y + 4, f"{tenth / 10:.1f}"))
    for seconds in time_ticks(axis, gap=LABEL_PX / (frame.x(1) - frame.x(0))):
        x = frame.x(axis.transform(seconds))
        parts.append(_rule("grid", x, frame.top, x, floor))
        parts.append(_text("tick mid", x, floor + 18, seconds_text(seconds) if seconds else "0"))
    return [
        *parts,
        _text("axis-name end", frame.x(1), frame.height - 6, "time since the start, log scale of the protocol"),
    ]


def _curve(frame: Frame, curve: LearningCurve, system: str, number: int) -> list[str]:
    if not curve.points:
        return []
    corners = curve.vertices()[1:]  # the line begins with the first prediction
    path = " ".join(f"{frame.x(x):.1f},{frame.y(y):.1f}" for x, y in corners[1:] if x >= corners[0][0])
    parts = [f'<polyline class="line s{number}" points="{path}"><title>{escape(system)}</title></polyline>']
    for seconds, score in curve.points if len(curve.points) <= MAX_DOTS else (curve.points[0], curve.points[-1]):
        tip = escape(f"{system}, {seconds_text(seconds)}: {score:.4f}")
        x, y = frame.x(curve.transform(seconds)), frame.y(score)
        parts.append(
            f'<g><title>{tip}</title><circle class="point s{number}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>'
            f'<circle class="target" cx="{x:.1f}" cy="{y:.1f}" r="8"/></g>'
        )
    return parts


def ranking_svg(ranking: Ranking, order: Sequence[str], width: int = 920) -> str:
    """Mean ranks on a line, best left; bars join systems that the critical difference does not tell apart."""
    n_systems = len(ranking.systems)
    n_left = (n_systems + 1) // 2
    left, right = 250, width - 250
    axis_y = 44
    height = axis_y + 14 * len(ranking.cliques) + LABEL_STEP_PX * n_left + 34

    def x(rank: float) -> float:
        return left + (rank - 1) / max(n_systems - 1, 1) * (right - left)

    label = "Mean ranks: " + ", ".join(f"{s} {r:.2f}" for s, r in zip(ranking.systems, ranking.ranks, strict=True))
    parts = [f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label)}">']
    parts.append(_rule("base", x(1), axis_y, x(n_systems), axis_y))
    for tick in range(1, n_systems + 1):
        parts.append(_rule("base", x(tick), axis_y - 5, x(tick), axis_y))
        parts.append(_text("tick mid", x(tick), axis_y - 10, str(tick)))
    if math.isfinite(ranking.critical_difference):
        end = min(x(1 + ranking.critical_difference), float(width - 40))
        parts.append(_rule("clique", x(1), 12, end, 12))
        parts.append(_text("tick", end + 8, 16, f"CD {ranking.critical_difference:.2f}"))
    for i, (first, last) in enumerate(ranking.cliques):
        bar = axis_y + 12 + 14 * i
        parts.append(_rule("clique", x(ranking.ranks[first]) - 4, bar, x(ranking.ranks[last]) + 4, bar))
    below = axis_y + 14 * len(ranking.cliques) + 24
    for i, (system, rank) in enumerate(zip(ranking.systems, ranking.ranks, strict=True)):
        is_left = i < n_left
        y = below + LABEL_STEP_PX * (i if is_left else n_systems - 1 - i)
        edge = left - 14 if is_left else right + 14
        css = f"s{order.index(system)}"
        parts.append(
            f'<polyline class="lead {css}" points="{x(rank):.1f},{axis_y} {x(rank):.1f},{y} {edge},{y}"/>'
            f'<text class="name {"end" if is_left else ""}" x="{edge + (-6 if is_left else 6)}" y="{y + 4}">'
            f"{escape(system)} {rank:.2f}</text>"
        )
    return "\n".join([*parts, "</svg>"])


def _text(css_class: str, x: float, y: float, text: str) -> str:
    return f'<text class="{css_class}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'


def _rule(css_class: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{css_class}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'
