"""`autodl-solver fit DATA --out RUN`: learn a user's own data within a budget; its flags. fit_run.py does the work."""

from __future__ import annotations

from pathlib import Path

import click

from autodl_solver.budget import Budget, parse_duration
from autodl_solver.errors import InputError

KINDS = ("table", "text", "series", "image", "audio", "video")


def _seconds(context: click.Context, option: click.Parameter, text: str) -> float:
    """Seconds; a bad flag where the text is no duration."""
    try:
        return parse_duration(text)
    except InputError as error:
        raise click.BadParameter(str(error)) from error


@click.command("fit")
@click.argument("data", type=click.Path(path_type=Path))
@click.option(
    "--out", "out", required=True, metavar="RUN", type=click.Path(path_type=Path), help="Folder that keeps the run."
)
@click.option(
    "--budget",
    "budget_s",
    callback=_seconds,
    default="5m",
    show_default=True,
    metavar="TIME",
    help="Time to learn, such as 90, 90s, 5m or 1h30m; with --resume, time to add to a finished run.",
)
@click.option("--label", metavar="COLUMN", help="Column with the label; several with commas between, of 0 and 1 each.")
@click.option("--kind", type=click.Choice(KINDS), help="What the examples are, if their looks do not tell.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Of all that is random.")
@click.option("--resume", is_flag=True, help="Add time to a finished run.")
@click.option("--serve", is_flag=True, help="Show the run on a local page with a button that stops it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each event, and nothing else.")
def fit_command(
    data: Path,
    out: Path,
    budget_s: float,
    label: str | None,
    kind: str | None,
    seed: int,
    resume: bool,
    serve: bool,
    as_json: bool,
) -> None:
    """Learn to classify the examples of DATA.

    DATA is a folder with one folder of files for each class; a table (CSV, TSV, JSON lines, Parquet) of numbers, words
    and dates, or of texts, or of files, and their labels; an .npz file with X and y; or a dataset in AutoDL format.

    Everything learned is kept in RUN after each stage: after a crash the same command goes on from there. Ctrl-C ends
    the run with the best so far; a second one leaves at once.
    """
    budget = Budget(budget_s)  # the time that imports take counts, too
    if not data.exists():
        raise InputError(f"DATA must be a file or a folder; however there is nothing at {data}; check the path.")
    from autodl_solver.cli.fit_run import FitRun

    FitRun(data, out, budget, label, kind, seed, resume, as_json).run(serve)
