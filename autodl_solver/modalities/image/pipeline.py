"""Images -> squares of pixels. Fidelity: the side in pixels.

View "flat": one row of numbers an image, for linear learners. View "squares": bytes where the images are made of bytes
(which they are, whatever range they come in), for networks; a quarter of the memory that floats take.
"""

from __future__ import annotations

import numpy as np

from autodl_solver.data.examples import Array, EncodedFrames, Examples, Ragged, Rows
from autodl_solver.data.info import DatasetInfo
from autodl_solver.data.made_up import made_up_frames
from autodl_solver.data.pixels import decoded_squares, small_pixels
from autodl_solver.modalities.spec import Pipeline

FLAT = ""
SQUARES = "squares"
BYTE_SCALES = (1.0, 255.0)
"""Factors that turn the range of raw values into bytes: 0 to 255 as they are, and 0 to 1."""


class ImagePipeline(Pipeline):
    """The pixels of the image, resized to a square; the first rows tell whether they are bytes."""

    def __init__(self, info: DatasetInfo) -> None:
        super().__init__(info)
        self._byte_scale: float | None = None

    def fit(self, sample: Examples) -> None:
        """Finds out whether raw values are bytes in disguise."""
        x = sample.x.values if isinstance(sample.x, Ragged) else sample.x
        if isinstance(x, (np.ndarray, list)):
            arrays = x if isinstance(x, list) else [x]
            self._byte_scale = next((scale for scale in BYTE_SCALES if all(_are_bytes(a, scale) for a in arrays)), None)

    def transform(self, x: Rows, view: str, fidelity: int) -> Array:
        """Flat: [n_rows, fidelity * fidelity * n_channels] float32. Squares: [n_rows, fidelity, fidelity, n_channels],
        uint8 where the images are made of bytes, else float32 in the raw range.
        """
        n_channels = self.info.specs[0].n_channels
        if view == SQUARES and isinstance(x, EncodedFrames):
            squares: Array = decoded_squares(x, n_channels, fidelity)[:, 0]
            return squares
        pixels = small_pixels(x, n_channels, fidelity)[:, 0]
        if view != SQUARES:
            return pixels.reshape(len(pixels), -1)
        if self._byte_scale is None:
            return pixels
        return np.rint(np.nan_to_num(pixels) * self._byte_scale).clip(0, 255).astype(np.uint8)


def made_up_images(info: DatasetInfo) -> Rows:
    """Noise images of the dataset's kind."""
    return made_up_frames(info.specs[0], n_frames=1)


def _are_bytes(values: Array, scale: float) -> bool:
    """Whether all values times the scale are whole numbers from 0 to 255."""
    scaled = np.asarray(values, np.float64) * scale
    whole = np.abs(scaled - np.rint(scaled)) < 1e-3
    return bool(np.all(whole & (scaled >= 0) & (scaled < 255.5)))
