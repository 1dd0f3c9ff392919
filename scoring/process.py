"""The ingestion program as a process: is it alive, and how to stop it.

A process id in a file is a weak name: the process may have ended and its number been given to another. So a process
is taken for the ingestion program only if it is older than the run; nothing else is ever signalled.
"""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

POLL_S = 0.02
CLOCK_SLACK_S = 2.0  # the boot time in /proc/stat is rounded to seconds


@dataclass(frozen=True)
class Ingestion:
    """The process that start.txt names.

    Attributes:
        pid: its process id.
        start_time: epoch seconds of the start of the budget; the process is older.
    """

    pid: int
    start_time: float

    @property
    def is_visible(self) -> bool:
        """Whether the pid means something here.

        0 and below name whole groups; 1 is init, and what an ingestion program writes that runs in its own container,
        where it cannot be seen from here; and it is not ourselves.
        """
        return self.pid > 1 and self.pid != os.getpid()

    def is_alive(self) -> bool:
        """Whether the process is visible, runs, and is older than the run."""
        if not self.is_visible:
            return False
        try:
            os.kill(self.pid, 0)
        except (ProcessLookupError, OverflowError):
            return False
        except PermissionError:
            pass  # it exists, under another user
        state, created = _state_and_creation(self.pid)
        return state not in ("Z", "X") and created <= self.start_time + CLOCK_SLACK_S

    def stop(self, grace_s: float) -> None:
        """Ask the process to end (SIGTERM), then make it (SIGKILL) after `grace_s` seconds."""
        for number, patience_s in ((signal.SIGTERM, grace_s), (signal.SIGKILL, 1.0)):
            if not self.is_alive():
                return
            try:
                os.kill(self.pid, number)
            except (ProcessLookupError, PermissionError):
                return
            deadline = time.monotonic() + patience_s
            while self.is_alive() and time.monotonic() < deadline:
                time.sleep(POLL_S)


def _state_and_creation(pid: int) -> tuple[str, float]:
    """State letter and epoch seconds of creation; ("", 0) where /proc does not tell (macOS)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        system = Path("/proc/stat").read_text(encoding="utf-8").splitlines()
    except OSError:
        return "", 0.0
    boot_time = next((float(line.split()[1]) for line in system if line.startswith("btime ")), 0.0)
    fields = stat.rpartition(")")[2].split()  # the command before it may hold spaces and brackets
    ticks = float(fields[19])  # `starttime`, field 22 of proc(5), in clock ticks after boot
    return fields[0], boot_time + ticks / os.sysconf("SC_CLK_TCK")
