"""The rows of a split as a dataset of PyTorch, for people who bring their own network.

    source, info = open_split("digits.data/train")
    loader = DataLoader(TorchDataset(source, info.specs[0].n_channels), batch_size=32, shuffle=True)

Encoded images are decoded when they are asked for, a batch at a time. Where shapes differ, `size_px` makes images alike
and `collate_fn=padded_batch` makes rows equally long.
Cost: 10,000 rows a second of PNG files of 28 pixels, in batches of 128, one core.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from scipy import sparse
from torch import Tensor
from torch.utils.data import Dataset

from autodl_solver.data.examples import EncodedFrames
from autodl_solver.data.export import decoded
from autodl_solver.data.source import ExampleSource


class TorchDataset(Dataset[tuple[Tensor, Tensor]]):
    """Row i is (x [time, row, col, channel] float32, y [n_classes] float32); a sparse row is [1, 1, n_columns, 1].

    Args:
        source: of a split; see `data.export.open_split`.
        n_channels: of encoded images, 1 gray, 3 RGB, 4 RGBA: what `info.specs[0].n_channels` says.
        size_px: rows and columns that encoded images are resized to; None: as they are.
    """

    def __init__(self, source: ExampleSource, n_channels: int = 3, size_px: int | None = None) -> None:
        self._examples = source.read(0, source.count())  # what is mapped stays on the disk
        self._n_channels = n_channels
        self._size_px = size_px

    def __len__(self) -> int:
        return len(self._examples)

    def __getitem__(self, row: int) -> tuple[Tensor, Tensor]:
        """A row; negative numbers count from the end.

        Raises:
            IndexError: there is no such row.
        """
        return self.__getitems__([row])[0]

    def __getitems__(self, rows: Sequence[int]) -> list[tuple[Tensor, Tensor]]:
        """Several rows, which is what a DataLoader asks for where it can."""
        numbers = range(len(self))
        examples = self._examples.take(np.array([numbers[row] for row in rows], np.int64))
        x = decoded(examples.x, self._n_channels, self._size_px)
        if isinstance(x, sparse.csr_array):
            x = x.toarray().reshape(len(rows), 1, 1, -1, 1)
        assert not isinstance(x, EncodedFrames)
        values = [torch.from_numpy(np.array(x[k], np.float32)) for k in range(len(rows))]
        y = torch.zeros(len(rows), 0) if examples.y is None else torch.from_numpy(examples.y.astype(np.float32))
        return list(zip(values, y, strict=True))


def padded_batch(rows: Sequence[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor, Tensor]:
    """Rows that differ in time only, as one batch: `DataLoader(..., collate_fn=padded_batch)`.

    Returns:
        x [n, longest, row, col, channel], zeros past the end of a row; y [n, n_classes]; lengths [n] int64.
    """
    x = torch.nn.utils.rnn.pad_sequence([row for row, _ in rows], batch_first=True)
    return x, torch.stack([y for _, y in rows]), torch.tensor([len(row) for row, _ in rows])
