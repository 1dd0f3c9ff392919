"""The command line, as people run it: in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from autodl_solver.anytime.stage_log import RunFacts, StageLog

ROOT = Path(__file__).resolve().parent.parent
FACTS = RunFacts("toy 文", "text", 10, 2, (-1, 1, 1, 1), "dense", False, 5, 1, "0.1.0")


def run_cli(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "autodl_solver", *map(str, arguments)]
    environment = {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", **variables}
    return subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", timeout=60, env=environment, check=False
    )


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
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "toy ?")


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
    assert done.stderr.startswith("autodl_solver: A stage log ") or "Each line of a stage log" in done.stderr
    assert fact in done.stderr
    assert "Traceback" not in done.stderr


def test_a_page_that_cannot_be_written_exits_with_one(tmp_path: Path) -> None:
    done = run_cli("explain", write_log(tmp_path), "--html", tmp_path / "absent" / "page.html")
    assert done.returncode == 1
    assert "absent" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [[], ["explain"], ["unknown"], ["explain", ".", "--htm=x"]])
def test_bad_flags_are_refused_with_the_usage(arguments: list[str]) -> None:
    done = run_cli(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: python -m autodl_solver")


@pytest.mark.parametrize("arguments", [["--help"], ["explain", "--help"], ["--version"]])
def test_help_is_quick_because_nothing_heavy_is_imported(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom autodl_solver.cli import main\n"
        f"try: main({arguments!r})\n"
        "except SystemExit as end: print(end.code, sorted({'numpy', 'scipy', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 []"


def test_explaining_needs_no_numpy(tmp_path: Path) -> None:
    write_log(tmp_path)
    code = (
        "import sys\nfrom autodl_solver.cli import main\n"
        f"main(['explain', {str(tmp_path)!r}])\nprint(sorted({{'numpy', 'torch'}} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
