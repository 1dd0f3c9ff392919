"""The timeline of a run as text: a table, and below it a bar for each stage."""

from __future__ import annotations

from autodl_solver.explain.timeline import Step, Timeline
from autodl_solver.explain.wording import COLUMNS, cells, facts_text, name_of, printable, results_text, seconds_text

BAR_WIDTH = 60
FIT, PREDICT = "#", "="


def timeline_text(timeline: Timeline) -> str:
    """The whole text, lines without trailing space."""
    lines = [printable(timeline.facts.dataset), facts_text(timeline.facts), results_text(timeline)]
    if timeline.n_earlier_runs:
        lines.append(f"the last of {timeline.n_earlier_runs + 1} runs in this log")
    if timeline.steps:
        lines += ["", *_table(timeline), "", *_bars(timeline)]
    return "\n".join(line.rstrip() for line in lines)


def _table(timeline: Timeline) -> list[str]:
    rows = [COLUMNS, *(cells(step) for step in timeline.steps)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    last = len(COLUMNS) - 1
    return [
        "  ".join(
            text.ljust(width) if column in (0, last) else text.rjust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]


def _bars(timeline: Timeline) -> list[str]:
    """One bar a stage, on the log time of the learning curve."""
    width = max(len(name_of(step)) for step in timeline.steps)
    legend = f"{FIT} fit  {PREDICT} test pass; 0 to {seconds_text(timeline.end_s)} in log time"
    return [legend, *(f"{name_of(step):<{width}}  |{_bar(step, timeline)}|" for step in timeline.steps)]


def _bar(step: Step, timeline: Timeline) -> str:
    spans = [(one.entry.started_s, one.end_s, PREDICT) for one in step.passes]
    if step.stage is not None:
        spans.append((step.stage.started_s, step.stage.started_s + step.stage.fit_s, FIT))
    bar = [" "] * BAR_WIDTH
    for start, end, mark in sorted(spans):
        first = min(int(timeline.fraction(start) * BAR_WIDTH), BAR_WIDTH - 1)
        for column in range(first, max(first + 1, round(timeline.fraction(end) * BAR_WIDTH))):
            bar[column] = mark
    return "".join(bar)
