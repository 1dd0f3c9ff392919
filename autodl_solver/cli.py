"""Command line: `python -m autodl_solver explain RUN_DIR [--html FILE]`.

Exit code: 0, 1 when the input breaks a rule, 2 on bad flags. Each command imports what it needs when it runs, so that
--help is quick.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Sequence
from pathlib import Path

from autodl_solver import __version__
from autodl_solver.errors import AutoDLSolverError


def parse_flags(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m autodl_solver", description="Look inside a run of the any-time solver.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    explain = commands.add_parser(
        "explain",
        help="show which stage ran when, its cost, its score and its weight",
        description="Show which stage of a run ran when, its cost, its score and its weight in the answer.",
        allow_abbrev=False,
    )
    explain.add_argument("run_dir", type=Path, metavar="RUN_DIR", help="output folder of a run, with stages.jsonl")
    explain.add_argument("--html", type=Path, metavar="FILE", help="write the timeline as a page, too")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit code."""
    flags = parse_flags(sys.argv[1:] if arguments is None else arguments)
    try:
        _explain(flags.run_dir, flags.html)
    except (AutoDLSolverError, OSError) as error:
        print(f"autodl_solver: {error}", file=sys.stderr)
        return 1
    return 0


def _explain(run_dir: Path, html: Path | None) -> None:
    from autodl_solver.explain.page import page_html
    from autodl_solver.explain.text import timeline_text
    from autodl_solver.explain.timeline import Timeline

    timeline = Timeline.read(run_dir)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # names may hold what the terminal cannot show
    print(timeline_text(timeline))
    if html is not None:
        html.write_text(page_html(timeline), encoding="utf-8")
        print(f"\npage  {html}")
