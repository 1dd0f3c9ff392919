"""Priors of the engine (anytime/priors.py) from the logs of many runs.

    python benchmarks/fit_priors.py LOGS_DIR [--out FILE] [--evaluate] [--budget 120 --t0 6]

Every stages.jsonl below LOGS_DIR is read; FILE is that of the package unless told otherwise. For each modality, the log
error of a stage is a sum of an effect of the dataset, one of the family, one of the family on this dataset, slopes of
the family over the log2 of rows, fidelity and seconds, the last of which may bend, and a deviation of the slope over
rows on this dataset; the log2 cost is such a sum, too. All are drawn towards the general prior with the standard
deviations that the forecast itself assumes (a Gaussian model whose variances are given: ridge-shrunken least squares),
so few logs change little.

--evaluate prints, for each dataset, the area under simulated curves (anytime/simulate.py) of the engine with the priors
of all other datasets, of the engine without priors, and of the other policies.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # run as a file: `benchmarks` is no installed package

from autodl_solver.anytime.priors import NO_PRIORS, PRIORS_FILE, Priors, format_priors
from autodl_solver.anytime.schedule import by_gain
from autodl_solver.anytime.simulate import simulate
from autodl_solver.anytime.stage_entries import Entry, RunFacts
from autodl_solver.anytime.stage_log import STAGE_LOG_FILE, read_stage_log, split_runs
from autodl_solver.anytime.world import World
from autodl_solver.errors import AutoDLSolverError, DataError
from benchmarks.compare_policies import table
from benchmarks.policies.schedules import COMPARED, POLICIES
from benchmarks.prior_model import fit_modality
from benchmarks.systems import ROOT

Runs: TypeAlias = Sequence[Sequence[Entry]]
"""Of one dataset."""


def read_logs(folder: Path) -> dict[str, dict[str, Runs]]:
    """Runs by modality and dataset.

    Raises:
        DataError: there is no log, or one is damaged.
    """
    runs: defaultdict[str, defaultdict[str, list[Sequence[Entry]]]] = defaultdict(lambda: defaultdict(list))
    paths = sorted(folder.rglob(STAGE_LOG_FILE))
    if not paths:
        raise DataError(
            f"Priors need logs of runs; however there is no {STAGE_LOG_FILE} below {folder}; make some with "
            "benchmarks/compare_policies.py --policies everything."
        )
    for path in paths:
        for run in split_runs(read_stage_log(path)):
            facts = run[0]
            assert isinstance(facts, RunFacts), "split_runs begins each run with its facts"
            runs[facts.modality][facts.dataset].append(run)
    return {modality: dict(datasets) for modality, datasets in runs.items()}


def fit(logs: Mapping[str, Mapping[str, Runs]], without: str | None = None) -> dict[str, Priors]:
    """Priors by modality.

    Args:
        logs: runs by modality and dataset.
        without: a dataset that is left out.
    """
    priors = {}
    for modality, datasets in logs.items():
        known = {name: runs for name, runs in datasets.items() if name != without}
        if known:
            priors[modality] = fit_modality(known)
    return priors


def evaluate(logs: Mapping[str, Mapping[str, Runs]], budget_s: float, t0_s: float) -> dict[str, dict[str, list[float]]]:
    """Simulated areas by dataset and policy, each dataset with the priors of all others; in a list, as of one seed."""
    areas = {}
    for modality, datasets in logs.items():
        for dataset, runs in datasets.items():
            world = World.of(runs)
            priors = fit({modality: datasets}, without=dataset).get(modality, NO_PRIORS)
            engines = {"gain, priors of others": priors, "gain, no priors": NO_PRIORS}
            areas[dataset] = {
                name: [simulate(by_gain(world.plan, one), world, budget_s).alc(t0_s)] for name, one in engines.items()
            }
            for name in COMPARED[1:]:
                policy = POLICIES[name]
                rule = policy.make_rule(budget_s) if policy.make_rule else None
                run = simulate(policy.make_schedule(world.plan, NO_PRIORS), world, budget_s, rule)
                areas[dataset][name] = [run.alc(t0_s)]
    return areas


def parse_flags(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="fit_priors.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    shipped = ROOT / "autodl_solver" / "anytime" / PRIORS_FILE
    add = parser.add_argument
    add("logs_dir", type=Path, metavar="LOGS_DIR", help="folder with stages.jsonl of runs, anywhere below")
    add("--out", type=Path, metavar="FILE", default=shipped, help="where the priors go (those of the package)")
    add("--evaluate", action="store_true", help="simulate each dataset with the priors of all others; writes nothing")
    add("--budget", type=float, metavar="S", default=120.0, help="of simulated runs (120)")
    add("--t0", type=float, metavar="S", default=6.0, help="time scale of their curves (6)")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    flags = parse_flags(sys.argv[1:] if arguments is None else arguments)
    try:
        logs = read_logs(flags.logs_dir)
        if flags.evaluate:
            areas = evaluate(logs, flags.budget, flags.t0)
            print(table(areas, list(next(iter(areas.values())))), end="")
        else:
            flags.out.write_text(format_priors(fit(logs)), encoding="utf-8")
            n_datasets = sum(map(len, logs.values()))
            print(f"Priors of {len(logs)} modalities from {n_datasets} datasets: {flags.out}", file=sys.stderr)
    except (AutoDLSolverError, OSError) as error:
        print(f"fit_priors.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
