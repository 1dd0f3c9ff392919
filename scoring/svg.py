"""The learning curve as SVG: log-time axis in seconds below, transformed time above, one tooltip per prediction.

Colours are CSS classes, so that one drawing serves a light and a dark page; `page.py` holds the style sheet.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape

from scoring.curve import LearningCurve
from scoring.report import METRICS, Report

TICKS_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800, 86400)
LABEL_PX = 42  # width that a label of the time axis needs
MAX_DOTS = 60  # more dots than that hide the curve; the tooltips stay


@dataclass(frozen=True)
class Frame:
    """Size of the drawing and the margins around the plot, in px, and the lowest score shown."""

    width: int
    height: int
    lowest: float
    left: int = 44
    right: int = 24
    top: int = 44
    bottom: int = 48

    def x(self, fraction: float) -> float:
        """Pixel column of a transformed time in [0, 1]."""
        return self.left + fraction * (self.width - self.left - self.right)

    def y(self, score: float) -> float:
        """Pixel row of a score in [lowest, 1]."""
        return self.top + (1 - score) / (1 - self.lowest) * (self.height - self.top - self.bottom)


def curve_svg(report: Report, width: int, height: int, css_class: str) -> str:
    """Draw the learning curve of a run, `width` x `height` px; the run must have started."""
    curve = report.curve()
    lowest = math.floor(5 * min(0.0, *(score for _, score in curve.vertices()))) / 5
    frame = Frame(width, height, lowest)
    label = f"Learning curve: {METRICS[report.protocol.metric]} over log time, area {curve.area():.4f}"
    parts = [
        f'<svg class="{escape(css_class)}" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label)}">',
        *_score_axis(frame, METRICS[report.protocol.metric]),
        *_time_axes(frame, curve),
        *_line(frame, curve, now=1.0 if report.state.is_final else curve.transform(report.elapsed)),
        *_dots(frame, report),
        "</svg>",
    ]
    return "\n".join(parts)


def seconds_text(seconds: float) -> str:
    """A duration for people: 0.84 s, 12.5 s, 2 min, 2 min 5 s, 1 h 10 min."""
    if seconds < 10:
        return f"{seconds:.3g} s"
    if seconds < 99.95:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    whole = round(seconds)
    if whole < 3600:
        minutes, rest, small, large = whole // 60, whole % 60, "s", "min"
    else:
        minutes, rest, small, large = whole // 3600, whole % 3600 // 60, "min", "h"
    return f"{minutes} {large} {rest} {small}" if rest else f"{minutes} {large}"


def _text(css_class: str, x: float, y: float, text: str) -> str:
    return f'<text class="{css_class}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'


def _rule(css_class: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{css_class}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _score_axis(frame: Frame, name: str) -> list[str]:
    parts = [_text("axis-name", frame.left - 34, 16, name)]
    for tenth in range(round(frame.lowest * 10), 11, 2):
        y = frame.y(tenth / 10)
        parts.append(_rule("base" if tenth == 0 else "grid", frame.x(0), y, frame.x(1), y))
        parts.append(_text("tick end", frame.left - 8, y + 4, f"{tenth / 10:.1f}"))
    return parts


def _time_axes(frame: Frame, curve: LearningCurve) -> list[str]:
    ceiling, floor = frame.top, frame.height - frame.bottom
    parts = [
        _text("axis-name end", frame.x(1), 16, "transformed time"),
        _text("axis-name end", frame.x(1), frame.height - 6, "time since the start"),
    ]
    for tenth in range(0, 11, 2):
        x = frame.x(tenth / 10)
        parts.append(_text("tick mid", x, ceiling - 10, f"{tenth / 10:.1f}"))
        parts.append(_rule("base", x, ceiling - 5, x, ceiling))
    for seconds in time_ticks(curve, gap=LABEL_PX / (frame.x(1) - frame.x(0))):
        x = frame.x(curve.transform(seconds))
        parts.append(_rule("grid", x, ceiling, x, floor))
        parts.append(_text("tick mid", x, floor + 18, seconds_text(seconds) if seconds else "0"))
    return parts


def time_ticks(curve: LearningCurve, gap: float) -> list[float]:
    """Round seconds to label: 0, T, and between them the round ones that stay `gap` apart in transformed time."""
    chosen = [0.0]
    for seconds in TICKS_S:
        x = curve.transform(seconds)
        if x - curve.transform(chosen[-1]) >= gap and 1 - x >= gap:
            chosen.append(float(seconds))
    return [*chosen, curve.time_budget]


def _line(frame: Frame, curve: LearningCurve, now: float) -> list[str]:
    """The curve up to `now` (transformed time) as a line over its area; what is held until T, dashed."""
    corners = [(x, y) for x, y in curve.vertices()[:-1] if x <= now]
    corners.append((now, corners[-1][1]))
    path = " ".join(f"{frame.x(x):.1f},{frame.y(y):.1f}" for x, y in corners)
    zero = frame.y(0.0)
    parts = [
        f'<polygon class="area" points="{frame.x(0):.1f},{zero:.1f} {path} {frame.x(now):.1f},{zero:.1f}"/>',
        f'<polyline class="curve" points="{path}"/>',
    ]
    if now < 1:
        x, y = frame.x(now), frame.y(corners[-1][1])
        parts.append(_rule("held", x, y, frame.x(1), y))
        parts.append(_rule("now", x, frame.top, x, frame.height - frame.bottom))
    return parts


def _dots(frame: Frame, report: Report) -> list[str]:
    """One circle per prediction: a visible dot, and around it a larger, clear one that is easy to point at."""
    curve, protocol = report.curve(), report.protocol
    radius = 3.5 if len(report.scored) <= MAX_DOTS else 0
    parts = []
    for one in report.scored:
        score = one.metrics.on_curve(protocol.metric)
        x, y = frame.x(curve.transform(one.seconds)), frame.y(score)
        text = f"Prediction {one.k} at {seconds_text(one.seconds)}: {METRICS[protocol.metric]} {score:.4f}"
        parts.append(
            f'<g class="dot"><title>{escape(text)}</title><circle cx="{x:.1f}" cy="{y:.1f}" r="9" class="target"/>'
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}"/></g>'
        )
    return parts
