"""Clips -> what a few small frames show and how they change. Fidelity: the side of a frame in pixels."""

from __future__ import annotations

import numpy as np

from autodl_solver.data.examples import Array, Rows
from autodl_solver.data.info import DatasetInfo
from autodl_solver.data.made_up import made_up_frames
from autodl_solver.data.pixels import small_pixels
from autodl_solver.modalities.spec import Pipeline

N_FRAMES = 6
"""Frames looked at in a clip, evenly spaced."""


class VideoPipeline(Pipeline):
    """Appearance (mean frame, spread over time) and motion (signed and absolute differences of successive frames)."""

    def transform(self, x: Rows, view: str, fidelity: int) -> Array:
        """[n_rows, (3 + N_FRAMES) * fidelity * fidelity * n_channels] float32."""
        pixels = small_pixels(x, self.info.specs[0].n_channels, fidelity, N_FRAMES)  # [n, N_FRAMES, px, px, channel]
        steps = np.diff(pixels, axis=1)
        parts = [pixels.mean(axis=1), pixels.std(axis=1), np.abs(steps).mean(axis=1)]
        still = np.stack(parts, axis=1).reshape(len(pixels), -1)
        return np.concatenate([still, pixels[:, 0].reshape(len(pixels), -1), steps.reshape(len(pixels), -1)], axis=1)


def made_up_clips(info: DatasetInfo) -> Rows:
    """Noise clips of the dataset's kind."""
    return made_up_frames(info.specs[0], info.sequence_size if info.sequence_size > 1 else N_FRAMES)
