"""Images, clips and sounds that are arrays already.

    ImageArrays    [n, row, col, channel] or [n, row, col], or a list of them; images of Pillow
    VideoArrays    [n, time, row, col, channel] or [n, time, row, col], or a list of them
    AudioArrays    a list of [sample] or [sample, channel], or an array of them; all of one rate

Channels may come first, as PyTorch has them. Pixels may be bytes or numbers from 0 to 1: new ones get the range that
training had. Whole numbers and fractions of sound come into one range, that of 16 bits, as sound files do.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from autodl_solver.data.examples import Array, Ragged, Rows
from autodl_solver.data.info import DatasetInfo, Format, MatrixSpec
from autodl_solver.errors import InputError
from autodl_solver.inputs.base import Encoded, Input

CHANNELS_FIRST = (1, 3, 4)
"""Sizes of an axis that is taken for channels standing first, where the last axis is longer than any of them."""

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Weights of red, green and blue in gray (ITU-R BT.601), as image files are converted."""

UNIT, BYTES = 1.0, 255.0
"""Largest values that pixels may have, as far as one knows the range."""

MOST_AUDIO_CHANNELS = 8

LOUDEST = 2.0**15
"""What fractions of sound, from -1 to 1, are multiplied with."""


class PixelArrays(Input):
    """What images and clips have in common.

    Attributes:
        n_rows, n_cols: of every training frame; -1 if they differ.
        n_channels: of every row; 3 where training examples differ.
        largest: UNIT, BYTES, or 0 for pixels in no range that is known.
    """

    axes: ClassVar[tuple[str, ...]]
    """Of an example, without its channels."""

    def __init__(self) -> None:
        self.n_rows = self.n_cols = -1
        self.n_channels = 1
        self.largest = BYTES

    def fit(self, examples: Any) -> None:
        arrays = self._arrays(examples)
        if len(arrays) == 0:
            raise InputError("X must hold examples to learn from; however it is empty (0 sample(s)).")
        sizes = {array.shape[-3:-1] for array in arrays}
        self.n_rows, self.n_cols = sizes.pop() if len(sizes) == 1 else (-1, -1)
        channels = {array.shape[-1] for array in arrays}
        if len(channels) > 1 and not channels <= set(CHANNELS_FIRST):
            raise InputError(
                f"Examples must have the same channels, or be gray and coloured; however they have {sorted(channels)}; "
                "give all of them the same."
            )
        self.n_channels = channels.pop() if len(channels) == 1 else 3
        self.largest = _largest(arrays)

    def encode(self, examples: Any) -> Encoded:
        arrays = self._arrays(examples)
        factor = self._factor(arrays)
        if isinstance(arrays, np.ndarray):
            return Encoded(self._rows(self._converted(arrays, factor, "X")))
        places = range(len(arrays))
        converted = [self._converted(arrays[k], factor, f"example {k}") for k in places]
        if len({array.shape for array in converted}) == 1:
            return Encoded(self._rows(np.stack(converted)))
        return Encoded(self._unequal_rows(converted))

    def _rows(self, arrays: Array) -> Array:
        """[n, time, row, col, channel] of examples of one shape."""
        return arrays

    def _unequal_rows(self, arrays: list[Array]) -> Rows:
        return arrays

    def _arrays(self, examples: Any) -> Array | list[Array]:
        """[n, ..., row, col, channel], or a list of examples."""
        if hasattr(examples, "shape") and len(examples.shape) > 1:
            return self._with_channels(np.asarray(examples), 1, "X")
        return [self._with_channels(_array_of(x), 0, f"example {place}") for place, x in enumerate(examples)]

    def _with_channels(self, array: Array, n_before: int, what: str) -> Array:
        """With the channels last."""
        if array.ndim == n_before + len(self.axes):
            array = array[..., None]
        if array.ndim != n_before + len(self.axes) + 1 or array.dtype.kind not in "biuf" or 0 in array.shape[n_before:]:
            axes = ", ".join(self.axes)
            raise InputError(
                f"An example must be numbers [{axes}, channel] or [{axes}]; however {what} holds {array.dtype} and has "
                f"the shape {list(array.shape)}; for other data, say its kind."
            )
        if array.shape[-3] in CHANNELS_FIRST and array.shape[-1] > max(CHANNELS_FIRST):
            array = np.moveaxis(array, -3, -1)
        return array

    def _factor(self, arrays: Array | list[Array]) -> float:
        """What brings new pixels into the range of training."""
        if self.largest == UNIT and _largest(arrays) == BYTES:
            return UNIT / BYTES
        is_unit = self.largest == BYTES and len(arrays) > 0 and _largest(arrays) == UNIT
        return BYTES if is_unit and any(_has_fractions(array) for array in arrays) else 1.0

    def _converted(self, array: Array, factor: float, what: str) -> Array:
        """With the channels and the range of training; bytes where they are whole numbers."""
        is_bytes = self.largest == BYTES and factor == 1 and array.dtype.kind in "iu" and _largest([array]) > 0
        array = array.astype(np.uint8 if is_bytes else np.float32, copy=False)
        if factor != 1:
            array = array * np.float32(factor)
        n_channels = array.shape[-1]
        if n_channels == self.n_channels:
            return array
        if n_channels == 4 and self.n_channels in (1, 3):
            array, n_channels = array[..., :3], 3
        if n_channels == self.n_channels:
            return array
        if (n_channels, self.n_channels) == (1, 3):
            return np.repeat(array, 3, axis=-1)
        if (n_channels, self.n_channels) == (3, 1):
            gray = (array @ LUMA)[..., None]
            return np.rint(gray).astype(np.uint8) if is_bytes else gray
        raise InputError(f"Examples must have {self.n_channels} channels, as at fit; however {what} has {n_channels}.")

    def _info(self, name: str, n_examples: int, class_names: tuple[str, ...], n_steps: int) -> DatasetInfo:
        spec = MatrixSpec(self.n_rows, self.n_cols, self.n_channels, Format.DENSE)
        return DatasetInfo(name, None, n_examples, len(class_names), n_steps, (spec,), class_names)


