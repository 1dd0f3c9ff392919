"""Small documents for the tests of the text modality."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autodl_solver.data.examples import Ragged
from autodl_solver.data.info import DatasetInfo, Format, MatrixSpec

ENGLISH = ("the", "cat", "sat", "mat", "catch", "!")
CHINESE = tuple("今天天气很好我们去公园")


def info(vocabulary: tuple[str, ...] = (), n_classes: int = 2) -> DatasetInfo:
    return DatasetInfo("made", None, 4, n_classes, -1, (MatrixSpec(1, 1, 1, Format.DENSE),), vocabulary=vocabulary)


def documents(*ids: Sequence[float]) -> Ragged:
    values = np.concatenate([np.asarray(row, np.float32) for row in ids]) if ids else np.zeros(0, np.float32)
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in ids])]).astype(np.int64)
    return Ragged(values.reshape(-1, 1, 1, 1), offsets)
