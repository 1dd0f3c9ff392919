"""Pixels of image files: JPEG by torchvision, the rare and the small by Pillow.

Both call libjpeg-turbo and give the same values. Files a second on one core, measured on the benchmark's images:

                          torchvision    Pillow   Pillow, reduced to 16 px
    cifar10, 32 px JPEG        46,000    15,000                     21,000
    flowers5, 128 px JPEG       7,000     7,000                     13,000
    mnist, 28 px PNG           70,000    22,000                          -

torchvision's PNG decoder is not used: it kills the process on damaged files (three flipped bytes do, version 0.29).
Colours convert as in tf.image.decode_image: alpha is dropped, not blended; 16 bits lose the lower 8; EXIF rotation is
ignored; of an animation, the first frame counts. A JPEG asked for alpha is opaque, where TensorFlow refuses.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import io
import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autodl_solver.data.examples import Array
from autodl_solver.data.image_header import Codec, ImageHeader
from autodl_solver.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile
    from torch import Tensor

# TorchScript, because this loop then runs without Python's interpreter lock, so that two threads take half the time.
# [n_bytes] -> [row, col, channel] of each file; False: as stored, without the EXIF rotation.
_JPEG_LOOPS = """
def decode_each(packed: Tensor, sizes: List[int], mode: int) -> List[Tensor]:
    pixels: List[Tensor] = []
    for encoded in torch.split(packed, sizes):
        pixels.append(torch.ops.image.decode_jpeg(encoded, mode, False).permute(1, 2, 0))
    return pixels

def decode_equal(packed: Tensor, sizes: List[int], mode: int) -> Tensor:
    return torch.stack(decode_each(packed, sizes, mode))
