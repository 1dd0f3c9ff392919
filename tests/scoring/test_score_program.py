"""The scoring program on runs made by hand: start.txt, predictions and end.txt as ingestion would write them."""

from __future__ import annotations

import ast
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from math import log
from pathlib import Path

import numpy as np
import pytest

from scoring import score

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = [sys.executable, str(ROOT / "scoring" / "score.py")]
SOLUTION = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], float)
PERFECT, REVERSED, CHANCE = SOLUTION, 1 - SOLUTION, np.full((4, 2), 0.5)
HALF = np.array([[0.9, 0.1], [0.6, 0.4], [0.6, 0.4], [0.1, 0.9]])  # one tie in four pairs: AUC 7/8


class Run:
    """A run in tmp_path: folders data, predictions and scores."""

    def __init__(self, folder: Path, name: str = "toy") -> None:
        self.name = name
        self.data, self.predictions, self.scores = (folder / part for part in ("data", "predictions", "scores"))
        self.data.mkdir()
        self.predictions.mkdir()
        np.savetxt(self.data / f"{name}.solution", SOLUTION, fmt="%d")

    def start(self, seconds: list[float], ago: float = 0.0, budget: float = 100.0, pid: int = 1) -> None:
        """Write start.txt of a run that began `ago` seconds ago, with predictions after `seconds`."""
        began = time.time() - ago
        lines = [f"ingestion_pid: {pid}", f"task_name: {self.name}", f"time_budget: {budget}", f"start_time: {began!r}"]
        lines += [f"{k}: {began + after!r}" for k, after in enumerate(seconds)]
        (self.predictions / "start.txt").write_text("\n".join(lines) + "\n")

    def predict(self, *predictions: np.ndarray) -> None:
        """Write NAME.predict_0, 1, ..."""
        for k, values in enumerate(predictions):
            np.savetxt(self.predictions / f"{self.name}.predict_{k}", values, fmt="%g")

    def end(self, success: int = 1, error: str = "") -> None:
        """Write end.txt."""
        cause = f"ingestion_error: {json.dumps(error)}\n" if error else ""
        text = f"ingestion_duration: 9.5\ningestion_success: {success}\nend_time: 1.0\n{cause}"
        (self.predictions / "end.txt").write_text(text)

    def flags(self, *more: str) -> list[str]:
        """The flags of the scoring program."""
        folders = {"solution_dir": self.data, "prediction_dir": self.predictions, "score_dir": self.scores}
        return [*(f"--{name}={path}" for name, path in folders.items()), *more]

    def score(self, *more: str) -> int:
        """Run the scoring program to its end, in this process; returns its exit code."""
        return score.main(self.flags(*more))

    def results(self) -> dict[str, str]:
        """The lines of scores.txt."""
        lines = (self.scores / "scores.txt").read_text().splitlines()
        return dict(line.split(": ", 1) for line in lines)

    def page(self) -> str:
        """The page."""
        return (self.scores / "detailed_results.html").read_text()


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


@pytest.fixture
def ingestion() -> Iterator[subprocess.Popen[str]]:
    """A process that plays the ingestion program: it waits for ever."""
    with subprocess.Popen(
        [sys.executable, "-c", "print(1, flush=True); input()"], stdin=-1, stdout=-1, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def x(seconds: float, t0: float = 60.0, budget: float = 100.0) -> float:
    return log(1 + seconds / t0) / log(1 + budget / t0)


def test_the_program_runs_as_a_file_from_anywhere_with_one_dash(run: Run, tmp_path: Path) -> None:
    run.start([1.0], ago=10)
    run.predict(PERFECT)
    run.end()
    flags = [part for flag in run.flags() for part in flag.removeprefix("-").split("=", 1)]
    done = subprocess.run([*PROGRAM, *flags], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert float(run.results()["score"]) == pytest.approx(1 - x(1), abs=1e-6)


def test_a_finished_run_gets_the_official_scores(run: Run) -> None:
    run.start([1.0, 5.0, 9.0], ago=10)
    run.predict(CHANCE, HALF, PERFECT)
    run.end()
    assert run.score() == 0
    results = run.results()
    expected = 0.75 * (x(9) - x(5)) + 1.0 * (1 - x(9))
    assert float(results["score"]) == pytest.approx(expected, abs=1e-6)
    assert list(results)[:4] == ["score", "Duration", "timestamps", "nauc_scores"]  # the official order
    assert float(results["Duration"]) == pytest.approx(9, abs=1e-5)
    np.testing.assert_allclose(json.loads(results["timestamps"]), [1, 5, 9], atol=1e-5)
    np.testing.assert_allclose(json.loads(results["nauc_scores"]), [0, 0.75, 1])
    np.testing.assert_allclose(json.loads(results["accuracy"]), [0.5, (0.9 + 0.6 + 0.4 + 0.9) / 4, 1])
    np.testing.assert_allclose(json.loads(results["bac_scores"]), [0.5, 0.75, 1])
    assert results["state"] == "finished"
    assert (run.scores / "learning-curve-toy.png").read_bytes().startswith(b"\x89PNG")
    assert 'http-equiv="refresh"' not in run.page()


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["--protocol=beta"], 0.5 * x(5) / 2 + 0.5 * (1 - x(5))),  # 2 * 0.75 - 1, trapezoid
        (["--protocol", "beta", "--curve", "step"], 0.5 * (1 - x(5))),  # one part of a protocol
        (["--metric=accuracy"], 0.75 * (1 - x(5))),  # another metric
        (["--t0=1", "--time_budget=10"], 0.75 * (1 - x(5, t0=1, budget=10))),  # another time scale
    ],
)
def test_flags_choose_metric_curve_and_time_scale(run: Run, flags: list[str], expected: float) -> None:
    run.start([5.0], ago=10)
    run.predict(HALF)
    run.end()
    assert run.score(*flags) == 0
    assert float(run.results()["score"]) == pytest.approx(expected, abs=1e-6)


