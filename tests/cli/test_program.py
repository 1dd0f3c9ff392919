"""The program as a whole: help, flags, exit codes, what is imported when."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cli_process import ROOT, command, environment, run_cli
from click.testing import CliRunner

from autodl_solver.anytime.stage_log import RunFacts, StageLog
from autodl_solver.cli import main, program

COMMANDS = ("fit", "predict", "report", "convert", "browse", "explain")
HEAVY = "{'numpy', 'scipy', 'sklearn', 'torch', 'pandas', 'pyarrow', 'rich', 'autodl_solver.data'}"


def test_help_lists_every_command_with_a_line() -> None:
    listed = CliRunner().invoke(program, ["--help"]).output
    assert sorted(program.commands) == sorted(COMMANDS)
    for name in COMMANDS:
        short = program.commands[name].get_short_help_str()
        assert f"  {name}" in listed
        assert not short.endswith("...")  # nothing is cut off


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], *([name, "--help"] for name in COMMANDS)])
def test_help_is_quick_because_nothing_heavy_is_imported(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom autodl_solver.cli import main\n"
        f"print(main({arguments!r}), sorted({HEAVY} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 []"


def test_explaining_needs_no_numpy(tmp_path: Path) -> None:
    log = StageLog(tmp_path / "stages.jsonl")
    log.run(RunFacts("toy", "text", 10, 2, (-1, 1, 1, 1), "dense", False, 5, 1, "0.1.0"))
    code = (
        "import sys\nfrom autodl_solver.cli import main\n"
        f"main(['explain', {str(tmp_path)!r}])\nprint(sorted({{'numpy', 'torch'}} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["unknown"],
        ["explain"],  # a folder is missing
        ["explain", ".", "--htm=x"],  # no abbreviations
        ["fit", "data"],  # --out is missing
        ["fit", "data", "--out", "run", "--budget", "5x"],
        ["fit", "data", "--out", "run", "--budget", "0"],
        ["fit", "data", "--out", "run", "--kind", "smell"],
        ["fit", "data", "--out", "run", "--seed", "-1"],
        ["predict", "run"],
    ],
)
def test_bad_flags_are_refused_with_the_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err.startswith("Usage: autodl-solver")


def test_a_bad_budget_is_told_with_good_ones(capsys: pytest.CaptureFixture[str]) -> None:
    main(["fit", "data", "--out", "run", "--budget", "5 minutes"])
    assert "such as 90s, 5m or 1h30m; however it is '5 minutes'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["predict", "nowhere", "data"],
        ["explain", "nowhere"],
        ["report", "nowhere"],
        ["fit", "nowhere", "--out", "run"],
    ],
)
def test_what_is_not_there_is_told_without_a_traceback(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    done = subprocess.run(
        command(*arguments), cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("autodl-solver: ")
    assert "nowhere" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_that_leaves_is_no_failure_to_talk_about(tmp_path: Path) -> None:
    log = StageLog(tmp_path / "stages.jsonl")
    log.run(RunFacts("toy", "text", 10, 2, (-1, 1, 1, 1), "dense", False, 5, 1, "0.1.0"))
    with subprocess.Popen(
        command("explain", tmp_path), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_a_terminal_that_knows_ascii_only_shows_the_help() -> None:
    assert run_cli("--help", PYTHONIOENCODING="ascii").returncode == 0
