"""The engine on datasets that nobody tuned it for."""

from __future__ import annotations

import numpy as np
import pytest

from autodl_solver.anytime.stage_entries import StageEntry
from autodl_solver.anytime.world import World
from benchmarks.made_up_worlds import areas, made_up_run, main


def test_the_same_seed_is_the_same_world() -> None:
    assert made_up_run(3) == made_up_run(3)
    assert made_up_run(3) != made_up_run(4)


def test_a_world_can_be_played() -> None:
    runs = [made_up_run(seed) for seed in range(20)]
    scores = [entry.score for run in runs for entry in run if isinstance(entry, StageEntry) and entry.score is not None]
    assert -0.1 < min(scores) < 0.3
    assert 0.95 < max(scores) < 1
    assert all(World.of([run]).plan[0].name == "ridge" for run in runs)


def test_with_priors_the_engine_is_no_worse_than_fixed_doubling_on_the_whole() -> None:
    found = {name: float(np.mean(values)) for name, values in areas(range(20), 120.0, 6.0).items()}
    assert found["gain, priors of others"] > found["doubling"] - 0.005
    assert found["gain, priors of others"] > found["gain, no priors"] - 0.005


def test_the_table_compares_with_doubling(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--worlds", "2", "--budget", "30", "--t0", "2"]) == 0
    assert "| doubling | " in capsys.readouterr().out
