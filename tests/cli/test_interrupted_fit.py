"""Runs that do not come to their end: killed, interrupted, stopped from the page. In processes of their own."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cli_process import ROOT, command, environment, run_cli

PATIENCE_S = 240


def write_table(path: Path) -> Path:
    """Noisy enough that learning goes on."""
    numbers = random.Random(0)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["a", "b", "c", "label"])
        for _ in range(1500):
            row = [numbers.gauss(0, 1) for _ in range(3)]
            writer.writerow([*row, "yes" if row[0] * row[1] + numbers.gauss(0, 0.5) > 0 else "no"])
    return path


@contextmanager
def fitting(data: Path, run: Path, *more: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        command("fit", data, "--out", run, "--budget", "10m", "--json", *more),
        env=environment(OMP_NUM_THREADS="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def events_until(process: subprocess.Popen[str], kind: str, count: int = 1) -> list[dict[str, Any]]:
    """The events up to the count-th one of a kind; fewer if the process ends before."""
    assert process.stdout is not None
    events: list[dict[str, Any]] = []
    while sum(event["event"] == kind for event in events) < count and (line := process.stdout.readline()):
        events.append(json.loads(line))
    return events


@pytest.mark.slow
def test_a_killed_run_goes_on_with_the_same_command_and_ctrl_c_keeps_the_best_so_far(tmp_path: Path) -> None:
    data, run = write_table(tmp_path / "my table.csv"), tmp_path / "my run"
    with fitting(data, run) as process:
        before = events_until(process, "stage", 3)
        process.send_signal(signal.SIGKILL)
        assert process.wait(PATIENCE_S) == -signal.SIGKILL
    done = [event for event in before if event["event"] == "stage"]
    assert len(done) == 3

    with fitting(data, run) as process:
        after = events_until(process, "stage", 1)
        process.send_signal(signal.SIGINT)
        rest, told = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, told) == (0, "")
    begin, end = after[0], json.loads(rest.splitlines()[-1])
    assert begin["elapsed_s"] >= done[1]["started_s"] + done[1]["fit_s"]
    assert begin["budget_s"] == pytest.approx(600, abs=1)  # what was spent before counts
    assert after[-1]["name"] not in [stage["name"] for stage in done[:2]]  # none is lost but the current one
    assert (end["event"], end["interrupted"]) == ("end", True)
    assert end["n_stages"] >= 3
    assert end["elapsed_s"] < 600

    predicted = run_cli("predict", run, data, "-o", tmp_path / "p.csv")
    assert (predicted.returncode, predicted.stderr) == (0, "")
    assert run_cli("report", run).returncode == 0


@pytest.mark.slow
def test_the_page_of_a_run_stops_it(tmp_path: Path) -> None:
    with fitting(write_table(tmp_path / "table.csv"), tmp_path / "run", "--serve") as process:
        (url,) = (event["url"] for event in events_until(process, "page")[-1:])
        with urllib.request.urlopen(url, timeout=60) as page:
            assert "table.csv" in page.read().decode("utf-8")
        events_until(process, "improvement")
        with urllib.request.urlopen(f"{url}status.json", timeout=60) as answer:
            status = json.load(answer)
        assert status["state"] in {"starting", "running"}
        assert len(status["curve"]) >= 1
        with urllib.request.urlopen(f"{url}stop", data=b"", timeout=60) as answer:
            assert answer.status == 202
        rest, told = process.communicate(timeout=PATIENCE_S)
    end = json.loads(rest.splitlines()[-1])
    assert (process.returncode, told) == (0, "")
    assert (end["event"], end["interrupted"]) == ("end", False)


def test_a_second_ctrl_c_leaves_at_once() -> None:
    code = (
        "import os, signal\nfrom autodl_solver.cli.interrupts import Interrupts\n"
        "with Interrupts() as interrupts:\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n    print(interrupts.count, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n    print('still there', flush=True)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (130, "1\n")
    assert "the same command goes on" in done.stderr


@pytest.mark.slow
def test_ctrl_c_before_anything_is_learned_leaves_with_130(tmp_path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("needs named pipes")
    data = tmp_path / "table.csv"
    os.mkfifo(data)  # reading it waits
    process = subprocess.Popen(
        command("fit", data, "--out", tmp_path / "run"), env=environment(), stderr=subprocess.PIPE, text=True
    )
    file = data.open("w")  # waits for the reader
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=PATIENCE_S)
    file.close()
    assert process.returncode == 130
    assert told.endswith("autodl-solver: interrupted\n")
    assert "Traceback" not in told
