"""RunFolder: where a run on a user's own data lies.

FOLDER/run.json         whether it goes on, and how long it is to take
FOLDER/stages.jsonl     the log of stages (anytime/stage_log.py)
FOLDER/checkpoint/      what was learned (checkpoint.py)
FOLDER/model/           the best model so far (fitted_model.py)
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Literal

from autodl_solver.checkpoint import Checkpoint
from autodl_solver.errors import InputError, ModelFileError

RUN_FILE, VERSION = "run.json", 1
TORN_FILE = f".{RUN_FILE}.tmp"
"""What a process leaves that is killed in the first moment."""

RunState = Literal["none", "running", "done"]


class RunFolder:
    """One folder; nothing is written before `begin`."""

    def __init__(self, folder: str | Path) -> None:
        self.path = Path(folder)

    @property
    def model(self) -> Path:
        """Where the model is saved."""
        return self.path / "model"

    @property
    def state(self) -> RunState:
        """Whether there is a run here, and whether it came to its end; one that was killed is still "running".

        Raises:
            ModelFileError: run.json is damaged, or of another version.
        """
        file = self.path / RUN_FILE
        if not file.exists():
            return "none"
        try:
            facts = json.loads(file.read_text(encoding="utf-8"))
            version, state = facts["version"], facts["state"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise ModelFileError(f"{file} must tell of a run; however it is damaged: {error!r:.100}.") from error
        if version != VERSION or state not in ("running", "done"):
            raise ModelFileError(
                f"{file} must be of version {VERSION}; however it is of {version!r:.20}; begin a new run."
            )
        return state  # type: ignore[no-any-return]

    def begin(self, *, resume: bool) -> None:
        """Claims the folder.

        Raises:
            InputError: an earlier run lies here, which is not to be gone on with; or there can be no folder here.
            OSError: the folder cannot be written.
        """
        state = self.state
        if not resume and state != "none":
            raise InputError(
                f"A new run needs a folder of its own; however {self.path} holds one; resume that, or name another."
            )
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"A run needs a folder that can be written; however {self.path} cannot be made: {error.strerror}."
            ) from error
        if state != "none":
            self._clear()
        self._write("running")

    def _clear(self) -> None:
        """Removes what a process was writing when it was killed."""
        for litter in (*self.path.glob(".model.*.tmp"), *self.path.glob("checkpoint/.history.*.tmp")):
            shutil.rmtree(litter, ignore_errors=True)
        for name in ("page.html", "source.json"):  # of the command line
            for file in self.path.glob(f".{name}.*.tmp"):
                file.unlink(missing_ok=True)

    def finish(self) -> None:
        """Says that the run came to its end."""
        self._write("done")

    def checkpoint(self, fingerprint: str) -> Checkpoint:
        """What was learned of rows with this fingerprint."""
        return Checkpoint(self.path / "checkpoint", fingerprint)

    def _write(self, state: RunState) -> None:
        made = self.path / TORN_FILE
        try:
            made.write_text(json.dumps({"version": VERSION, "state": state}), encoding="utf-8")
            os.replace(made, self.path / RUN_FILE)
        finally:
            made.unlink(missing_ok=True)
