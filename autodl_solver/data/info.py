"""DatasetInfo: the frozen facts of a dataset, from metadata.textproto or from a metadata object of the challenge."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path


class Format(enum.Enum):
    """How a bundle stores its matrices; the values are those of the challenge's data.proto."""

    DENSE = 0
    SPARSE = 1
    COMPRESSED = 2


@dataclass(frozen=True)
class MatrixSpec:
    """One bundle of an example: matrices of [n_rows, n_cols, n_channels], one per time step; -1 means that it varies."""

    n_rows: int
    n_cols: int
    n_channels: int
    format: Format
    is_sequence_row: bool = False
    is_sequence_col: bool = False


@dataclass(frozen=True)
class DatasetInfo:
    """What is known of a dataset before any example is read.

    Attributes:
        name: dataset name, without `.data`.
        folder: where metadata.textproto and the sample files lie; None if the dataset is no folder.
        n_examples: rows promised by the metadata (the records are to be trusted more); -1 if unknown.
        n_classes: output_dim.
        sequence_size: time steps; -1 if they vary.
        specs: one per bundle.
        class_names: [n_classes] in index order; empty if the metadata has no map.
        vocabulary: tokens in index order ("" where an index has none); empty if there is no channel_to_index_map.
        feature_names: column names in index order; empty if absent.
    """

    name: str
    folder: Path | None
    n_examples: int
    n_classes: int
    sequence_size: int
    specs: tuple[MatrixSpec, ...]
    class_names: tuple[str, ...] = ()
    vocabulary: tuple[str, ...] = ()
    feature_names: tuple[str, ...] = ()
