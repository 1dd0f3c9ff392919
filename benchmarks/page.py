"""The benchmark as one self-contained page: rankings, tables, and the curves of all systems on each dataset.

No script and no external resource; everything that comes from a dataset, a system or a result is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from benchmarks.page_svg import curves_svg, ranking_svg
from benchmarks.summary import Cell, Group, Summary
from benchmarks.tables import GROUP_TITLES, number, ran_on, ranking_text, row_cells
from scoring.page_style import STYLE

# Told apart by hue and, from the ninth on, by dashes too; each pair is for a light and a dark page.
COLOURS = (
    ("#1f63c0", "#6ea8fe"),
    ("#c2410c", "#fb923c"),
    ("#15803d", "#4ade80"),
    ("#7e22ce", "#c084fc"),
    ("#be185d", "#f472b6"),
    ("#0e7490", "#22d3ee"),
    ("#a16207", "#facc15"),
    ("#475569", "#94a3b8"),
)
OWN_STYLE = """
main { max-width: 1180px; }
table { font-size: 13.5px; }
th, td { padding: 5px 8px; }
nav { display: flex; flex-wrap: wrap; gap: 4px 14px; margin: 12px 0 20px; font-size: 13px; }
a { color: var(--accent); }
h2 { font-size: 18px; margin: 26px 0 10px; }
h3 { font-size: 15px; margin: 0 0 8px; font-weight: 600; overflow-wrap: anywhere; }
.note { color: var(--soft); font-size: 13px; margin: 8px 0 0; }
.line, .lead { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
.line.s0 { stroke-width: 3; }
.point { stroke: none; }
.target { fill: transparent; }
.clique { stroke: var(--ink); stroke-width: 4; stroke-linecap: round; }
svg text.name { fill: var(--ink); font-size: 13px; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 10px 0 0; padding: 0; list-style: none;
  font-size: 13px; }
.legend svg { display: inline-block; width: 22px; height: 8px; margin-right: 6px; vertical-align: middle; }
.failed { color: var(--bad); }
td:first-child { font-weight: 550; }
"""


def page_html(summary: Summary) -> str:
    """The whole page as text."""
    protocol = summary.protocol
    title = f"Benchmark, protocol {protocol.name}"
    runs = [run for cell in summary.cells.values() for run in cell.runs]
    curves = "\n".join(_dataset(summary, dataset) for dataset in summary.datasets)
    body = "\n".join(
        [
            f'<header><div class="title"><p class="kind">T = {protocol.time_budget:g} s, t0 = {protocol.t0:g} s</p>'
            f"<h1>{escape(title)}</h1></div></header>",
            f'<p class="note">{escape(ran_on(runs))}</p>',
            _contents(summary),
            *(_group(group, summary) for group in summary.groups),
            f"<h2>Learning curves</h2>\n{curves}",
            _footer(),
        ]
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}{OWN_STYLE}{_colours(len(summary.systems))}</style>\n"
        f"</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _colours(n_systems: int) -> str:
    """Style rules s0, s1, ... for a light and a dark page."""
    light, dark = [], []
    for i in range(n_systems):
        pair = COLOURS[i % len(COLOURS)]
        dashes = " stroke-dasharray: 6 3;" if i >= len(COLOURS) else ""
        light.append(f".s{i} {{ stroke: {pair[0]};{dashes} }} .point.s{i} {{ fill: {pair[0]}; }}")
        dark.append(f".s{i} {{ stroke: {pair[1]}; }} .point.s{i} {{ fill: {pair[1]}; }}")
    return "\n".join([*light, "@media (prefers-color-scheme: dark) {", *dark, "}"]) + "\n"


def _contents(summary: Summary) -> str:
    links = [f'<a href="#group-{i}">{escape(_title(group))}</a>' for i, group in enumerate(summary.groups)]
    links += [f'<a href="#dataset-{i}">{escape(dataset)}</a>' for i, dataset in enumerate(summary.datasets)]
    return f"<nav>{''.join(links)}</nav>"


def _title(group: Group) -> str:
    return f"{GROUP_TITLES.get(group.name, group.name.capitalize())} ({len(group.datasets)})"


def _group(group: Group, summary: Summary) -> str:
    first = summary.systems[0]
    head = (
        "system",
        "datasets",
        "mean ALC [95 %]",
        "final NAUC",
        "rank",
        "first, s",
        "to 90 %",
        "to 99 %",
        f"{first} ahead by",
        "failed",
    )
    rows = sorted(group.rows, key=lambda row: (row.rank is None, row.rank or 0.0, -row.alc.mean))
    has_diagram = len(group.ranking.systems) > 1
    diagram = f"{ranking_svg(group.ranking, summary.systems)}\n" if has_diagram else ""
    index = summary.groups.index(group)
    return (
        f'<h2 id="group-{index}">{escape(_title(group))}</h2>\n<section class="card">\n{diagram}'
        f"{_table(head, (row_cells(row) for row in rows))}\n"
        f'<p class="note">{escape(ranking_text(group))}</p>\n</section>'
    )


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    def line(tag: str, cells: Iterable[str]) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    body = "\n".join(line("td", row) for row in rows)
    return f'<div class="scroll"><table><thead>{line("th", head)}</thead><tbody>\n{body}\n</tbody></table></div>'


def _dataset(summary: Summary, dataset: str) -> str:
    cells = [summary.cells[dataset, s] for s in summary.systems if (dataset, s) in summary.cells]
    index = summary.datasets.index(dataset)
    legend = "".join(_legend(cell, summary) for cell in sorted(cells, key=lambda cell: -cell.alc))
    failures = "".join(f'<p class="note failed">{escape(_failure(cell))}</p>' for cell in cells if cell.n_failed)
    return (
        f'<section class="card" id="dataset-{index}">\n<h3>{escape(dataset)}, {escape(cells[0].modality)}</h3>\n'
        f"{curves_svg(dataset, cells, summary.systems, summary.protocol)}\n"
        f'<ul class="legend">{legend}</ul>\n{failures}</section>'
    )


def _legend(cell: Cell, summary: Summary) -> str:
    number_ = summary.systems.index(cell.system)
    text = f"{cell.system}: ALC {cell.alc:.4f}, first {number(cell.first_s)} s, final {cell.final_nauc:.4f}"
    swatch = (
        f'<svg viewBox="0 0 22 8" aria-hidden="true"><line class="line s{number_}" x1="0" y1="4" x2="22" y2="4"/></svg>'
    )
    return f"<li>{swatch}{escape(text)}</li>"


def _failure(cell: Cell) -> str:
    causes = "; ".join(
        f"seed {run['seed']}: {run['status']}, {' '.join(run['cause'].split())[:300]}"
        for run in cell.runs
        if run["status"] != "finished"
    )
    return f"{cell.system}: {causes}"


def _footer() -> str:
    return (
        "<footer>\n<p>ALC is the area under the step curve of NAUC (2·AUC − 1, mean over classes) over log(1 + t/t0) / "
        "log(1 + T/t0). Intervals: 95 %, percentile bootstrap over datasets. Ranks: by ALC, mean over the datasets of "
        "the group, among the systems that were run on all of them; bars join systems whose mean ranks differ by less "
        "than the critical difference (Nemenyi, 5 %). 'To 90 %': on how many datasets that share of the best final "
        "score of any system was reached, and the median of the seconds that it took there.</p>\n</footer>"
    )
