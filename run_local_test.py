"""Runs a submission on one dataset as the challenge does: ingestion and scoring side by side, then prints the ALC.

    python run_local_test.py -dataset_dir=D -code_dir=. -time_budget=60 [-t0=60] [-protocol=beta] [-output_dir=OUT]

Flags have one dash or two, and `=` or a space before the value; --help lists them. Below OUT (default
output/NAME) lie afterwards:

    predictions/    start.txt, NAME.predict_K, end.txt
    scores/         scores.txt, detailed_results.html (a live page), learning-curve-NAME.png
    ingestion.log   what the submission printed
    scoring.log     what the scoring program printed
    stages.jsonl    what our solver ran when (python -m autodl_solver explain OUT); other submissions write none

The submission sees a view of the dataset without the solution, see `dataset_view`. Exit code: 0 when ingestion and
scoring succeeded, 1 when one of them failed or the input breaks a rule, 2 on bad flags, 130 after Ctrl-C.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import webbrowser
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from scoring.flags import flag_adder, positive_seconds
from scoring.live import LiveLine, Results
from scoring.run_files import END_FILE, PAGE_FILE, SCORES_FILE, START_FILE

ROOT = Path(__file__).resolve().parent
SAMPLE_DATA = ROOT / "sample_data"
PREDICTIONS, SCORES, INGESTION_LOG, SCORING_LOG = "predictions", "scores", "ingestion.log", "scoring.log"
STAGE_LOG = "stages.jsonl"
RUN_DIR_VARIABLE = "AUTODL_RUN_DIR"  # tells the solver where the stage log goes
POLL_S = 0.2
N_LOG_LINES = 15
STOP_GRACE_S = 5.0  # what the programs may take to end after SIGTERM


class LocalTestError(Exception):
    """The flags or folders break a rule; the text says which, and what to do."""


@dataclass(frozen=True)
class Dataset:
    """One dataset on disk: `folder` holds NAME.data and NAME.solution."""

    name: str
    folder: Path


def parse_flags(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="run_local_test.py",
        description="Run a submission on one dataset, with ingestion and scoring side by side, and print its ALC.",
        allow_abbrev=False,
    )
    add = flag_adder(parser)
    add("dataset_dir", type=Path, metavar="DIR", help="folder with NAME.data and NAME.solution (default: a sample)")
    add("code_dir", type=Path, default=ROOT, metavar="DIR", help="folder with model.py (default: this repository)")
    add("time_budget", type=positive_seconds, default=1200.0, metavar="S", help="seconds to train and predict (1200)")
    add("t0", type=positive_seconds, default=60.0, metavar="S", help="time scale of the learning curve (60)")
    add("protocol", choices=("autodl", "beta"), default="autodl", help="autodl: NAUC, step; beta: 2*BAC-1, trapezoid")
    add("output_dir", type=Path, metavar="DIR", help="where results go (default: output/NAME)")
    add("open", action="store_true", help="open the live page in a browser")
    return parser.parse_args(arguments)


def find_dataset(folder: Path | None) -> Dataset:
    """The dataset in `folder`, or in its only sub-folder that has one; without a folder, a sample.

    Raises:
        LocalTestError: there is none, there are several, or the solution is missing.
    """
    if folder is None:
        samples = sorted(path.parent for path in SAMPLE_DATA.glob("*/*.data"))
        if not samples:
            raise LocalTestError(f"Without -dataset_dir a sample is used, however {SAMPLE_DATA} has none; give one.")
        digits = SAMPLE_DATA / "digits"
        folder = digits if digits in samples else samples[0]
    if not folder.is_dir():
        raise LocalTestError(f"-dataset_dir must be a folder, however {folder} is none; give the one with NAME.data.")
    found = sorted(folder.glob("*.data")) or sorted(folder.glob("*/*.data"))
    if len(found) != 1:
        names = ", ".join(path.stem for path in found) or "none"
        raise LocalTestError(
            f"-dataset_dir must hold exactly one dataset, however {folder} holds {len(found)} ({names}); "
            "give the folder that holds NAME.data and NAME.solution."
        )
    data = found[0]
    dataset = Dataset(data.name.removesuffix(".data"), data.parent.resolve())
    if not (dataset.folder / f"{dataset.name}.solution").is_file():
        raise LocalTestError(
            f"Scoring needs {dataset.name}.solution beside {dataset.name}.data, however {dataset.folder} has none; "
            "give a dataset with its solution."
        )
    return dataset


@contextmanager
def dataset_view(dataset: Dataset) -> Iterator[Path]:
    """A private folder with NAME.data alone, so that a submission does not find the solution beside its data.

    Its files are hard links: they cost nothing and, unlike symbolic links, their real path does not lead back to
    where the solution lies. Where linking fails (another file system, another owner) they are copied; set TMPDIR to the
    file system of a large dataset. This keeps honest code from peeking by accident; it is no jail: a link that is
    written to changes the dataset, and who reads the command lines of other processes finds the folder.
    """
    with tempfile.TemporaryDirectory(prefix="autodl-view-") as name:
        view = Path(name)
        source = dataset.folder / f"{dataset.name}.data"
        shutil.copytree(source, view / source.name, copy_function=_link_or_copy)
        yield view


def _link_or_copy(source: str, target: str) -> None:
    real = os.path.realpath(source)  # a hard link to a symbolic link would lead back after all
    try:
        os.link(real, target)
    except OSError:
        shutil.copyfile(real, target)


def prepare_output(folder: Path) -> None:
    """Empty `folder` of an earlier run and make it.

    Raises:
        LocalTestError: it holds something that this program does not write.
    """
    ours = {PREDICTIONS, SCORES, INGESTION_LOG, SCORING_LOG, STAGE_LOG}
    if folder.exists():
        foreign = sorted(path.name for path in folder.iterdir() if path.name not in ours)
        if foreign:
            raise LocalTestError(
                f"-output_dir is emptied before a run, however {folder} holds {', '.join(foreign[:3])}, which no run "
                "wrote; give another folder."
            )
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    for name in (PREDICTIONS, SCORES):
        (folder / name).mkdir(parents=True)


def start_program(
    script: str, flags: dict[str, object], log: Path, variables: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """Start one of our two programs, in a process group of its own, with its output in `log`.

    Args:
        script: below ROOT.
        flags: by name, without dashes.
        log: the file for what it prints.
        variables: of its environment, beside those of this process.
    """
    command = [sys.executable, str(ROOT / script), *(f"--{name}={value}" for name, value in flags.items())]
    with log.open("wb") as file:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **variables},
            start_new_session=True,
        )


def stop_program(process: subprocess.Popen[bytes]) -> None:
    """End a program, if it still runs, and whatever it started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            os.killpg(process.pid, number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP_GRACE_S)
    with suppress(ProcessLookupError, PermissionError):  # macOS: PermissionError for a group of zombies
        os.killpg(process.pid, signal.SIGKILL)


