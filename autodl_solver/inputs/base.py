"""Input: how a user's examples of one kind become rows of the solver.

An Input is fitted once, on training examples: it remembers columns, categories, tokens, a sample rate, a size. From
then on the same Input encodes any new examples, so that training and prediction see the same rows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from autodl_solver.data.examples import Array, Rows, n_rows
from autodl_solver.data.info import DatasetInfo


@dataclass(frozen=True)
class Encoded:
    """Examples as rows of the solver.

    Attributes:
        rows: of the examples that could be read, in their order.
        skipped: place among the examples -> why it could not be read.
    """

    rows: Rows
    skipped: Mapping[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return n_rows(self.rows) + len(self.skipped)

    @property
    def places(self) -> Array:
        """[n_rows] int64: the place of each row among the examples."""
        return np.setdiff1d(np.arange(len(self)), np.array(list(self.skipped), dtype=np.int64))


class Input(ABC):
    """Encodes examples of one kind.

    Everything that `fit` learns lies in plain attributes (numbers, strings, lists, dicts, arrays, dataclasses of
    these), which is what a saved model can hold.
    """

    modality: ClassVar[str]
    """The value of the Modality that the rows are of."""

    @abstractmethod
    def fit(self, examples: Any) -> None:
        """Learns from training examples what new ones will need.

        Raises:
            InputError: there are none, or nothing can be learned from them.
        """

    @abstractmethod
    def encode(self, examples: Any) -> Encoded:
        """Examples, new ones too, as rows.

        Raises:
            InputError: they are not of the kind that was fitted (columns are missing, say).
        """

    @abstractmethod
    def info(self, name: str, n_examples: int, class_names: tuple[str, ...]) -> DatasetInfo:
        """The facts of a dataset of such rows."""
