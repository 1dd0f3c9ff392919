"""Image files as rows."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from autodl_solver.data.examples import Array, EncodedFrames, Examples
from autodl_solver.data.images import decode_frames
from autodl_solver.errors import InputError
from autodl_solver.inputs.base import Encoded
from autodl_solver.inputs.image import LARGEST_PX, TOO_LARGE_PX, ImageFiles
from autodl_solver.modalities import SPECS, Modality
from tests.inputs.media_files import BLUE, RED, write_picture


def decoded(encoded: Encoded, n_channels: int = 3) -> list[Array]:
    assert isinstance(encoded.rows, EncodedFrames)
    result = decode_frames(encoded.rows, n_channels)
    assert result.n_failed == 0
    return list(result.pixels)


def encoded_alone(path: Path) -> Array:
    return decoded(ImageFiles().encode([path]))[0]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("plain.jpg", {}),
        ("gray.jpg", {"mode": "L"}),
        ("print.jpg", {"mode": "CMYK"}),
        ("plain.png", {}),
        ("with alpha.png", {"mode": "RGBA"}),
        ("palette.png", {"mode": "P"}),
        ("black and white.png", {"mode": "1"}),
        ("plain.bmp", {}),
        ("plain.gif", {"mode": "P"}),
        ("lossy.webp", {}),
        ("lossless.webp", {"lossless": True}),
        ("plain.tif", {}),
        ("plain.ppm", {}),
        ("UPPER.JPEG", {}),
        ("mit Leerzeichen, Ä und 中文.png", {}),
    ],
)
def test_every_format_is_read_to_its_pixels(name: str, options: dict[str, Any], tmp_path: Path) -> None:
    path = write_picture(tmp_path / name, RED, (24, 16), **options)
    with Image.open(path) as image:
        expected = np.asarray(image.convert("RGB"), np.float64)
    assert np.abs(encoded_alone(path) - expected).mean() < 8


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.full((4, 6), 0x8040, np.uint16), 0x80),  # 16 bits: the upper 8
        (np.linspace(-1, 3, 24, dtype=np.float32).reshape(4, 6), None),  # floats: from the lowest to the highest
    ],
)
def test_deep_pixels_become_bytes(values: Array, expected: int | None, tmp_path: Path) -> None:
    Image.fromarray(values).save(tmp_path / "deep.tif")
    pixels = encoded_alone(tmp_path / "deep.tif")
    assert (pixels.min(), pixels.max()) == ((0, 255) if expected is None else (expected, expected))


@pytest.mark.parametrize("name", ["turned.jpg", "turned.png", "turned.webp"])
def test_a_picture_on_its_side_is_turned_upright(name: str, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the first row of the file is the right column of the picture
    path = write_picture(tmp_path / name, (200, 200, 200), (64, 32), exif=exif)
    pixels = encoded_alone(path)
    assert pixels.shape == (64, 32, 3)
    assert pixels[:, -1].mean() < 100 < pixels[:, 0].mean()
    fitted = ImageFiles()
    fitted.fit([path])
    assert (fitted.n_rows, fitted.n_cols) == (64, 32)


@pytest.mark.parametrize("name", ["large.jpg", "large.png", "large.webp"])
def test_a_large_picture_shrinks_and_keeps_its_proportions(name: str, tmp_path: Path) -> None:
    path = write_picture(tmp_path / name, BLUE, (2 * TOO_LARGE_PX, TOO_LARGE_PX))
    assert encoded_alone(path).shape == (LARGEST_PX // 2, LARGEST_PX, 3)
    fitted = ImageFiles()
    fitted.fit([path])
    assert (fitted.n_rows, fitted.n_cols) == (LARGEST_PX // 2, LARGEST_PX)


def test_a_small_picture_is_taken_byte_by_byte(tmp_path: Path) -> None:
    paths = [write_picture(tmp_path / name) for name in ("a.jpg", "b.png", "c.gif", "d.bmp")]
    rows = ImageFiles().encode(paths).rows
    assert isinstance(rows, EncodedFrames)
    assert [rows.frame(k).tobytes() for k in range(4)] == [path.read_bytes() for path in paths]


@pytest.mark.parametrize(
    ("modes", "sizes", "expected"),
    [
        (["RGB", "RGB"], [(12, 10), (12, 10)], (10, 12, 3)),
        (["RGB", "RGB"], [(12, 10), (10, 12)], (-1, -1, 3)),
        (["L", "L"], [(12, 10), (12, 10)], (10, 12, 1)),
        (["L", "RGB"], [(12, 10), (12, 10)], (10, 12, 3)),
    ],
)
def test_the_facts_tell_what_all_pictures_share(
    modes: list[str], sizes: list[tuple[int, int]], expected: tuple[int, int, int], tmp_path: Path
) -> None:
    paths = [write_picture(tmp_path / f"{i}.png", RED, sizes[i], mode) for i, mode in enumerate(modes)]
    fitted = ImageFiles()
    fitted.fit(paths)
    info = fitted.info("pictures", 2, ("a", "b"))
    spec = info.specs[0]
    assert (spec.n_rows, spec.n_cols, spec.n_channels) == expected
    assert (info.n_classes, info.sequence_size, info.class_names) == (2, 1, ("a", "b"))


def write_broken(folder: Path) -> dict[str, Path]:
    whole = write_picture(folder / "whole.jpg", RED, (640, 640)).read_bytes()
    png = write_picture(folder / "whole.png", RED, (64, 64)).read_bytes()
    contents = {
        "empty.jpg": b"",
        "text.jpg": b"this is no picture",
        "cut.jpg": whole[: len(whole) * 3 // 4],
        "cut.png": png[: len(png) // 2],
        "header only.jpg": whole[:30],
        "damaged.webp": b"RIFF\x10\0\0\0WEBPVP8 nonsense",
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    (folder / "folder.jpg").mkdir()
    return {name: folder / name for name in (*contents, "folder.jpg", "missing.jpg")}


def test_what_cannot_be_read_is_skipped_and_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    broken = write_broken(tmp_path)
    paths = [tmp_path / "whole.jpg", *broken.values(), tmp_path / "whole.png"]
    with caplog.at_level(logging.WARNING):
        encoded = ImageFiles().encode(paths)
    reasons = {paths[place].name: reason for place, reason in encoded.skipped.items()}
    assert reasons.keys() == broken.keys()
    assert (reasons["empty.jpg"], reasons["folder.jpg"]) == ("it is empty", "it is a folder")
    assert reasons["missing.jpg"] == "there is no such file"
    assert "no image" in reasons["text.jpg"]
    assert "truncated" in reasons["cut.jpg"]
    assert encoded.places.tolist() == [0, len(paths) - 1]
    assert len(caplog.records) == 1
    assert "8 of 10 image files" in caplog.records[0].getMessage()


def test_a_few_unreadable_files_do_not_end_a_fit(tmp_path: Path) -> None:
    paths = [write_picture(tmp_path / f"{i}.png") for i in range(8)]
    ImageFiles().fit([*paths, tmp_path / "missing.png", tmp_path])


def test_many_unreadable_files_are_an_error_that_lists_them(tmp_path: Path) -> None:
    paths = [write_picture(tmp_path / f"{i}.png") for i in range(7)]
    with pytest.raises(InputError, match=r"3 of 10 are \(.*a\.png: there is no such file; .*b\.png.*c\.png"):
        ImageFiles().fit([*paths, *(tmp_path / name for name in ("a.png", "b.png", "c.png"))])


def test_damage_behind_good_headers_is_noticed_by_a_fit(tmp_path: Path) -> None:
    whole = write_picture(tmp_path / "whole.webp", RED, (640, 640), quality=100).read_bytes()
    for i in range(4):
        (tmp_path / f"{i}.webp").write_bytes(whole[:-200])
    with pytest.raises(InputError, match="4 of 4 are"):
        ImageFiles().fit([tmp_path / f"{i}.webp" for i in range(4)])


@pytest.mark.parametrize(
    ("examples", "expected"), [([], "At least one file"), ("picture.jpg", "one path"), ([3.5], "something else")]
)
def test_what_is_no_list_of_paths_is_refused(examples: Any, expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        ImageFiles().fit(examples)


def test_mixed_pictures_go_through_the_pipeline(tmp_path: Path) -> None:
    paths = [
        write_picture(tmp_path / "a.jpg", RED, (40, 30)),
        write_picture(tmp_path / "b.png", RED, (12, 60), "RGBA"),
        write_picture(tmp_path / "c.webp", RED, (33, 33)),
        write_picture(tmp_path / "d.gif", RED, (9, 9), "P"),
        write_picture(tmp_path / "e.tif", RED, (300, 200)),
    ]
    fitted = ImageFiles()
    fitted.fit([str(path) for path in paths])
    encoded = fitted.encode(paths)
    pipeline = SPECS[Modality.IMAGE].make_pipeline(fitted.info("mixed", 5, ("red", "blue")))
    pipeline.fit(Examples(encoded.rows))
    squares = pipeline.transform(encoded.rows, "squares", 8)
    assert isinstance(squares, np.ndarray)
    assert squares.shape == (5, 8, 8, 3)
    assert np.abs(squares[:, 4].mean(axis=1) - RED).max() < 20


def test_no_pictures_are_no_rows() -> None:
    assert len(decoded(ImageFiles().encode([]))) == 0