class ImageArrays(PixelArrays):
    """Rows [n, 1, row, col, channel], or a list of [1, row, col, channel]."""

    modality = "image"
    axes = ("row", "col")

    def info(self, name: str, n_examples: int, class_names: tuple[str, ...]) -> DatasetInfo:
        return self._info(name, n_examples, class_names, 1)

    def _rows(self, arrays: Array) -> Array:
        return arrays[:, None]

    def _unequal_rows(self, arrays: list[Array]) -> Rows:
        return [array[None] for array in arrays]


class VideoArrays(PixelArrays):
    """Rows [n, time, row, col, channel], Ragged where lengths differ, or a list where the frames do.

    Attributes:
        n_steps: of every training clip; -1 if they differ.
    """

    modality = "video"
    axes = ("time", "row", "col")

    def __init__(self) -> None:
        super().__init__()
        self.n_steps = -1

    def fit(self, examples: Any) -> None:
        super().fit(examples)
        lengths = {len(array) for array in self._arrays(examples)}
        self.n_steps = lengths.pop() if len(lengths) == 1 and max(lengths) > 1 else -1  # one step would be an image

    def info(self, name: str, n_examples: int, class_names: tuple[str, ...]) -> DatasetInfo:
        return self._info(name, n_examples, class_names, self.n_steps)

    def _unequal_rows(self, arrays: list[Array]) -> Rows:
        if len({array.shape[1:] for array in arrays}) > 1:
            return arrays
        return Ragged(np.concatenate(arrays), np.cumsum([0, *map(len, arrays)], dtype=np.int64))


class AudioArrays(Input):
    """Ragged rows [sample, 1, 1, 1], the mean of the channels; an empty clip is one silent sample."""

    modality = "speech"

    def fit(self, examples: Any) -> None:
        if len(examples) == 0:
            raise InputError("X must hold sounds to learn from; however it is empty (0 sample(s)).")

    def encode(self, examples: Any) -> Encoded:
        clips = [_mono(clip, place) for place, clip in enumerate(examples)]
        values = np.concatenate([np.zeros(0, np.float32), *clips]).reshape(-1, 1, 1, 1)
        return Encoded(Ragged(values, np.cumsum([0, *map(len, clips)], dtype=np.int64)))

    def info(self, name: str, n_examples: int, class_names: tuple[str, ...]) -> DatasetInfo:
        spec = MatrixSpec(1, 1, 1, Format.DENSE)
        return DatasetInfo(name, None, n_examples, len(class_names), -1, (spec,), class_names)


def _array_of(image: Any) -> Array:
    """An array, or an image of Pillow."""
    if hasattr(image, "getbands"):
        if image.mode in ("1", "L", "LA"):
            image = image.convert("L")
        elif image.mode[0] not in "IF":
            image = image.convert("RGB")
    return np.asarray(image)


def _largest(arrays: Array | list[Array]) -> float:
    """UNIT or BYTES, if all values lie between 0 and that; else 0."""
    parts = [arrays] if isinstance(arrays, np.ndarray) else arrays
    low = min((float(np.fmin.reduce(part, axis=None)) for part in parts if part.size), default=0.0)
    high = max((float(np.fmax.reduce(part, axis=None)) for part in parts if part.size), default=0.0)
    return next((most for most in (UNIT, BYTES) if low >= 0 and high <= most), 0.0)


def _has_fractions(array: Array) -> bool:
    return array.dtype.kind == "f" and bool(np.any(array != np.floor(array)))


def _mono(clip: Any, place: int) -> Array:
    """[sample] float32 in the range of 16 bits."""
    samples = np.asarray(clip)
    if samples.ndim not in (1, 2) or samples.dtype.kind not in "biuf":
        raise InputError(
            f"A sound must be numbers [sample] or [sample, channel]; however example {place} holds {samples.dtype} and "
            f"has the shape {list(samples.shape)}; for other data, say its kind."
        )
    if samples.size == 0:
        return np.zeros(1, np.float32)
    if samples.dtype.kind == "f":
        scaled = samples.astype(np.float32) * np.float32(LOUDEST)
    else:
        limits = np.iinfo(samples.dtype) if samples.dtype.kind != "b" else np.iinfo(np.int8)
        middle = (int(limits.max) + int(limits.min) + 1) // 2  # 0, or half the range without a sign
        scaled = (samples.astype(np.float32) - middle) * np.float32(
            2 * LOUDEST / (int(limits.max) - int(limits.min) + 1)
        )
    if scaled.ndim == 1:
        return np.asarray(scaled)
    channels = 0 if scaled.shape[0] <= MOST_AUDIO_CHANNELS < scaled.shape[1] else 1
    return np.asarray(scaled.mean(axis=channels), np.float32)
