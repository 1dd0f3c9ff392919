"""Real runs of the policies (policies/schedules.py), one at a time, and a table of them.

    python benchmarks/compare_policies.py --data DIR --datasets adult trec --seeds 0 1 --budget 120 --t0 6 --out OUT
                                          [--policies gain doubling winners everything] [--max-runs N] [--report-only]

    OUT/BUDGETs-T0/DATASET--POLICY--SEED.json        one run, see jobs.py
    OUT/BUDGETs-T0/runs/DATASET--POLICY--SEED/       its stages.jsonl (for fit_priors.py) and logs
    OUT/BUDGETs-T0/policies.md                       the table

What has a result is not run again. Worlds for the simulator are recorded by `--policies everything` with a long budget.
Cost: the budget and some ten seconds a run.
"""

from __future__ import annotations

import argparse
import math
import shutil
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # run as a file: `benchmarks` is no installed package

import psutil

from benchmarks.datasets import Dataset, Places
from benchmarks.execute import Limits
from benchmarks.jobs import FINISHED, Job, Protocol, Result, jobs_to_do, read_results, write_result
from benchmarks.policies.schedules import COMPARED, POLICIES
from benchmarks.program import exit_code_of
from benchmarks.progress import Progress
from benchmarks.systems import ROOT, System
from benchmarks.tasks import Task, run_in_turn
from benchmarks.venvs import default_cache

FOLDER = ROOT / "benchmarks" / "policies"
MEMORY_SHARE = 0.8  # of the machine, for one run
TABLE_FILE = "policies.md"

Areas: TypeAlias = Mapping[str, Mapping[str, Sequence[float]]]
"""ALC of each seed, by dataset and policy."""


def parse_flags(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="compare_policies.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--data", type=Path, metavar="DIR", help="datasets: NAME/NAME.data (default: the samples)")
    add("--datasets", nargs="+", metavar="NAME", help="names (default: all of --data)")
    add("--policies", nargs="+", choices=POLICIES, default=list(COMPARED), help="the first is the one to beat others")
    add("--seeds", nargs="+", type=int, metavar="N", default=[0, 1], help="of the learners (0 1)")
    add("--budget", type=float, metavar="S", default=120.0, help="seconds of a run (120)")
    add("--t0", type=float, metavar="S", default=6.0, help="time scale of the learning curve (6)")
    add("--out", type=Path, metavar="DIR", default=ROOT / "output" / "policies", help="results (output/policies)")
    add("--max-runs", type=int, metavar="N", help="end after so many new runs; the same command goes on from there")
    add("--report-only", action="store_true", help="make no runs: write the table on all results in OUT")
    return parser.parse_args(arguments)


def tasks_of(flags: argparse.Namespace, protocol: Protocol) -> list[Task]:
    """All runs that the flags ask for.

    Raises:
        BenchmarkError: a dataset cannot be found.
    """
    systems = [System(policy, FOLDER / policy) for policy in flags.policies]
    return side_by_side(flags, protocol, lambda dataset: systems)


def side_by_side(
    flags: argparse.Namespace, protocol: Protocol, systems_for: Callable[[Dataset], list[System]]
) -> list[Task]:
    """Runs dataset by dataset, seed by seed, so that systems run side by side in time.

    Args:
        flags: data, datasets, seeds and out.
        protocol: of all runs.
        systems_for: those that play a dataset.
    Raises:
        BenchmarkError: a dataset cannot be found.
    """
    cache, out = default_cache(), flags.out.resolve()
    places = Places(cache, flags.data and flags.data.resolve())
    limits = Limits(MEMORY_SHARE * psutil.virtual_memory().total)
    tasks = []
    for name in flags.datasets or places.names():
        dataset = places.find(name)
        for seed in flags.seeds:
            for system in systems_for(dataset):
                job = Job(name, system.name, seed, protocol)
                tasks.append(Task(job, system, dataset, limits, cache, run_folder(job, out)))
    return tasks


def run_folder(job: Job, out: Path) -> Path:
    """Where the log of a run is kept."""
    path = job.path(out)
    return path.parent / "runs" / path.stem


