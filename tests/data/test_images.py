"""Decoding of real image files, made here with Pillow."""

from __future__ import annotations

import io
import logging
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from PIL import Image

from autodl_solver.data.examples import Array, EncodedFrames
from autodl_solver.data.image_header import ImageHeader, read_header, read_headers
from autodl_solver.data.images import decode_frames, resize_pixels
from autodl_solver.errors import DataError, ShapeError

RNG = np.random.default_rng(0)
RGBA = RNG.integers(0, 256, (9, 7, 4)).astype(np.uint8)
SMOOTH = np.fromfunction(
    lambda row, col, channel: 5 * row * (channel == 0) + 4 * col * (channel == 1) + 90 * (channel == 2), (48, 60, 3)
).astype(np.uint8)  # a gradient, that JPEG hardly changes


def encoded(pixels: Array | Image.Image, form: str = "PNG", **options: Any) -> bytes:
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def frames_of(files: list[bytes]) -> EncodedFrames:
    """Frames in two buffers, as two record files would hold them."""
    sizes = np.array([len(file) for file in files], np.int64)
    half = len(files) // 2
    buffers = tuple(np.frombuffer(b"gap" + b"".join(part), np.uint8) for part in (files[:half], files[half:]))
    starts = np.concatenate([3 + np.cumsum(part) - part for part in (sizes[:half], sizes[half:])])
    file_index = np.repeat([0, 1], [half, len(files) - half])
    return EncodedFrames(buffers, file_index, starts, sizes, np.arange(len(files) + 1))


