"""Predictions as CSV: name, label, a probability for each class, problem."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import click

from autodl_solver.cli.run_source import RunSource, read_new
from autodl_solver.cli.whole_files import write_whole
from autodl_solver.data.examples import Array
from autodl_solver.fitted_model import FittedModel
from autodl_solver.inputs.labels import INDICATOR
from autodl_solver.run_folder import RunFolder

NAME, LABEL, PROBLEM = "name", "label", "problem"
BETWEEN_LABELS = ";"


def predict(run_dir: Path, source: RunSource, new_data: Path, out: Path, as_json: bool) -> None:
    """See `predict --help`.

    Raises:
        AutoDLSolverError, OSError: the run, the new data or the file for the predictions cannot be used.
    """
    model = FittedModel.load(RunFolder(run_dir).model)
    found = read_new(new_data, source)
    encoded = model.encode(found.examples)
    scores = model.scores(encoded)
    write_predictions(out, found.names, chosen_names(model, scores), scores, model.labels.class_names, encoded.skipped)
    for place, reason in sorted(encoded.skipped.items()):
        click.echo(f"autodl-solver: {found.names[place]} could not be read: {reason}", err=True)
    if as_json:
        facts = {"event": "predictions", "file": str(out), "n_examples": len(found.names)}
        click.echo(json.dumps({**facts, "n_unreadable": len(encoded.skipped)}))
    else:
        unread = f", {len(encoded.skipped)} of them unreadable" if encoded.skipped else ""
        click.echo(f"{len(found.names)} examples{unread}: {out}")


def chosen_names(model: FittedModel, scores: Array) -> list[str]:
    """The label of each example; several with a semicolon between."""
    names = model.labels.class_names
    if not model.labels.is_multi_label:
        return [names[place] for place in scores.argmax(axis=1)]
    chosen = replace(model, labels=replace(model.labels, form=INDICATOR, dtype="|b1")).chosen(scores)
    return [BETWEEN_LABELS.join(names[place] for place in row.nonzero()[0]) for row in chosen]


def write_predictions(
    path: Path,
    names: Sequence[str],
    labels: Sequence[str],
    scores: Array,
    class_names: Sequence[str],
    problems: Mapping[int, str],
) -> None:
    """Writes the file, as a whole or not at all.

    Args:
        path: of the CSV file.
        names, labels: of each example.
        scores: [n_examples, n_classes].
        class_names: of the columns; one that is called like another column gets "class " before it.
        problems: place of an example -> why it could not be read.
    Raises:
        OSError: it cannot be written; an earlier file stands.
    """
    titles = [f"class {name}" if name in (NAME, LABEL, PROBLEM) else name for name in class_names]
    with write_whole(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([NAME, LABEL, *titles, PROBLEM])
        for place, (name, label, row) in enumerate(zip(names, labels, scores.tolist(), strict=True)):
            writer.writerow([name, label, *(f"{score:.6g}" for score in row), problems.get(place, "")])
