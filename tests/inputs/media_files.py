"""Small media files for tests: pictures, tones and clips of a class each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

RED, GREEN, BLUE = (220, 30, 30), (30, 200, 40), (30, 40, 220)


def write_picture(
    path: Path, colour: Any = RED, size: tuple[int, int] = (12, 10), mode: str = "RGB", **options: Any
) -> Path:
    """A picture of one colour, with a black first row; size is (columns, rows)."""
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("RGB", size, colour)
    image.paste((0, 0, 0), (0, 0, size[0], 1))
    image.convert(mode).save(path, **options)
    return path


def write_tone(path: Path, pitch_hz: float = 440.0, rate: int = 8000, seconds: float = 0.3, channels: int = 1) -> Path:
    """A sine of half the full range, the same on all channels."""
    import soundfile

    path.parent.mkdir(parents=True, exist_ok=True)
    tone = 0.5 * np.sin(2 * np.pi * pitch_hz * np.arange(round(rate * seconds)) / rate)
    soundfile.write(path, np.repeat(tone[:, None], channels, axis=1), rate)
    return path


def write_clip(path: Path, colours: Sequence[tuple[int, int, int]], size: tuple[int, int] = (48, 32)) -> Path:
    """A clip with a frame of each colour; size is (columns, rows), even."""
    import av

    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for colour in colours:
            pixels = np.broadcast_to(np.array(colour, np.uint8), (size[1], size[0], 3))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")))
        container.mux(stream.encode())
    return path