def make_runs(tasks: Sequence[Task], out: Path, protocol: Protocol, max_runs: int | None) -> bool:
    """Make the runs that have no result yet; whether all have one afterwards."""
    by_job = {task.job: task for task in tasks}
    todo = jobs_to_do(by_job, out)
    print(f"{len(tasks)} runs, {len(tasks) - len(todo)} of them have a result already.", file=sys.stderr)
    if chosen := todo[:max_runs]:
        with Progress(chosen, read_results(out, protocol)) as progress:
            for task, result in run_in_turn([by_job[job] for job in chosen], progress):
                write_result(result, task.job, out)
                shutil.rmtree(run_folder(task.job, out.resolve()) / "predictions", ignore_errors=True)
    return not jobs_to_do(by_job, out)


def areas_of(results: Sequence[Result]) -> Areas:
    """The areas of results."""
    areas: defaultdict[str, defaultdict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for result in results:
        areas[result["dataset"]][result["system"]].append(result["alc"])
    return areas


def table(areas: Areas, policies: Sequence[str]) -> str:
    """Markdown: mean ALC over seeds, the mean over datasets that all policies ran on, and the worst loss of the first.

    Args:
        areas: by dataset and policy.
        policies: columns; the first is compared with each of the others.
    """
    first, *others = policies
    lines = [row("dataset", [*policies, *(f"{first} - {other}" for other in others)])]
    lines.append("|---|" + "--:|" * (len(policies) + len(others)))
    ahead: dict[str, list[tuple[float, str]]] = {other: [] for other in others}
    shared = []
    for dataset in sorted(areas):
        means = [_mean(areas[dataset].get(policy, ())) for policy in policies]
        gaps = [means[0] - mean for mean in means[1:]]
        lines.append(row(dataset, [*map(cell, means), *map(signed, gaps)]))
        if all(map(math.isfinite, means)):
            shared.append(means)
            for other, gap in zip(others, gaps, strict=True):
                ahead[other].append((gap, dataset))
    if shared:
        means = [_mean(column) for column in zip(*shared, strict=True)]
        gaps = [means[0] - mean for mean in means[1:]]
        lines.append(row("**mean**", [*map(cell, means), *map(signed, gaps)]))
    if shared and others:
        worst = [f"{gap:+.4f} ({dataset})" for gap, dataset in (min(ahead[other]) for other in others)]
        lines.append(row(f"worst for {first}", [*([""] * len(policies)), *worst]))
    return "\n".join(lines) + "\n"


def write_table(out: Path, protocol: Protocol, policies: Sequence[str]) -> None:
    """Write the table on all results of the policies."""
    results = [result for result in read_results(out, protocol) if result["system"] in policies]
    if not results:
        return
    text = table(areas_of(results), policies)
    failed = [f"{one['dataset']}, {one['system']}, seed {one['seed']}" for one in results if one["status"] != FINISHED]
    text += f"\n{len(results)} runs, T {protocol.time_budget:g} s, t0 {protocol.t0:g} s; failed: {failed or 'none'}.\n"
    (out / protocol.name / TABLE_FILE).write_text(text, encoding="utf-8")
    print(text)


def cell(value: float) -> str:
    """Of a table: a figure."""
    return f"{value:.4f}" if math.isfinite(value) else "-"


def signed(value: float) -> str:
    """Of a table: a difference."""
    return f"{value:+.4f}" if math.isfinite(value) else "-"


def row(name: str, cells: Sequence[str]) -> str:
    """Of a markdown table."""
    return f"| {' | '.join([name, *cells])} |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code: 0 when all runs have a result."""
    flags = parse_flags(sys.argv[1:] if arguments is None else arguments)
    protocol = protocol_of(flags)

    def work() -> bool:
        is_complete = flags.report_only or make_runs(tasks_of(flags, protocol), flags.out, protocol, flags.max_runs)
        write_table(flags.out, protocol, flags.policies)
        return is_complete

    return exit_code_of("compare_policies.py", work)


def protocol_of(flags: argparse.Namespace) -> Protocol:
    """What --budget and --t0 say."""
    return Protocol(f"{flags.budget:g}s-{flags.t0:g}", flags.budget, flags.t0)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else math.nan


if __name__ == "__main__":
    raise SystemExit(main())
