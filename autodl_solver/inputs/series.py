"""Series of equal or unequal length, of one channel or several: arrays, lists of arrays, lists of DataFrames.

Missing values stay NaN; a series without steps becomes one missing step.
"""

from __future__ import annotations

import logging
from typing import Any, ClassVar

import numpy as np

from autodl_solver.data.examples import Array, Ragged
from autodl_solver.data.info import DatasetInfo, Format, MatrixSpec
from autodl_solver.errors import InputError
from autodl_solver.inputs.base import Encoded, Input

logger = logging.getLogger(__name__)


class SeriesInput(Input):
    """[n, time, channel], [n, time], or a list of [time, channel], [time], DataFrames with a row a step.

    Attributes:
        n_steps: of every training series; -1 if they differ.
        n_channels: of every series.
        names: of the channels that have some: of DataFrames, the columns of numbers.
    """

    modality: ClassVar[str] = "series"

    def __init__(self) -> None:
        self.n_steps = -1
        self.n_channels = 1
        self.names: list[str] = []

    def fit(self, examples: Any) -> None:
        if len(examples) == 0:
            raise InputError("X must hold series to learn from; however it is empty (0 sample(s)).")
        self.names = _channel_names(examples)
        series = self._series(examples)
        self.n_channels = series[0].shape[1]
        lengths = {len(steps) for steps in series}
        # one step would be taken for the columns of a table
        self.n_steps = lengths.pop() if len(lengths) == 1 and max(lengths) > 1 else -1
        self._check_channels(series)

    def encode(self, examples: Any) -> Encoded:
        """Rows [n, time, 1, channel, 1] where all have the length of training, else Ragged."""
        series = self._series(examples)
        self._check_channels(series)
        if isinstance(series, np.ndarray) and series.shape[1] == self.n_steps:
            return Encoded(series[:, :, None, :, None])
        lengths = [len(steps) for steps in series]
        values = np.concatenate([np.zeros((0, self.n_channels), np.float32), *series])[:, None, :, None]
        if set(lengths) == {self.n_steps}:
            return Encoded(values.reshape(len(series), self.n_steps, 1, self.n_channels, 1))
        return Encoded(Ragged(values, np.cumsum([0, *lengths], dtype=np.int64)))

    def info(self, name: str, n_examples: int, class_names: tuple[str, ...]) -> DatasetInfo:
        spec = MatrixSpec(1, self.n_channels, 1, Format.DENSE)
        names = tuple(self.names)
        return DatasetInfo(
            name, None, n_examples, len(class_names), self.n_steps, (spec,), class_names, feature_names=names
        )

    def _series(self, examples: Any) -> Array | list[Array]:
        """[n, time, channel], or [time, channel] of each, float32."""
        if hasattr(examples, "iloc") and len(examples.shape) == 2:  # a table with a series in each row
            examples = examples.to_numpy(np.float32, na_value=np.nan)
        if hasattr(examples, "shape") and len(examples.shape) in (2, 3):
            array = _floats(examples, "X")
            array = array[:, :, None] if array.ndim == 2 else array
            return array if array.shape[1] else np.full((len(array), 1, array.shape[2]), np.nan, np.float32)
        return [self._one(example, place) for place, example in enumerate(examples)]

    def _one(self, example: Any, place: int) -> Array:
        if hasattr(example, "columns"):
            missing = [name for name in self.names if name not in map(str, example.columns)]
            if missing:
                raise InputError(
                    f"Every series must have the columns of the first one at fit; however example {place} has no "
                    f"{', '.join(missing[:10])}; add them, empty if they are unknown."
                )
            example = example.set_axis([str(name) for name in example.columns], axis=1)[self.names]
            example = example.to_numpy(np.float32, na_value=np.nan)
        steps = _floats(example, f"example {place}")
        if steps.ndim not in (1, 2):
            raise InputError(
                f"A series must be [time] or [time, channel]; however example {place} has the shape {steps.shape}; for "
                "other data say its kind."
            )
        steps = steps.reshape(len(steps), -1) if steps.ndim == 2 and len(steps) else steps
        if len(steps) == 0:
            n_channels = steps.shape[1] if steps.ndim == 2 else self.n_channels
            return np.full((1, n_channels), np.nan, np.float32)
        return steps[:, None] if steps.ndim == 1 else steps

    def _check_channels(self, series: Array | list[Array]) -> None:
        odd = next((k for k, steps in enumerate(series) if steps.shape[1] != self.n_channels), None)
        if odd is not None:
            raise InputError(
                f"Every series must have {self.n_channels} channels, as the first one at fit; however example {odd} "
                f"has {series[odd].shape[1]}; give all series the same channels, NaN where one is unknown."
            )


def _channel_names(examples: Any) -> list[str]:
    """The columns of numbers, if series are DataFrames."""
    first = examples.iloc[0] if hasattr(examples, "iloc") else examples[0]
    if not hasattr(first, "columns"):
        return []
    numbers = [str(name) for name, dtype in first.dtypes.items() if _is_number(dtype)]
    others = [str(name) for name in first.columns if str(name) not in numbers]
    if not numbers:
        raise InputError(f"A series must hold numbers; however none of its columns does: {', '.join(others[:10])}.")
    if others:
        logger.info("Columns of the series that hold no numbers are left out: %s.", ", ".join(others))
    return numbers


def _is_number(dtype: Any) -> bool:
    import pandas as pd

    return bool(pd.api.types.is_numeric_dtype(dtype)) and not pd.api.types.is_complex_dtype(dtype)


def _floats(values: Any, what: str) -> Array:
    """float32, NaN for None."""
    if np.iscomplexobj(values):
        raise InputError(f"Complex data not supported: however {what} holds some; give real and imaginary parts.")
    try:
        with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite: a missing value
            return np.asarray(np.asarray(values), np.float32)
    except (TypeError, ValueError) as error:
        raise InputError(f"A series must hold numbers; however {what} does not: {error}.") from error
