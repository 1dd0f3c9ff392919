"""RunSource: where the examples of a run came from, so that new ones are read alike.

Most sources are read by inputs/sources.py; a dataset in AutoDL format is learned from as it is: its training split when
fitting, its test split when predicting.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autodl_solver.cli.whole_files import write_whole
from autodl_solver.errors import InputError, ModelFileError

if TYPE_CHECKING:
    from autodl_solver.data.examples import Array
    from autodl_solver.inputs.sources import Labelled, Unlabelled

SOURCE_FILE, VERSION = "source.json", 1
SPLIT = "split"
"""The kind of examples that are a split of a dataset in AutoDL format."""


@dataclass(frozen=True)
class RunSource:
    """What reading new examples takes: the kind of those learned from, and their columns if they came in a table."""

    kind: str
    columns: tuple[str, ...]

    def write(self, folder: Path) -> None:
        """Keeps it in the folder of the run.

        Raises:
            OSError: it cannot be written.
        """
        with write_whole(folder / SOURCE_FILE) as file:
            json.dump({"version": VERSION, "kind": self.kind, "columns": list(self.columns)}, file)

    @classmethod
    def read(cls, folder: Path) -> RunSource:
        """That of a run.

        Raises:
            ModelFileError: the folder holds no run, or what it says is damaged or of another version.
        """
        path = folder / SOURCE_FILE
        try:
            facts = json.loads(path.read_text(encoding="utf-8"))
            version, kind, columns = facts["version"], facts["kind"], facts["columns"]
            if version != VERSION or not isinstance(kind, str):
                raise ValueError(f"version {version!r}, kind {kind!r}")
            if not isinstance(columns, list) or not all(isinstance(column, str) for column in columns):
                raise ValueError(f"columns {columns!r:.80}")
        except (FileNotFoundError, NotADirectoryError) as error:
            raise ModelFileError(
                f"Predictions need the folder of a run, which `fit --out` made; however {folder} holds no "
                f"{SOURCE_FILE}; give that folder."
            ) from error
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ModelFileError(
                f"{path} must tell the kind and the columns of the examples; however it is damaged or of another "
                f"version ({error!r:.120}); fit again."
            ) from error
        return cls(kind, tuple(columns))


def read_training(data: Path, label: str | None, kind: str | None) -> Labelled:
    """Examples to learn from.

    Raises:
        InputError: the data cannot be learned from.
        OSError: the data cannot be read.
    """
    from autodl_solver.inputs.sources import Labelled, autodl_folder, read_labelled

    folder = autodl_folder(data)
    if folder is None:
        return read_labelled(data, label, kind)
    if label is not None or kind is not None:
        raise InputError(
            f"A dataset in AutoDL format says itself what it holds; however --label or --kind came with {data}; leave "
            "them out."
        )
    from autodl_solver.data.info import DatasetInfo
    from autodl_solver.data.source import RecordReader

    info = DatasetInfo.from_folder(folder / "train")
    reader = RecordReader(folder / "train", info)
    y = reader.read(0, reader.n_rows).y
    assert y is not None, "records hold labels, if only zeros"
    names = list(info.class_names) or [str(place) for place in range(info.n_classes)]
    return Labelled(folder / "train", _labels(y, names), SPLIT, _row_names(reader.n_rows))


def read_new(data: Path, source: RunSource) -> Unlabelled:
    """Examples to predict.

    Raises:
        InputError: they are not what the run has learned.
        OSError: they cannot be read.
    """
    from autodl_solver.inputs.sources import Unlabelled, autodl_folder, read_unlabelled

    folder = autodl_folder(data)
    if (folder is not None) != (source.kind == SPLIT):
        what = "a dataset in AutoDL format" if source.kind == SPLIT else f"examples of the kind {source.kind}"
        raise InputError(f"NEW_DATA must be what the run has learned, {what}; however {data} is something else.")
    if folder is None:
        return read_unlabelled(data, source.kind, source.columns)
    from autodl_solver.data.info import DatasetInfo
    from autodl_solver.data.source import RecordReader

    split = folder / "test"
    return Unlabelled(split, _row_names(RecordReader(split, DatasetInfo.from_folder(split)).n_rows))


def _labels(y: Array, names: list[str]) -> Any:
    """The names of each row's classes: one if that is so in every row."""
    chosen = y > 0.5
    if (chosen.sum(axis=1) == 1).all():
        return [names[place] for place in chosen.argmax(axis=1)]
    return [{names[place] for place in row.nonzero()[0]} for row in chosen]


def _row_names(n_rows: int) -> list[str]:
    return [str(row) for row in range(n_rows)]
