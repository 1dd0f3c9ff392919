"""Results on disk: one for each run, whole or not at all, never overwritten."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benchmark_harness import SMOKE, result

from benchmarks.errors import BenchmarkError
from benchmarks.jobs import PROTOCOLS, Job, jobs_to_do, read_results, write_result


def test_the_protocols_are_those_that_were_agreed() -> None:
    assert {p.name: (p.time_budget, p.t0) for p in PROTOCOLS.values()} == {
        "official": (1200, 60),
        "quick": (120, 6),
        "smoke": (5, 1),
    }


def test_a_result_is_read_as_it_was_written(tmp_path: Path) -> None:
    job, made = Job("toy", "ours", 3, SMOKE), result(seed=3)
    assert write_result(made, job, tmp_path)
    assert read_results(tmp_path, SMOKE) == [made]
    assert [path.name for path in (tmp_path / "smoke").iterdir()] == ["toy--ours--3.json"]


def test_a_run_with_a_result_is_not_made_again(tmp_path: Path) -> None:
    jobs = [Job("toy", "ours", seed, SMOKE) for seed in range(3)]
    write_result(result(seed=1), jobs[1], tmp_path)
    assert jobs_to_do(jobs, tmp_path) == [jobs[0], jobs[2]]


def test_the_first_result_of_a_run_stands(tmp_path: Path) -> None:
    job = Job("toy", "ours", 0, SMOKE)
    assert write_result(result(alc=0.1), job, tmp_path)
    assert not write_result(result(alc=0.9), job, tmp_path)
    assert read_results(tmp_path, SMOKE)[0]["alc"] == 0.1
    assert len(list((tmp_path / "smoke").iterdir())) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",  # cut short
        "{}",  # no result
        "[1, 2]",
        json.dumps(result() | {"protocol": {"name": "smoke", "time_budget": 9.0, "t0": 1.0}}),
    ],
)
def test_a_file_that_is_no_result_of_the_protocol_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "smoke").mkdir()
    (tmp_path / "smoke" / "odd.json").write_text(text)
    with pytest.raises(BenchmarkError, match=r"however odd\.json is none"):
        read_results(tmp_path, SMOKE)


def test_no_results_are_no_error(tmp_path: Path) -> None:
    assert read_results(tmp_path, SMOKE) == []
