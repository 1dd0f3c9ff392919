"""`autodl-solver explain` and `report`, as people run them: in a process of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_process import run_cli

from autodl_solver.anytime.stage_log import RunFacts, StageLog

FACTS = RunFacts("toy 文", "text", 10, 2, (-1, 1, 1, 1), "dense", False, 5, 1, "0.1.0")


def write_log(run_dir: Path) -> Path:
    log = StageLog(run_dir / "stages.jsonl")
    log.run(FACTS)
    log.prediction({}, 0.0, 0.5)
    return run_dir


def test_explain_prints_a_timeline_and_writes_a_page(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    done = run_cli("explain", write_log(tmp_path / "a run"), "--html", page)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("toy 文\ntext; 10 training rows")
    assert done.stdout.endswith(f"page  {page}\n")
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_a_terminal_that_knows_ascii_only_is_no_failure(tmp_path: Path) -> None:
    done = run_cli("explain", write_log(tmp_path), PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stdout.splitlines()[0][:4]) == (0, "toy ")


@pytest.mark.parametrize(
    ("content", "fact"),
    [
        (None, "must be a readable file"),  # no log: another submission, or an older one
        ("", "must begin with a line of kind run"),  # killed before the first line
        ("{}\n{}\n", "line 1, is not: kind is None"),  # something else
    ],
)
def test_a_folder_without_a_sound_log_exits_with_one_and_the_rule(
    tmp_path: Path, content: str | None, fact: str
) -> None:
    if content is not None:
        (tmp_path / "stages.jsonl").write_text(content)
    done = run_cli("explain", tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("autodl-solver: A stage log ") or "Each line of a stage log" in done.stderr
    assert fact in done.stderr
    assert "Traceback" not in done.stderr


def test_a_page_that_cannot_be_written_exits_with_one(tmp_path: Path) -> None:
    done = run_cli("explain", write_log(tmp_path), "--html", tmp_path / "absent" / "page.html")
    assert done.returncode == 1
    assert "absent" in done.stderr
    assert "Traceback" not in done.stderr


def test_report_writes_a_page_into_the_run_or_where_it_is_told(tmp_path: Path) -> None:
    run = write_log(tmp_path / "a run")
    done = run_cli("report", run)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(f"page  {run / 'report.html'}\n")
    assert run_cli("report", run, "--out", tmp_path / "page.html").returncode == 0
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == (run / "report.html").read_text(encoding="utf-8")
    assert sorted(path.name for path in run.iterdir()) == ["report.html", "stages.jsonl"]


def test_a_folder_without_a_run_has_no_report(tmp_path: Path) -> None:
    done = run_cli("report", tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("autodl-solver: A stage log must be a readable file; however ")
    assert list(tmp_path.iterdir()) == []
