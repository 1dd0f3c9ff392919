"""Batched decoding of JPEG and PNG files, at their own size or at the few pixels that a first prediction needs.

Sizes are read from the headers first: what is too large is refused before anything is allocated. A file that does not
decode becomes zeros, because one bad image must not end a run of 20 minutes; it is counted and logged.
Cost: 22 us per 32-px JPEG, 130 us per 128-px JPEG reduced to 16 px, 25 us per 28-px PNG, one core.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from autodl_solver.data.examples import Array, EncodedFrames
from autodl_solver.data.image_codecs import N_CHANNELS, decode_files, decode_reduced
from autodl_solver.data.image_header import Codec, Headers, ImageHeader, read_headers
from autodl_solver.errors import DataError, ShapeError

logger = logging.getLogger(__name__)

_CHUNK_FILES = 1024  # decoded by a thread at a time
_CHUNK_PIXELS = 1 << 24  # or fewer files of this many pixels together
_FEW_CHANNELS = 4
_SMALL_PIXELS = 96 * 96  # up to here, decoding whole is faster than reducing


S = TypeVar("S")
T = TypeVar("T")


@dataclass(frozen=True)
class Decoded:
    """Decoded frames.

    Shape:
        pixels: [n_frames, row, col, channel] uint8, or a list of [row, col, channel] if sizes differ.
        n_failed: frames that did not decode; their pixels are zeros.
    """

    pixels: Array | list[Array]
    n_failed: int


def decode_frames(
    frames: EncodedFrames, n_channels: int, *, size_px: int | None = None, max_pixels: int = 100_000_000
) -> Decoded:
    """Decode every frame. Thread-safe; the result of a frame does not depend on the others.

    Args:
        frames: JPEG, PNG, GIF or BMP files, in any mixture.
        n_channels: 1 gray, 3 RGB, 4 RGBA; what a file lacks is converted as the official reader does.
        size_px: rows and columns of the result, resized as `resize_pixels` does; None: as in the file.
        max_pixels: rows * columns above which a frame counts as failed.
    Returns:
        One array if all frames have the same size (always if size_px is given), else a list.
        A failed frame has the size of its header, or the most frequent one where that is unknown or refused.
    Raises:
        DataError: n_channels is not one that files can be decoded to.
    """
    if n_channels not in N_CHANNELS:
        raise DataError(
            f"Compressed images must have 1, 3 or 4 channels; however the metadata says {n_channels}; "
            "correct num_channels."
        )
    headers = read_headers(frames, max_pixels)
    out = _zeros(headers, n_channels, size_px)
    readable = np.flatnonzero(headers.is_readable)
    failures = [header for header in headers.of(~headers.is_readable) if isinstance(header, DataError)]

    def decode(chunk: Array) -> list[DataError]:
        known = [header for header in headers.of(chunk) if isinstance(header, ImageHeader)]
        pixels = _decode_chunk(_files_of(frames, chunk), known, n_channels, size_px)
        if isinstance(pixels, np.ndarray) and isinstance(out, np.ndarray):
            out[chunk] = pixels
            return []
        for i, decoded in zip(chunk.tolist(), pixels, strict=True):
            if not isinstance(decoded, DataError):
                out[i][...] = decoded
        return [reason for reason in pixels if isinstance(reason, DataError)]

    for reasons in _map_in_threads(decode, _chunks(readable, headers)):
        failures += reasons
    if failures:
        logger.warning("%d of %d images became zeros. The first: %s", len(failures), len(out), failures[0])
    return Decoded(out, len(failures))


def _files_of(frames: EncodedFrames, chunk: Array) -> list[memoryview]:
    buffers = [buffer.data for buffer in frames.buffers]
    places = zip(*(column[chunk].tolist() for column in (frames.file_index, frames.starts, frames.sizes)), strict=True)
    return [buffers[k][start : start + size] for k, start, size in places]


def _zeros(headers: Headers, n_channels: int, size_px: int | None) -> Array | list[Array]:
    """Room for the result."""
    n_frames = len(headers.kind)
    if size_px is not None:
        return np.zeros((n_frames, size_px, size_px, n_channels), np.uint8)
    known: Counter[tuple[int, int]] = Counter()
    for header, count in zip(headers.distinct, np.bincount(headers.kind).tolist(), strict=True):
        if isinstance(header, ImageHeader):
            known[header.n_rows, header.n_cols] += count
    frequent = known.most_common(1)[0][0] if known else (1, 1)
    if len(known) <= 1:
        return np.zeros((n_frames, *frequent, n_channels), np.uint8)
    sizes = [(h.n_rows, h.n_cols) if isinstance(h, ImageHeader) else frequent for h in headers.distinct]
    return [np.zeros((*sizes[k], n_channels), np.uint8) for k in headers.kind.tolist()]


def _chunks(readable: Array, headers: Headers) -> Iterator[Array]:
    """Readable frames, as many at a time as the bounds on files and pixels admit, but at least one."""
    n_pixels = np.array([h.n_rows * h.n_cols if isinstance(h, ImageHeader) else 0 for h in headers.distinct], np.int64)
    before = np.concatenate([[0], np.cumsum(n_pixels[headers.kind[readable]])])
    first = 0
    while first < len(readable):
        fitting = int(np.searchsorted(before, before[first] + _CHUNK_PIXELS, "right")) - 1
        last = min(max(fitting, first + 1), first + _CHUNK_FILES)
        yield readable[first:last]
        first = last


def _map_in_threads(function: Callable[[S], T], items: Iterable[S]) -> list[T]:
    """In order. Threads help because both decoders let go of the interpreter while they decode."""
    items = list(items)
    n_cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    n_threads = min(len(items), n_cores)
    if n_threads <= 1:
        return [function(item) for item in items]
    with ThreadPoolExecutor(n_threads) as threads:
        return list(threads.map(function, items))


def _decode_chunk(
    files: list[memoryview], headers: list[ImageHeader], n_channels: int, size_px: int | None
) -> Array | list[Array | DataError]:
    if size_px is None:
        return decode_files(files, headers, n_channels)
    reduced = {
        i: decode_reduced(file, header, n_channels, size_px)
        for i, (file, header) in enumerate(zip(files, headers, strict=True))
        if _is_worth_reducing(header, size_px)
    }
    whole = [i for i in range(len(files)) if i not in reduced]
    decoded = decode_files([files[i] for i in whole], [headers[i] for i in whole], n_channels)
    if isinstance(decoded, np.ndarray):
        decoded = resize_pixels(decoded, size_px)
        if not reduced:
            return decoded
    result = reduced | dict(zip(whole, decoded, strict=True))
    by_shape: dict[tuple[int, ...], dict[int, Array]] = {}
    for i in whole:
        pixels = result[i]
        if not isinstance(pixels, DataError):
            by_shape.setdefault(pixels.shape, {})[i] = pixels
    for same in by_shape.values():
        result.update(zip(same, resize_pixels(np.stack(list(same.values())), size_px), strict=True))
    return [result[i] for i in range(len(files))]


def _is_worth_reducing(header: ImageHeader, size_px: int) -> bool:
    """libjpeg reduces by 2, 4 and 8; a small file is decoded faster whole."""
    is_large = header.n_rows * header.n_cols > _SMALL_PIXELS
    return header.codec is Codec.JPEG and is_large and min(header.n_rows, header.n_cols) >= 2 * size_px


def resize_pixels(x: Array, size_px: int) -> Array:
    """Resize images of one shape: each axis averages areas where it shrinks, and is bilinear where it grows.

    Args:
        x: [n, row, col, channel], uint8 or float; values that are not finite are left out of the averages.
        size_px: rows and columns of the result.
    Returns:
        [n, size_px, size_px, channel] of the dtype of x, uint8 rounded; NaN where no finite value lies.
    Raises:
        ShapeError: x is not 4-dimensional, or has no rows or columns, or size_px < 1.
    """
    if x.ndim != 4 or 0 in x.shape[1:] or size_px < 1:
        raise ShapeError(
            "resize_pixels needs [n, row, col, channel] with at least one pixel, and size_px >= 1; "
            f"however {x.shape=} and {size_px=}."
        )
    if x.shape[1:3] == (size_px, size_px):
        return x
    out = np.empty((len(x), size_px, size_px, x.shape[3]), x.dtype)
    rows, cols = _axis_weights(x.shape[1], size_px), _axis_weights(x.shape[2], size_px)
    step = max(1, _CHUNK_PIXELS // x[0].size)
    for start in range(0, len(x), step):
        part = x[start : start + step]
        finite = None if part.dtype.kind in "iu" else np.isfinite(part)
        if finite is None or finite.all():
            resized = _apply_weights(part, rows, cols)
        else:
            weight = _apply_weights(finite, rows, cols)
            total = _apply_weights(np.where(finite, part, 0), rows, cols)
            resized = np.divide(total, weight, out=np.full_like(total, np.nan), where=weight > 1e-6)
        out[start : start + step] = np.rint(resized) if x.dtype.kind in "iu" else resized
    return out


def _apply_weights(x: Array, rows: Array, cols: Array) -> Array:
    """[n, row, col, channel] -> [n, new row, new col, channel] float32.

    One small matrix product per image and axis: a large one would start the threads of the BLAS inside our own threads.
    """
    n, n_rows, n_cols, n_channels = x.shape
    y: Array = rows @ x.reshape(n, n_rows, n_cols * n_channels).astype(np.float32)  # [n, new row, col * channel]
    if n_channels <= _FEW_CHANNELS:  # one product over (col, channel) beats many narrow ones
        y = y @ np.kron(cols.T, np.eye(n_channels, dtype=np.float32))
    else:
        y = cols @ y.reshape(-1, n_cols, n_channels)
    return y.reshape(n, len(rows), len(cols), n_channels)


def _axis_weights(n_old: int, n_new: int) -> Array:
    """[n_new, n_old] float32, rows sum to 1: overlaps of the pixels when shrinking, bilinear when growing."""
    scale = n_old / n_new
    centre = (np.arange(n_new)[:, None] + 0.5) * scale
    if n_old > n_new:
        left = np.maximum(centre - scale / 2, np.arange(n_old))
        right = np.minimum(centre + scale / 2, np.arange(1, n_old + 1))
        weights = np.maximum(right - left, 0)
    else:
        nearest = np.clip(centre, 0.5, n_old - 0.5)
        weights = np.maximum(1 - np.abs(nearest - np.arange(n_old) - 0.5), 0)
    normed: Array = weights / weights.sum(axis=1, keepdims=True)
    return normed.astype(np.float32)
