"""Images -> squares of pixels. Fidelity: the side in pixels.

View "flat": one row of numbers an image, for linear learners. View "squares": bytes where the images are made of bytes
(which they are, whatever range they come in), for networks; a quarter of the memory that floats take. Views "features
FILE": what a pretrained network sees.
"""

from __future__ import annotations

import numpy as np

from autodl_solver.data.examples import Array, EncodedFrames, Examples, Ragged, Rows, n_rows, take_rows
from autodl_solver.data.info import DatasetInfo
from autodl_solver.data.made_up import made_up_frames
from autodl_solver.data.pixels import decoded_squares, small_pixels
from autodl_solver.modalities.spec import Pipeline
from autodl_solver.nn.pretrained_choice import FrozenFeatures, shown_side

FLAT = ""
SQUARES = "squares"
FEATURES = "features "
"""And the name of the file of weights."""

BYTE_SCALES = (1.0, 255.0)
"""Factors that turn the range of raw values into bytes: 0 to 255 as they are, and 0 to 1."""

RANGE_PX = 8
RANGE_PERCENTILES = (0.5, 99.5)
"""Of the values of the first images that are not made of bytes: what a pretrained network takes for black and white."""

BLOCK_BYTES = 2e8
"""Squares that are held at a time on the way to features."""


class ImagePipeline(Pipeline):
    """The pixels of the image, resized to a square; the first rows tell whether they are bytes."""

    def __init__(self, info: DatasetInfo) -> None:
        super().__init__(info)
        self._byte_scale: float | None = None
        self._range = (0.0, 1.0)
        self._frozen: FrozenFeatures | None = None  # until somebody asks for features

    def fit(self, sample: Examples) -> None:
        """Finds out whether raw values are bytes in disguise."""
        x = sample.x.values if isinstance(sample.x, Ragged) else sample.x
        if isinstance(x, (np.ndarray, list)):
            arrays = x if isinstance(x, list) else [x]
            self._byte_scale = next((scale for scale in BYTE_SCALES if all(_are_bytes(a, scale) for a in arrays)), None)
            if self._byte_scale is None and arrays:
                self._range = _range_of(small_pixels(sample.x, self.info.specs[0].n_channels, RANGE_PX))

    def transform(self, x: Rows, view: str, fidelity: int) -> Array:
        """Flat: [n_rows, fidelity * fidelity * n_channels] float32. Squares: [n_rows, fidelity, fidelity, n_channels],
        uint8 where the images are made of bytes, else float32 in the raw range. Features: [n_rows, n_features] float32.
        """
        if view.startswith(FEATURES):
            return self._features(x, view.removeprefix(FEATURES), fidelity)
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

    def _features(self, x: Rows, name: str, side_px: int) -> Array:
        """What a pretrained network sees in images enlarged to that side, where they are smaller."""
        self._frozen = FrozenFeatures() if self._frozen is None else self._frozen
        spec = self.info.specs[0]
        shown_px = shown_side(spec, side_px)
        step = max(1, int(BLOCK_BYTES / (4 * shown_px**2 * spec.n_channels)))
        parts = []
        for start in range(0, max(n_rows(x), 1), step):
            squares = self.transform(take_rows(x, slice(start, start + step)), SQUARES, shown_px)
            value_range = (0.0, 255.0) if squares.dtype == np.uint8 else self._range
            squares = squares if squares.dtype == np.uint8 else np.nan_to_num(squares, nan=value_range[0])
            parts.append(self._frozen.of(squares[:, None], name, side_px, value_range))
        return np.concatenate(parts)


def made_up_images(info: DatasetInfo) -> Rows:
    """Noise images of the dataset's kind."""
    return made_up_frames(info.specs[0], n_frames=1)


def _range_of(values: Array) -> tuple[float, float]:
    values = values[np.isfinite(values)]
    low, high = np.percentile(values, RANGE_PERCENTILES) if len(values) else (0.0, 1.0)
    return float(low), max(float(high), float(low) + 1e-6)


def _are_bytes(values: Array, scale: float) -> bool:
    """Whether all values times the scale are whole numbers from 0 to 255."""
    scaled = np.asarray(values, np.float64) * scale
    whole = np.abs(scaled - np.rint(scaled)) < 1e-3
    return bool(np.all(whole & (scaled >= 0) & (scaled < 255.5)))