def test_unusable_and_late_predictions_are_ignored_and_logged(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    run.start([1.0, 2.0, 3.0, 101.0], ago=110)
    run.predict(HALF, PERFECT[:3], np.full((4, 2), np.nan), PERFECT)
    run.end()
    assert run.score() == 0
    results = run.results()
    assert json.loads(results["nauc_scores"]) == [0.75]
    assert results["n_ignored"] == "3"
    for fact in ("toy.predict_1 has (3, 2)", "toy.predict_2 row 1 holds NaN", "toy.predict_3 came after 101.00 s"):
        assert fact in caplog.text


def test_a_failed_run_keeps_its_predictions_and_tells_the_cause(run: Run) -> None:
    run.start([1.0], ago=10)
    run.predict(PERFECT)
    run.end(success=0, error="ValueError: <b>no</b>")
    assert run.score() == 0
    assert float(run.results()["score"]) == pytest.approx(1 - x(1), abs=1e-6)
    assert run.results()["state"] == "failed"
    assert "ValueError: &lt;b&gt;no&lt;/b&gt;" in run.page()


@pytest.mark.parametrize("started", [True, False])  # ended without prediction; ended before the budget began
def test_a_run_without_predictions_scores_zero(run: Run, started: bool) -> None:
    if started:
        run.start([], ago=10)
    run.end(success=0)
    assert run.score() == 0
    assert float(run.results()["score"]) == 0
    assert run.results()["state"] == "failed"


def test_a_run_that_never_starts_is_an_error(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run.score("--wait_s=0.2") == 1
    assert "start.txt within 0.2 s" in capsys.readouterr().err
    assert float(run.results()["score"]) == 0
    assert "start.txt within 0.2 s" in run.page()


def test_ingestion_is_stopped_when_the_budget_is_used_up(run: Run, ingestion: subprocess.Popen[str]) -> None:
    run.start([0.0], pid=ingestion.pid)
    run.predict(PERFECT)
    assert run.score("--time_budget=0.3", "--grace_s=0.2") == 0
    assert ingestion.wait(10) == -signal.SIGTERM
    assert float(run.results()["score"]) == pytest.approx(1)
    assert run.results()["state"] == "stopped"


def test_a_run_whose_process_died_is_scored_soon(run: Run, ingestion: subprocess.Popen[str]) -> None:
    run.start([0.0], pid=ingestion.pid, budget=1000)
    run.predict(PERFECT)
    ingestion.kill()
    ingestion.wait()
    assert run.score("--grace_s=0.2") == 0
    assert float(run.results()["score"]) == pytest.approx(1)
    assert "died" in run.results()["cause"]


def test_predictions_are_scored_while_the_run_goes_on(run: Run, ingestion: subprocess.Popen[str]) -> None:
    run.start([0.0], pid=ingestion.pid)
    run.predict(PERFECT)
    with subprocess.Popen([*PROGRAM, *run.flags()], stdout=subprocess.PIPE, text=True) as scoring:
        assert scoring.stdout is not None
        assert "Prediction 0" in scoring.stdout.readline()  # before the run has ended
        run.end()
        assert scoring.wait(30) == 0
    assert run.results()["state"] == "finished"
    assert ingestion.poll() is None


def test_a_request_to_end_scores_what_exists(run: Run, ingestion: subprocess.Popen[str]) -> None:
    run.start([0.0], pid=ingestion.pid)
    run.predict(PERFECT)
    with subprocess.Popen([*PROGRAM, *run.flags()], stdout=subprocess.PIPE, text=True) as scoring:
        assert scoring.stdout is not None
        scoring.stdout.readline()
        scoring.terminate()
        assert scoring.wait(30) == 0
    assert run.results()["state"] == "stopped"
    assert float(run.results()["score"]) == pytest.approx(1)
    assert ingestion.poll() is None  # it was not ours to stop before its time


def test_a_name_with_quotes_and_tags_is_only_a_name(tmp_path: Path) -> None:
    run = Run(tmp_path, name="""a "b" 'c' <script>alert(1) [d] $x_1$""")
    run.start([1.0], ago=10)
    run.predict(PERFECT)
    run.end()
    assert run.score() == 0
    assert float(run.results()["score"]) > 0.9
    assert "<script" not in run.page()
    assert "&lt;script&gt;" in run.page()


def test_bad_input_is_refused_with_the_rule(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    (run.data / "second.solution").touch()
    assert run.score() == 1
    assert "exactly one NAME.solution" in capsys.readouterr().err
    assert not run.scores.exists()


def test_an_unwritable_score_folder_is_named(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run.scores.touch()  # a file where the folder should be
    assert run.score() == 1
    assert str(run.scores) in capsys.readouterr().err


@pytest.mark.parametrize("flag", ["--t0=0", "--time_budget=nan", "--protocol=other", "--metric=auc", "--unknown=1"])
def test_bad_flags_are_refused(run: Run, flag: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        run.score(flag)


def test_scoring_stands_alone() -> None:
    for path in (ROOT / "scoring").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.partition(".")[0] for name in names} & {"autodl_solver", "ingestion"}, path
