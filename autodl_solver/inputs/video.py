"""Video files -> at most MAX_FRAMES small frames of each clip, evenly spread, kept as JPEG.

No learner looks at more frames, or at larger ones, so that a clip takes some 200 kB, however long it is. Frames that
are not kept are decoded but not converted; of a long clip only the key frames are decoded, where there are enough.
Cost: 100 ms for 10 s of H.264, 320 x 240 pixels, and as much for 4 minutes of it; one core.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from autodl_solver.data.examples import Rows
from autodl_solver.data.info import DatasetInfo, Format, MatrixSpec
from autodl_solver.errors import InputError
from autodl_solver.inputs.files import FileInput, brief, check_file, packed_frames

if TYPE_CHECKING:
    import av
    from PIL.Image import Image

MAX_FRAMES = 64
"""Kept of a clip."""

LARGEST_PX = 160
"""Larger side of a kept frame."""

LONG_FRAMES = 1500
"""Frames of a clip from which on key frames may stand for it."""

ENOUGH_KEY_FRAMES = 16

_JPEG_QUALITY = 90


class VideoFiles(FileInput[None, tuple[list[bytes], tuple[int, int]]]):
    """Paths of videos of any sizes, lengths and codecs that FFmpeg reads.

    Attributes:
        n_rows, n_cols: of the frames of all training clips that `fit` read; -1 if they differ.
    """

    modality = "video"
    plural = "video files"
    n_sampled = 4

    def __init__(self) -> None:
        self.n_rows = self.n_cols = -1

    def info(self, name: str, n_examples: int, class_names: tuple[str, ...]) -> DatasetInfo:
        spec = MatrixSpec(self.n_rows, self.n_cols, 3, Format.COMPRESSED)
        return DatasetInfo(name, None, n_examples, len(class_names), -1, (spec,), class_names)

    def _look(self, path: Path) -> None:
        _opened(path).close()

    def _learn(self, paths: list[Path], facts: list[None]) -> None:
        """Headers tell nothing that is needed."""

    def _learn_contents(self, contents: list[tuple[list[bytes], tuple[int, int]]]) -> None:
        sizes = {size for _, size in contents}
        self.n_rows, self.n_cols = sizes.pop() if len(sizes) == 1 else (-1, -1)

    def _read(self, path: Path) -> tuple[list[bytes], tuple[int, int]]:
        """JPEG files of the frames, and their rows and columns."""
        images = read_frames(path)
        frames = []
        for image in images:
            file = io.BytesIO()
            image.save(file, "JPEG", quality=_JPEG_QUALITY)
            frames.append(file.getvalue())
        return frames, (images[0].height, images[0].width)

    def _rows(self, contents: Iterator[tuple[list[bytes], tuple[int, int]]]) -> Rows:
        return packed_frames(frames for frames, _ in contents)


def read_frames(path: Path) -> list[Image]:
    """Small frames of a clip, evenly spread; at least one.

    Raises:
        InputError: there is none that can be decoded.
    """
    import av

    frames: list[Image] = []
    try:
        with _opened(path) as container:
            if _n_frames(container) >= LONG_FRAMES:
                frames = _spread_frames(container, key_frames_only=True)
        if len(frames) < ENOUGH_KEY_FRAMES:
            with _opened(path) as container:
                frames = _spread_frames(container, key_frames_only=False)
    except (av.FFmpegError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"it cannot be decoded as a video ({brief(error)})") from error
    if not frames:
        raise InputError("it holds no frames")
    return frames


def _opened(path: Path) -> av.container.InputContainer:
    """The container of a file with pictures in it."""
    import av

    check_file(path)
    try:
        container = av.open(str(path))
    except (av.FFmpegError, ValueError) as error:
        raise InputError(f"it cannot be opened as a video ({brief(error)})") from error
    if not container.streams.video:
        container.close()
        raise InputError("it holds no pictures")
    return container


def _n_frames(container: av.container.InputContainer) -> float:
    """Frames of the first video stream, as its header tells; 0 where it does not."""
    stream = container.streams.video[0]
    if stream.frames or not container.duration or not stream.average_rate:
        return float(stream.frames)
    return container.duration / 1e6 * float(stream.average_rate)  # in microseconds


def _spread_frames(container: av.container.InputContainer, key_frames_only: bool) -> list[Image]:
    """Every k-th frame, with the smallest k = 1, 2, 4, ... that leaves 2 * MAX_FRAMES at most; evenly thinned.

    So the length of the clip need not be known, and memory holds that many small frames at most. A damaged end of the
    stream leaves the frames before it.
    """
    import av

    stream = container.streams.video[0]
    if key_frames_only:
        stream.codec_context.skip_frame = "NONKEY"
    kept: list[Image] = []
    step, place = 1, 0
    try:
        for frame in container.decode(stream):
            if place % step == 0:
                kept.append(_small(frame))
            if len(kept) > 2 * MAX_FRAMES:
                kept, step = kept[::2], 2 * step
            place += 1
    except av.FFmpegError:
        if not kept:
            raise
    chosen = np.unique(np.linspace(0, len(kept) - 1, min(MAX_FRAMES, len(kept))).round().astype(int))
    return [kept[k] for k in chosen]


def _small(frame: av.VideoFrame) -> Image:
    """In RGB, upright, its larger side LARGEST_PX at most."""
    from PIL.Image import fromarray

    shrunk = min(1.0, LARGEST_PX / max(frame.width, frame.height))
    width, height = (max(1, round(side * shrunk)) for side in (frame.width, frame.height))
    image = fromarray(frame.reformat(width, height, "rgb24", interpolation="AREA").to_ndarray())
    return image.rotate(frame.rotation, expand=True) if frame.rotation else image
