"""Which processes count as the ingestion program, and how they end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from scoring.process import Ingestion


def child(code: str) -> subprocess.Popen[str]:
    """A Python process that has run `code` up to its `print` before this returns."""
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    return process


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("print(1, flush=True); import time; time.sleep(60)", -signal.SIGTERM),  # ends when asked
        (
            "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(60)",
            -signal.SIGKILL,
        ),  # ignores the request
    ],
)
def test_stop_asks_first_and_then_kills(code: str, expected: int) -> None:
    with child(code) as process:
        Ingestion(process.pid, time.time()).stop(grace_s=0.2)
        assert process.wait(10) == expected


def test_a_process_younger_than_the_run_is_another_one() -> None:
    with child("print(1, flush=True); input()") as process:
        an_hour_ago = Ingestion(process.pid, time.time() - 3600)
        assert not an_hour_ago.is_alive()
        an_hour_ago.stop(grace_s=0.1)
        assert process.poll() is None
        assert Ingestion(process.pid, time.time()).is_alive()
        process.kill()


def test_a_process_that_has_ended_is_not_alive() -> None:
    with child("print(1, flush=True)") as process:
        assert process.stdout is not None
        process.stdout.read()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and is a zombie
        assert not Ingestion(process.pid, time.time()).is_alive()
        process.wait(10)
        assert not Ingestion(process.pid, time.time()).is_alive()


@pytest.mark.parametrize("pid", [-1, 0, 1, pytest.param(os.getpid(), id="ourselves"), 2**40])  # all, our group, init
def test_some_pids_are_never_signalled(pid: int) -> None:
    ingestion = Ingestion(pid, time.time())
    assert not ingestion.is_alive()
    ingestion.stop(grace_s=0.1)
