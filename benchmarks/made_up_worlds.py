"""Made-up datasets for the simulator: does the engine choose well where nobody has tuned it?

    python benchmarks/made_up_worlds.py [--worlds 48] [--first-seed 0] [--budget 120] [--t0 6]

Each world draws the size and the difficulty of its dataset and the pace of the machine, and for each family how good it
is, how steep its learning curve is and, for networks, how long they take to learn anything at all: their first contract
often ends with a score of 0, as on real data. Hold-out scores are noisy. The figures of the families are guesses of
ours, not fitted to any dataset. Prints the mean area of the engine, with priors fitted on other worlds and without, and
of the other policies. Cost: 40 ms a world and policy, one core.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # run as a file: `benchmarks` is no installed package

import numpy as np

from autodl_solver.anytime.plan import GROWTH, MIN_GROWTH
from autodl_solver.anytime.priors import NO_PRIORS, Priors
from autodl_solver.anytime.schedule import by_gain
from autodl_solver.anytime.simulate import simulate
from autodl_solver.anytime.stage_entries import Entry, PredictionEntry, RunFacts, StageEntry
from autodl_solver.anytime.world import World
from benchmarks.policies.schedules import COMPARED, POLICIES
from benchmarks.prior_model import fit_modality

N_OTHERS = 8  # worlds that priors are fitted on
FIDELITIES = (8, 16)
FIRST_ROWS = 1000
LEVEL_SD = 0.35  # of a family's log error, from dataset to dataset
SLOPE_SD = 0.04
NETWORK_SHARE = 0.7  # of the datasets have a given network


@dataclass(frozen=True)
class MadeUpFamily:
    """How a family behaves on a dataset of average difficulty, on a machine of average pace.

    Attributes:
        level: log error at 1,000 rows, or after 10 s, less the difficulty of the dataset.
        slope: of the log error per doubling of rows, or of seconds.
        row_s: seconds of a thousand rows at the first fidelity.
        contracts: seconds; empty for a family that ends by itself.
        start_s: seconds until half of what can be learned is learned, on 10,000 rows.
    """

    kind: str
    level: float
    slope: float
    row_s: float
    contracts: tuple[float, ...] = ()
    start_s: float = 0.0


FAMILIES = {
    "ridge": MadeUpFamily("ridge", 0.3, -0.08, 0.05),
    "kernel": MadeUpFamily("ridge", 0.2, -0.08, 0.15),
    "forest": MadeUpFamily("forest", 0.0, -0.15, 0.4),
    "boosting": MadeUpFamily("boosting", -0.2, -0.15, 0.8),
    "network": MadeUpFamily("network", -0.3, -0.2, 0.2, (2.0, 4.0, 12.0, 36.0, 108.0), 2.0),
    "wide network": MadeUpFamily("wide network", -0.5, -0.2, 0.2, (5.0, 10.0, 30.0, 90.0), 6.0),
}


def made_up_run(seed: int) -> list[Entry]:
    """The log of a run on a made-up dataset that tried everything."""
    rng = np.random.default_rng(seed)
    n_rows = int(10 ** rng.uniform(2.6, 4.9))
    dataset = _Dataset(rng, n_rows, rng.normal(-1.5, 1.0), 2 ** rng.normal(0.0, 1.5))
    entries: list[Entry] = [RunFacts(f"{seed}", "image", n_rows, 10, (1, 8, 8, 1), "dense", False, 0, 2, "made up")]
    for name, family in FAMILIES.items():
        if not family.contracts:
            entries += dataset.sizes(name, family)
        elif rng.random() < NETWORK_SHARE:
            entries += dataset.contracts(name, family)
    return entries


@dataclass(frozen=True)
class _Dataset:
    rng: np.random.Generator
    n_rows: int
    difficulty: float  # log error
    pace: float  # seconds are multiplied by it

    def sizes(self, name: str, family: MadeUpFamily) -> list[Entry]:
        level = self.difficulty + family.level + self.rng.normal(0, LEVEL_SD)
        slope = family.slope + self.rng.normal(0, SLOPE_SD)
        entries = []
        for fidelity in FIDELITIES:
            for n in self._grid():
                detail = math.log2(fidelity / FIDELITIES[0])
                log_error = level + slope * math.log2(n / FIRST_ROWS) - 0.1 * detail
                cost_s = family.row_s * self.pace * (n / FIRST_ROWS) ** 0.9 * 2 ** (0.8 * detail)
                entries += self._stage(f"{name} {n}@{fidelity}", name, family, n, fidelity, log_error, cost_s)
        return entries

    def contracts(self, name: str, family: MadeUpFamily) -> list[Entry]:
        level = self.difficulty + family.level + self.rng.normal(0, 1.5 * LEVEL_SD)
        start_s = family.start_s * self.pace * (self.n_rows / 10_000) ** 0.3
        besides_s = family.row_s * self.pace * (self.n_rows / FIRST_ROWS) ** 0.7
        entries, spent_s = [], 0.0
        for rank, own_s in enumerate(family.contracts, start=1):
            spent_s += own_s
            learned = 1 / (1 + (start_s / spent_s) ** 2)
            log_error = (level + family.slope * math.log2(spent_s / 10)) * learned
            stage = f"{name} {self.n_rows}@{FIDELITIES[-1]}, contract {rank}"
            entries += self._stage(stage, name, family, self.n_rows, FIDELITIES[-1], log_error, besides_s, own_s)
        return entries

    def _grid(self) -> list[int]:
        sizes = [min(FIRST_ROWS, self.n_rows)]
        while sizes[-1] * GROWTH * MIN_GROWTH <= self.n_rows:
            sizes.append(sizes[-1] * GROWTH)
        return sorted({*sizes, self.n_rows})

    def _stage(
        self,
        stage: str,
        name: str,
        family: MadeUpFamily,
        n: int,
        fidelity: int,
        log_error: float,
        cost_s: float,
        contract_s: float | None = None,
    ) -> list[Entry]:
        n_held_out = max(1, int(min(n / 5, 1000 + n / 20)))
        error = min(1.0, math.exp(log_error))
        noise = self.rng.normal(0, 0.01 + 0.3 * math.sqrt(min(1.0, 0.5 / (n_held_out * error))))
        score = 1 - min(1.05, error * math.exp(noise))
        predict_s = 0.2 * cost_s + 0.02 * self.pace
        fit_s = cost_s + (contract_s or 0.0)
        return [
            StageEntry(
                stage,
                name,
                fidelity,
                n,
                n_held_out,
                False,
                0.0,
                fit_s,
                score,
                False,
                contract_s,
                family_kind=family.kind,
            ),
            PredictionEntry({stage: 1.0}, 0.0, predict_s, {stage: predict_s}, self.n_rows // 4 + 50),
        ]


def areas(seeds: Sequence[int], budget_s: float, t0_s: float) -> dict[str, list[float]]:
    """Simulated areas of each policy on the worlds of these seeds; priors come from N_OTHERS other worlds."""
    others: Mapping[str, Sequence[Sequence[Entry]]] = {
        f"{seed}": [made_up_run(seed)] for seed in range(10**6, 10**6 + N_OTHERS)
    }
    found: dict[str, list[float]] = {}
    engines: dict[str, Priors] = {"gain, priors of others": fit_modality(others), "gain, no priors": NO_PRIORS}
    for seed in seeds:
        world = World.of([made_up_run(seed)])
        for name, priors in engines.items():
            run = simulate(by_gain(world.plan, priors), world, budget_s)
            found.setdefault(name, []).append(run.alc(t0_s))
        for name in COMPARED[1:]:
            policy = POLICIES[name]
            rule = policy.make_rule(budget_s) if policy.make_rule else None
            run = simulate(policy.make_schedule(world.plan, NO_PRIORS), world, budget_s, rule)
            found.setdefault(name, []).append(run.alc(t0_s))
    return found


def table(found: Mapping[str, Sequence[float]]) -> str:
    """Markdown: each policy's mean, and how it compares with fixed doubling."""
    doubling = np.array(found["doubling"])
    lines = ["| policy | mean ALC | - doubling | worst | lost by more than .005 |", "|---|--:|--:|--:|--:|"]
    for name, values in found.items():
        ahead = np.array(values) - doubling
        cells = f"{np.mean(values):.4f} | {ahead.mean():+.4f} | {ahead.min():+.4f} | {(ahead < -0.005).mean():.0%}"
        lines.append(f"| {name} | {cells} |")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="made_up_worlds.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--worlds", type=int, metavar="N", default=48, help="how many (48)")
    parser.add_argument("--first-seed", type=int, metavar="N", default=0, help="of the worlds (0)")
    parser.add_argument("--budget", type=float, metavar="S", default=120.0, help="of a run (120)")
    parser.add_argument("--t0", type=float, metavar="S", default=6.0, help="time scale of the curve (6)")
    flags = parser.parse_args(sys.argv[1:] if arguments is None else arguments)
    seeds = range(flags.first_seed, flags.first_seed + flags.worlds)
    print(table(areas(seeds, flags.budget, flags.t0)), end="")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
