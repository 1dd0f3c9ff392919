"""What networks and linear learners get to see of images."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from autodl_solver.data.examples import EncodedFrames, Examples, Ragged, Rows
from autodl_solver.data.info import DatasetInfo, Format, MatrixSpec
from autodl_solver.modalities.image.pipeline import FLAT, SQUARES, ImagePipeline

GRAY = np.random.default_rng(0).integers(0, 256, (5, 6, 6, 1))


def pipeline(x: Rows, n_channels: int = 1) -> ImagePipeline:
    spec = MatrixSpec(n_rows=6, n_cols=6, n_channels=n_channels, format=Format.DENSE)
    made = ImagePipeline(DatasetInfo("made", None, 5, 1, 2, (spec,)))
    made.fit(Examples(x))
    return made


def encoded(images: list[Image.Image], form: str = "PNG") -> EncodedFrames:
    files = []
    for image in images:
        file = io.BytesIO()
        image.save(file, form)
        files.append(np.frombuffer(file.getvalue(), np.uint8))
    sizes = np.array([len(file) for file in files])
    n = len(files)
    return EncodedFrames((np.concatenate(files),), np.zeros(n, int), np.cumsum(sizes) - sizes, sizes, np.arange(n + 1))


@pytest.mark.parametrize(
    ("x", "expected", "dtype"),
    [
        (GRAY[:, None].astype(np.float32), GRAY, np.uint8),
        (GRAY[:, None].astype(np.float32) / 255, GRAY, np.uint8),  # bytes shown as 0 to 1
        (GRAY[:, None] * 100.0, GRAY * 100, np.float32),  # 16 bits
        (GRAY[:, None] - 128.0, GRAY - 128, np.float32),
        (GRAY[:, None] / 1000.0, GRAY / 1000, np.float32),
        (Ragged(GRAY.astype(np.float32), np.arange(6)), GRAY, np.uint8),
        (list(GRAY[:, None].astype(np.float32)), GRAY, np.uint8),
        (encoded([Image.fromarray(gray[..., 0].astype(np.uint8)) for gray in GRAY]), GRAY, np.uint8),
    ],
)
def test_squares_are_bytes_where_images_are_made_of_bytes(x: Rows, expected: np.ndarray, dtype: type) -> None:
    squares = pipeline(x).transform(x, SQUARES, 6)
    assert squares.dtype == dtype
    assert squares == pytest.approx(expected, rel=1e-5)


def test_one_value_that_is_no_number_rules_bytes_out() -> None:
    x = GRAY[:, None].astype(np.float32)
    x[2, 0, 3, 3, 0] = np.nan
    assert pipeline(x).transform(x, SQUARES, 6).dtype == np.float32


def test_later_rows_beyond_the_range_of_the_first_are_clipped() -> None:
    made = pipeline(GRAY[:, None].astype(np.float32))
    later = np.array([-5.0, 300.0, np.nan, 7.4]).reshape(4, 1, 1, 1, 1).repeat(6, 2).repeat(6, 3)
    assert made.transform(later, SQUARES, 6)[:, 0, 0, 0].tolist() == [0, 255, 0, 7]


@pytest.mark.parametrize(
    ("image", "form"),
    [
        (Image.fromarray(np.full((9, 12_000, 3), 77, np.uint8)), "JPEG"),  # very wide
        (Image.fromarray(np.full((1, 1, 3), 77, np.uint8)), "PNG"),  # a single pixel
        (Image.new("CMYK", (9, 7), (178, 178, 178, 0)), "JPEG"),
        (Image.new("P", (9, 7), 3), "PNG"),
        (Image.fromarray(np.full((7, 9), 20_000, np.uint16)), "PNG"),  # 16 bits
        (Image.new("RGBA", (9, 7), (77, 77, 77, 255)), "PNG"),
        (Image.new("L", (9, 7), 77), "JPEG"),
    ],
)
def test_files_of_every_kind_become_squares(image: Image.Image, form: str) -> None:
    x = encoded([image], form)
    squares = pipeline(x, n_channels=3).transform(x, SQUARES, 8)
    assert (squares.shape, squares.dtype) == ((1, 8, 8, 3), np.uint8)
    assert int(np.ptp(squares.reshape(-1, 3), axis=0).max()) <= 2, "an image of one colour stays one"


def test_flat_rows_hold_the_pixels_of_the_square() -> None:
    x = GRAY[:, None].astype(np.float32)
    made = pipeline(x)
    assert np.array_equal(made.transform(x, FLAT, 6), GRAY.reshape(5, -1))
