"""FitRun: one `fit` of the command line, from the data to the last line.

RUN/model/          the best model so far, which `predict` loads
RUN/source.json     where the examples came from, and from which columns
RUN/page.html       how the run stands
RUN/fit.log         warnings, and why a stage failed
RUN/checkpoint/, RUN/run.json, RUN/stages.jsonl     see run_folder.py
"""

from __future__ import annotations

import logging
import shlex
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from autodl_solver.budget import Budget
from autodl_solver.cli.displays import Display, JsonDisplay, PlainDisplay, TerminalDisplay
from autodl_solver.cli.follower import Follower
from autodl_solver.cli.interrupts import Interrupts
from autodl_solver.cli.run_lock import LOCK_FILE, run_lock
from autodl_solver.cli.run_source import SPLIT, RunSource, read_training
from autodl_solver.cli.wording import duration_text
from autodl_solver.errors import InputError
from autodl_solver.explain.wording import printable
from autodl_solver.fitting import Fitting
from autodl_solver.inputs.sources import Labelled
from autodl_solver.run_folder import TORN_FILE, RunFolder
from autodl_solver.serve.live import LivePage
from autodl_solver.session import Status

PAGE_FILE, LOG_FILE = "page.html", "fit.log"


class FitRun:
    """See `fit --help` for the arguments."""

    def __init__(
        self,
        data: Path,
        out: Path,
        budget: Budget,
        label: str | None,
        kind: str | None,
        seed: int,
        resume: bool,
        as_json: bool,
    ) -> None:
        self._budget = budget
        self._data, self._label, self._kind, self._seed = data, label, kind, seed
        self._folder = RunFolder(out)
        self._resume, self._as_json = resume, as_json

    def run(self, serve: bool) -> None:
        """Learns, and tells how it goes.

        Raises:
            AutoDLSolverError, OSError: the data or the folder cannot be used.
        """
        goes_on = self._claim()
        with run_lock(self._folder.path), told_warnings(self._folder.path / LOG_FILE):
            found = read_training(self._data, self._label, self._kind)
            fitting = self._fitting(found, goes_on)
            RunSource(found.kind, found.columns).write(self._folder.path)
            display = self._display(fitting.status().elapsed_s if goes_on else 0.0)
            self._tell_begin(display, found, fitting.status(), goes_on)
            with Interrupts() as interrupts:
                self._learn(fitting, display, interrupts, serve)
                self._tell_end(display, fitting.status(), bool(interrupts.count))

    def _claim(self) -> bool:
        """Makes the folder, or finds a run in it; whether that goes on."""
        path, state = self._folder.path, self._folder.state
        if state == "done" and not self._resume:
            raise InputError(
                f"A new run needs a folder of its own; however {path} holds a finished run; give --out another folder, "
                f"or --resume to add {duration_text(self._budget.elapsed + self._budget.left)} to this one."
            )
        if state == "none":
            if self._resume:
                raise InputError(f"--resume adds time to a run; however {path} holds none; leave out --resume.")
            if path.is_dir() and {one.name for one in path.iterdir()} - {LOCK_FILE, LOG_FILE, TORN_FILE}:
                raise InputError(
                    f"A new run needs an empty folder; however {path} holds something else; give --out another one."
                )
        path.mkdir(parents=True, exist_ok=True)  # says early that nothing can be written there
        return state != "none"

    def _fitting(self, found: Labelled, goes_on: bool) -> Fitting:
        return Fitting(
            found.examples,
            found.labels,
            self._budget,
            kind=None if found.kind == SPLIT else found.kind,
            seed=self._seed,
            run=self._folder,
            resume=goes_on,
        )

    def _display(self, began_s: float) -> Display:
        if self._as_json:
            return JsonDisplay(began_s)
        return TerminalDisplay(began_s) if sys.stdout.isatty() else PlainDisplay(began_s)

    def _learn(self, fitting: Fitting, display: Display, interrupts: Interrupts, serve: bool) -> None:
        title, page = self._data.resolve().name, self._folder.path / PAGE_FILE
        with ExitStack() as open_now:
            if serve:
                live = open_now.enter_context(LivePage(fitting.status, fitting.stop, title=title))
                display.tell("page", f"live page  {live.url}", url=live.url)
            open_now.enter_context(Follower(fitting.status, fitting.stop, display, interrupts, page, title))
            for _ in fitting.models():
                pass  # each is saved as it comes
            fitting.finish()

    def _tell_begin(self, display: Display, found: Labelled, status: Status, goes_on: bool) -> None:
        n_examples, spent_s = len(found.names), status.elapsed_s
        kind = "dataset in AutoDL format" if found.kind == SPLIT else f"kind {found.kind}"
        text = f"{self._data}: {n_examples} examples, {kind}"
        if goes_on and spent_s >= status.budget_s:
            text += f"; all {duration_text(status.budget_s)} are spent, so this run ends; --resume adds time"
        elif goes_on:
            text += f"; going on after {duration_text(spent_s)} of {duration_text(status.budget_s)}"
        display.tell(
            "begin",
            text,
            data=str(self._data),
            run=str(self._folder.path),
            kind=found.kind,
            n_examples=n_examples,
            elapsed_s=spent_s,
            budget_s=status.budget_s,
        )

    def _tell_end(self, display: Display, status: Status, interrupted: bool) -> None:
        path = self._folder.path
        answer = (
            f"{status.score:.4f}   (1 is perfect, 0 is chance)" if status.curve else "none: class frequencies answer"
        )
        lines = [
            *(["", "Interrupted; the best so far is kept."] if interrupted else [""]),
            f"hold-out score  {answer}",
            f"stages          {status.n_stages} in {duration_text(status.elapsed_s)}",
            f"model           {self._folder.model}",
            f"page            {path / PAGE_FILE}",
            f"next            autodl-solver predict {shlex.quote(str(path))} NEW_DATA -o predictions.csv",
        ]
        display.tell(
            "end",
            "\n".join(lines),
            score=status.score,
            n_stages=status.n_stages,
            elapsed_s=status.elapsed_s,
            interrupted=interrupted,
            model=str(self._folder.model),
            page=str(path / PAGE_FILE),
        )


@contextmanager
def told_warnings(path: Path) -> Iterator[None]:
    """Warnings of the package on standard error, a line each; in a file all of it, with tracebacks."""
    kept = _LogFile(path, encoding="utf-8", errors="replace")
    kept.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    handlers = (_StandardError(logging.WARNING), kept)
    package = logging.getLogger("autodl_solver")
    level = package.level
    package.setLevel(logging.INFO)
    for handler in handlers:
        package.addHandler(handler)
    try:
        yield
    finally:
        package.setLevel(level)
        for handler in handlers:
            package.removeHandler(handler)
            with suppress(OSError):  # a full disk has been told of by then
                handler.close()


class _LogFile(logging.FileHandler):
    """On a full disk the log ends; what matters is told by whoever cannot write the run."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        """Nothing: a traceback a line would hide the one message that counts."""


class _StandardError(logging.Handler):
    """Looks for standard error each time: while the bar is shown, it is a stream that prints above the bar."""

    def emit(self, record: logging.LogRecord) -> None:
        """Prints the message, without its traceback."""
        with suppress(OSError):  # nobody reads it any more
            print(f"autodl-solver: {printable(record.getMessage())}", file=sys.stderr)
