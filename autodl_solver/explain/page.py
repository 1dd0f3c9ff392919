"""The timeline of a run as one self-contained page: no script, no external resource, every name escaped.

The learning curve (of the test rows if the run was scored, else of the hold-out) stands above one lane for each stage,
on the same log time, so that one sees which stage paid.
"""

from __future__ import annotations

from html import escape

from autodl_solver.explain.style import STYLE
from autodl_solver.explain.timeline import Step, Timeline
from autodl_solver.explain.wording import (
    COLUMNS,
    cells,
    facts_text,
    name_of,
    pass_text,
    printable,
    results_text,
    score_text,
    seconds_text,
)

WIDTH, LEFT, RIGHT = 920, 150, 24
CURVE_TOP, CURVE_HEIGHT = 16, 160
LANE_HEIGHT, BAR_HEIGHT, AXIS_HEIGHT = 22, 14, 40
SHORTEST_BAR = 1.5
LONGEST_NAME = 20
TICKS_S = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 120, 300, 600, 1200, 3600, 7200, 14400, 36000, 86400)
TICK_GAP = 52


def page_html(timeline: Timeline) -> str:
    """The whole page as text."""
    title = escape(printable(timeline.facts.dataset))
    earlier = f" The last of {timeline.n_earlier_runs + 1} runs in this log." if timeline.n_earlier_runs else ""
    head = "".join(f"<th>{name}</th>" for name in COLUMNS)
    rows = "\n".join(_row(step) for step in timeline.steps)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}: timeline</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p>{escape(facts_text(timeline.facts))}</p>
<p>{escape(results_text(timeline))}.{earlier}</p>
<section>
{_svg(timeline)}
<p class="legend"><i class="fit"></i>fit <i class="pass"></i>test pass <i class="failed"></i>failed</p>
</section>
<section class="scroll"><table><thead><tr>{head}</tr></thead><tbody>
{rows}
</tbody></table></section>
</main>
</body>
</html>
"""


def _row(step: Step) -> str:
    failed = ' class="failed"' if step.stage is not None and step.stage.failed else ""
    return f"<tr{failed}>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells(step)) + "</tr>"


def _svg(timeline: Timeline) -> str:
    curve = _curve(timeline)
    top = CURVE_TOP + CURVE_HEIGHT + 16 if curve else CURVE_TOP
    floor = top + LANE_HEIGHT * len(timeline.steps)
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {floor + AXIS_HEIGHT}" role="img" aria-label="Timeline of the run">',
        *_axis(timeline, floor),
        *curve,
    ]
    for lane, step in enumerate(timeline.steps):
        parts += _lane(step, timeline, top + LANE_HEIGHT * lane)
    return "\n".join([*parts, "</svg>"])


def _x(timeline: Timeline, seconds: float) -> float:
    return LEFT + timeline.fraction(seconds) * (WIDTH - LEFT - RIGHT)


def _text(css_class: str, x: float, y: float, text: str) -> str:
    return f'<text class="{css_class}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'


def _axis(timeline: Timeline, floor: int) -> list[str]:
    """Round seconds that stay TICK_GAP px apart, between 0 and the last event."""
    ticks = [0.0]
    for seconds in TICKS_S:
        x = _x(timeline, seconds)
        if seconds < timeline.end_s and x - _x(timeline, ticks[-1]) >= TICK_GAP and WIDTH - RIGHT - x >= TICK_GAP:
            ticks.append(seconds)
    parts = [_text("end", WIDTH - RIGHT, floor + 34, "time since the start, log scale")]
    labels = ["0", *(f"{seconds:g} s" for seconds in ticks[1:]), seconds_text(timeline.end_s)]
    for seconds, label in zip([*ticks, timeline.end_s], labels, strict=True):
        x = _x(timeline, seconds)
        parts.append(f'<line class="grid" x1="{x:.1f}" y1="{CURVE_TOP}" x2="{x:.1f}" y2="{floor}"/>')
        parts.append(_text("mid", x, floor + 16, label))
    return parts


def _curve(timeline: Timeline) -> list[str]:
    """The steps of the NAUC, from 0 before the first answer to the last event: of the test rows, or of the hold-out."""
    name, points = "hold-out NAUC", list(timeline.hold_out)
    if timeline.scores is not None:
        name, points = "test NAUC", [(seconds, nauc) for seconds, nauc in timeline.scores.points if nauc == nauc]
    elif not points:
        return []
    lowest = min(0.0, *(nauc for _, nauc in points)) if points else 0.0

    def y(score: float) -> float:
        return CURVE_TOP + (1 - score) / (1 - lowest) * CURVE_HEIGHT

    corners, last = [(_x(timeline, 0.0), y(0.0))], 0.0
    for seconds, nauc in points:
        corners += [(_x(timeline, seconds), y(last)), (_x(timeline, seconds), y(nauc))]
        last = nauc
    corners.append((_x(timeline, timeline.end_s), y(last)))
    path = " ".join(f"{x:.1f},{row:.1f}" for x, row in corners)
    grid = [(score, y(score)) for score in (0.0, 0.5, 1.0)]
    return [
        *(f'<line class="grid" x1="{LEFT}" y1="{row:.1f}" x2="{WIDTH - RIGHT}" y2="{row:.1f}"/>' for _, row in grid),
        *(_text("end", LEFT - 8, row + 4, f"{score:.1f}") for score, row in grid),
        _text("name", 8, CURVE_TOP + 4, name),
        f'<polyline class="curve" points="{path}"/>',
    ]


def _lane(step: Step, timeline: Timeline, top: int) -> list[str]:
    name = name_of(step)
    shown = name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "\N{HORIZONTAL ELLIPSIS}"
    parts = [_text("end", LEFT - 8, top + BAR_HEIGHT - 2, shown)]
    stage = step.stage
    if stage is not None:
        when = f"at {seconds_text(stage.started_s)}, {seconds_text(stage.fit_s)}"
        told = f"{name} {when}, hold-out {score_text(stage.score)}"
        end_s = stage.started_s + stage.fit_s
        parts.append(_bar("failed" if stage.failed else "fit", timeline, stage.started_s, end_s, top, told))
    parts += [_bar("pass", timeline, one.entry.started_s, one.end_s, top, pass_text(one)) for one in step.passes]
    return parts


def _bar(css_class: str, timeline: Timeline, start_s: float, end_s: float, top: int, told: str) -> str:
    x = _x(timeline, start_s)
    width = max(_x(timeline, end_s) - x, SHORTEST_BAR)
    size = f'x="{x:.1f}" y="{top}" width="{width:.1f}" height="{BAR_HEIGHT}"'
    return f'<rect class="{css_class}" {size}><title>{escape(told)}</title></rect>'