def huge_png(n_rows: int, n_cols: int) -> bytes:
    """A PNG whose header promises far more than the file holds."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", n_cols, n_rows, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    )


def palette_image(transparency: bytes | int | None = None) -> bytes:
    image = Image.fromarray(RGBA[..., :3]).quantize(16)
    return encoded(image) if transparency is None else encoded(image, transparency=transparency)


def sixteen_bit_rgb() -> bytes:
    """Pillow writes no 16-bit colour, so the file is put together here."""
    values = RNG.integers(0, 65536, (5, 4, 3)).astype(">u2")
    raw = b"".join(b"\0" + row.tobytes() for row in values)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 4, 5, 16, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


FILES = {
    "gray png": encoded(RGBA[..., 0]),
    "rgb png": encoded(RGBA[..., :3]),
    "rgba png": encoded(RGBA),
    "gray alpha png": encoded(Image.fromarray(RGBA).convert("LA")),
    "one bit png": encoded(Image.fromarray(RGBA[..., 0]).convert("1")),
    "palette png": palette_image(),
    "transparent palette png": palette_image(bytes(range(0, 160, 10))),
    "transparent colour png": encoded(RGBA[..., :3], transparency=(1, 2, 3)),
    "sixteen bit gray png": encoded((np.arange(40, dtype=np.uint16) * 1500).reshape(5, 8)),
    "sixteen bit rgb png": sixteen_bit_rgb(),
    "bmp": encoded(RGBA[..., :3], "BMP"),
    "gray jpeg": encoded(SMOOTH[..., 0], "JPEG", quality=95),
    "rgb jpeg": encoded(SMOOTH, "JPEG", quality=95),
    "progressive jpeg": encoded(SMOOTH, "JPEG", quality=95, progressive=True),
    "cmyk jpeg": encoded(Image.fromarray(SMOOTH).convert("CMYK"), "JPEG", quality=95),
}
"""One file of each kind that datasets hold."""


@pytest.mark.parametrize("n_channels", [1, 3, 4])
@pytest.mark.parametrize("kind", FILES)
def test_pixels_are_those_of_tensorflow(kind: str, n_channels: int) -> None:
    tf = pytest.importorskip("tensorflow")
    if n_channels == 4 and ("jpeg" in kind or kind == "bmp"):
        pytest.skip("TensorFlow refuses alpha there")
    if n_channels == 1 and kind == "bmp":
        pytest.skip("TensorFlow refuses gray of a colour BMP")
    if n_channels == 1 and kind == "cmyk jpeg":
        pytest.skip("TensorFlow refuses gray of CMYK")
    if n_channels == 4 and kind in ("one bit png", "palette png"):
        pytest.skip("TensorFlow's opaque alpha is 1 or 15 there, not 255")
    official = tf.image.decode_image(FILES[kind], channels=n_channels, expand_animations=False).numpy()
    decoded = decode_frames(frames_of([FILES[kind]]), n_channels)
    assert decoded.n_failed == 0
    assert isinstance(decoded.pixels, np.ndarray)
    # TensorFlow decodes JPEG by the faster, less exact transform; gray from colour is rounded differently.
    tolerance = 8 if "cmyk" in kind else 6 if "jpeg" in kind else 1 if n_channels == 1 else 0
    np.testing.assert_allclose(decoded.pixels[0].astype(int), official.astype(int), atol=tolerance)


@pytest.mark.parametrize("kind", ["gray jpeg", "rgb jpeg", "cmyk jpeg", "bmp"])
def test_files_without_alpha_are_opaque(kind: str) -> None:
    rgb, rgba = (np.asarray(decode_frames(frames_of([FILES[kind]]), n).pixels) for n in (3, 4))
    np.testing.assert_array_equal(rgba[..., :3], rgb)
    assert (rgba[..., 3] == 255).all()


def test_gif_gives_its_first_frame() -> None:
    images = [Image.fromarray(np.full((6, 5), value, np.uint8)) for value in (10, 200)]
    file = encoded(images[0], "GIF", save_all=True, append_images=images[1:])
    pixels = np.asarray(decode_frames(frames_of([file]), 1).pixels)
    assert pixels.shape == (1, 6, 5, 1)
    assert (pixels == 10).all()


def test_exif_rotation_is_ignored() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: rotated by 90 degrees
    plain, rotated = (encoded(SMOOTH, "JPEG", **options) for options in ({}, {"exif": exif}))
    pixels = decode_frames(frames_of([plain, rotated]), 3).pixels
    np.testing.assert_array_equal(pixels[0], pixels[1])


def test_frames_of_one_size_are_one_array() -> None:
    files = [encoded(RGBA[..., :3]), encoded(SMOOTH[:9, :7], "JPEG"), encoded(RGBA[::-1, :, :3])]
    pixels = decode_frames(frames_of(files), 3).pixels
    assert isinstance(pixels, np.ndarray)
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels[2], RGBA[::-1, :, :3])


def test_frames_of_many_sizes_are_a_list_in_order() -> None:
    sizes = [(2 + i % 7, 3 + i % 5) for i in range(600)]  # several chunks
    files = [encoded(np.full(size, i % 256, np.uint8)) for i, size in enumerate(sizes)]
    pixels = decode_frames(frames_of(files), 1).pixels
    assert isinstance(pixels, list)
    assert [p.shape for p in pixels] == [(*size, 1) for size in sizes]
    assert [int(p[0, 0, 0]) for p in pixels] == [i % 256 for i in range(600)]


def test_no_frames_are_an_empty_array() -> None:
    assert np.asarray(decode_frames(frames_of([]), 3, size_px=8).pixels).shape == (0, 8, 8, 3)
    assert len(decode_frames(frames_of([]), 3).pixels) == 0


@pytest.mark.parametrize("n_channels", [1, 3, 4])
@pytest.mark.parametrize("size_px", [1, 12, 32, 100])
def test_size_px_averages_areas_whatever_the_size(size_px: int, n_channels: int) -> None:
    large = np.kron(SMOOTH, np.ones((6, 5, 1), np.uint8))  # 288 x 300: decoded at reduced size
    files = [encoded(large, "JPEG", quality=95), encoded(large), encoded(SMOOTH, "JPEG", quality=95), encoded(SMOOTH)]
    pixels = np.asarray(decode_frames(frames_of(files), n_channels, size_px=size_px).pixels)
    assert pixels.shape == (4, size_px, size_px, n_channels)
    assert np.abs(pixels[0].astype(int) - pixels[1]).max() <= 6
    assert np.abs(pixels[2].astype(int) - pixels[3]).max() <= 6


BROKEN = {
    "nothing": b"",
    "text": b"not an image at all",
    "jpeg start only": b"\xff\xd8\xff",
    "jpeg header only": FILES["rgb jpeg"][:160],
    "truncated jpeg": FILES["rgb jpeg"][:-200],
    "truncated png": FILES["rgb png"][:-40],
    "png header only": FILES["rgb png"][:20],
    "wrong checksum": FILES["rgb png"][:40] + b"\0\0" + FILES["rgb png"][42:],
    "png without rows": huge_png(0, 10),
    "bmp header only": b"BM" + b"\0" * 8,
    "truncated bmp": FILES["bmp"][:60],
    "gif header only": b"GIF89a\x05\x00\x05\x00",
}


@pytest.mark.parametrize("size_px", [None, 4])
@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_frame_becomes_zeros_and_spares_the_others(
    kind: str, size_px: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    good = FILES["rgb png"]
    alone = decode_frames(frames_of([good]), 3, size_px=size_px).pixels[0]
    with caplog.at_level(logging.WARNING):
        decoded = decode_frames(frames_of([good, BROKEN[kind], good]), 3, size_px=size_px)
    assert decoded.n_failed == 1
    assert not decoded.pixels[1].any()
    np.testing.assert_array_equal(decoded.pixels[0], alone)
    np.testing.assert_array_equal(decoded.pixels[2], alone)
    assert [record.message.split(" The first:")[0] for record in caplog.records] == ["1 of 3 images became zeros."]


@pytest.mark.parametrize("size_px", [None, 8])
def test_a_huge_image_is_refused_before_it_is_allocated(size_px: int | None, caplog: pytest.LogCaptureFixture) -> None:
    decoded = decode_frames(frames_of([huge_png(30_000, 30_000), FILES["rgb png"]]), 3, size_px=size_px)
    assert decoded.n_failed == 1
    assert np.asarray(decoded.pixels).shape == (2, *((9, 7) if size_px is None else (8, 8)), 3)
    assert "30000 x 30000" in caplog.text


def test_the_pixel_bound_can_be_moved() -> None:
    assert decode_frames(frames_of([FILES["rgb png"]]), 3, max_pixels=62).n_failed == 1  # 9 * 7 = 63
    assert decode_frames(frames_of([FILES["rgb png"]]), 3, max_pixels=63).n_failed == 0


@pytest.mark.parametrize("size_px", [None, 6])
def test_byte_flips_never_raise(size_px: int | None) -> None:
    files = []
    for kind in FILES:
        files += [damaged(FILES[kind]) for _ in range(12)]
    assert len(decode_frames(frames_of(files), 3, size_px=size_px, max_pixels=10_000).pixels) == len(files)


def damaged(file: bytes, n_bytes: int = 3) -> bytes:
    copy = bytearray(file)
    for place in RNG.integers(0, len(copy), n_bytes):
        copy[place] = RNG.integers(0, 256)
    return bytes(copy)


def with_segments(n_segments: int, segment: bytes) -> bytes:
    """A JPEG with something more behind its first marker."""
    return FILES["rgb jpeg"][:2] + segment * n_segments + FILES["rgb jpeg"][2:]


def test_headers_read_together_are_those_read_alone() -> None:
    files = [*FILES.values(), *BROKEN.values(), *(damaged(file) for file in FILES.values() for _ in range(20))]
    files += [file[:n_bytes] for file in (FILES["gray jpeg"], FILES["cmyk jpeg"]) for n_bytes in range(0, 400, 7)]
    files += [with_segments(n, b"\xff\xfe\x00\x03x") for n in (1, 63, 64, 500)]  # comments
    files += [with_segments(3, filling) for filling in (b"\xff", b"\xff\x01", b"\xff\xfe\x00\x00", b"x")]
    headers = read_headers(frames_of(files), max_pixels=10_000)
    together = headers.of(np.arange(len(files)))
    alone = [read_headers(frames_of([b"", file]), max_pixels=10_000).of(np.array([1]))[0] for file in files]
    slowly: list[ImageHeader | str] = []
    for file in files:
        try:
            slowly.append(read_header(memoryview(file)))
        except DataError as error:
            slowly.append(str(error))
    for quick, single, slow in zip(together, alone, slowly, strict=True):
        if isinstance(slow, ImageHeader) and slow.n_rows * slow.n_cols > 10_000:
            assert "10,000 pixels" in str(quick)
        else:
            assert (quick if isinstance(quick, ImageHeader) else str(quick)) == slow
        assert str(single) == str(quick)


def test_many_jpeg_files_of_one_size_are_decoded_as_each_alone() -> None:
    images = [np.roll(SMOOTH[:16, :20], i, axis=0) for i in range(40)]
    files = [encoded(image, "JPEG", progressive=i % 2 == 0) for i, image in enumerate(images)]
    alone = [decode_frames(frames_of([file]), 3).pixels[0] for file in files]
    rows = RNG.permutation(2500) % 40  # three chunks
    pixels = decode_frames(frames_of([files[k] for k in rows]), 3).pixels
    assert isinstance(pixels, np.ndarray)
    np.testing.assert_array_equal(pixels, np.stack(alone)[rows])


@pytest.mark.parametrize("size_px", [None, 4])
def test_one_broken_jpeg_among_many_becomes_zeros_alone(size_px: int | None) -> None:
    files = [FILES["rgb jpeg"]] * 1500
    expected = np.asarray(decode_frames(frames_of(files), 3, size_px=size_px).pixels).copy()
    files[700], files[1200] = BROKEN["truncated jpeg"], BROKEN["text"]
    decoded = decode_frames(frames_of(files), 3, size_px=size_px)
    expected[[700, 1200]] = 0
    assert decoded.n_failed == 2
    np.testing.assert_array_equal(decoded.pixels, expected)


def test_threads_get_equal_pixels() -> None:
    frames = frames_of([file for file in FILES.values() for _ in range(20)])
    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(lambda _: decode_frames(frames, 3, size_px=6), range(4)))
    for other in results[1:]:
        np.testing.assert_array_equal(results[0].pixels, other.pixels)


@pytest.mark.parametrize("n_channels", [0, 2, 5])
def test_other_channel_counts_are_refused(n_channels: int) -> None:
    with pytest.raises(DataError, match="1, 3 or 4 channels"):
        decode_frames(frames_of([FILES["rgb png"]]), n_channels)


@pytest.mark.parametrize("n_channels", [1, 3, 7])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_resize_by_a_divisor_is_the_mean_of_blocks(n_channels: int, dtype: type) -> None:
    x: Array = RNG.integers(0, 256, (5, 12, 8, n_channels)).astype(dtype)
    blocks = x.reshape(5, 4, 3, 4, 2, n_channels).mean(axis=(2, 4), dtype=np.float64)
    resized = resize_pixels(x, 4)
    assert resized.dtype == dtype
    np.testing.assert_allclose(resized, blocks, atol=0.51 if dtype is np.uint8 else 1e-3)


@pytest.mark.parametrize(
    ("row", "resized"),
    [
        ([0.0, 3.0, 6.0], [1.0, 5.0]),  # 3 -> 2: pixels of one and a half
        ([4.0], [4.0, 4.0]),  # one pixel grows flat
        ([0.0, 8.0], [0.0, 2.0, 6.0, 8.0]),  # 2 -> 4: bilinear, flat beyond the outer centres
        ([np.nan, 2.0, 4.0, 4.0], [2.0, 4.0]),  # NaN is left out of the mean
        ([np.nan, np.nan, 4.0, np.inf], [np.nan, 4.0]),  # ... and stays where there is nothing else
    ],
)
def test_resize_weighs_overlaps(row: list[float], resized: list[float]) -> None:
    x = np.tile(np.array(row, np.float32), (len(resized), 1))[None, :, :, None]
    np.testing.assert_allclose(
        resize_pixels(x, len(resized))[0, :, :, 0], np.tile(resized, (len(resized), 1)), atol=1e-6
    )


def test_resize_keeps_what_fits() -> None:
    x = RNG.integers(0, 256, (2, 5, 5, 3)).astype(np.uint8)
    np.testing.assert_array_equal(resize_pixels(x, 5), x)


@pytest.mark.parametrize("shape", [(5, 5, 3), (2, 0, 5, 3), (2, 5, 5, 0)])
def test_resize_refuses_what_is_no_batch_of_images(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match="resize_pixels"):
        resize_pixels(np.zeros(shape, np.uint8), 3)
