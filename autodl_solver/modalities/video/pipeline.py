"""Clips -> a few small frames of each, as numbers for a linear learner or as they are. Fidelity: their side in pixels.

Only the frames that are asked for are decoded, at reduced size where the files allow it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autodl_solver.data.examples import Array, EncodedFrames, Examples, Rows, n_rows, take_rows, typical_length
from autodl_solver.data.info import DatasetInfo
from autodl_solver.data.made_up import made_up_frames
from autodl_solver.data.pixels import small_pixels
from autodl_solver.modalities.spec import Pipeline
from autodl_solver.nn.pretrained_choice import FrozenFeatures, shown_side

STATISTICS, CLIP = "", "clip"
"""Views: appearance and motion as features; frames."""

STILLS, MOMENTS = "stills", "moments"
"""Views for pretrained networks: frames, as many as N_SHOWN says; with "features FILE of" before it, features."""

FEATURES = "features {} of {}"

N_FRAMES = 6
"""Frames that statistics look at in a clip, evenly spaced."""

N_SHOWN = {STILLS: 6, MOMENTS: 16}
"""Frames of a clip, the same ones again where it is shorter: for networks that take images, and for those of clips."""

RANGE_PX = 8
RANGE_PERCENTILES = (0.5, 99.5)
"""Of the values of the first clips: what becomes 0 and 255."""

BLOCK_BYTES = 2e8
"""Frames that are held as float32 at a time."""


class VideoPipeline(Pipeline):
    """Appearance and motion at a few moments ("") or a short clip of small frames ("clip")."""

    def __init__(self, info: DatasetInfo) -> None:
        super().__init__(info)
        self._length = max(1, info.sequence_size) if info.sequence_size > 0 else N_FRAMES
        self._low, self._high = 0.0, 1.0  # what encoded frames are decoded to
        self._frozen: FrozenFeatures | None = None  # until somebody asks for features

    def fit(self, sample: Examples) -> None:
        """Looks at how long clips are, and at the range of their values where they are not encoded."""
        self._length = max(1, round(typical_length(sample.x)))
        if isinstance(sample.x, EncodedFrames):
            return
        values = self._pixels(sample.x, RANGE_PX, N_FRAMES)
        values = values[np.isfinite(values)]
        if len(values):
            self._low, self._high = (float(v) for v in np.percentile(values, RANGE_PERCENTILES))

    def transform(self, x: Rows, view: str, fidelity: int) -> Array:
        """[n_rows, (3 + N_FRAMES) * px * px * n_channels] float32, or [n_rows, time, px, px, n_channels] uint8.

        Features of a pretrained network: [n_rows, n_features] float32.
        """
        if view == CLIP:
            n_frames = min(self._length, frames_at(fidelity))
            return self._in_blocks(x, fidelity, n_frames, self._as_bytes)
        if view in N_SHOWN:
            return self._in_blocks(x, shown_side(self.info.specs[0], fidelity), N_SHOWN[view], self._as_bytes)
        if view.startswith(FEATURES.split()[0]):
            return self._features(x, view, fidelity)
        return self._in_blocks(x, fidelity, N_FRAMES, _statistics)

    def _features(self, x: Rows, view: str, side_px: int) -> Array:
        """What a pretrained network sees in the frames, enlarged to that side where they are smaller."""
        frozen = self._frozen = FrozenFeatures() if self._frozen is None else self._frozen
        _, name, _, shown = view.split()

        def seen(pixels: Array) -> Array:
            return frozen.of(self._as_bytes(pixels), name, side_px, (0.0, 255.0))

        return self._in_blocks(x, shown_side(self.info.specs[0], side_px), N_SHOWN[shown], seen)

    def _in_blocks(self, x: Rows, size_px: int, n_frames: int, finish: Callable[[Array], Array]) -> Array:
        clip_bytes = 4 * n_frames * size_px * size_px * self.info.specs[0].n_channels
        step = max(1, int(BLOCK_BYTES / clip_bytes))
        starts = range(0, max(n_rows(x), 1), step)
        return np.concatenate(
            [finish(self._pixels(take_rows(x, slice(k, k + step)), size_px, n_frames)) for k in starts]
        )

    def _pixels(self, x: Rows, size_px: int, n_frames: int) -> Array:
        return small_pixels(x, self.info.specs[0].n_channels, size_px, n_frames)

    def _as_bytes(self, pixels: Array) -> Array:
        scaled = (pixels - self._low) * (255 / max(self._high - self._low, 1e-12))
        np.nan_to_num(scaled, copy=False, nan=0.0)
        return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def frames_at(size_px: int) -> int:
    """Frames of a clip whose frames have such a side: detail grows in space and in time."""
    return 4 + size_px // 4


def made_up_clips(info: DatasetInfo) -> Rows:
    """Noise clips of the dataset's kind."""
    return made_up_frames(info.specs[0], info.sequence_size if info.sequence_size > 1 else N_FRAMES)


def _statistics(pixels: Array) -> Array:
    """Mean frame, spread over time, mean step; the first frame and each step between successive ones."""
    steps = np.diff(pixels, axis=1)
    parts = [pixels.mean(axis=1), pixels.std(axis=1), np.abs(steps).mean(axis=1)]
    still = np.stack(parts, axis=1).reshape(len(pixels), -1)
    return np.concatenate([still, pixels[:, 0].reshape(len(pixels), -1), steps.reshape(len(pixels), -1)], axis=1)
