"""Clips of every kind become arrays of small frames."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from autodl_solver.data.examples import EncodedFrames, Examples, Ragged, Rows, take_rows
from autodl_solver.data.info import DatasetInfo, Format, MatrixSpec
from autodl_solver.modalities.video.pipeline import CLIP, STATISTICS, VideoPipeline, frames_at, made_up_clips

PX = 8


def facts(form: Format = Format.DENSE, n_channels: int = 1, length: int = -1, side: int = 12) -> DatasetInfo:
    spec = MatrixSpec(n_rows=side, n_cols=side, n_channels=n_channels, format=form)
    return DatasetInfo(name="made", folder=None, n_examples=100, sequence_size=length, n_classes=3, specs=(spec,))


def encoded(clips: list[list[bytes]]) -> EncodedFrames:
    files = [np.frombuffer(file, np.uint8) for clip in clips for file in clip]
    sizes = np.array([len(file) for file in files], np.int64)
    offsets = np.concatenate([[0], np.cumsum([len(clip) for clip in clips])])
    starts = np.cumsum(sizes) - sizes
    return EncodedFrames((np.concatenate(files),), np.zeros(len(files), np.int64), starts, sizes, offsets)


def jpeg(level: int, shape: tuple[int, ...] = (12, 12)) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.full(shape, level, np.uint8)).save(file, "JPEG", quality=95)
    return file.getvalue()


def ramp(length: int, shape: tuple[int, ...] = (12, 12, 1)) -> np.ndarray:
    """[length, *shape]: frames as bright as their place in the clip."""
    return np.broadcast_to(np.linspace(0, 1, length).reshape(-1, 1, 1, 1), (length, *shape)).astype(np.float32)


def fitted(info: DatasetInfo, x: Rows) -> VideoPipeline:
    pipeline = VideoPipeline(info)
    pipeline.fit(Examples(x))
    return pipeline


CASES: list[tuple[str, DatasetInfo, Rows]] = [
    ("dense, of one length", facts(length=5), np.stack([ramp(5)] * 4)),
    ("dense, of many lengths", facts(), Ragged(np.concatenate([ramp(k) for k in (3, 9, 5)]), np.array([0, 3, 12, 17]))),
    ("of many sizes", facts(side=-1), [ramp(4, (9, 20, 1)), ramp(6, (30, 11, 1))]),
    ("one frame each", facts(length=1), np.stack([ramp(1)] * 4)),
    ("one clip of one frame", facts(), Ragged(np.concatenate([ramp(k) for k in (1, 9, 5)]), np.array([0, 1, 10, 15]))),
    ("3,000 frames", facts(), Ragged(np.concatenate([ramp(3000), ramp(7)]), np.array([0, 3000, 3007]))),
    ("colour", facts(n_channels=3, length=6), np.stack([ramp(6, (12, 12, 3))] * 3)),
    ("gray files", facts(Format.COMPRESSED), encoded([[jpeg(0), jpeg(255)], [jpeg(9), jpeg(9), jpeg(9)]])),
    ("colour files", facts(Format.COMPRESSED, 3), encoded([[jpeg(0, (12, 12, 3))], [jpeg(90, (12, 12, 3))] * 2])),
    ("files of many sizes", facts(Format.COMPRESSED), encoded([[jpeg(7, (40, 9))] * 2, [jpeg(7, (200, 150))] * 3])),
    ("files that do not decode", facts(Format.COMPRESSED), encoded([[jpeg(9)] * 3, [b"no image", jpeg(9)[:50]]])),
    ("missing values", facts(length=4), np.full((3, 4, 12, 12, 1), np.nan, np.float32)),
]
each_kind = pytest.mark.parametrize(("info", "x"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])


@each_kind
@pytest.mark.parametrize("view", [STATISTICS, CLIP])
def test_every_row_depends_on_itself_only(info: DatasetInfo, x: Rows, view: str) -> None:
    pipeline = fitted(info, x)
    whole = pipeline.transform(x, view, PX)
    assert len(whole) == len(x)  # type: ignore[arg-type]
    assert whole.ndim == (5 if view == CLIP else 2)
    assert whole.dtype == (np.uint8 if view == CLIP else np.float32)
    for row in range(len(whole)):
        alone = pipeline.transform(take_rows(x, slice(row, row + 1)), view, PX)
        np.testing.assert_allclose(alone[0], whole[row], atol=1e-5)


def test_a_clip_has_no_more_frames_than_there_are_and_more_of_them_with_more_pixels() -> None:
    short, long = np.stack([ramp(3)] * 2), np.stack([ramp(100)] * 2)
    assert fitted(facts(length=3), short).transform(short, CLIP, PX).shape == (2, 3, PX, PX, 1)
    assert fitted(facts(length=100), long).transform(long, CLIP, PX).shape == (2, frames_at(PX), PX, PX, 1)
    assert frames_at(32) > frames_at(16)


@pytest.mark.parametrize("scale", [1.0, 255.0, 1e-3])
def test_frames_of_any_range_use_all_of_a_byte(scale: float) -> None:
    x = np.stack([ramp(8)] * 3) * scale
    clips = fitted(facts(length=8), x).transform(x, CLIP, PX)
    assert clips.min() == 0
    assert clips.max() == 255


def test_a_file_that_does_not_decode_is_black_and_spoils_no_other_frame() -> None:
    x = encoded([[jpeg(200)] * 2, [b"no image", jpeg(200)]])
    clips = fitted(facts(Format.COMPRESSED), x).transform(x, CLIP, PX)
    assert clips[:, :, 0, 0, 0] == pytest.approx(np.array([[200, 200], [0, 200]]), abs=2)


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(0).random((7, 4, 12, 12, 1)).astype(np.float32)
    pipeline = fitted(facts(length=4), x)
    whole = pipeline.transform(x, CLIP, PX)
    monkeypatch.setattr("autodl_solver.modalities.video.pipeline.BLOCK_BYTES", 3 * 4 * 4 * PX * PX)
    assert np.array_equal(pipeline.transform(x, CLIP, PX), whole)


@pytest.mark.parametrize("form", [Format.DENSE, Format.COMPRESSED])
@pytest.mark.parametrize("length", [-1, 1, 5])
def test_made_up_clips_pass_through_the_pipeline(form: Format, length: int) -> None:
    info = facts(form, 3, length)
    x = made_up_clips(info)
    for view in (STATISTICS, CLIP):
        assert np.isfinite(fitted(info, x).transform(x, view, PX)).all()
