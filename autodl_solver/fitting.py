"""Fitting: one fit on a user's own data, from examples and labels to a model that answers for new ones."""

from __future__ import annotations

import hashlib
import json
import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from autodl_solver import __version__
from autodl_solver.anytime.saved_run import SavedRun
from autodl_solver.budget import Budget
from autodl_solver.data.examples import Array, EncodedFrames, Examples, Ragged, Rows, take_rows
from autodl_solver.errors import InputError, ModelFileError
from autodl_solver.fitted_model import FittedModel
from autodl_solver.inputs.base import Input
from autodl_solver.inputs.files import refuse_unreadable
from autodl_solver.inputs.kinds import input_for
from autodl_solver.inputs.labels import Labels
from autodl_solver.modalities import Modality
from autodl_solver.run_folder import RunFolder
from autodl_solver.session import Improvement, Session, Status

logger = logging.getLogger(__name__)

SAVE_SHARE = 1 / 20
"""Of the time may go into saving better models while the fit goes on."""

HASHED_ROWS = 64
"""Rows, spread over all, that tell one dataset from another; all labels do, too."""


@dataclass(frozen=True)
class Earlier:
    """What a later fit on the same examples goes on with."""

    input: Input
    labels: Labels
    fingerprint: str
    saved: SavedRun


class Fitting:
    """One fit.

    Args:
        X, y, kind: see AutoDLClassifier.
        budget: of this fit, reading the examples included; one that adds to an earlier fit counts from now, one that
            goes on after a crash counts what was spent before.
        seed: of the order of rows, and of the learners.
        run: where to keep what was learned; None for nowhere.
        earlier: a fit that ended, to go on with.
        resume: go on with what `run` holds, if there is no earlier fit.
    Raises:
        InputError: X or y cannot be learned from, or differ from those to go on with.
        ModelFileError: what `run` holds is damaged, or of other examples or another version.
    """

    def __init__(
        self,
        X: Any,
        y: Any,
        budget: Budget,
        *,
        kind: str | None = None,
        seed: int = 0,
        run: RunFolder | None = None,
        earlier: Earlier | None = None,
        resume: bool = False,
    ) -> None:
        if earlier is None:
            self._input, self._labels = input_for(X, kind), Labels.fitted(y)
            self._input.fit(X)
        else:
            self._input, self._labels = earlier.input, earlier.labels
        examples = self._encoded(X, y)
        names = self._labels.class_names
        self._fingerprint = _fingerprint([__version__, self._input.modality, seed, *names], examples)
        if earlier is not None and earlier.fingerprint != self._fingerprint:
            raise InputError(
                "A fit is resumed on the same X and y; however these differ; leave out resume to begin anew."
            )
        adds = earlier is not None
        saved = earlier.saved if earlier is not None else None
        self._run, checkpoint = run, None
        if run is not None:
            adds |= run.state == "done"
            checkpoint = run.checkpoint(self._fingerprint)
            saved = checkpoint.read() if resume and saved is None else saved
            run.begin(resume=resume)
        if resume and saved is None:
            logger.warning("There is nothing to resume here: learning begins anew.")
        self._budget, total_s = budget, budget.left + budget.elapsed
        order = np.random.default_rng(seed).permutation(len(examples))  # rows of one class often lie together
        self._n_examples = len(examples)
        self._save_cost_s, self._saved_at = 0.0, -math.inf
        self._session = Session(
            self._input.info("own data", len(examples), names),
            examples.take(order),
            budget_s=total_s + (saved.elapsed_s if saved is not None and adds else 0.0),
            modality=Modality(self._input.modality) if self._input.modality else None,
            seed=seed,
            run_dir=None if run is None else run.path,
            checkpoint=checkpoint,
            saved=saved,
            spent_s=budget.elapsed,
        )

    def models(self) -> Iterator[FittedModel]:
        """Learns, and yields each better model."""
        for improvement in self._session.improvements():
            model = self._model(improvement)
            if self._run is not None:
                self._save_thriftily(model, self._run)
            yield model

    def finish(self) -> FittedModel:
        """Ends the fit; the best model, which is also in the run folder.

        Raises:
            InputError: it ended before the rows were looked at.
            ModelFileError: the run folder cannot be written.
        """
        self._session.finish()
        if self._session.latest is None:
            raise InputError(
                "A fit needs time to look at its first rows; however it ended before; give it a longer budget."
            )
        model = self._model(self._session.latest)
        if self._run is not None:
            model.save(self._run.model)
            self._run.finish()
        return model

    def stop(self) -> None:
        """Ends the fit soon; any thread may say so."""
        self._session.stop()

    def status(self) -> Status:
        """What the fit is doing; any thread may ask."""
        return self._session.status()

    def earlier(self) -> Earlier:
        """For a fit that adds to this one, once it has ended."""
        return Earlier(self._input, self._labels, self._fingerprint, self._session.saved())

    def _encoded(self, X: Any, y: Any) -> Examples:
        """Rows and their labels, without the examples that cannot be read."""
        encoded, labels = self._input.encode(X), self._labels.encode(y)
        if encoded.skipped:
            refuse_unreadable(encoded.skipped, X, "examples")
        if len(encoded) != len(labels):
            raise InputError(
                "X and y must have an entry for each example; however found input variables with inconsistent numbers "
                f"of samples: {[len(encoded), len(labels)]}."
            )
        return Examples(encoded.rows, labels[encoded.places])

    def _save_thriftily(self, model: FittedModel, run: RunFolder) -> None:
        """So that a killed run leaves a model; a full disk costs that, not the fit."""
        started = self._budget.elapsed
        if started - self._saved_at < self._save_cost_s / SAVE_SHARE:
            return
        try:
            model.save(run.model)
        except ModelFileError as error:
            logger.warning("The model so far is not on disk: %s", error)
        self._saved_at = self._budget.elapsed
        self._save_cost_s = self._saved_at - started

    def _model(self, found: Improvement) -> FittedModel:
        status = self._session.status()
        facts = {
            "kind": type(self._input).__name__,
            "modality": self._input.modality,
            "n_examples": self._n_examples,
            "elapsed_s": found.elapsed_s,
            "budget_s": status.budget_s,
            "score": found.score if math.isfinite(found.score) else None,
            "curve": [list(point) for point in status.curve],
            "stages": [
                {**vars(line), "score": line.score if math.isfinite(line.score) else None} for line in status.stages
            ],
        }
        return FittedModel(self._input, self._labels, found.predictor, facts)


def _fingerprint(facts: list[Any], examples: Examples) -> str:
    """Tells other rows, labels or settings."""
    digest = hashlib.sha256(json.dumps([*facts, len(examples)]).encode())
    assert examples.y is not None, "training rows carry labels"
    digest.update(np.ascontiguousarray(examples.y).data)
    some = np.unique(np.linspace(0, len(examples) - 1, min(HASHED_ROWS, len(examples)), dtype=np.int64))
    for array in _arrays(take_rows(examples.x, some)):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _arrays(rows: Rows) -> list[Array]:
    if isinstance(rows, sparse.csr_array):
        return [rows.data, rows.indices, rows.indptr]
    if isinstance(rows, Ragged):
        return [rows.values, rows.offsets]
    if isinstance(rows, EncodedFrames):
        return [rows.offsets, *(rows.frame(k) for k in range(len(rows.sizes)))]
    return rows if isinstance(rows, list) else [rows]
