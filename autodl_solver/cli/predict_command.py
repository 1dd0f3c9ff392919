"""`autodl-solver predict RUN NEW_DATA`: labels and probabilities of new examples as a CSV file."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("predict")
@click.argument("run_dir", metavar="RUN", type=click.Path(path_type=Path))
@click.argument("new_data", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--out",
    "out",
    metavar="FILE",
    default="predictions.csv",
    show_default=True,
    type=click.Path(path_type=Path),
    help="The predictions.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object about the predictions, and nothing else.")
def predict_command(run_dir: Path, new_data: Path, out: Path, as_json: bool) -> None:
    """Predict labels of new examples.

    NEW_DATA is a folder of files (in class folders or not), one file, a table with the columns learned from, or an
    array. The predictions have a row for each example: its name, its label (several: with ";" between), a probability
    for each class, and, where a file could not be read, the problem; such a row holds the class frequencies.
    """
    from autodl_solver.cli.run_source import RunSource

    source = RunSource.read(run_dir)  # says that there is no run before anything heavy is imported
    from autodl_solver.cli.predict_run import predict

    predict(run_dir, source, new_data, out, as_json)
