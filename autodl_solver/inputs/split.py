"""SplitInput: the splits of an AutoDL dataset as examples; each is the folder of a split (NAME.data/train, say)."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, ClassVar

from autodl_solver.data.info import DatasetInfo
from autodl_solver.data.source import RecordReader
from autodl_solver.errors import InputError
from autodl_solver.inputs.base import Encoded, Input


class SplitInput(Input):
    """Rows as the records hold them."""

    modality: ClassVar[str] = ""  # their shape tells

    def __init__(self) -> None:
        self._info: DatasetInfo | None = None

    def fit(self, examples: Any) -> None:
        """Reads the metadata of the training split."""
        info = DatasetInfo.from_folder(_folder(examples))
        self._info = dataclasses.replace(info, folder=None)

    def encode(self, examples: Any) -> Encoded:
        """All rows of a split."""
        assert self._info is not None, "fit comes first"
        reader = RecordReader(_folder(examples), self._info)
        return Encoded(reader.read(0, reader.n_rows).x)

    def info(self, name: str, n_examples: int, class_names: tuple[str, ...]) -> DatasetInfo:
        assert self._info is not None, "fit comes first"
        return dataclasses.replace(self._info, n_examples=n_examples, n_classes=len(class_names))


def _folder(examples: Any) -> Path:
    folder = Path(examples)
    if not folder.is_dir():
        raise InputError(f"A split of an AutoDL dataset must be a folder of records; however {folder} is none.")
    return folder
