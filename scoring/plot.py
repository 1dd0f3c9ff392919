"""The learning curve as PNG, `learning-curve-NAME.png`, as the official scoring program draws one.

matplotlib is imported when drawing, not before: it takes half a second of a CPU that the model would like to have.
"""

from __future__ import annotations

import os
from pathlib import Path

from scoring.report import METRICS, Report


def draw_png(report: Report, folder: Path) -> Path:
    """Draw the learning curve into `folder`.

    Raises:
        ImportError: matplotlib is not installed.
    """
    from matplotlib.figure import Figure  # not pyplot: no window system, no global state

    curve = report.curve()
    figure = Figure(figsize=(7.2, 4.2), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    xs, ys = zip(*curve.vertices(), strict=True)
    axes.plot(xs, ys, color="#2166ac", linewidth=1.8)
    axes.fill_between(xs, ys, color="#2166ac", alpha=0.15)
    placed = curve.placed()
    axes.plot([x for x, _ in placed], [y for _, y in placed], "o", color="#2166ac", markersize=4)
    axes.set(xlim=(0, 1), ylim=(min(0.0, *ys), 1.02), ylabel=METRICS[report.protocol.metric])
    axes.set_xlabel(
        f"transformed time, log(1 + t/t0) / log(1 + T/t0), t0 = {curve.t0:g} s, T = {curve.time_budget:g} s"
    )
    # A name is data: its dollar signs are no formula.
    axes.set_title(f"{report.name}    ALC = {curve.area():.4f}", parse_math=False)
    axes.grid(alpha=0.3)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    path = folder / f"learning-curve-{report.name}.png"
    temporary = path.with_name(f".{path.name}.tmp")
    figure.savefig(temporary, format="png")
    os.replace(temporary, path)
    return path
