"""Which modality a dataset has: a decision table over its shape, tested row by row in tests/modalities.

`is_sequence` is false in nearly all published datasets, whatever they hold, so nothing is decided by it.
"""

from __future__ import annotations

import enum

from autodl_solver.data.info import DatasetInfo, Format, MatrixSpec

SPEECH_MIN_STEPS = 2000
"""Typical steps from which one number per step is sound: a quarter of a second at 8 kHz."""


class Modality(str, enum.Enum):
    """What kind of data a dataset holds; the values name the folders of this package."""

    IMAGE = "image"
    VIDEO = "video"
    SPEECH = "speech"
    SERIES = "series"
    TEXT = "text"
    TABULAR = "tabular"


def infer_modality(info: DatasetInfo, typical_length: float | None = None) -> Modality | None:
    """The modality of a dataset, by its first bundle.

    Args:
        info: the metadata; sizes of -1 are unknown.
        typical_length: time steps of a typical training example, where the metadata leaves them open.
    Returns:
        None only if speech and series cannot be told apart before `typical_length` is known.
    """
    spec = info.specs[0]
    if spec.format is Format.SPARSE:
        # Few columns: each entry is one token, as the official reader takes it. Otherwise (column, value) pairs.
        return Modality.TEXT if spec.n_cols <= spec.n_channels else Modality.TABULAR
    is_vector = spec.format is Format.DENSE and min(spec.n_rows, spec.n_cols) == 1  # an encoded image never is
    if info.sequence_size == 1:
        return _of_one_step(spec) if is_vector else Modality.IMAGE
    if not is_vector:
        return Modality.VIDEO
    if max(spec.n_rows, spec.n_cols) > 1:
        return Modality.SERIES
    return _of_single_numbers(info, spec, typical_length)


def _of_one_step(spec: MatrixSpec) -> Modality:
    return Modality.SERIES if spec.is_sequence_row or spec.is_sequence_col else Modality.TABULAR


def _of_single_numbers(info: DatasetInfo, spec: MatrixSpec, typical_length: float | None) -> Modality | None:
    """1 x 1 matrices over time."""
    if info.vocabulary:
        return Modality.TEXT
    if spec.n_channels > 1:
        return Modality.SERIES
    n_steps = info.sequence_size if info.sequence_size > 0 else typical_length
    if n_steps is None:
        return None
    return Modality.SPEECH if n_steps >= SPEECH_MIN_STEPS else Modality.SERIES
