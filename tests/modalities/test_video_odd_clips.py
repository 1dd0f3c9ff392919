"""Odd clips in a dataset on disk: they are answered, and the others are learned as if they were not there."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from autodl_solver.data.example_encoding import encode_example
from autodl_solver.data.info import METADATA_FILE, DatasetInfo, Format, MatrixSpec, write_metadata
from autodl_solver.data.tfrecord import write_records
from autodl_solver.metrics import nauc
from autodl_solver.modalities.video.pipeline import N_FRAMES
from autodl_solver.solver import Solver

N_CLIPS, SIDE, LENGTH = 60, 12, 6
LARGE, LONG = 50, 3000
ONE_FRAME, LONG_CLIP, LARGE_CLIP, BROKEN_CLIP = 4, 14, 24, 34  # places; that of a large one differs in files only
NO_IMAGES = [b"", b"no image", b"\xff\xd8\xff\xe0 no image either"]
GRAY, COLOUR = 1, 3


@dataclass(frozen=True)
class Split:
    """What ingestion hands over, as far as the solver looks at it."""

    folder: Path


def clip(place: int, n_channels: int, form: Format) -> np.ndarray:
    """[time, row, col, n_channels] uint8: brighter from frame to frame, or darker, by the parity of the place."""
    length = {ONE_FRAME: 1, LONG_CLIP: LONG}.get(place, LENGTH)
    side = LARGE if place == LARGE_CLIP and form is Format.COMPRESSED else SIDE
    levels = np.linspace(*((40, 200) if place % 2 else (200, 40)), length)
    noise = np.random.default_rng(place).uniform(0, 40, (length, side, side, n_channels))
    return (levels[:, None, None, None] + noise).astype(np.uint8)


def files(frames: np.ndarray) -> list[bytes]:
    encoded = []
    for frame in frames:
        file = io.BytesIO()
        Image.fromarray(frame[..., 0] if frame.shape[2] == 1 else frame).save(file, "JPEG")
        encoded.append(file.getvalue())
    return encoded


def bundle(place: int, n_channels: int, form: Format) -> dict[str, Any]:
    """The clip, as `encode_example` takes it."""
    frames = clip(place, n_channels, form)
    if form is Format.DENSE:
        return {"dense": frames.reshape(len(frames), -1).astype(np.float32)}
    return {"compressed": NO_IMAGES if place == BROKEN_CLIP else files(frames)}


def write(folder: Path, n_channels: int, form: Format) -> DatasetInfo:
    """folder/train and folder/test, with the same clips."""
    side = SIDE if form is Format.DENSE else -1
    spec = MatrixSpec(n_rows=side, n_cols=side, n_channels=n_channels, format=form)
    info = DatasetInfo("made", None, N_CLIPS, 2, -1, (spec,))
    clips = [bundle(place, n_channels, form) for place in range(N_CLIPS)]
    for split in ("train", "test"):
        (folder / split).mkdir()
        write_metadata(info, folder / split / METADATA_FILE)
        labels = [[(place % 2, 1.0)] if split == "train" else [] for place in range(N_CLIPS)]
        records = [encode_example(k, shown, **made) for k, (shown, made) in enumerate(zip(labels, clips, strict=True))]
        write_records(folder / split / f"sample-made-{split}.tfrecord", records)
    return DatasetInfo.from_folder(folder / "train")


@pytest.mark.usefixtures("quick_plans")
@pytest.mark.parametrize("n_channels", [GRAY, COLOUR])
@pytest.mark.parametrize("form", [Format.DENSE, Format.COMPRESSED])
def test_odd_clips_are_answered_and_do_not_spoil_the_others(
    form: Format, n_channels: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    info = write(tmp_path, n_channels, form)
    solver = Solver(info, on_error="raise")
    while not solver.done:
        solver.train(Split(tmp_path / "train"), 60)
        answer = solver.test(Split(tmp_path / "test"), 60)
    assert answer.shape == (N_CLIPS, 2)
    assert np.isfinite(answer).all()
    usual = np.setdiff1d(np.arange(N_CLIPS), [ONE_FRAME, BROKEN_CLIP])
    assert nauc(np.eye(2)[usual % 2], answer[usual]) > 0.95
    lost = [record.getMessage() for record in caplog.records if "became zeros" in record.getMessage()]
    if form is Format.COMPRESSED:
        assert lost
        assert all(f"{N_FRAMES} of " in line for line in lost)  # as many as are looked at in that clip
    else:
        assert not lost
