"""Sources: where a user's examples lie on disk, and what their labels are.

a folder of class folders   images, sounds, videos or .txt files; the name of a folder is the class
a table file                CSV, TSV, JSON lines, Parquet: columns of numbers and categories, and of labels
                            or a column of files, relative to the table, and of labels
                            or a column of texts, and of labels
an .npz file                arrays X and y, as numpy.savez writes them
a folder of files, a table without labels, an .npy file: examples to predict
an AutoDL dataset           NAME.data with train and test inside; `autodl_folder` finds it, others read it
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from autodl_solver.data.info import METADATA_FILE
from autodl_solver.errors import InputError
from autodl_solver.inputs.columns import chosen_columns, label_columns
from autodl_solver.inputs.files import kind_of_file
from autodl_solver.inputs.table_files import TABLE_SUFFIXES, read_table

logger = logging.getLogger(__name__)

TEXT_SUFFIX = ".txt"
SPLIT_NAMES = frozenset({"train", "training", "test", "testing", "val", "valid", "validation", "dev"})
"""Folders of such names hold parts of a dataset, not classes."""

_KIND_OF_DIMENSIONS = {2: "table", 3: "series", 4: "image", 5: "video"}
_ARRAYS = (".npz", ".npy")


@dataclass(frozen=True)
class Labelled:
    """Examples to learn from.

    Attributes:
        examples: paths, a DataFrame, texts or an array: what the input of the kind takes.
        labels: one of each example; several columns of 0 and 1 if there may be several.
        kind: "image", "audio", "video", "text", "table" or "series".
        names: what each example is called: its file, relative to the folder or as the table has it, or its row number.
        columns: of the table, those that the examples come from; empty where there is no table.
    """

    examples: Any
    labels: Any
    kind: str
    names: list[str]
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Unlabelled:
    """Examples to predict; see `Labelled`."""

    examples: Any
    names: list[str]


def read_labelled(path: str | os.PathLike[str], label: str | None = None, kind: str | None = None) -> Labelled:
    """The examples of a source and their labels.

    Args:
        path: see the module.
        label: column of a table with the labels, or several with commas between, of 0 and 1 each. By default the one
            that is called label, class, target or y.
        kind: of the examples; by default what the source looks like.
    Raises:
        InputError: there is no such source, or it leaves open what is meant.
        OSError: it cannot be read.
    """
    path = Path(path)
    if autodl_folder(path) is not None:
        raise InputError(f"Files of a user are read here; however {path} is an AutoDL dataset; learn from it as it is.")
    if path.is_dir():
        if label is not None:
            raise InputError(f"A label names a column of a table; however {path} is a folder; give the table itself.")
        return _class_folders(path, kind)
    suffix = _file_suffix(path)
    if suffix == ".npz":
        arrays = _arrays_of(path)
        examples, labels = (_array(arrays, names, path) for names in (("X", "x"), (label,) if label else ("y", "Y")))
        return Labelled(examples, labels, kind or _kind_of_array(examples, path), _row_names(len(examples)))
    if suffix not in TABLE_SUFFIXES:
        raise InputError(
            "Examples with labels must be a folder of class folders, a table (CSV, TSV, JSON lines, Parquet) or an "
            f".npz file; however {path} is none of them."
        )
    frame = read_table(path)
    chosen = label_columns(list(frame.columns), label, str(path))
    found = chosen_columns(frame.drop(columns=chosen), kind, path, ())
    labels = frame[chosen[0]] if len(chosen) == 1 else frame[chosen]
    return Labelled(found.examples, labels, found.kind, found.names, found.columns)


def read_unlabelled(path: str | os.PathLike[str], kind: str, columns: Sequence[str] = ()) -> Unlabelled:
    """The examples of a source; of a source with labels, only the examples.

    Args:
        path: see the module; also a single image, sound, video or .txt file.
        kind: of the training examples.
        columns: `Labelled.columns` of the training examples; a table for which there are none may have any.
    Raises:
        InputError: there is no such source, or it holds no examples of the kind.
        OSError: it cannot be read.
    """
    path = Path(path)
    if path.is_dir():
        files = _files_below(path)
        chosen = _of_kind(files, kind, path)
        _tell_ignored(len(files) - len(chosen), path)
        return Unlabelled(_loaded(chosen, kind), [_name(file, path) for file in chosen])
    suffix = _file_suffix(path)
    if suffix in _ARRAYS:
        examples = _array(_arrays_of(path), ("X", "x"), path)
        return Unlabelled(examples, _row_names(len(examples)))
    if suffix in TABLE_SUFFIXES:
        found = chosen_columns(read_table(path), kind, path, columns)
        return Unlabelled(found.examples, found.names)
    return Unlabelled(_loaded(_of_kind([path], kind, path), kind), [path.name])


def is_autodl_dataset(path: str | os.PathLike[str]) -> bool:
    """Whether `autodl_folder` finds one."""
    return autodl_folder(path) is not None


def autodl_folder(path: str | os.PathLike[str]) -> Path | None:
    """The folder NAME.data (with train/metadata.textproto inside) that is at a path or directly below it, if any."""
    path = Path(path)
    if not path.is_dir():
        return None
    found = [folder for folder in (path, *sorted(path.glob("*.data"))) if (folder / "train" / METADATA_FILE).is_file()]
    return found[0] if len(found) == 1 else None


def _file_suffix(path: Path) -> str:
    if not path.exists():
        raise InputError(f"The source must exist; however there is nothing at {path}; check the path.")
    return path.suffix.lower()


def _class_folders(root: Path, kind: str | None) -> Labelled:
    folders = sorted(entry for entry in root.iterdir() if entry.is_dir() and not _is_hidden(entry))
    if not folders:
        tables = sorted(entry.name for entry in root.iterdir() if entry.suffix.lower() in TABLE_SUFFIXES)
        remedy = f"give the table {root / tables[0]}" if tables else "sort the files into such folders, or give a table"
        raise InputError(
            f"A folder to learn from must hold one folder for each class; however {root} has none; {remedy}."
        )
    if all(folder.name.lower() in SPLIT_NAMES for folder in folders):
        raise InputError(
            "A folder to learn from must hold one folder for each class; however those in "
            f"{root} ({', '.join(folder.name for folder in folders)}) look like parts of a dataset; "
            f"give one of them, {folders[0]} say."
        )
    files = {folder: _files_below(folder) for folder in folders}
    kind = kind or _only_kind([file for inside in files.values() for file in inside], root)
    examples, labels = [], []
    for folder, inside in files.items():
        chosen = [file for file in inside if _is_of_kind(file, kind)]
        examples += chosen
        labels += [folder.name] * len(chosen)
        if not chosen:
            logger.warning("The class folder %s holds no files of the kind %s: no such class.", folder, kind)
    if not examples:
        raise InputError(f"Class folders must hold files of the kind {kind}; however those in {root} hold none.")
    n_loose = sum(entry.is_file() and not _is_hidden(entry) for entry in root.iterdir())
    _tell_ignored(sum(map(len, files.values())) - len(examples) + n_loose, root)
    return Labelled(_loaded(examples, kind), labels, kind, [_name(file, root) for file in examples])


def _files_below(folder: Path) -> list[Path]:
    """All files at any depth that are not hidden, in order."""
    found = []
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not _is_hidden(Path(name)))
        found += [Path(parent, name) for name in sorted(files) if not _is_hidden(Path(name))]
    return found


def _is_hidden(path: Path) -> bool:
    return path.name.startswith(".") or path.name == "__MACOSX"


def _file_kind(path: Path) -> str | None:
    return "text" if path.suffix.lower() == TEXT_SUFFIX else kind_of_file(path)


def _is_of_kind(path: Path, kind: str) -> bool:
    return _file_kind(path) == kind or (kind == "video" and path.suffix.lower() == ".gif")


def _of_kind(files: Sequence[Path], kind: str, source: Path) -> list[Path]:
    chosen = [file for file in files if _is_of_kind(file, kind)]
    if not chosen:
        raise InputError(
            f"The source must hold examples of the kind {kind}, as those learned from; however {source} does not."
        )
    return chosen


def _only_kind(files: Sequence[Path], root: Path) -> str:
    kinds = Counter(kind for file in files if (kind := _file_kind(file)) is not None)
    if not kinds:
        raise InputError(
            f"Class folders must hold images, sounds, videos or .txt files; however those in {root} do not."
        )
    if len(kinds) > 1:
        counted = ", ".join(f"{count} of the kind {kind}" for kind, count in kinds.most_common())
        raise InputError(f"Class folders must hold files of one kind; however {root} holds {counted}; give the kind.")
    return kinds.popitem()[0]


def _tell_ignored(n_ignored: int, root: Path) -> None:
    if n_ignored:
        logger.warning("%d files in %s are of another kind, or outside of class folders: ignored.", n_ignored, root)


def _loaded(files: list[Path], kind: str) -> list[Any]:
    """Paths; of text files what they hold, with marks where they are not in UTF-8."""
    return [file.read_text("utf-8-sig", errors="replace") for file in files] if kind == "text" else list(files)


def _name(path: Path, root: Path) -> str:
    """Relative to the root; printable, though file names may be any bytes."""
    return os.fsencode(path.relative_to(root).as_posix()).decode("utf-8", errors="replace")


def _row_names(n_rows: int) -> list[str]:
    return [str(row) for row in range(n_rows)]


def _arrays_of(path: Path) -> dict[str, Any]:
    """The arrays of an .npz file by name; that of an .npy file is X."""
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return {"X": loaded}
        with loaded:
            return dict(loaded)
    except (ValueError, EOFError) as error:
        raise InputError(f"An array file must hold numbers or texts; however {path} does not: {error}.") from error


def _array(arrays: dict[str, Any], names: Sequence[str], path: Path) -> Any:
    found = next((arrays[name] for name in names if name in arrays), None)
    if found is None or found.ndim == 0:
        raise InputError(f"An array file must hold an array {names[0]}; however {path} holds {', '.join(arrays)}.")
    return found


def _kind_of_array(examples: Any, path: Path) -> str:
    kind = "text" if examples.dtype.kind == "U" else _KIND_OF_DIMENSIONS.get(examples.ndim)
    if kind is None:
        raise InputError(f"X must have 2 to 5 dimensions; however that of {path} has the shape {examples.shape}.")
    return kind
