"""A dataset in the terminal: its facts, and a bar for each class."""

from __future__ import annotations

import os
from pathlib import Path

from autodl_solver.browse.overview import Overview
from autodl_solver.browse.wording import facts_of, number, printable

BAR_WIDTH = 40
LONGEST_NAME = 24
MOST_BARS = 40


def browse_text(path: str | os.PathLike[str]) -> str:
    """The facts of a dataset in AutoDL format, lines without trailing space.

    Args:
        path: NAME.data, or the folder that it is in.
    Raises:
        InputError: there is no dataset.
        DataError: it is damaged.
    """
    overview = Overview.read(Path(path))
    facts = facts_of(overview)
    width = max(len(name) for name, _ in facts)
    lines = [printable(overview.info.name), *(f"  {name:<{width}}  {value}" for name, value in facts), ""]
    return "\n".join([*lines, *_bars(overview)])


def _bars(overview: Overview) -> list[str]:
    counts = overview.class_counts.tolist()
    names = [_short(printable(overview.class_name(k))) for k in range(min(len(counts), MOST_BARS))]
    width, longest = max(len(name) for name in names), max(*counts, 1)
    digits = max(len(number(count)) for count in counts)
    lines = [
        f"  {name:<{width}}  {number(count):>{digits}}  {'#' * round(BAR_WIDTH * count / longest)}".rstrip()
        for name, count in zip(names, counts, strict=False)
    ]
    return [*lines, f"  and {len(counts) - MOST_BARS} more classes"] if len(counts) > MOST_BARS else lines


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
