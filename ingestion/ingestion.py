"""The ingestion program: trains a challenge `Model` on a dataset under a budget and writes its predictions.

    python ingestion/ingestion.py --dataset_dir=DIR --output_dir=DIR --code_dir=DIR [--time_budget=1200]

DIR of the dataset holds one folder NAME.data; DIR of the code holds model.py. Flags take one dash or two.
The protocol is described in docs/challenge_api.md. Exit code 0: the model did its work; 1: see the log and end.txt.
"""

import argparse
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

_DEFAULT_BUDGET_S = 1200.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line and run; the exit code."""
    options = _parse(arguments)
    _import_own_package()
    from ingestion.session import Settings, run

    dataset_dir, code_dir = Path(options.dataset_dir), Path(options.code_dir)
    if dataset_dir.match("run/input") and code_dir.match("run/program"):  # CodaLab names them so, and means others
        dataset_dir, code_dir = dataset_dir.with_name("input_data"), code_dir.with_name("submission")
    return run(
        Settings(
            dataset_dir=dataset_dir.absolute(),
            output_dir=Path(options.output_dir).absolute(),
            code_dir=code_dir.absolute(),
            score_dir=Path(options.score_dir).absolute() if options.score_dir else None,
            time_budget=options.time_budget,
            init_time_budget=options.init_time_budget,
        )
    )


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="ingestion.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )

    def add(name: str, **how: object) -> None:
        parser.add_argument(f"--{name}", f"-{name}", **how)  # type: ignore[arg-type]

    add("dataset_dir", required=True, help="folder that holds exactly one NAME.data")
    add("output_dir", required=True, help="start.txt, NAME.predict_K and end.txt are written there")
    add("code_dir", required=True, help="folder that holds model.py with the class Model")
    add("score_dir", help="at the end, everything in output_dir is copied there")
    add("ingestion_program_dir", help="accepted, as the official program does, and not needed")
    add("time_budget", type=_seconds, default=_DEFAULT_BUDGET_S, help="seconds for train and test (default: 1200)")
    add("init_time_budget", type=_seconds, default=_DEFAULT_BUDGET_S, help="seconds to construct Model (default: 1200)")
    return parser.parse_args(arguments)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < threading.TIMEOUT_MAX:
        raise argparse.ArgumentTypeError(f"a budget must be a positive number of seconds, however it is {text!r}")
    return value


def _import_own_package() -> None:
    """Make `ingestion` importable when this file is run by its path, without leaving a trace on sys.path.

    Python then puts the folder of this file first on sys.path, where `import dataset` in a submission would find ours;
    so that entry goes. Ours are imported here, all of them, as parts of a package, whose folder then goes as well.
    """
    if __package__:
        return
    own = Path(__file__).resolve().parent
    sys.path[:] = [entry for entry in sys.path if not entry or Path(entry).resolve() != own]
    sys.path.insert(0, str(own.parent))
    try:
        import ingestion.formatting
        import ingestion.session  # noqa: F401
    finally:
        del sys.path[0]


def _leave(exit_code: int) -> None:
    """End the process even if the model left threads behind, which might never end or crash while it is taken down."""
    if threading.active_count() > 1:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(exit_code)
    sys.exit(exit_code)


if __name__ == "__main__":
    _leave(main())