"""
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
_GRAY, _RGB = 1, 3  # values of torchvision.io.ImageReadMode
N_CHANNELS = tuple(_MODES)
"""Channel counts that files can be decoded to."""
# What Pillow's parsers raise on broken files: they are not tidier than this.
PILLOW_ERRORS = (
    OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, AttributeError, ArithmeticError, RuntimeError,
    struct.error, zlib.error, Warning,
)  # fmt: skip


def decode_files(
    files: Sequence[memoryview], headers: Sequence[ImageHeader], n_channels: int
) -> Array | list[Array | DataError]:
    """Decode whole files at their own size.

    Args:
        files: the bytes of each file.
        headers: what `read_header` says of each file.
        n_channels: one of N_CHANNELS: gray, RGB, RGBA.
    Returns:
        [n_files, row, col, n_channels] uint8 if all are sound plain JPEG files of one size, else [row, col, n_channels]
        for each file (maybe a broadcast view), or why there is none.
    """
    plain = [i for i, header in enumerate(headers) if header.is_plain_jpeg]
    is_equal = bool(plain) and headers.count(headers[plain[0]]) == len(plain)
    jpegs = _decode_jpegs([files[i] for i in plain], n_channels, is_equal)
    if isinstance(jpegs, np.ndarray) and (len(jpegs), *jpegs.shape[1:3]) == (len(files), *headers[0][1:3]):
        return jpegs
    decoded = dict(zip(plain, jpegs, strict=True))
    result: list[Array | DataError] = []
    for i, (file, header) in enumerate(zip(files, headers, strict=True)):
        pixels = decoded.get(i)
        if pixels is None or pixels.shape[:2] != (header.n_rows, header.n_cols):
            result.append(_by_pillow(file, header, lambda image: _pixels_of(image, n_channels)))
        else:
            result.append(pixels)
    return result


def _decode_jpegs(files: Sequence[memoryview], n_channels: int, is_equal: bool) -> Array | list[Array | None]:
    """[row, col, n_channels] of each file, by torchvision; None where it fails, so that Pillow may have a look.

    One array, if all files are sound and of equal size.
    """
    decoder = _jpeg_decoder()
    if not files or decoder is None:
        return [None] * len(files)
    mode = _GRAY if n_channels == 1 else _RGB
    try:
        if is_equal:
            return _with_alpha(decoder.decode_equal(*_packed(files), mode).numpy(), n_channels)
        return [_with_alpha(pixels.numpy(), n_channels) for pixels in decoder.decode_each(*_packed(files), mode)]
    except RuntimeError:  # one of them fails: which?
        return [None] if len(files) == 1 else [_decode_jpegs([file], n_channels, False)[0] for file in files]


def _packed(files: Sequence[memoryview]) -> tuple[Tensor, list[int]]:
    """One writable copy of all, because torch warns of read-only memory; and their sizes."""
    import torch

    return torch.frombuffer(bytearray().join(files), dtype=torch.uint8), [len(file) for file in files]


@functools.cache
def _jpeg_decoder() -> Any | None:
    """_JPEG_LOOPS, compiled; None where there is no torchvision."""
    import torch

    _load_torchvision_operators()
    if not hasattr(torch.ops.image, "decode_jpeg"):
        return None
    return torch.jit.CompilationUnit(_JPEG_LOOPS)


def _load_torchvision_operators() -> None:
    """The operators of torchvision's library, loaded without the package around it.

    Importing the package takes seconds and ends in a segmentation fault where TensorFlow was loaded before: it imports
    Triton, whose LLVM clashes with that of TensorFlow. Its public functions also warn that they will go one day.
    """
    import torch

    package = importlib.util.find_spec("torchvision")
    for folder in package.submodule_search_locations or () if package else ():
        for library in sorted(Path(folder).glob("image*")):
            if library.suffix in (".so", ".pyd", ".dylib"):
                with contextlib.suppress(OSError):  # built for another torch
                    torch.ops.load_library(library)  # type: ignore[no-untyped-call]


def _with_alpha(pixels: Array, n_channels: int) -> Array:
    """Opaque, where alpha is asked for and the file has none."""
    if n_channels == 4 and pixels.shape[-1] == 3:
        return np.concatenate([pixels, np.full_like(pixels[..., :1], 255)], axis=-1)
    return pixels


def decode_reduced(file: memoryview, header: ImageHeader, n_channels: int, size_px: int) -> Array | DataError:
    """Decode a large JPEG at 1/2, 1/4 or 1/8 of its size, which libjpeg does while it decodes, then average areas.

    Args:
        file: the bytes of the file.
        header: what `read_header` says of it; both sides at least size_px.
        n_channels: one of N_CHANNELS.
        size_px: rows and columns of the result.
    Returns:
        [size_px, size_px, n_channels] uint8, or why there is none.
    """

    def reduced(image: ImageFile) -> Array:
        image.draft(_MODES[n_channels].removesuffix("A"), (size_px, size_px))
        return _pixels_of(image, n_channels, size_px)

    return _by_pillow(file, header, reduced)


def _by_pillow(file: memoryview, header: ImageHeader, read: Callable[[ImageFile], Array]) -> Array | DataError:
    """The plug-in classes are called themselves: Image.open would warn of large images, whose size is known by now."""
    from PIL import BmpImagePlugin, GifImagePlugin, JpegImagePlugin, PngImagePlugin

    plugins: dict[Codec, Callable[[io.BytesIO], ImageFile]] = {
        Codec.JPEG: JpegImagePlugin.JpegImageFile,
        Codec.PNG: PngImagePlugin.PngImageFile,
        Codec.GIF: GifImagePlugin.GifImageFile,
        Codec.BMP: BmpImagePlugin.BmpImageFile,
    }
    try:
        with plugins[header.codec](io.BytesIO(file)) as image:
            if image.size != (header.n_cols, header.n_rows):
                raise ValueError(f"its header and its content disagree on its size, {image.size}")
            return read(image)
    except PILLOW_ERRORS as error:
        return DataError(
            f"A {header.codec.value} file must decode; however one of {len(file)} bytes, "
            f"{header.n_rows} x {header.n_cols} pixels, does not ({error}); "
            "export the dataset again or delete the record."
        )


def _pixels_of(image: Image, n_channels: int, size_px: int | None = None) -> Array:
    """[row, col, n_channels] uint8."""
    if image.mode.startswith("I"):  # 16 bits: Pillow would clip instead of dropping the lower ones
        image = _high_bytes(image)
    if image.mode in ("P", "PA"):
        image = image.convert("RGBA")  # by way of RGB, Pillow warns of transparent palettes
    if n_channels < 4:
        image.info.pop("transparency", None)
    if image.mode != _MODES[n_channels]:
        image = image.convert(_MODES[n_channels])
    if size_px is not None:
        from PIL.Image import Resampling

        image = image.resize((size_px, size_px), Resampling.BOX)
    pixels = np.asarray(image)
    return pixels[..., None] if pixels.ndim == 2 else pixels


def _high_bytes(image: Image) -> Image:
    from PIL.Image import fromarray

    return fromarray((np.asarray(image) >> 8).astype(np.uint8))
