"""A split of a dataset as plain arrays, for people who bring their own model.

    source, info = open_split("digits.data/train")
    x, y = to_arrays(source, info.specs[0].n_channels)

`nn/torch_dataset.py` offers the same rows to a DataLoader of PyTorch.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeAlias

import numpy as np
from scipy import sparse

from autodl_solver.data.examples import Array, EncodedFrames, Ragged, Rows
from autodl_solver.data.images import decode_frames
from autodl_solver.data.info import DatasetInfo
from autodl_solver.data.source import ExampleSource, RecordReader

PlainRows: TypeAlias = "Array | sparse.csr_array | list[Array]"


def open_split(folder: str | os.PathLike[str]) -> tuple[ExampleSource, DatasetInfo]:
    """The rows and the facts of one split.

    Args:
        folder: NAME.data/train or NAME.data/test.
    Raises:
        DataError: there is no such split.
    """
    info = DatasetInfo.from_folder(Path(folder))
    return ExampleSource(RecordReader(Path(folder), info)), info


def to_arrays(source: ExampleSource, n_channels: int = 3, size_px: int | None = None) -> tuple[PlainRows, Array]:
    """All rows of a source, copied into memory.

    Args:
        source: of a split; see `open_split`.
        n_channels: of encoded images, 1 gray, 3 RGB, 4 RGBA: what `info.specs[0].n_channels` says.
        size_px: rows and columns that encoded images are resized to; None: as they are.
    Returns:
        x, y. x by what the rows are:
            of one shape        [n, time, row, col, channel] float32
            of several shapes   a list of [time, row, col, channel] float32
            encoded images      either of these, in [0, 1]
            sparse              a csr_array [n, n_columns] float32
        y is [n, n_classes] float32; zeros where the split has no labels.
    """
    examples = source.read(0, source.count())
    y = np.zeros((len(examples), 0), np.float32) if examples.y is None else examples.y
    return _plain(decoded(examples.x, n_channels, size_px)), y


def decoded(x: Rows, n_channels: int, size_px: int | None = None) -> Rows:
    """Rows of encoded images as pixels, float32 in [0, 1]; all others as they are."""
    if not isinstance(x, EncodedFrames):
        return x
    pixels = decode_frames(x, n_channels, size_px=size_px).pixels
    if isinstance(pixels, np.ndarray):
        return Ragged(pixels.astype(np.float32) / 255, x.offsets)
    rows = []
    for first, last in zip(x.offsets[:-1].tolist(), x.offsets[1:].tolist(), strict=True):
        frames = pixels[first:last] or [np.zeros((1, 1, n_channels))]  # a clip without frames is a black one
        rows.append((np.stack(frames) / 255).astype(np.float32))
    return rows


def _plain(x: Rows) -> PlainRows:
    """One array if all rows have one shape."""
    if isinstance(x, sparse.csr_array):
        return x
    if isinstance(x, np.ndarray):
        return np.array(x, np.float32)
    assert not isinstance(x, EncodedFrames)
    rows = [np.array(x[k], np.float32) for k in range(len(x))]
    return np.stack(rows) if len({row.shape for row in rows}) == 1 else rows
