"""Virtual environments for the peers, made on first use: their pins clash with each other and with ours.

An environment is named by a digest of its requirements and the interpreter, so that peers with the same needs share
one, and a change of the needs makes a new one. It is finished when its `installed.json` exists; one that was cut
short is made again.
Cost: 24 s (the reader alone) to 63 s (aeon and torch); .3 to 1.5 GB each with the CPU build of torch, whose build on
PyPI alone takes more than 5.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.errors import BenchmarkError
from benchmarks.systems import System

INSTALLED = "installed.json"
N_ERROR_LINES = 8
LIST_VERSIONS = (
    "import importlib.metadata as m, json;"
    "print(json.dumps({d.metadata['Name']: d.version for d in m.distributions() if d.metadata['Name']}))"
)


def default_cache() -> Path:
    """Where environments and converted datasets are kept."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "autodl_solver" / "benchmark"


def python_of(system: System, cache: Path) -> Path:
    """The interpreter of a system; makes its environment if need be.

    Raises:
        BenchmarkError: the requirements cannot be installed.
    """
    if system.requirements is None:
        return Path(sys.executable)
    folder = cache / "venvs" / _digest(system.requirements)
    with _locked(folder.with_suffix(".lock")):
        if not (folder / INSTALLED).is_file():
            _install(system, folder)
    return folder / "bin" / "python"


def versions_of(python: Path) -> dict[str, str]:
    """Version by distribution of what an interpreter can import, sorted by name."""
    result = subprocess.run([str(python), "-c", LIST_VERSIONS], capture_output=True, text=True, check=True)
    versions: dict[str, str] = json.loads(result.stdout)
    return dict(sorted(versions.items(), key=lambda item: item[0].lower()))


def _digest(requirements: Path) -> str:
    """Of the needs, those of included files too, and of the interpreter; comments do not count."""
    needs = [sys.implementation.cache_tag or "", sys.platform, *_needs(requirements)]
    return hashlib.sha256("\n".join(needs).encode()).hexdigest()[:12]


def _needs(requirements: Path) -> Iterator[str]:
    for line in requirements.read_text(encoding="utf-8").splitlines():
        flag, _, included = line.strip().partition(" ")
        if flag == "-r":
            yield from _needs(requirements.parent / included)
        elif line.strip() and not line.startswith("#"):
            yield line.strip()


def _install(system: System, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    python = folder / "bin" / "python"
    print(f"Installing the environment of {system.name} into {folder}, once.", file=sys.stderr, flush=True)
    _run([sys.executable, "-m", "venv", str(folder)], system)
    _run([str(python), "-m", "pip", "install", "--quiet", "-r", str(system.requirements)], system)
    (folder / INSTALLED).write_text(json.dumps(versions_of(python), indent=1), encoding="utf-8")


def _run(command: list[str], system: System) -> None:
    result: subprocess.CompletedProcess[Any] = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if result.returncode != 0:
        lines = "\n".join(f"    {line}" for line in result.stdout.splitlines()[-N_ERROR_LINES:])
        raise BenchmarkError(
            f"The environment of {system.name} must hold what {system.requirements} names, however its installation "
            f"failed:\n{lines}"
        )


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Only one process at a time; the system lets go of the lock when the process ends, however it ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
