"""What each kind of learner adds: real runs of the solver without it, beside runs of the whole solver.

    python benchmarks/ablation.py --data DIR --datasets trec sst2 --seeds 0 --budget 30 --t0 1.5 --out OUT

Runs, results and their files are those of compare_policies.py; systems are called `gain` (the whole solver)
and `without_KIND`. OUT/BUDGETs-T0/ablation.md has a table for each modality: ALC and final NAUC, and how they change
when a kind is left out. Families of one kind differ in settings only, and are left out together.
Cost: (kinds + 1) x datasets x seeds runs of at most the budget and some ten seconds each.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # run as a file: `benchmarks` is no installed package

from autodl_solver.data.info import DatasetInfo
from autodl_solver.modalities import SPECS, Modality
from benchmarks.compare_policies import FOLDER, cell, make_runs, protocol_of, row, side_by_side, signed
from benchmarks.datasets import Dataset
from benchmarks.jobs import Protocol, Result, read_results
from benchmarks.policies.schedules import WITHOUT
from benchmarks.program import exit_code_of
from benchmarks.systems import ROOT, System
from benchmarks.tasks import Task

WHOLE = "gain"
TABLE_FILE = "ablation.md"
SUBMISSION = '''"""The solver without one kind of learner. See policies/schedules.py."""

from __future__ import annotations

from benchmarks.policies.policy_model import PolicyModel


class Model(PolicyModel):
    policy = {policy!r}
'''


def parse_flags(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="ablation.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--data", type=Path, metavar="DIR", help="datasets: NAME/NAME.data (default: the samples)")
    add("--datasets", nargs="+", metavar="NAME", help="names (default: all of --data)")
    add("--seeds", nargs="+", type=int, metavar="N", default=[0], help="of the learners (0)")
    add("--budget", type=float, metavar="S", default=30.0, help="seconds of a run (30)")
    add("--t0", type=float, metavar="S", default=1.5, help="time scale of the learning curve (1.5)")
    add("--out", type=Path, metavar="DIR", default=ROOT / "output" / "ablation", help="results (output/ablation)")
    add("--report-only", action="store_true", help="make no runs: write the tables on all results in OUT")
    return parser.parse_args(arguments)


def kinds_of(dataset: Dataset) -> list[str]:
    """The kinds of learners that the solver has for a dataset; of several, for one alone cannot be left out."""
    info = DatasetInfo.from_folder(dataset.folder / f"{dataset.name}.data" / "train")
    plan = SPECS[Modality(dataset.modality)].make_plan(info)
    kinds = list(dict.fromkeys(family.kind or family.name for family in plan))
    return kinds if len(kinds) > 1 else []


def tasks_of(flags: argparse.Namespace, protocol: Protocol) -> list[Task]:
    """All runs that the flags ask for.

    Raises:
        BenchmarkError: a dataset cannot be found.
    """
    whole = System(WHOLE, FOLDER / WHOLE)
    return side_by_side(
        flags, protocol, lambda dataset: [whole, *(_without(kind, flags.out) for kind in kinds_of(dataset))]
    )


def _without(kind: str, out: Path) -> System:
    """A submission that leaves a kind of learner out, written to OUT/systems."""
    folder = out.resolve() / "systems" / f"without_{kind.replace(' ', '_')}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.py").write_text(SUBMISSION.format(policy=WITHOUT + kind), encoding="utf-8")
    return System(folder.name, folder)


def tables(results: Sequence[Result]) -> str:
    """Markdown: for each modality, the whole solver and what each kind left out costs; means over seeds.

    Args:
        results: of all runs.
    """
    parts = []
    for modality in sorted({one["modality"] for one in results}):
        own = [one for one in results if one["modality"] == modality]
        without = list(dict.fromkeys(one["system"] for one in own if one["system"] != WHOLE))
        head = ["ALC", "final NAUC", *(f"{name.replace('_', ' ')}: ALC, final" for name in without)]
        lines = [f"#### {modality}", "", row("dataset", head), "|---|" + "--:|" * len(head)]
        for dataset in sorted({one["dataset"] for one in own}):
            alc, final = _means(own, dataset, WHOLE)
            losses = []
            for name in without:
                less_alc, less_final = _means(own, dataset, name)
                losses.append(f"{signed(less_alc - alc)}, {signed(less_final - final)}")
            lines.append(row(dataset, [cell(alc), cell(final), *losses]))
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _means(results: Sequence[Result], dataset: str, system: str) -> tuple[float, float]:
    """(ALC, final NAUC), a run without any prediction counting as 0; NaN where nothing was run."""
    own = [one for one in results if one["dataset"] == dataset and one["system"] == system]
    if not own:
        return math.nan, math.nan
    return (
        math.fsum(one["alc"] for one in own) / len(own),
        math.fsum(one["final_nauc"] or 0.0 for one in own) / len(own),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code: 0 when all runs have a result."""
    flags = parse_flags(sys.argv[1:] if arguments is None else arguments)
    protocol = protocol_of(flags)

    def work() -> bool:
        is_complete = flags.report_only or make_runs(tasks_of(flags, protocol), flags.out, protocol, None)
        if results := read_results(flags.out, protocol):
            text = tables(results)
            (flags.out / protocol.name / TABLE_FILE).write_text(text, encoding="utf-8")
            print(text)
        return is_complete

    return exit_code_of("ablation.py", work)


if __name__ == "__main__":
    raise SystemExit(main())
