"""Which columns of a table hold labels, files or texts.

A column of files is one whose values end as file names do and that exist; a column of texts is one of long strings with
no other column beside it but numbers of rows. Everything else is a table of numbers and categories.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from autodl_solver.errors import InputError
from autodl_solver.inputs.files import kind_of_file

logger = logging.getLogger(__name__)

LABEL_NAMES = frozenset({"label", "class", "target", "y"})
ROW_NAMES = frozenset({"", "id", "idx", "index", "row", "unnamed: 0"})
"""Columns of such names number the rows, in lower case."""

FILE_KINDS = frozenset({"image", "audio", "video"})
LONG_TEXT_CHARACTERS = 15
"""Mean length from which on the strings of an only column are texts, not categories."""

N_SAMPLED = 100
MOST = 0.9
"""Share of a sample that tells what a column holds."""


@dataclass(frozen=True)
class Chosen:
    """The examples of a table; as in `sources.Labelled`."""

    examples: Any
    kind: str
    names: list[str]
    columns: tuple[str, ...]


def label_columns(columns: Sequence[str], label: str | None, source: str) -> list[str]:
    """The columns with the labels; one, or several of 0 and 1.

    Args:
        columns: all of the table.
        label: one name, or several with commas between; None: the one that is called so.
        source: names the table in errors.
    Raises:
        InputError: there is no such column, or it is not clear which one is meant.
    """
    listed = ", ".join(columns)
    if label is None:
        named = [name for name in columns if name.strip().lower() in LABEL_NAMES]
        if len(named) == 1:
            return named
        raise InputError(
            f"One column must be called label, class, target or y, or be named as the label; however {source} has "
            f"{'several such columns' if named else 'no such column'} among {listed}; name the label."
        )
    names = [label] if label in columns else [name.strip() for name in label.split(",")]
    missing = [name for name in names if name not in columns]
    if missing:
        raise InputError(
            f"The label must be a column of the table; however {source} has no column {', '.join(missing)} "
            f"but {listed}; name one of them."
        )
    return names


def chosen_columns(frame: Any, kind: str | None, path: Path, columns: Sequence[str]) -> Chosen:
    """What of a table is the examples.

    Args:
        frame: the table, without labels.
        kind: of the examples; None: what the table looks like.
        path: of the table; files are relative to its folder.
        columns: those that the training examples came from; empty: to be found.
    Raises:
        InputError: there is no column of the kind.
    """
    if not len(frame.columns):
        raise InputError(f"A table must have columns beside those of the labels; however {path} has none.")
    if kind in (None, *FILE_KINDS):
        column = columns[0] if columns and kind else _file_column(frame, path, is_wanted=kind is not None)
        if column is not None:
            if len(frame.columns) > 1:
                logger.info("The examples are the files of column %s; the other columns are not used.", column)
            return _files(_column(frame, column, path), kind, path, column)
    if kind in (None, "text"):
        column = columns[0] if columns and kind else _text_column(frame, path, is_wanted=kind is not None)
        if column is not None:
            texts = _column(frame, column, path).fillna("").astype(str).tolist()
            return Chosen(texts, "text", _row_names(frame), (column,))
    if kind == "series":
        names = tuple(columns) or tuple(frame.columns)
        steps = np.stack([_numbers(_column(frame, name, path), path) for name in names], axis=1)
        return Chosen(steps[:, :, None], "series", _row_names(frame), names)
    return Chosen(frame, "table", _row_names(frame), tuple(frame.columns))


def _row_names(frame: Any) -> list[str]:
    return [str(row) for row in range(len(frame))]


def _column(frame: Any, name: str, path: Path) -> Any:
    if name not in frame.columns:
        raise InputError(
            f"New examples must have the columns of those learned from; however {path} has no column {name} but "
            f"{', '.join(frame.columns)}."
        )
    return frame[name]


def _numbers(column: Any, path: Path) -> Any:
    """[n_rows] float32."""
    if column.dtype.kind not in "iufb":
        raise InputError(f"The columns of a series must hold numbers; however {column.name} of {path} does not.")
    return column.to_numpy(np.float32)


def _sampled_texts(column: Any) -> list[str]:
    """Some values, if they are strings."""
    places = np.unique(np.linspace(0, len(column) - 1, N_SAMPLED).astype(int))
    values = column.iloc[places].dropna()
    sample = (values if len(values) else column.dropna().iloc[:N_SAMPLED]).tolist()
    return sample if all(isinstance(value, str) for value in sample) else []


def _file_column(frame: Any, path: Path, is_wanted: bool) -> str | None:
    """The first column of files; None if there is none and none must be.

    Raises:
        InputError: the files do not exist, or there is none though it must be.
    """
    absent = []
    for name in frame.columns:
        sample = _sampled_texts(frame[name])
        n_named = sum(kind_of_file(value) is not None for value in sample)
        exists = sample and any(_is_file(path.parent / value) for value in sample)
        if exists and (is_wanted or n_named >= MOST * len(sample)):
            return str(name)
        if sample and n_named >= MOST * len(sample):
            absent.append((name, sample[0]))
    if absent:
        name, value = absent[0]
        raise InputError(
            f"Files must be given relative to the folder of their table, or in full; however column {name} of {path} "
            f"names files that do not exist, {value} for one; correct the paths, or move the table."
        )
    if is_wanted:
        raise InputError(f"The table must have a column of files; however {path} has only {', '.join(frame.columns)}.")
    return None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a text that is too long for a path, or holds a zero byte
        return False


def _text_column(frame: Any, path: Path, is_wanted: bool) -> str | None:
    """The column of texts: the longest if it is wanted, else an only one of long strings."""
    beside = [name for name in frame.columns if name.strip().lower() not in ROW_NAMES]
    samples = {name: _sampled_texts(frame[name]) for name in (frame.columns if is_wanted else beside)}
    lengths = {name: float(np.mean([len(text) for text in sample])) for name, sample in samples.items() if sample}
    if is_wanted:
        if not lengths:
            raise InputError(
                f"The table must have a column of texts; however {path} has only {', '.join(frame.columns)}."
            )
        return str(max(lengths, key=lambda name: lengths[name]))
    if len(beside) != 1 or lengths.get(beside[0], 0.0) < LONG_TEXT_CHARACTERS:
        return None
    return str(beside[0])


def _files(column: Any, kind: str | None, path: Path, name: str) -> Chosen:
    """The paths that a column holds."""
    values = column.fillna("").astype(str).tolist()
    kinds = Counter(found for value in values if (found := kind_of_file(value)) is not None)
    if kind is None and len(kinds) > 1:
        counted = ", ".join(f"{count} of the kind {found}" for found, count in kinds.most_common())
        raise InputError(
            f"A column of files must be of one kind; however column {name} of {path} holds {counted}; give the kind."
        )
    return Chosen([path.parent / value for value in values], kind or kinds.most_common(1)[0][0], values, (name,))
