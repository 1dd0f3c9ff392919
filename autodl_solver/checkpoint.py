"""Checkpoint: what a run has learned, on disk after each stage, so that a killed run loses none but the current one.

    FOLDER/learners/K/      the learner of stage K, written once
    FOLDER/history/         what has run, and which learners belong to it; replaced whole after each stage

The history is written last, so whatever moment the process dies at, it names learners that are there in whole.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from autodl_solver.anytime.saved_run import SavedRun
from autodl_solver.errors import ModelFileError
from autodl_solver.learners.base import Learner
from autodl_solver.saving import holds_model, read_model, write_model

HISTORY, LEARNERS = "history", "learners"


class Checkpoint:
    """A folder that holds one run.

    Args:
        folder: made when first written to.
        fingerprint: of the rows, labels and settings; a run goes on with the same ones only.
    """

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self._folder = folder
        self._fingerprint = fingerprint
        self._places: dict[str, str] = {}  # stage name -> folder of its learner

    def write(self, saved: SavedRun) -> None:
        """Adds what is new, and drops what is needed no more.

        Raises:
            OSError, ModelFileError: the folder cannot be written; what was there before stands.
        """
        self._learners.mkdir(parents=True, exist_ok=True)
        names = [str(record["stage"]["name"]) for record in saved.records]
        for place, name in enumerate(names):
            if name in saved.learners and name not in self._places:
                write_model(self._learners / str(place), {"learner": saved.learners[name]}, {"stage": name})
                self._places[name] = str(place)
        self._places = {name: place for name, place in self._places.items() if name in saved.learners}
        values = {"elapsed_s": saved.elapsed_s, "records": saved.records, "y_held_out": saved.y_held_out}
        write_model(self._folder / HISTORY, values, {"fingerprint": self._fingerprint, "learners": self._places})
        kept = set(self._places.values())
        torn = self._folder.glob(f".{HISTORY}.*.tmp")  # of a process that was killed
        for folder in [*torn, *(one for one in self._learners.iterdir() if one.name not in kept)]:
            shutil.rmtree(folder, ignore_errors=True)

    def read(self) -> SavedRun | None:
        """The run so far; None if nothing was written yet.

        Raises:
            ModelFileError: it is damaged, of another version, or of other rows or settings.
        """
        if not holds_model(self._folder / HISTORY):
            return None
        values, facts = read_model(self._folder / HISTORY)
        if facts.get("fingerprint") != self._fingerprint:
            raise ModelFileError(
                f"A run goes on with the rows, labels and settings that it began with; however those given differ from "
                f"those of {self._folder}; give the same ones, or another folder for a new run."
            )
        places = facts.get("learners")
        if not isinstance(places, dict) or not all(isinstance(one, str) and one.isdecimal() for one in places.values()):
            raise ModelFileError(f"The history of a run must name its learners; however {self._folder} does not.")
        learners: dict[str, Learner] = {}
        for name, place in places.items():
            objects, _ = read_model(self._learners / place)
            learner = objects.get("learner")
            if not isinstance(learner, Learner):
                raise ModelFileError(f"{self._learners / place} must hold a learner; however it holds none.")
            learners[name] = learner
        self._places = dict(places)
        try:
            return SavedRun(float(values["elapsed_s"]), tuple(values["records"]), values["y_held_out"], learners)
        except (KeyError, TypeError, ValueError) as error:
            raise ModelFileError(
                f"{self._folder / HISTORY} must hold a run; however it does not: {error!r}."
            ) from error

    @property
    def _learners(self) -> Path:
        return self._folder / LEARNERS
