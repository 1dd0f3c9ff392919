"""`autodl-solver convert DATA OUT`: a user's own data as a dataset in AutoDL format."""

from __future__ import annotations

from pathlib import Path

import click

from autodl_solver.cli.fit_command import KINDS


@click.command("convert")
@click.argument("data", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--label", metavar="COLUMN", help="Column with the label; several with commas between, of 0 and 1 each.")
@click.option("--kind", type=click.Choice(KINDS), help="What the examples are, if their looks do not tell.")
@click.option(
    "--test-share",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.2,
    show_default=True,
    help="Share of the examples of each class that becomes the test split.",
)
@click.option("--name", metavar="NAME", help="Of the dataset; by default that of DATA.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Of the split.")
def convert_command(
    data: Path, out: Path, label: str | None, kind: str | None, test_share: float, name: str | None, seed: int
) -> None:
    """Write DATA as a dataset in AutoDL format.

    DATA is what `fit` takes. The dataset is the folder OUT/NAME: records and metadata of a training and a test split,
    and the solution of the test split.
    """
    from autodl_solver.convert import convert

    click.echo(f"dataset  {convert(data, out, label=label, kind=kind, test_share=test_share, seed=seed, name=name)}")
