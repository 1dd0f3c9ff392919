"""What one run is, and where its result lies: OUT/PROTOCOL/DATASET--SYSTEM--SEED.json, written whole or not at all.

A result is a dictionary (schema below), so that it can be sent between machines and read by anything:

    dataset, modality, system, seed       which run
    protocol                              {name, time_budget, t0}, seconds
    status                                finished, failed, out_of_memory or overdue; all but the first are failures
    cause                                 why it failed, else ""
    curve                                 [[seconds, NAUC], ...], one pair for each prediction that counts
    alc, final_nauc, first_s              what the curve comes to; final_nauc and first_s are null without a prediction
    wall_s, init_s, peak_bytes            of the run: all of it, the model's initialisation, the largest memory seen
    commit, machine, python, versions     what it ran on (commit ends in "+" where files were changed)
    data_sha256                           of the solution, so that two results speak of the same rows
    log_tail                              last lines of the submission's output, after a failure
    started                               date and time, UTC
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

from benchmarks.errors import BenchmarkError

Result: TypeAlias = dict[str, Any]
FINISHED, FAILED, OUT_OF_MEMORY, OVERDUE = "finished", "failed", "out_of_memory", "overdue"


@dataclass(frozen=True)
class Protocol:
    """How long a run lasts and how its curve is weighed; seconds."""

    name: str
    time_budget: float
    t0: float


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (Protocol("official", 1200.0, 60.0), Protocol("quick", 120.0, 6.0), Protocol("smoke", 5.0, 1.0))
}


@dataclass(frozen=True)
class Job:
    """One run to make."""

    dataset: str
    system: str
    seed: int
    protocol: Protocol

    @property
    def text(self) -> str:
        """For people."""
        return f"{self.dataset}, {self.system}, seed {self.seed}"

    def path(self, out: Path) -> Path:
        """Where its result lies."""
        return out / self.protocol.name / f"{self.dataset}--{self.system}--{self.seed}.json"

    def fields(self) -> Result:
        """Its part of a result."""
        return {
            "dataset": self.dataset,
            "system": self.system,
            "seed": self.seed,
            "protocol": asdict(self.protocol),
        }


def jobs_to_do(jobs: Iterable[Job], out: Path) -> list[Job]:
    """Those without a result."""
    return [job for job in jobs if not job.path(out).is_file()]


def write_result(result: Result, job: Job, out: Path) -> bool:
    """Write the result of a job unless it has one; whether it was written."""
    path = job.path(out)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    try:
        os.link(temporary, path)  # unlike a rename, it fails where a result exists
    except FileExistsError:
        return False
    finally:
        temporary.unlink()
    return True


def read_results(out: Path, protocol: Protocol) -> list[Result]:
    """All results of a protocol, by dataset, system and seed.

    Raises:
        BenchmarkError: a file is no result.
    """
    return list(_read(sorted((out / protocol.name).glob("*.json")), protocol))


def _read(paths: Iterable[Path], protocol: Protocol) -> Iterator[Result]:
    for path in paths:
        try:
            result = json.loads(path.read_text(encoding="utf-8"))
            agrees = result["protocol"] == asdict(protocol) and {"dataset", "system", "seed", "curve"} <= result.keys()
        except (ValueError, KeyError, TypeError, OSError):
            agrees = False
        if not agrees:
            raise BenchmarkError(
                f"{path.parent} must hold results of the protocol {protocol.name}, however {path.name} is none; "
                "move it elsewhere."
            )
        yield result
