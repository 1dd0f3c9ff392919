"""The scoring program: runs beside ingestion and draws the learning curve while predictions appear.

    python scoring/score.py --solution_dir=D --prediction_dir=P --score_dir=S [--protocol autodl|beta] [--help]

Reads NAME.solution from D, and start.txt, NAME.predict_K and end.txt from P, as the ingestion program writes them.
Writes to S: scores.txt (keys: see `report.py`), detailed_results.html and learning-curve-NAME.png.
A prediction that is unusable (another shape than the solution, NaN, later than the budget) is logged and ignored.

Exit code: 0 when it could score, also if nothing came (score 0); 1 on bad input, with the reason on stderr; 2 on bad
flags.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

if not __package__:  # run as a file: Python looks for modules beside it, where `scoring` cannot be found
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from scoring.curve import RULES
from scoring.errors import ScoringError
from scoring.flags import flag_adder, positive_seconds
from scoring.page import write_page
from scoring.plot import draw_png
from scoring.predictions import SOLUTION_SUFFIX, find_solution, read_solution
from scoring.report import METRICS, PROTOCOLS, Protocol, Report, State
from scoring.run_files import SCORES_FILE, write_text
from scoring.watch import Watch, WatchOptions

logger = logging.getLogger("scoring")
PNG_EVERY_S = 30.0  # drawing takes CPU from the model; the page shows each prediction at once anyway


class Publisher:
    """Writes what is known of a run to the score folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._drawn = time.monotonic()

    def publish(self, report: Report) -> None:
        """Write scores.txt and the page, and from time to time the PNG."""
        write_text(self._folder / SCORES_FILE, report.scores_text())
        write_page(report, self._folder)
        now = time.monotonic()
        if report.state.is_final or (report.scored and now - self._drawn > PNG_EVERY_S):
            self._drawn = now
            try:
                draw_png(report, self._folder)
            except ImportError:
                logger.warning("matplotlib is not installed: no learning-curve PNG; the page has the curve.")


class Cancellation:
    """Remembers, inside a `with`, that SIGINT or SIGTERM asked the program to end: it then scores what exists."""

    def __init__(self) -> None:
        self.is_asked = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Cancellation:
        self._before = {number: signal.signal(number, self._ask) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.is_asked = True


def parse_flags(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the command line; every flag may have one dash or two."""
    parser = argparse.ArgumentParser(
        prog="score.py", description="Score predictions as they appear, over log time.", allow_abbrev=False
    )
    add = flag_adder(parser)
    add("solution_dir", type=Path, required=True, metavar="DIR", help="folder with NAME.solution")
    add("prediction_dir", type=Path, required=True, metavar="DIR", help="folder that ingestion writes to")
    add("score_dir", type=Path, required=True, metavar="DIR", help="folder for the results; made if missing")
    add("protocol", choices=sorted(PROTOCOLS), default="autodl", help="autodl: NAUC, step; beta: 2*BAC-1, trapezoid")
    add("metric", choices=sorted(METRICS), help="instead of the protocol's metric")
    add("curve", choices=RULES, help="instead of the protocol's curve")
    add("t0", type=positive_seconds, default=60.0, metavar="S", help="time scale of the curve (default 60)")
    add("time_budget", type=positive_seconds, metavar="S", help="T, instead of what start.txt says")
    add("wait_s", type=positive_seconds, default=1800.0, metavar="S", help="how long to wait for start.txt (1800)")
    add("grace_s", type=positive_seconds, default=3.0, metavar="S", help="patience with a run that should be over (3)")
    return parser.parse_args(arguments)


def score(flags: argparse.Namespace) -> Report:
    """Score one run from its start to its end.

    Raises:
        ScoringError: the solution is unusable, or the run did not start in time.
        OSError: the score folder cannot be written.
    """
    path = find_solution(flags.solution_dir)
    chosen = PROTOCOLS[flags.protocol]
    report = Report(
        name=path.name.removesuffix(SOLUTION_SUFFIX),
        protocol=Protocol(flags.metric or chosen.metric, flags.curve or chosen.rule, flags.t0),
        time_budget=flags.time_budget or 0.0,
        state=State.WAITING,
    )
    solution = read_solution(path)
    flags.score_dir.mkdir(parents=True, exist_ok=True)
    publisher = Publisher(flags.score_dir)
    options = WatchOptions(flags.time_budget, flags.wait_s, flags.grace_s)
    with Cancellation() as cancellation:
        return Watch(
            flags.prediction_dir, solution, report, publisher.publish, lambda: cancellation.is_asked, options
        ).run()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stdout)
    flags = parse_flags(sys.argv[1:] if arguments is None else arguments)
    try:
        report = score(flags)
    except (ScoringError, OSError) as error:
        print(f"score.py: {error}", file=sys.stderr)
        return 1
    if report.cause:
        logger.warning("%s: %s", report.state.value, report.cause)
    logger.info("ALC %.4f from %d predictions.", report.curve().area(), len(report.scored))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
