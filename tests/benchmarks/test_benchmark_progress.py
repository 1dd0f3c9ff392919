"""The progress of a sweep: a line, and the time left."""

from __future__ import annotations

import io

import pytest
from benchmark_harness import SMOKE, result

from benchmarks.jobs import Job
from benchmarks.progress import OVERHEAD_S, Progress, TimeLeft

JOBS = [Job("toy", system, 0, SMOKE) for system in ("quick", "slow", "new")]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_system_takes_as_long_as_it_took_so_far() -> None:
    left = TimeLeft([result(system="quick", wall_s=1.0), result(system="quick", wall_s=2.0)])
    left.add(result(system="slow", wall_s=40.0))
    assert left.of(JOBS[:2]) == pytest.approx(1.5 + 40)
    assert left.of(JOBS[2:]) == SMOKE.time_budget + OVERHEAD_S


def test_elsewhere_each_run_that_ended_is_a_line() -> None:
    stream = io.StringIO()
    with Progress(JOBS, [], stream=stream) as progress:
        for job in JOBS[:2]:
            progress.start(job)
            progress.end(job, result(system=job.system, wall_s=30.0))
        progress.skip(JOBS[2], "no environment")
    lines = stream.getvalue().splitlines()
    assert lines[0] == "[1/3] toy, quick, seed 0: ALC 0.5000, 1 predictions; about 22 s left"
    assert lines[1].startswith("[2/3] toy, slow, seed 0")
    assert lines[2] == "toy, new, seed 0: not run. no environment"
    assert "\r" not in stream.getvalue()


def test_a_failure_is_told_with_its_cause() -> None:
    stream = io.StringIO()
    with Progress(JOBS[:1], [], stream=stream) as progress:
        progress.end(JOBS[0], result(status="out_of_memory", cause="killed:\n it grew"))
    assert "out_of_memory: killed: it grew" in stream.getvalue()


def test_a_terminal_shows_a_bar_with_the_time_left() -> None:
    progress = Progress(JOBS, [result(system="quick", wall_s=3.0)], stream=Terminal())
    progress.start(JOBS[0])
    assert progress.line().startswith("[........................] 0/3  about ")
    progress.end(JOBS[0], result(system="quick"))
    assert progress.line().startswith("[########................] 1/3  about 22 s left")
