"""The figures of a benchmark as markdown."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from benchmarks.jobs import Result
from benchmarks.summary import ALL, Cell, Group, Interval, Row, Summary, first_score, score_at

GROUP_TITLES = {ALL: "All datasets"}
SECONDS = (1, 10, 60)
"""At which the scores of the first system are shown."""


def markdown(summary: Summary) -> str:
    """The whole report: what it ran on, a table for each group, one with all datasets."""
    protocol = summary.protocol
    parts = [
        f"# Benchmark, protocol {protocol.name}: T = {protocol.time_budget:g} s, t0 = {protocol.t0:g} s",
        ran_on([run for cell in summary.cells.values() for run in cell.runs]),
        *(group_table(group, summary) for group in summary.groups),
        dataset_table(summary),
        over_time_table(summary),
    ]
    return "\n\n".join(parts) + "\n"


def ran_on(results: Sequence[Result]) -> str:
    """Machines and commits, with the number of runs where there are several."""

    def several(texts: Iterable[str]) -> str:
        counts = Counter(texts)
        return "; ".join(counts) if len(counts) == 1 else "; ".join(f"{text} ({n} runs)" for text, n in counts.items())

    machines = (
        f"{m['processor']}, {m['cores']} cores, {m['memory_gib']} GiB, Python {run['python']}"
        for run in results
        for m in [run["machine"]]
    )
    n_failed = sum(run["status"] != "finished" for run in results)
    return (
        f"{len(results)} runs, {n_failed} of them failed (their ALC counts what they had predicted). "
        f"Machine: {several(machines)}. Commit: {several(run['commit'] for run in results)}."
    )


def group_table(group: Group, summary: Summary) -> str:
    """One row for each system, by mean rank where it has one."""
    title = GROUP_TITLES.get(group.name, group.name.capitalize())
    first = summary.systems[0] if summary.systems else ""
    head = [
        "system",
        "datasets",
        "mean ALC [95 %]",
        "mean final NAUC",
        "mean rank",
        "first prediction, s",
        "90 % of the best",
        "99 %",
        f"ALC of {first} less its own",
        "failed",
    ]
    lines = [f"## {title} ({len(group.datasets)})", "", _line(head), _line(["---", *["--:"] * (len(head) - 1)])]
    rows = sorted(group.rows, key=lambda row: (row.rank is None, row.rank or 0.0, -row.alc.mean))
    lines += [_line(row_cells(row)) for row in rows]
    return "\n".join([*lines, "", ranking_text(group)])


def row_cells(row: Row) -> list[str]:
    """The cells of a row, as text."""
    return [
        row.system,
        str(row.n_datasets),
        interval_text(row.alc),
        f"{row.final_nauc:.4f}",
        "–" if row.rank is None else f"{row.rank:.2f}",
        number(row.first_s),
        *(f"{n} ({number(seconds)} s)" if n else "0" for n, seconds in row.reached),
        "" if row.ahead is None else interval_text(row.ahead, signed=True),
        str(row.n_failed),
    ]


def ranking_text(group: Group) -> str:
    """What the ranks tell apart, in words."""
    ranking = group.ranking
    if len(ranking.systems) < 2:
        return "No ranking: fewer than two systems were run on all of these datasets."
    if math.isnan(ranking.critical_difference):
        return "No critical difference: it needs two datasets."
    text = f"Critical difference of mean ranks (Nemenyi, 5 %): {ranking.critical_difference:.2f}"
    if not math.isnan(ranking.p_value):
        text += f"; Friedman test p = {ranking.p_value:.2g}"
    if not ranking.cliques:
        return f"{text}. All neighbours differ."
    cliques = " | ".join(", ".join(ranking.systems[first : last + 1]) for first, last in ranking.cliques)
    return f"{text}. Not told apart: {cliques}."


def dataset_table(summary: Summary) -> str:
    """ALC (and final NAUC) of each system on each dataset."""
    head = ["dataset", *summary.systems]
    lines = ["## ALC (final NAUC) by dataset", "", _line(head), _line(["---", *["--:"] * (len(head) - 1)])]
    for dataset in summary.datasets:
        cells = [summary.cells.get((dataset, system)) for system in summary.systems]
        best = max(cell.alc for cell in cells if cell)
        texts = []
        for cell in cells:
            text = f"{cell.alc:.4f} ({cell.final_nauc:.4f})" if cell else ""
            texts.append(f"**{text}**" if cell and cell.alc == best else text)
        lines.append(_line([dataset, *texts]))
    return "\n".join(lines)


def over_time_table(summary: Summary) -> str:
    """The first system on each dataset: its scores over time, and the peers that are best by ALC and in the end."""
    first = summary.systems[0]
    seconds = [s for s in SECONDS if s < summary.protocol.time_budget]
    head = ["dataset", "modality", "seeds", "ALC", "most between seeds", *(f"NAUC at {s} s" for s in seconds)]
    head += ["final", "first prediction, s (NAUC)", "best peer: ALC, final NAUC"]
    lines = [f"## {first} over time", "", _line(head), _line(["---", "---", *["--:"] * (len(head) - 3), "---"])]
    for dataset in summary.datasets:
        cell = summary.cells.get((dataset, first))
        if cell is None:
            continue
        alcs = [run["alc"] for run in cell.runs]
        texts = [dataset, cell.modality, str(cell.n_seeds), f"{cell.alc:.4f}"]
        texts.append(f"{max(alcs) - min(alcs):.4f}" if len(alcs) > 1 else "")
        texts += [f"{score_at(cell, s):.3f}" for s in seconds]
        texts += [f"{cell.final_nauc:.4f}", f"{number(cell.first_s)} ({first_score(cell):.3f})"]
        peers = [cell for (d, system), cell in summary.cells.items() if d == dataset and system != first]
        lines.append(_line([*texts, "; ".join(_peer_text(peer) for peer in _best_peers(peers))]))
    return "\n".join(lines)


def _best_peers(peers: Sequence[Cell]) -> list[Cell]:
    """By ALC, then by final NAUC where that is another one; none that never was better than chance."""
    able = [peer for peer in peers if peer.final_nauc > 0]
    if not able:
        return []
    early, late = max(able, key=lambda peer: peer.alc), max(able, key=lambda peer: peer.final_nauc)
    return [early] if early is late else [early, late]


def _peer_text(peer: Cell) -> str:
    return f"{peer.system} {peer.alc:.4f}, {peer.final_nauc:.4f}"


def interval_text(interval: Interval, signed: bool = False) -> str:
    """0.812 [0.790, 0.831]."""
    form = "+.3f" if signed else ".3f"
    return f"{interval.mean:{form}} [{interval.low:{form}}, {interval.high:{form}}]"


def number(seconds: float) -> str:
    """Seconds with three digits; a dash for what never was."""
    return f"{seconds:.3g}" if math.isfinite(seconds) else "–"


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
