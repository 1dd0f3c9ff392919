"""Leaving out a kind of learner: the plan without it, the submissions, the table."""

from __future__ import annotations

from pathlib import Path

import pytest

from autodl_solver.anytime.history import History
from autodl_solver.anytime.plan import Plan
from autodl_solver.anytime.priors import NO_PRIORS
from autodl_solver.data.info import DatasetInfo
from autodl_solver.modalities.text.plan import make_plan
from benchmarks.ablation import kinds_of, main, parse_flags, tables, tasks_of
from benchmarks.datasets import Places
from benchmarks.jobs import Protocol
from benchmarks.policies.schedules import find_policy

ROOT = Path(__file__).resolve().parents[2]
PROTOCOL = Protocol("x", 30.0, 1.5)


def _result(system: str, alc: float, final: float | None, seed: int = 0, modality: str = "text") -> dict[str, object]:
    return {
        "dataset": "a",
        "system": system,
        "alc": alc,
        "final_nauc": final,
        "seed": seed,
        "modality": modality,
    }


def _text_plan() -> Plan:
    return make_plan(DatasetInfo.from_folder(ROOT / "sample_data/docstring_topics/docstring_topics.data/train"))


def test_kinds_are_those_of_the_plan(tmp_path: Path) -> None:
    kinds = kinds_of(Places(tmp_path).find("docstring_topics"))
    assert kinds == ["terms", "spelling", "network", "transformer"]  # two families of terms are of one kind


def test_a_left_out_kind_never_runs() -> None:
    plan = _text_plan()
    opening = find_policy("gain").make_schedule(plan, NO_PRIORS)(History(), 30.0)
    without = find_policy("without terms").make_schedule(plan, NO_PRIORS)(History(), 30.0)
    assert opening is not None
    assert opening.stage.kind == "terms"
    assert without is not None
    assert without.stage.kind == "spelling"


def test_runs_with_and_without_are_planned_side_by_side(tmp_path: Path) -> None:
    tasks = tasks_of(parse_flags(["--datasets", "docstring_topics", "--out", str(tmp_path)]), PROTOCOL)
    kinds = ["terms", "spelling", "network", "transformer"]
    assert [task.job.system for task in tasks] == ["gain", *(f"without_{kind}" for kind in kinds)]
    assert all((task.system.code_dir / "model.py").is_file() for task in tasks)
    left_out: dict[str, object] = {}
    exec((tasks[1].system.code_dir / "model.py").read_text(encoding="utf-8"), left_out)
    assert getattr(left_out["Model"], "policy") == "without terms"  # noqa: B009 (a class of unknown type)


def test_the_table_says_what_changes_without_a_kind() -> None:
    results = [
        _result("gain", 0.8, 0.9),
        _result("gain", 0.6, 0.7, seed=1),
        _result("without_network", 0.5, 0.9),
        _result("gain", 0.4, 0.4, modality="video"),
        _result("without_ridge", 0.0, None, modality="video"),
    ]
    lines = tables(results).splitlines()
    assert lines[0] == "#### text"
    assert lines[4] == "| a | 0.7000 | 0.8000 | -0.2000, +0.1000 |"
    assert lines[-1] == "| a | 0.4000 | 0.4000 | -0.4000, -0.4000 |"


def test_an_unknown_dataset_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--datasets", "nosuch", "--out", str(tmp_path)]) == 1
    assert "nosuch" in capsys.readouterr().err
