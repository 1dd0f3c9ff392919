"""Displays: how a run is shown while it goes on: on a terminal, as plain lines, or as JSON for machines.

A display is handed one Status after the other and finds out by itself what is new, so that it needs nothing from
whoever runs the stages.
"""

from __future__ import annotations

import json
import math
import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import click

from autodl_solver.cli.wording import answer_text, clock_text, duration_text, now_text, score_text

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

    from autodl_solver.session import Status

REPORTS = 30  # plain lines of a run in which nothing improves ...
REPORT_S = 10.0  # ... but not more often than that
BAR_WIDTH = 28


class Display(ABC):
    """Shows a run.

    Args:
        began_s: seconds of the run that an earlier process had spent; what happened then is not told again.
    """

    def __init__(self, began_s: float = 0.0) -> None:
        self._began_s = began_s
        self._n_stages = 0
        self._n_points = 0

    def show(self, status: Status) -> None:
        """Shows the moment, and tells what is new."""
        ended = status.stages[self._n_stages : status.n_stages]
        points = status.curve[self._n_points :]
        self._n_stages, self._n_points = status.n_stages, len(status.curve)
        for line in ended:
            if line.started_s >= self._began_s:
                self.tell("stage", "", **vars(line))
        for elapsed_s, score in points:
            if elapsed_s >= self._began_s:
                text = f"{duration_text(elapsed_s):>12}  hold-out score {score_text(score)}"
                self.tell("improvement", text, elapsed_s=elapsed_s, score=score)
        self._draw(status)

    @abstractmethod
    def tell(self, event: str, text: str, **facts: Any) -> None:
        """Tells what happened: the text is for people, the name of the event and its facts are for machines."""

    @abstractmethod
    def close(self) -> None:
        """Leaves the terminal as it was."""

    @abstractmethod
    def _draw(self, status: Status) -> None:
        """A moment has passed."""


class JsonDisplay(Display):
    """One JSON object a line on standard output: "event" names it, the rest are its facts; no NaN."""

    def tell(self, event: str, text: str, **facts: Any) -> None:
        """Prints the facts."""
        fields = {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in facts.items()
        }
        click.echo(json.dumps({"event": event, **fields}, allow_nan=False))

    def close(self) -> None:
        """Nothing to leave."""

    def _draw(self, status: Status) -> None:
        """Machines have clocks of their own."""


class PlainDisplay(Display):
    """Lines, for what is no terminal: one for each better answer, and now and then one that says what runs."""

    def __init__(self, began_s: float = 0.0) -> None:
        super().__init__(began_s)
        self._next_report = time.monotonic() + REPORT_S

    def tell(self, event: str, text: str, **facts: Any) -> None:
        """Prints the text, if there is one."""
        if text:
            click.echo(text)

    def close(self) -> None:
        """Nothing to leave."""

    def _draw(self, status: Status) -> None:
        if time.monotonic() >= self._next_report and status.state != "done":
            self._next_report = time.monotonic() + max(REPORT_S, status.budget_s / REPORTS)
            click.echo(f"{clock_text(status)}: {answer_text(status)}; {now_text(status)}")


class TerminalDisplay(Display):
    """A bar and a line below it, drawn again and again; what is told stays above them."""

    def __init__(self, began_s: float = 0.0) -> None:
        super().__init__(began_s)
        self._live: Live | None = None

    def tell(self, event: str, text: str, **facts: Any) -> None:
        """Prints the text, if there is one."""
        if not text:
            return
        if self._live is None:
            click.echo(text)
        else:
            self._live.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Takes the bar away."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _draw(self, status: Status) -> None:
        if self._live is None:
            from rich.live import Live

            self._live = Live(auto_refresh=False, transient=True)
            self._live.start()
        self._live.update(_table(status), refresh=True)


def _table(status: Status) -> Table:
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    bar = ProgressBar(total=status.budget_s, completed=min(status.elapsed_s, status.budget_s), width=BAR_WIDTH)
    table.add_row(bar, Text(clock_text(status), no_wrap=True))
    table.add_row(Text(answer_text(status), style="bold"), Text(now_text(status), overflow="ellipsis", no_wrap=True))
    return table
