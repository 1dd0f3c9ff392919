"""The benchmark: systems on datasets, through the programs of the challenge, one process each.

    python benchmarks/run.py --datasets adult trec --systems autodl_solver lightgbm_default --protocol quick --seeds 0 1
                             [--local DIR] [--download] [--out DIR] [--ray ADDRESS] [--report-only]

    OUT/PROTOCOL/DATASET--SYSTEM--SEED.json   one run: curve, ALC, machine, commit, versions (see jobs.py)
    OUT/PROTOCOL/table.md                     tables by modality and over all
    OUT/PROTOCOL/index.html                   the same with rankings and all curves; one file, no network

What has a result is not run again, so the same command goes on where it stopped; --redo SYSTEM makes its runs anew.
Runs are made one at a time, or as many as a Ray cluster holds. A crash is a result: the area under what had been
predicted.

Exit code: 0 when all runs have a result, 1 when some could not be made, 2 on bad flags, 130 after Ctrl-C (the report
is written).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # run as a file: `benchmarks` is no installed package

import psutil

from benchmarks.cluster import run_on_cluster
from benchmarks.datasets import Dataset, Places
from benchmarks.errors import BenchmarkError
from benchmarks.execute import Limits
from benchmarks.jobs import PROTOCOLS, Job, Protocol, Result, jobs_to_do, read_results, write_result
from benchmarks.page import page_html
from benchmarks.program import exit_code_of
from benchmarks.progress import Progress
from benchmarks.summary import summarise
from benchmarks.systems import ROOT, SYSTEMS, System, find_system
from benchmarks.tables import markdown
from benchmarks.tasks import Task, run_in_turn
from benchmarks.venvs import default_cache
from scoring.run_files import write_text

MEMORY_SHARE = 0.8  # of the machine, for one run
CLUSTER_CORES = 2  # of a run on a cluster, unless told otherwise
GIB = 2.0**30


def parse_flags(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="run.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    add = parser.add_argument
    add("--datasets", nargs="+", metavar="NAME", default=["all"], help="names; all: those of --local, else the samples")
    add("--systems", nargs="+", metavar="NAME", default=list(SYSTEMS), help=f"of {', '.join(SYSTEMS)}; or a folder")
    add("--protocol", choices=PROTOCOLS, default="quick", help="official: 1200 s, quick: 120 s, smoke: 5 s")
    add("--seeds", nargs="+", type=int, metavar="N", default=[0], help="given to the systems as AUTODL_SEED")
    add("--local", type=Path, metavar="DIR", help="datasets: NAME/NAME.data or NAME.zip (packed form)")
    add("--download", action="store_true", help="download public datasets that are not on disk")
    add("--out", type=Path, metavar="DIR", default=ROOT / "output" / "benchmark", help="results (output/benchmark)")
    add("--cache", type=Path, metavar="DIR", default=default_cache(), help="environments, converted datasets")
    add("--memory-gib", type=float, metavar="N", help=f"bound of one run ({100 * MEMORY_SHARE:.0f} %% of the machine)")
    add("--cores", type=int, metavar="N", help=f"cores of one run (all; {CLUSTER_CORES} on a cluster)")
    add("--ray", metavar="ADDRESS", help="spread the runs over this Ray cluster: HOST:PORT, or auto")
    add("--redo", nargs="+", metavar="SYSTEM", default=[], help="remove the results of these systems first")
    add("--no-venvs", action="store_true", help="run peers in this environment, as far as it holds their libraries")
    add("--keep-runs", action="store_true", help="keep predictions, pages and logs in OUT/PROTOCOL/runs")
    add("--report-only", action="store_true", help="make no runs: write the report on all results in OUT")
    return parser.parse_args(arguments)


def plan(flags: argparse.Namespace) -> list[Task]:
    """All runs that the flags ask for, dataset by dataset.

    Raises:
        BenchmarkError: a system or a dataset cannot be found.
    """
    systems = [find_system(name) for name in flags.systems]
    if flags.no_venvs:
        systems = [replace(system, requirements=None) for system in systems]
    places = Places(flags.cache.resolve(), flags.local and flags.local.resolve(), flags.download)
    names = places.names() if flags.datasets == ["all"] else list(dict.fromkeys(flags.datasets))
    limits = limits_of(flags)
    tasks = []
    for dataset in map(places.find, names):
        for seed in dict.fromkeys(flags.seeds):
            tasks += [
                _task(dataset, system, seed, flags, limits)
                for system in systems
                if dataset.modality in system.modalities
            ]
    return tasks


def _task(dataset: Dataset, system: System, seed: int, flags: argparse.Namespace, limits: Limits) -> Task:
    job = Job(dataset.name, system.name, seed, PROTOCOLS[flags.protocol])
    keep = job.path(flags.out.resolve()).parent / "runs" / job.path(flags.out).stem if flags.keep_runs else None
    return Task(job, system, dataset, limits, flags.cache.resolve(), keep)


def limits_of(flags: argparse.Namespace) -> Limits:
    """The bounds of one run."""
    memory_bytes = flags.memory_gib * GIB if flags.memory_gib else MEMORY_SHARE * psutil.virtual_memory().total
    n_cores = flags.cores if flags.cores is not None else CLUSTER_CORES if flags.ray else 0
    if n_cores < 0 or (flags.ray and n_cores == 0):
        raise BenchmarkError(f"--cores must be positive, however it is {n_cores}.")
    return Limits(memory_bytes, n_cores)


def sweep(tasks: list[Task], flags: argparse.Namespace) -> bool:
    """Make the runs that have no result yet; whether all have one afterwards."""
    by_job = {task.job: task for task in tasks}
    for job in by_job:
        if job.system in flags.redo:
            job.path(flags.out).unlink(missing_ok=True)
    todo = jobs_to_do(by_job, flags.out)
    print(f"{len(tasks)} runs, {len(tasks) - len(todo)} of them have a result already.", file=sys.stderr)
    if todo:
        chosen = [by_job[job] for job in todo]
        done = read_results(flags.out, PROTOCOLS[flags.protocol])
        with Progress(todo, done) as progress:
            runs = run_on_cluster(chosen, flags.ray, progress) if flags.ray else run_in_turn(chosen, progress)
            for task, result in runs:
                write_result(result, task.job, flags.out)
    return not jobs_to_do(by_job, flags.out)


def write_report(out: Path, protocol: Protocol, systems: Sequence[str]) -> list[Result]:
    """Write table.md and index.html on all results of a protocol, if there are any."""
    results = read_results(out, protocol)
    if results:
        summary = summarise(results, protocol, systems)
        folder = out / protocol.name
        write_text(folder / "table.md", markdown(summary))
        write_text(folder / "index.html", page_html(summary))
        print(f"Report: {folder / 'index.html'} and table.md", file=sys.stderr)
    return results


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    flags = parse_flags(sys.argv[1:] if arguments is None else arguments)
    systems = [Path(name).name for name in flags.systems]

    def work() -> bool:
        try:
            return flags.report_only or sweep(plan(flags), flags)
        finally:
            write_report(flags.out, PROTOCOLS[flags.protocol], systems)

    return exit_code_of("run.py", work)


if __name__ == "__main__":
    raise SystemExit(main())
