"""SampleDataset: what a recipe hands to make_sample_data.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autodl_solver.data.info import DatasetInfo


@dataclass(frozen=True)
class SampleDataset:
    """A dataset before it is split and written.

    Attributes:
        info: its facts; n_examples and folder are filled in when it is written.
        examples: one mapping per example, the keyword arguments of `encode_example` that hold its data.
        labels: one tuple of class indices per example; several indices = multi-label.
        n_test: how many examples go to the test set.
        n_files: sample files per split; several are read interleaved.
    """

    info: DatasetInfo
    examples: Sequence[Mapping[str, Any]]
    labels: Sequence[tuple[int, ...]]
    n_test: int
    n_files: int = 1


def fixed_stream(seed: int) -> np.random.RandomState:
    """Random numbers that are the same in every version of NumPy.

    RandomState is frozen for good, whereas the streams of default_rng may change between versions (NumPy NEP 19).
    """
    return np.random.RandomState(seed)
