"""`detailed_results.html`: one self-contained page per run, rewritten while the run goes on.

No script, no external resource; the browser reloads it by a meta tag until the run is over. Everything that comes
from a dataset or a program is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path

from scoring.page_style import STYLE
from scoring.report import METRICS, PROTOCOLS, Protocol, Report, Scored, State
from scoring.run_files import PAGE_FILE, write_text
from scoring.svg import curve_svg, seconds_text

RELOAD_S = 3
N_LATEST = 10

HEADLINES = {
    State.WAITING: "Waiting for the run to start",
    State.RUNNING: "Running",
    State.FINISHED: "Finished",
    State.STOPPED: "Stopped",
    State.FAILED: "Failed",
}


def write_page(report: Report, folder: Path) -> None:
    """Write `detailed_results.html` into `folder`."""
    write_text(folder / PAGE_FILE, page_html(report))


def page_html(report: Report) -> str:
    """The whole page as text."""
    reload = "" if report.state.is_final else f'<meta http-equiv="refresh" content="{RELOAD_S}">\n'
    alc = report.curve().area()
    title = f"{report.name}: ALC {alc:.4f}" if report.scored else f"{report.name}: {report.state.value}"
    body = "\n".join([_header(report), _figures(report, alc), _chart(report), _table(report), _footer(report)])
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n{reload}'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _header(report: Report) -> str:
    state = report.state
    clock = ""
    if state is State.RUNNING:
        clock = f"{seconds_text(report.elapsed)} of {seconds_text(report.time_budget)}"
    elif state is not State.WAITING and report.time_budget:
        clock = f"after {seconds_text(report.elapsed)} of {seconds_text(report.time_budget)}"
    share = 100 * report.elapsed / report.time_budget if report.time_budget else 0.0
    cause = f'<p class="cause">{escape(report.cause)}</p>' if report.cause else ""
    return (
        f'<header>\n<div class="title"><p class="kind">Learning curve</p><h1>{escape(report.name)}</h1></div>\n'
        f'<p class="state {state.value}"><b>{HEADLINES[state]}</b> {clock}</p>\n</header>\n'
        f'<div class="progress {state.value}"><i style="width:{share:.2f}%"></i></div>\n{cause}'
    )


def _figures(report: Report, alc: float) -> str:
    """The area in large type, the other figures beside it."""
    is_final, metric = report.state.is_final, METRICS[report.protocol.metric]
    small: list[tuple[str, str]] = []
    if report.scored:
        scores = [one.metrics.on_curve(report.protocol.metric) for one in report.scored]
        small = [
            (f"{'final' if is_final else 'latest'} {metric}", f"{scores[-1]:.4f}"),
            (f"best {metric}", f"{max(scores):.4f}"),
            ("first prediction", seconds_text(report.scored[0].seconds)),
            ("last prediction", seconds_text(report.scored[-1].seconds)),
            ("predictions", str(len(scores))),
        ]
    if report.n_ignored:
        small.append(("ignored", str(report.n_ignored)))
    shown = f"{alc:.4f}" if report.scored or is_final else "–"
    so_far = "" if is_final else " so far"
    tiles = "".join(f"<div><dt>{escape(name)}</dt><dd>{value}</dd></div>" for name, value in small)
    return (
        f'<section class="figures">\n<div class="hero"><p>ALC{so_far}</p><strong>{shown}</strong></div>\n'
        f"<dl>{tiles}</dl>\n</section>"
    )


def _chart(report: Report) -> str:
    if not report.time_budget:
        return ""
    return (
        '<section class="card">\n'
        f"{curve_svg(report, 920, 400, 'wide')}\n{curve_svg(report, 420, 340, 'narrow')}\n</section>"
    )


def _table(report: Report) -> str:
    if not report.scored:
        return '<section class="card"><p class="empty">No prediction yet.</p></section>' if report.time_budget else ""
    latest, older = report.scored[: -N_LATEST - 1 : -1], report.scored[-N_LATEST - 1 :: -1]
    older = older if len(report.scored) > N_LATEST else ()
    more = f"<details><summary>{len(older)} earlier</summary>{_rows(older)}</details>" if older else ""
    return f'<section class="card">\n<h2>Predictions, latest first</h2>\n{_rows(latest)}\n{more}</section>'


def _rows(scored: Iterable[Scored]) -> str:
    head = "".join(f"<th>{name}</th>" for name in ("k", "time", "NAUC", "BAC", "Accuracy", "F1"))
    rows = "\n".join(_row(one) for one in scored)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>\n{rows}\n</tbody></table></div>'


def _row(one: Scored) -> str:
    values = (one.metrics.nauc, one.metrics.bac, one.metrics.accuracy, one.metrics.f1)
    cells = [str(one.k), seconds_text(one.seconds), *(f"{value:.4f}" for value in values)]
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _footer(report: Report) -> str:
    rule, t0 = report.protocol.rule, report.protocol.t0
    metric = escape(METRICS[report.protocol.metric])
    each = (f"{name} {report.curve(Protocol(p.metric, p.rule, t0)).area():.4f}" for name, p in PROTOCOLS.items())
    budget = f"{report.time_budget:g} s" if report.time_budget else "the budget"
    return (
        f"<footer>\n<p>ALC is the area under the {rule} curve of {metric} over log(1 + t/t0) / log(1 + T/t0), with "
        f"t0 = {t0:g} s and T = {budget}; the last score is held until T. By protocol: {', '.join(each)}.</p>\n"
        "<p>NAUC is 2·AUC − 1, mean over classes. BAC is the mean over classes of (TPR + TNR) / 2, scores thresholded "
        "at 0.5. Accuracy asks whether the highest score falls on a true label.</p>\n</footer>"
    )
