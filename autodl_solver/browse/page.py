"""A dataset as one self-contained page: no script, no external resource, all that comes from the dataset escaped."""

from __future__ import annotations

import os
from pathlib import Path

from autodl_solver.browse.cards import example_cards, safe
from autodl_solver.browse.overview import ColumnFacts, Overview
from autodl_solver.browse.style import STYLE
from autodl_solver.browse.wording import facts_of, number

MOST_BARS = 200
MOST_COLUMNS = 200


def browse_page(path: str | os.PathLike[str]) -> str:
    """The page of a dataset in AutoDL format, as text.

    Args:
        path: NAME.data, or the folder that it is in.
    Raises:
        InputError: there is no dataset.
        DataError: it is damaged.
    """
    overview = Overview.read(Path(path))
    name = safe(overview.info.name)
    facts = "".join(f"<div><dt>{safe(fact)}</dt><dd>{safe(value)}</dd></div>" for fact, value in facts_of(overview))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{name}: {overview.modality.value} dataset</title>
<style>{STYLE}</style>
</head>
<body>
<main class="{overview.modality.value}">
<h1>{name}</h1>
<section><dl>{facts}</dl></section>
<section><h2>Training rows of each class</h2>
{_bars(overview)}
</section>
{_columns(overview.columns)}<section><h2>Examples</h2>
{example_cards(overview)}
</section>
</main>
</body>
</html>
"""


def _bars(overview: Overview) -> str:
    counts = overview.class_counts.tolist()
    longest = max(*counts, 1)
    rows = [
        f'<tr><th><span>{safe(overview.class_name(k))}</span></th><td class="number">{number(count)}</td>'
        f'<td class="bar"><i style="width:{100 * count / longest:.2f}%"></i></td></tr>'
        for k, count in enumerate(counts[:MOST_BARS])
    ]
    more = f"<p>{len(counts) - MOST_BARS} more classes are not shown.</p>" if len(counts) > MOST_BARS else ""
    return f'<table class="bars"><tbody>{"".join(rows)}</tbody></table>{more}'


def _columns(columns: tuple[ColumnFacts, ...]) -> str:
    if not columns:
        return ""
    rows = "".join(
        f"<tr><th>{safe(column.name)}</th>"
        + "".join(f"<td>{number(value)}</td>" for value in (column.low, column.mean, column.high))
        + f"<td>{f'{column.missing:.1%}' if column.missing else ''}</td></tr>"
        for column in columns[:MOST_COLUMNS]
    )
    more = f"<p>{len(columns) - MOST_COLUMNS} more columns are not shown.</p>" if len(columns) > MOST_COLUMNS else ""
    head = "<tr><th>column</th><td>lowest</td><td>mean</td><td>highest</td><td>missing</td></tr>"
    return (
        f'<section><h2>Columns</h2><div class="scroll"><table class="columns"><thead>{head}</thead>'
        f"<tbody>{rows}</tbody></table></div>{more}</section>\n"
    )
