"""`autodl-solver browse DATASET`: numbers, class balance, and a page with examples."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("browse")
@click.argument("dataset", type=click.Path(path_type=Path))
@click.option("--out", "out", metavar="FILE", type=click.Path(path_type=Path), help="Write a page with examples, too.")
def browse_command(dataset: Path, out: Path | None) -> None:
    """Show what a dataset in AutoDL format holds.

    DATASET is NAME.data or the folder that it is in; `convert` makes one. The page shows example pictures, waveforms,
    texts or rows.
    """
    from autodl_solver.browse import browse_page, browse_text
    from autodl_solver.cli.whole_files import write_whole

    click.echo(browse_text(dataset))
    if out is not None:
        with write_whole(out) as file:
            file.write(browse_page(dataset))
        click.echo(f"\npage  {out}")