def wait_until_ready(scoring: subprocess.Popen[bytes], output: Path) -> None:
    """Wait until scoring has published its first page.

    Its imports would take CPU from the first second of the model, where the learning curve weighs most.
    """
    while scoring.poll() is None and not (output / SCORES / SCORES_FILE).exists():
        time.sleep(POLL_S / 4)


def follow(ingestion: subprocess.Popen[bytes], scoring: subprocess.Popen[bytes], output: Path, line: LiveLine) -> None:
    """Show the live line until both programs have ended."""
    while scoring.poll() is None:
        line.draw()
        if ingestion.poll() is not None and has_no_run(output):
            scoring.terminate()  # it waits for a start that never comes; so told, it closes its page
            scoring.wait()
        time.sleep(POLL_S)
    if scoring.returncode == 0:
        with suppress(subprocess.TimeoutExpired):
            ingestion.wait(STOP_GRACE_S)
    line.close()


def has_no_run(output: Path) -> bool:
    """Whether ingestion has neither started nor ended a run."""
    return not any((output / PREDICTIONS / name).exists() for name in (START_FILE, END_FILE))


def run(flags: argparse.Namespace) -> int:
    """Run both programs on one dataset; returns the exit code.

    Raises:
        LocalTestError: the dataset or the output folder is unusable.
    """
    dataset = find_dataset(flags.dataset_dir)
    output = (flags.output_dir or Path("output", dataset.name)).resolve()
    prepare_output(output)
    scoring_flags = {
        "solution_dir": dataset.folder,
        "prediction_dir": output / PREDICTIONS,
        "score_dir": output / SCORES,
        "protocol": flags.protocol,
        "t0": flags.t0,
    }
    with dataset_view(dataset) as view, ExitStack() as cleanup:
        ingestion_flags = {
            "dataset_dir": view,
            "output_dir": output / PREDICTIONS,
            "code_dir": flags.code_dir.resolve(),
            "time_budget": flags.time_budget,
        }
        scoring = start_program("scoring/score.py", scoring_flags, output / SCORING_LOG, {})
        cleanup.callback(stop_program, scoring)
        wait_until_ready(scoring, output)
        variables = {RUN_DIR_VARIABLE: str(output)}
        ingestion = start_program("ingestion/ingestion.py", ingestion_flags, output / INGESTION_LOG, variables)
        cleanup.callback(stop_program, ingestion)
        print(f"{dataset.name}: {flags.time_budget:g} s, results in {output}", flush=True)
        if flags.open:
            webbrowser.open((output / SCORES / PAGE_FILE).as_uri())
        follow(ingestion, scoring, output, LiveLine(output / PREDICTIONS, output / SCORES, flags.time_budget))
    print_results(output, flags)
    failed = [
        log for log, code in ((INGESTION_LOG, ingestion.returncode), (SCORING_LOG, scoring.returncode)) if code != 0
    ]
    for log in failed:
        print_failure(output / log)
    return 1 if failed else 0


def print_results(output: Path, flags: argparse.Namespace) -> None:
    """Print what the run achieved and where to look."""
    results = Results.read(output / SCORES)
    print(f"\nALC               {results.alc:.4f}   ({flags.protocol}, t0 {flags.t0:g} s, T {flags.time_budget:g} s)")
    if results.nauc:
        print(f"final NAUC        {results.nauc[-1]:.4f}")
        print(f"first prediction  {results.seconds[0]:.2f} s")
    print(f"predictions       {len(results.nauc)}")
    print(f"page              {output / SCORES / PAGE_FILE}")


def print_failure(log: Path) -> None:
    """Print the end of a failed program's log, where the cause stands."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    print(f"\n{log.stem} failed; the end of {log}:", file=sys.stderr)
    for line in lines[-N_LOG_LINES:]:
        print(f"    {line}", file=sys.stderr)


def interrupt(number: int, frame: FrameType | None) -> None:
    """Treat a request to end as Ctrl-C, so that both programs are ended and the view is removed."""
    raise KeyboardInterrupt


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    flags = parse_flags(sys.argv[1:] if arguments is None else arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    try:
        return run(flags)
    except KeyboardInterrupt:
        print("\nInterrupted; both programs have ended.", file=sys.stderr)
        return 130
    except (LocalTestError, OSError) as error:
        print(f"run_local_test.py: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
