"""Made-up rows of a dataset's kind, from its metadata alone: what warm-up runs before any example may be opened."""

from __future__ import annotations

import io

import numpy as np

from autodl_solver.data.examples import EncodedFrames, Rows
from autodl_solver.data.info import Format, MatrixSpec

N_ROWS = 32
DEFAULT_PX = 64


def made_up_frames(spec: MatrixSpec, n_frames: int) -> Rows:
    """N_ROWS rows of n_frames noise frames each: JPEG files if the bundle is compressed, else an array."""
    rng = np.random.default_rng(0)
    n_rows, n_cols = (side if side > 0 else DEFAULT_PX for side in (spec.n_rows, spec.n_cols))
    if spec.format is not Format.COMPRESSED:
        return rng.random((N_ROWS, n_frames, n_rows, n_cols, spec.n_channels), dtype=np.float32)
    from PIL import Image

    file = io.BytesIO()
    shape = (n_rows, n_cols, 3) if spec.n_channels == 3 else (n_rows, n_cols)
    Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8)).save(file, "JPEG")
    encoded = np.frombuffer(file.getvalue(), np.uint8)
    n = N_ROWS * n_frames
    zeros = np.zeros(n, np.int64)
    return EncodedFrames((encoded,), zeros, zeros, zeros + len(encoded), np.arange(0, n + 1, n_frames))
