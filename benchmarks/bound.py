"""Becomes another program that is bound to some cores and ends when the process that started it does.

    python benchmarks/bound.py 0,1 PARENT_PID COMMAND ARGUMENT ...

A program of its own, not code between fork and exec, because the benchmark has threads by then. Standard library
only.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Does not return."""
    cores, parent, *command = arguments
    os.sched_setaffinity(0, {int(core) for core in cores.split(",")})
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(parent):  # it ended before it could be watched
        raise SystemExit(1)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
