"""`autodl-solver explain RUN`: the timeline of a run as text, and as a page."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("explain")
@click.argument("run_dir", metavar="RUN", type=click.Path(path_type=Path))
@click.option("--html", metavar="FILE", type=click.Path(path_type=Path), help="Write the timeline as a page, too.")
def explain_command(run_dir: Path, html: Path | None) -> None:
    """Show what ran when, at what cost and gain.

    RUN is a folder with stages.jsonl: of `fit`, or the output of run_local_test.py.
    """
    from autodl_solver.explain.page import page_html
    from autodl_solver.explain.text import timeline_text
    from autodl_solver.explain.timeline import Timeline

    timeline = Timeline.read(run_dir)
    click.echo(timeline_text(timeline))
    if html is not None:
        html.write_text(page_html(timeline), encoding="utf-8")
        click.echo(f"\npage  {html}")
