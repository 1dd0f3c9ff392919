"""Small pixels of images and clips, whatever the rows hold: encoded files, arrays, ragged frames, and lists."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autodl_solver.data.examples import Array, EncodedFrames, Ragged, Rows
from autodl_solver.data.images import decode_frames, resize_pixels
from autodl_solver.data.info import MatrixSpec
from autodl_solver.errors import ShapeError


def small_pixels(x: Rows, n_channels: int, size_px: int, n_frames: int = 1) -> Array:
    """Evenly spaced frames of each row as small squares; only those frames are decoded.

    Args:
        x: encoded frames, an array [n_rows, time, row, col, channel], ragged frames, or a list of [time, row, col,
            channel].
        n_channels: of encoded frames and of a row without frames.
        size_px: side of the result.
        n_frames: frames per row; short rows repeat theirs.
    Returns:
        [n_rows, n_frames, size_px, size_px, n_channels] float32, in [0, 1] where frames were encoded, else in the raw
        range.
    Raises:
        ShapeError: x holds sparse rows.
    """
    if isinstance(x, EncodedFrames):
        return decoded_squares(x, n_channels, size_px, n_frames).astype(np.float32) / 255
    if isinstance(x, Ragged):
        frames, present = _evenly_spaced(x.offsets, n_frames)
        return _placed(resize_pixels(x.values[frames], size_px).astype(np.float32, copy=False), present, n_frames)
    if isinstance(x, np.ndarray):
        n_rows, time = x.shape[:2]
        frames, present = _evenly_spaced(np.array([0, time]), n_frames)
        pixels = resize_pixels(x[:, frames].reshape(-1, *x.shape[2:]), size_px)
        return pixels.astype(np.float32, copy=False).reshape(n_rows, n_frames, *pixels.shape[1:])
    if isinstance(x, list):
        rows = [small_pixels(row[None], n_channels, size_px, n_frames) for row in x]
        return np.concatenate(rows) if rows else np.zeros((0, n_frames, size_px, size_px, n_channels), np.float32)
    raise ShapeError(f"Pixels need rows of frames; however x is a {type(x).__name__}.")


def decoded_squares(x: EncodedFrames, n_channels: int, size_px: int, n_frames: int = 1) -> Array:
    """As `small_pixels`, in bytes: [n_rows, n_frames, size_px, size_px, n_channels] uint8, zeros without frames."""
    frames, present = _evenly_spaced(x.offsets, n_frames)
    chosen = EncodedFrames(x.buffers, x.file_index[frames], x.starts[frames], x.sizes[frames], _one_each(frames))
    return _placed(np.asarray(decode_frames(chosen, n_channels, size_px=size_px).pixels), present, n_frames)


def sizes_up_to_native(spec: MatrixSpec, sizes_px: Sequence[int]) -> list[int]:
    """Those sides that do not enlarge the frames of a bundle; all of them where its frames vary in size."""
    if min(spec.n_rows, spec.n_cols) < 1:
        return list(sizes_px)
    native_px = max(spec.n_rows, spec.n_cols)
    return [size for size in sizes_px if size <= native_px] or [native_px]


def _evenly_spaced(offsets: Array, n_frames: int) -> tuple[Array, Array]:
    """Indices of n_frames frames for each row that has any, and which rows those are."""
    lengths = np.diff(offsets)
    present = lengths > 0
    middles = (np.arange(n_frames) + 0.5) / n_frames
    within = np.floor(lengths[present, None] * middles).astype(np.int64)
    return (offsets[:-1][present, None] + within).ravel(), present


def _one_each(frames: Array) -> Array:
    return np.arange(len(frames) + 1, dtype=np.int64)


def _placed(pixels: Array, present: Array, n_frames: int) -> Array:
    """[n_rows, n_frames, ...], zeros for the rows without frames."""
    if present.all():
        return pixels.reshape(-1, n_frames, *pixels.shape[1:])
    placed = np.zeros((len(present), n_frames, *pixels.shape[1:]), pixels.dtype)
    placed[present] = pixels.reshape(-1, n_frames, *pixels.shape[1:])
    return placed
