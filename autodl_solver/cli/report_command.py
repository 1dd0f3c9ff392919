"""`autodl-solver report RUN`: the learning curve and the timeline of a run as a page."""

from __future__ import annotations

from pathlib import Path

import click

REPORT_FILE = "report.html"


@click.command("report")
@click.argument("run_dir", metavar="RUN", type=click.Path(path_type=Path))
@click.option(
    "--out", "out", metavar="FILE", type=click.Path(path_type=Path), help=f"The page; by default RUN/{REPORT_FILE}."
)
def report_command(run_dir: Path, out: Path | None) -> None:
    """Write a page about a run.

    It holds the learning curve, what ran when, and what each stage cost and brought."""
    from autodl_solver.cli.whole_files import write_whole
    from autodl_solver.explain.page import page_html
    from autodl_solver.explain.timeline import Timeline
    from autodl_solver.explain.wording import facts_text, results_text

    timeline = Timeline.read(run_dir)
    path = run_dir / REPORT_FILE if out is None else out
    with write_whole(path) as file:
        file.write(page_html(timeline))
    click.echo(facts_text(timeline.facts))
    click.echo(results_text(timeline))
    click.echo(f"page  {path}")
