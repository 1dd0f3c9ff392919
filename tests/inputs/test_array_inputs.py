"""Images, clips and sounds that are arrays already."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from autodl_solver.data.examples import Examples, Ragged, take_rows
from autodl_solver.errors import InputError
from autodl_solver.inputs.arrays import AudioArrays, ImageArrays, VideoArrays
from autodl_solver.inputs.base import Input
from autodl_solver.modalities.image.pipeline import ImagePipeline
from autodl_solver.modalities.infer import Modality, infer_modality
from autodl_solver.modalities.speech.pipeline import SpeechPipeline
from autodl_solver.modalities.video.pipeline import VideoPipeline

RNG = np.random.default_rng(0)
COLOURED = RNG.integers(0, 256, (6, 8, 10, 3), dtype=np.uint8)
GRAY = COLOURED[..., 0]
CLIPS = RNG.integers(0, 256, (6, 4, 8, 10, 3), dtype=np.uint8)


def fitted(made: Input, examples: Any) -> Input:
    made.fit(examples)
    return made


@pytest.mark.parametrize(
    "images",
    [
        COLOURED,
        COLOURED.astype(np.int64),
        COLOURED.astype(np.float64),
        np.moveaxis(COLOURED, -1, 1),  # as PyTorch has them
        list(COLOURED),
        [Image.fromarray(image) for image in COLOURED],
    ],
)
def test_images_of_one_size_are_an_array(images: Any) -> None:
    image_input = fitted(ImageArrays(), images)
    info = image_input.info("made", 6, ("no", "yes"))
    assert infer_modality(info) is Modality.IMAGE
    assert (info.specs[0].n_rows, info.specs[0].n_cols, info.specs[0].n_channels) == (8, 10, 3)
    rows = image_input.encode(images).rows
    assert isinstance(rows, np.ndarray)
    assert np.array_equal(rows, COLOURED[:, None])
    pipeline = ImagePipeline(info)
    pipeline.fit(Examples(rows))
    assert pipeline.transform(rows, "squares", 8).dtype == np.uint8


def test_images_of_many_sizes_are_a_list() -> None:
    images = [COLOURED[0], COLOURED[1, :5]]
    image_input = fitted(ImageArrays(), images)
    spec = image_input.info("made", 2, ("no", "yes")).specs[0]
    assert (spec.n_rows, spec.n_cols) == (-1, -1)
    rows = image_input.encode(images).rows
    assert [row.shape for row in rows] == [(1, 8, 10, 3), (1, 5, 10, 3)]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("images", "n_channels"),
    [
        (GRAY, 1),
        (list(GRAY), 1),
        ([Image.fromarray(image) for image in GRAY], 1),
        ([GRAY[0], COLOURED[1]], 3),
        ([COLOURED[0], np.dstack([COLOURED[1], GRAY[1]])], 3),  # transparency is left out
        (RNG.random((3, 8, 10, 7)), 7),  # channels of no camera
    ],
)
def test_images_get_the_same_channels(images: Any, n_channels: int) -> None:
    image_input = fitted(ImageArrays(), images)
    assert image_input.encode(images).rows.shape[1:] == (1, 8, 10, n_channels)  # type: ignore[union-attr]


def test_new_images_get_the_channels_of_training() -> None:
    gray = fitted(ImageArrays(), GRAY).encode(COLOURED).rows
    assert gray.shape == (6, 1, 8, 10, 1)  # type: ignore[union-attr]
    assert gray.dtype == np.uint8  # type: ignore[union-attr]
    coloured = fitted(ImageArrays(), COLOURED).encode(list(GRAY)).rows
    assert np.array_equal(coloured, np.repeat(GRAY[:, None, ..., None], 3, axis=-1))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="must have 7 channels"):
        fitted(ImageArrays(), np.zeros((2, 8, 10, 7))).encode(COLOURED)


UNIT = COLOURED.astype(np.float32) / 255


@pytest.mark.parametrize(
    ("training", "new"),
    [(COLOURED, UNIT), (UNIT, COLOURED), (UNIT, COLOURED.astype(np.float64)), (COLOURED, UNIT[:1]), (UNIT, UNIT)],
)
def test_new_pixels_get_the_range_of_training(training: Any, new: Any) -> None:
    rows = fitted(ImageArrays(), training).encode(new).rows
    assert np.allclose(rows, training[: len(new), None], atol=1e-4)  # type: ignore[arg-type]


def test_pixels_of_no_known_range_stay_as_they_are() -> None:
    images = RNG.normal(size=(4, 8, 10, 1))
    assert np.allclose(fitted(ImageArrays(), images).encode(images * 2).rows, images[:, None] * 2)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("clips", "shape"),
    [
        (CLIPS, (4, 8, 10, 3)),
        (CLIPS[..., 0], (4, 8, 10, 1)),
        (np.moveaxis(CLIPS, -1, 2), (4, 8, 10, 3)),
        (list(CLIPS), (4, 8, 10, 3)),
        (CLIPS / 255, (4, 8, 10, 3)),
    ],
)
def test_clips_of_one_length_are_an_array(clips: Any, shape: tuple[int, ...]) -> None:
    video_input = fitted(VideoArrays(), clips)
    info = video_input.info("made", 6, ("no", "yes"))
    assert info.sequence_size == 4
    assert infer_modality(info) is Modality.VIDEO
    assert video_input.encode(clips).rows.shape == (6, *shape)  # type: ignore[union-attr]


@pytest.mark.parametrize("sides", [8, 6])
def test_clips_of_many_lengths_and_sizes_pass_the_pipeline(sides: int) -> None:
    clips = [clip[: 2 + k % 2, : sides if k else 8] for k, clip in enumerate(CLIPS)]
    video_input = fitted(VideoArrays(), clips)
    rows = video_input.encode(clips).rows
    assert isinstance(rows, Ragged if sides == 8 else list)
    pipeline = VideoPipeline(video_input.info("made", 6, ("no", "yes")))
    pipeline.fit(Examples(rows))
    alone = pipeline.transform(take_rows(rows, slice(1, 2)), "", 4)
    assert np.allclose(pipeline.transform(rows, "", 4)[1:2], alone)


TONE = np.sin(np.arange(3000) / 5).astype(np.float32) / 2


@pytest.mark.parametrize(
    "sound",
    [
        TONE,
        TONE.astype(np.float64).tolist(),
        (TONE * 2**15).astype(np.int16),
        (TONE * 2**31).astype(np.int32),
        (TONE * 2**7 + 2**7).round().astype(np.uint8),
        np.stack([TONE, TONE], axis=1),  # two channels
        np.stack([TONE, TONE]),  # channels first
    ],
)
def test_sounds_come_into_one_range_and_one_channel(sound: Any) -> None:
    audio_input = fitted(AudioArrays(), [sound, sound])
    rows = audio_input.encode([sound, sound[:0]]).rows
    assert isinstance(rows, Ragged)
    assert rows.values.dtype == np.float32
    assert rows.lengths.tolist() in ([3000, 1], [3000, 0])
    assert np.abs(rows[0].ravel() - TONE * 2**15).max() < 2**8


def test_sounds_pass_the_pipeline_even_empty_ones() -> None:
    audio_input = fitted(AudioArrays(), [TONE] * 4)
    rows = audio_input.encode([TONE, TONE[:1000], TONE[:0], TONE[:1]]).rows
    info = audio_input.info("made", 4, ("no", "yes"))
    assert infer_modality(info, 3000) is Modality.SPEECH
    pipeline = SpeechPipeline(info)
    pipeline.fit(Examples(rows))
    assert np.isfinite(pipeline.transform(rows, "", 16)).all()


@pytest.mark.parametrize(
    ("made", "examples", "message"),
    [
        (ImageArrays(), [], "it is empty"),
        (VideoArrays(), [], "it is empty"),
        (AudioArrays(), [], "it is empty"),
        (ImageArrays(), np.zeros((3, 5)), r"\[row, col, channel\] or \[row, col\]; however X"),
        (ImageArrays(), [np.zeros((0, 5))], "example 0 holds float64"),
        (ImageArrays(), [GRAY[0], np.array([["a"]])], "example 1 holds"),
        (ImageArrays(), [np.zeros((4, 4, 3)), np.zeros((4, 4, 2))], r"they have \[2, 3\]"),
        (VideoArrays(), np.zeros((3, 5)), r"\[time, row, col, channel\]"),
    ],
)
def test_what_are_no_pixels_is_refused(made: Input, examples: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        made.fit(examples)


def test_what_is_no_sound_is_refused() -> None:
    for sound in (np.zeros((2, 2, 2)), np.array(["a"])):
        with pytest.raises(InputError, match="example 1 holds"):
            AudioArrays().encode([TONE, sound])
