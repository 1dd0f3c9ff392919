"""FittedModel: a user's own examples in, labels and probabilities out; the answer of one moment, saved and loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from autodl_solver.data.examples import Array
from autodl_solver.errors import ModelFileError
from autodl_solver.inputs.base import Encoded, Input
from autodl_solver.inputs.labels import Labels
from autodl_solver.predictor import Predictor
from autodl_solver.run_folder import RunFolder
from autodl_solver.saving import read_model, write_model


@dataclass(frozen=True)
class FittedModel:
    """Everything that a prediction needs.

    Attributes:
        input: encodes examples as they were encoded at fit.
        labels: the classes, and the form in which labels are given back.
        predictor: scores encoded rows.
        facts: how it was made (kind, seconds, hold-out score, stages ...), for people; plain JSON values.
    """

    input: Input
    labels: Labels
    predictor: Predictor
    facts: Mapping[str, Any] = field(default_factory=dict)

    def encode(self, X: Any) -> Encoded:
        """Examples as rows, and which of them could not be read.

        Raises:
            InputError: the examples are not of the kind that was fitted.
        """
        return self.input.encode(X)

    def scores(self, encoded: Encoded) -> Array:
        """Probabilities of encoded examples; examples that could not be read get the class frequencies.

        Returns:
            [n_examples, n_classes] float64 in [0, 1]; rows sum to one unless an example may have several labels.
        """
        scores = np.tile(self.predictor.frequencies.astype(np.float64), (len(encoded), 1))
        scores[encoded.places] = self.predictor.predict_proba(encoded.rows)
        if not self.labels.is_multi_label:
            total = scores.sum(axis=1, keepdims=True)
            scores = np.where(total > 0, scores / np.where(total > 0, total, 1), 1 / scores.shape[1])
        return scores

    def chosen(self, scores: Array) -> Any:
        """Labels for scores, in the form that labels had at fit.

        The likeliest class; of several labels, those above the thresholds that balance hits and false alarms.
        """
        if self.labels.is_multi_label and self.predictor.thresholds is not None:
            return self.labels.decode(self.predictor.thresholds.apply(scores) >= 0.5)
        return self.labels.decode(scores)

    def predict_proba(self, X: Any) -> Array:
        """Probabilities; see `scores`."""
        return self.scores(self.encode(X))

    def predict(self, X: Any) -> Any:
        """Labels; see `chosen`."""
        return self.chosen(self.predict_proba(X))

    def save(self, folder: str | Path) -> None:
        """Writes a folder: model.json, tensors, trees as text. An earlier model there is replaced as a whole.

        Raises:
            OSError, ModelFileError: it cannot be written; what was there before stands.
        """
        Path(folder).parent.mkdir(parents=True, exist_ok=True)
        objects = {"input": self.input, "labels": self.labels, "predictor": self.predictor}
        write_model(Path(folder), objects, self.facts)

    @classmethod
    def load(cls, folder: str | Path) -> FittedModel:
        """Reads what `save` wrote, on this machine or another; runs nothing that the files name.

        Args:
            folder: of a model, or of a run that has one.
        Raises:
            ModelFileError: the folder holds no model, a damaged one, or one of another version.
        """
        run = RunFolder(folder)
        objects, facts = read_model(run.path if run.state == "none" else run.model)
        made = objects.get("input"), objects.get("labels"), objects.get("predictor")
        if not (isinstance(made[0], Input) and isinstance(made[1], Labels) and isinstance(made[2], Predictor)):
            raise ModelFileError(f"A saved model must hold input, labels and predictor; however {folder} does not.")
        return cls(made[0], made[1], made[2], facts)
