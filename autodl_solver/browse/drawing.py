"""Examples as pictures: PNG files in data URIs, waveforms and series as SVG."""

from __future__ import annotations

import base64
import io

import numpy as np

from autodl_solver.data.examples import Array

LARGEST_PX = 160
"""Larger side of a picture on the page."""

WIDTH, HEIGHT, MARGIN = 240, 72, 4
MOST_LINES = 6
"""Channels of a series that are drawn."""

_UNIT, _BYTE = 1.0, 255.0


def scaled_to_bytes(pixels: Array, low: float, high: float) -> Array:
    """uint8: values from low to high; those that look like [0, 1] or bytes keep their black and white."""
    if pixels.dtype == np.uint8:
        return pixels
    if low >= 0 and high <= _BYTE:
        low, high = (0.0, _UNIT) if high <= _UNIT else (0.0, _BYTE) if high > _BYTE / 4 else (0.0, high)
    scaled = (np.nan_to_num(np.asarray(pixels, np.float64), nan=low) - low) * (_BYTE / max(high - low, 1e-12))
    return scaled.clip(0, _BYTE).astype(np.uint8)


def picture_uri(pixels: Array) -> str:
    """A data URI of a PNG file.

    Args:
        pixels: [row, col, channel] uint8; of more than four channels, or of two, the first is shown.
    """
    from PIL.Image import fromarray

    n_channels = pixels.shape[-1]
    image = fromarray(np.ascontiguousarray(pixels if n_channels in (3, 4) else pixels[..., 0]))
    image.thumbnail((LARGEST_PX, LARGEST_PX))
    file = io.BytesIO()
    image.save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def waveform_svg(samples: Array, largest: float) -> str:
    """The lowest and highest value in each column of pixels.

    Args:
        samples: [n_samples].
        largest: the absolute value at the upper edge.
    """
    values = np.nan_to_num(np.asarray(samples, np.float64)) if len(samples) else np.zeros(1)
    starts = np.unique(np.linspace(0, len(values), WIDTH, endpoint=False).astype(int))
    x = MARGIN + (WIDTH - 2 * MARGIN) * starts / max(len(values) - 1, 1)
    middle, half = HEIGHT / 2, HEIGHT / 2 - MARGIN
    tops = middle - half * np.maximum.reduceat(values, starts) / max(largest, 1e-12)
    bottoms = middle - half * np.minimum.reduceat(values, starts) / max(largest, 1e-12)
    outline = [*zip(x, tops, strict=True), *zip(x[::-1], bottoms[::-1] + 0.5, strict=True)]
    return _svg(f'<polygon class="wave" points="{_points(outline)}"/>')


def series_svg(steps: Array, low: float, high: float) -> str:
    """A line for each channel, broken where values are missing.

    Args:
        steps: [time, channel].
        low, high: values at the lower and upper edge.
    """
    thinned = steps[np.unique(np.linspace(0, len(steps) - 1, WIDTH).astype(int))] if len(steps) else steps
    x = MARGIN + (WIDTH - 2 * MARGIN) * np.arange(len(thinned)) / max(len(thinned) - 1, 1)
    share = (np.asarray(thinned, np.float64) - low) / max(high - low, 1e-12)
    y = HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * share
    lines = []
    for channel in range(min(y.shape[1], MOST_LINES)):
        present = np.isfinite(y[:, channel])
        ends = np.flatnonzero(np.diff(np.concatenate([[False], present, [False]]).astype(int)))
        for first, last in zip(ends[::2], ends[1::2], strict=True):
            path = list(zip(x[first:last], y[first:last, channel], strict=True))
            path = path if len(path) > 1 else [*path, (path[0][0] + 1, path[0][1])]
            lines.append(f'<polyline class="line-{channel}" points="{_points(path)}"/>')
    return _svg("".join(lines))


def _points(points: list[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _svg(content: str) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" preserveAspectRatio="none">{content}</svg>'
