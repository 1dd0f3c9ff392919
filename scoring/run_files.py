"""The small text files by which ingestion and scoring talk: start.txt, end.txt, scores.txt.

All three are lines of `key: value`. The official ingestion program writes them in place, so a reader may see half a
file: a last line without its newline is left for the next look unless the file has rested for a second, and a file that
lacks a needed key counts as absent. Written here: to a temporary name, then renamed. No numpy, so that
`run_local_test.py --help` is quick.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

START_FILE, END_FILE = "start.txt", "end.txt"
SCORES_FILE, PAGE_FILE = "scores.txt", "detailed_results.html"
REST_S = 1.0


@dataclass(frozen=True)
class RunStart:
    """What start.txt says.

    Attributes:
        ingestion_pid: process id of the ingestion program, on its machine.
        time_budget: T in seconds.
        start_time: epoch seconds at which the budget starts.
        timestamps: epoch seconds of prediction k.
    """

    ingestion_pid: int
    time_budget: float
    start_time: float
    timestamps: dict[int, float]


@dataclass(frozen=True)
class RunEnd:
    """What end.txt says.

    Attributes:
        success: whether ingestion did all it was asked to.
        duration: seconds from the start of the budget; None where end.txt does not tell.
        cause: why it failed (`ingestion_error`, which the official program does not write), or "".
    """

    success: bool
    duration: float | None
    cause: str


def read_fields(path: Path) -> dict[str, str]:
    """The `key: value` lines of a file; {} while it is absent. A last line that is still being written is left out."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
        lines = text if _rests(path) else text[: text.rfind("\n") + 1]
    except (FileNotFoundError, NotADirectoryError):
        return {}
    pairs = (line.partition(":") for line in lines.splitlines() if ":" in line)
    return {key.strip(): value.strip() for key, _, value in pairs}


def read_start(folder: Path) -> RunStart | None:
    """What start.txt in `folder` says, or None while it is absent, half written or unreadable as such."""
    fields = read_fields(folder / START_FILE)
    try:
        return RunStart(
            ingestion_pid=int(fields["ingestion_pid"]),
            time_budget=float(fields["time_budget"]),
            start_time=float(fields["start_time"]),
            timestamps={int(key): float(value) for key, value in fields.items() if key.isdecimal()},
        )
    except (KeyError, ValueError):
        return None


def read_end(folder: Path) -> RunEnd | None:
    """What end.txt in `folder` says, or None while it is absent or half written. Without a success it is a failure."""
    path = folder / END_FILE
    fields = read_fields(path)
    try:
        if "ingestion_success" not in fields and not _rests(path):
            return None
        duration = float(fields["ingestion_duration"]) if "ingestion_duration" in fields else None
    except FileNotFoundError:
        return None
    except ValueError:
        duration = None
    return RunEnd(fields.get("ingestion_success") == "1", duration, _unquoted(fields.get("ingestion_error", "")))


def _unquoted(text: str) -> str:
    """The text of a JSON string; anything else as it is."""
    try:
        return str(json.loads(text))
    except ValueError:
        return text


def _rests(path: Path) -> bool:
    """Whether nobody has written to the file for a while."""
    return time.time() - path.stat().st_mtime > REST_S


def write_text(path: Path, text: str) -> None:
    """Write a file such that a reader sees the old text or the new one, never a part."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)
