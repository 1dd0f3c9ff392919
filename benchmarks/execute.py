"""One run: ingestion and scoring (run_local_test.py) in processes of their own, with a bound on their memory.

Memory is watched rather than limited: an RLIMIT_AS would count what TensorFlow and torch map and never use. When the
processes of the submission hold more than the bound, they are killed; the watchdog of ingestion closes the run, and
scoring counts what had been predicted. So a crash, of whatever kind, is a result with the ALC so far.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import psutil

from benchmarks.cores import reserved_cores
from benchmarks.jobs import FAILED, FINISHED, OUT_OF_MEMORY, OVERDUE, Job, Result
from benchmarks.machine import commit_of, machine_facts
from benchmarks.systems import ROOT, System
from benchmarks.venvs import python_of, versions_of
from scoring.curve import LearningCurve
from scoring.live import Results
from scoring.run_files import SCORES_FILE, read_fields, read_start

LOOK_EVERY_S = 0.25
INIT_S = 1200.0  # what ingestion grants for the construction of a model
GRACE_S = 60.0  # for starting, writing and scoring; a run that takes longer is overdue
N_LOG_LINES = 25
BOUND = ROOT / "benchmarks" / "bound.py"


@dataclass(frozen=True)
class Limits:
    """What a run may use: bytes of memory, and cores (0: all)."""

    memory_bytes: float
    n_cores: int = 0


def execute(
    job: Job, system: System, dataset: Path, modality: str, limits: Limits, cache: Path, keep: Path | None = None
) -> Result:
    """Make one run.

    Args:
        job: which.
        system: the submission.
        dataset: folder with NAME.data and NAME.solution.
        modality: of the dataset, for the result.
        limits: on its resources.
        cache: where environments lie.
        keep: folder to which the run's files (predictions, page, logs) are moved; None: they are removed.
    Returns:
        The result, see jobs.py.
    Raises:
        BenchmarkError: the environment of the system cannot be made. That is no result of the system.
    """
    python = python_of(system, cache)
    started, commit = datetime.now(timezone.utc), commit_of()
    with tempfile.TemporaryDirectory(prefix="autodl-benchmark-") as folder, reserved_cores(limits.n_cores) as cores:
        output = Path(folder, "run")
        began = time.monotonic()
        watched = _watched_run(_command(python, job, system, dataset, output), job, limits, cores, output)
        result = job.fields() | {
            "modality": modality,
            **_outcome(job, output, watched),
            "wall_s": round(time.monotonic() - began, 2),
            "peak_bytes": int(watched.peak_bytes),
            "commit": commit,
            "machine": machine_facts() | {"cores": len(cores)},
            "python": f"{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}",
            "versions": versions_of(python),
            "data_sha256": hashlib.sha256((dataset / f"{job.dataset}.solution").read_bytes()).hexdigest(),
            "started": started.isoformat(timespec="seconds"),
        }
        if keep is not None and output.is_dir():
            shutil.rmtree(keep, ignore_errors=True)
            keep.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(output, keep)
    return result


@dataclass
class Watched:
    """What was seen of a run from outside."""

    peak_bytes: float = 0.0
    killed_for: str = ""  # OUT_OF_MEMORY, OVERDUE or ""
    printed: str = ""  # by run_local_test.py itself
    init_s: float | None = None  # until start.txt


def _command(python: Path, job: Job, system: System, dataset: Path, output: Path) -> list[str]:
    flags = {
        "dataset_dir": dataset,
        "code_dir": system.code_dir,
        "time_budget": job.protocol.time_budget,
        "t0": job.protocol.t0,
        "output_dir": output,
    }
    return [str(python), str(ROOT / "run_local_test.py"), *(f"--{name}={value}" for name, value in flags.items())]


def _environment(job: Job, cores: set[int]) -> Mapping[str, str]:
    """Peers import our reader; BLAS and OpenMP libraries that look at no affinity are told the number of cores."""
    path = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path), "AUTODL_SEED": str(job.seed)}
    for name in ("VIRTUAL_ENV", "PYTHONHOME", "OMP_NUM_THREADS"):  # Ray, for one, sets the last
        environment.pop(name, None)
    if cores < set(os.sched_getaffinity(0)):
        environment |= {f"{name}_NUM_THREADS": str(len(cores)) for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")}
    return environment


def _watched_run(command: list[str], job: Job, limits: Limits, cores: set[int], output: Path) -> Watched:
    """Run to the end, or to the end of what the limits admit."""
    watched = Watched()
    began = time.monotonic()
    bound = [sys.executable, str(BOUND), ",".join(map(str, sorted(cores))), str(os.getpid())]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            bound + command,
            cwd=ROOT,
            env=_environment(job, cores),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            while process.poll() is None:
                _look(process, watched, limits, job, output, time.monotonic() - began)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(LOOK_EVERY_S)
        finally:  # also after Ctrl-C: run_local_test.py ends both programs and removes its view of the data
            if process.poll() is None:
                process.terminate()
                process.wait()
        log.seek(0)
        watched.printed = log.read().decode(errors="replace")
    return watched


def _look(
    process: subprocess.Popen[bytes], watched: Watched, limits: Limits, job: Job, output: Path, elapsed: float
) -> None:
    if watched.init_s is None and read_start(output / "predictions") is not None:
        watched.init_s = round(elapsed, 1)
    submission = _submission(process.pid)
    used = sum(filter(None, map(_resident_bytes, submission)))
    watched.peak_bytes = max(watched.peak_bytes, used)
    if used > limits.memory_bytes:
        watched.killed_for = OUT_OF_MEMORY
        for one in submission:
            with suppress(psutil.NoSuchProcess):
                one.kill()
    init_s = elapsed if watched.init_s is None else watched.init_s
    if elapsed > min(init_s, INIT_S) + job.protocol.time_budget + GRACE_S and not watched.killed_for:
        watched.killed_for = OVERDUE
        process.terminate()


def _submission(pid: int) -> list[psutil.Process]:
    """The process of ingestion and those that the submission started; not the watchdog, which has to close the run."""
    try:
        programs = psutil.Process(pid).children()
        ingestion = [one for one in programs if any(part.endswith("ingestion.py") for part in one.cmdline())]
        children = [child for one in ingestion for child in one.children(recursive=True)]
        return ingestion + [child for child in children if "ingestion.watchdog" not in child.cmdline()]
    except psutil.NoSuchProcess:
        return []


def _resident_bytes(process: psutil.Process) -> int | None:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return None


def _outcome(job: Job, output: Path, watched: Watched) -> Result:
    """Status, cause, curve and what the curve comes to."""
    fields = read_fields(output / "scores" / SCORES_FILE)
    results = Results.read(output / "scores")
    points = tuple(zip(results.seconds, results.nauc, strict=True))
    curve = LearningCurve(points, job.protocol.time_budget, job.protocol.t0)
    status = watched.killed_for or (FINISHED if fields.get("state") == FINISHED else FAILED)
    log = output / "ingestion.log"
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.is_file() else []
    is_failure = status != FINISHED
    return {
        "status": status,
        "cause": (fields.get("cause") or watched.printed.strip()[-500:]) if is_failure else "",
        "curve": [[round(seconds, 4), nauc] for seconds, nauc in points],
        "alc": curve.area(),
        "final_nauc": points[-1][1] if points else None,
        "first_s": round(points[0][0], 4) if points else None,
        "init_s": watched.init_s,
        "log_tail": lines[-N_LOG_LINES:] if is_failure else [],
    }
