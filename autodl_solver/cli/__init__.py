"""Command line: `autodl-solver COMMAND`, or `python -m autodl_solver COMMAND`; --help lists the commands.

Exit code: 0; 1 when the input breaks a rule, which standard error tells; 2 on bad flags; 130 when interrupted. Each
command imports what it needs when it runs, so that --help is quick.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence

import click

from autodl_solver import __version__
from autodl_solver.cli.browse_command import browse_command
from autodl_solver.cli.convert_command import convert_command
from autodl_solver.cli.explain_command import explain_command
from autodl_solver.cli.fit_command import fit_command
from autodl_solver.cli.predict_command import predict_command
from autodl_solver.cli.report_command import report_command
from autodl_solver.errors import AutoDLSolverError

PROGRAM = "autodl-solver"
RULE_BROKEN, BAD_FLAGS, INTERRUPTED = 1, 2, 130

__all__ = ["main"]


@click.group(
    commands=[fit_command, predict_command, report_command, convert_command, browse_command, explain_command],
    context_settings={"max_content_width": 100},
)
@click.version_option(__version__, message="%(version)s")
def program() -> None:
    """Learn to classify your own images, sounds, videos, texts, tables and series within a time budget.

    \b
    autodl-solver fit flowers/ --budget 5m --out run        a folder of class folders, or a table
    autodl-solver predict run new/ -o predictions.csv       labels and probabilities
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # names may hold what the terminal cannot show
    try:
        code = program.main(
            args=None if arguments is None else list(arguments), prog_name=PROGRAM, standalone_mode=False
        )
        sys.stdout.flush()
        return int(code or 0)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo(f"\n{PROGRAM}: interrupted", err=True)
        return INTERRUPTED
    except BrokenPipeError:  # whoever read our output has left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return RULE_BROKEN
    except (AutoDLSolverError, OSError) as error:
        click.echo(f"{PROGRAM}: {error}", err=True)
        return RULE_BROKEN
