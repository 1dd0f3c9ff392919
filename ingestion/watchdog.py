"""A second process that closes the run when the first one cannot.

A model can hold the interpreter lock in C code, block signals, or take the whole process down. So before the model is
imported, ingestion starts this small process (standard library only) and sends it one JSON value per line over a pipe:

    {"seconds": 1202.0, "start_time": 1557923830.3, "error": "..."}     a new deadline (null: none), what to say then
    "done"                                                              ingestion has closed the run itself

When the deadline passes, the watchdog kills ingestion; when ingestion is gone without "done", somebody else killed it.
In both cases it writes the end.txt that ingestion could not write (and start.txt if missing: scoring waits for it).
"""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from io import FileIO
from pathlib import Path
from types import TracebackType

from ingestion.log import logger, start_log
from ingestion.run_files import END_FILE, START_FILE, RunFiles

_PACKAGE_ROOT = Path(__file__).resolve().parent.parent
_LOOK_EVERY_S = 0.5
_KILLED = (
    "The ingestion process must close its run, however it ended without a word; "
    "it was killed: by the scoring program, a crash in C code, or for want of memory"
)


class Watchdog:
    """The side of the ingestion process. A context manager: leaving it says that the run is closed."""

    def __init__(self, files: RunFiles) -> None:
        settings = [str(files.folder), files.task_name, str(files.time_budget), str(files.ingestion_pid)]
        # -E -S: no settings of the user and no site packages: it starts in 50 ms and they cannot break it.
        self._process = subprocess.Popen(
            [sys.executable, "-E", "-S", "-m", "ingestion.watchdog", *settings],
            stdin=subprocess.PIPE,
            cwd=_PACKAGE_ROOT,
        )

    def set_deadline(self, seconds: float | None, start_time: float, error: str = "") -> None:
        """Replace the deadline.

        Args:
            seconds: from now; None for no deadline.
            start_time: of the run, seconds since 1970.
            error: what end.txt says when the deadline passes.
        """
        self._send({"seconds": seconds, "start_time": start_time, "error": error})

    def __enter__(self) -> "Watchdog":
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self._send("done")
        self._process.wait()

    def _send(self, message: object) -> None:
        pipe = self._process.stdin
        if pipe is None or pipe.closed:
            return
        try:
            pipe.write(json.dumps(message).encode() + b"\n")
            pipe.flush()
            if message == "done":
                pipe.close()
        except BrokenPipeError:
            logger.warning("The watchdog has gone; from here on nobody stops a model that ignores the end of its time")


def main(arguments: list[str]) -> None:
    """The side of the second process.

    Args:
        arguments: folder, task name, time budget and process id of the run.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; ingestion decides what it means
    start_log()
    folder, task_name, time_budget, pid = arguments
    messages: queue.SimpleQueue[object] = queue.SimpleQueue()
    # Unbuffered, because Python waits at its end for the lock of a buffer that a thread is reading.
    pipe = open(sys.stdin.fileno(), "rb", buffering=0, closefd=False)  # noqa: SIM115  # open until the process ends
    threading.Thread(target=_listen, args=(pipe, messages), daemon=True).start()
    verdict = _watch(messages, int(pid))
    if verdict is None:
        return
    error, start_time = verdict
    files = RunFiles(Path(folder), task_name, float(time_budget), int(pid))
    files.remove_partial()
    if not (files.folder / START_FILE).exists():
        files.write_start(start_time)
    if not (files.folder / END_FILE).exists():
        files.write_end(start_time, error)
    logger.error(error)


def _listen(pipe: FileIO, messages: "queue.SimpleQueue[object]") -> None:
    for line in pipe:
        messages.put(json.loads(line))
    messages.put(None)


def _watch(messages: "queue.SimpleQueue[object]", pid: int) -> tuple[str, float] | None:
    """Wait for the end of the run; (error, start_time) if it must be closed from here."""
    deadline, start_time, error = float("inf"), time.time(), _KILLED
    while True:
        try:
            message = messages.get(timeout=max(0.0, min(_LOOK_EVERY_S, deadline - time.monotonic())))
        except queue.Empty:
            # Children of the model may hold the pipe open when ingestion is gone: look at the process as well,
            # and before it is killed, because its number may belong to somebody else by then.
            if _is_orphan(pid):
                return _KILLED, start_time
            if time.monotonic() < deadline:
                continue
            os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
            return error, start_time
        if message == "done":
            return None
        if not isinstance(message, dict):
            return _KILLED, start_time
        deadline = float("inf") if message["seconds"] is None else time.monotonic() + message["seconds"]
        start_time, error = message["start_time"], message["error"]


def _is_orphan(parent_pid: int) -> bool:
    # Windows gives an orphan no new parent; there the end of the pipe has to do.
    return os.name == "posix" and os.getppid() != parent_pid


if __name__ == "__main__":
    main(sys.argv[1:])
