"""Image files -> frames that stay encoded: a stage decodes what it needs, at the size it needs.

JPEG, PNG, GIF and BMP files are taken as they are. What the decoder does not know, what is stored on its side (EXIF
orientation), and what has more pixels than any learner will look at, is encoded anew, once.
Cost: 50 us a small file, twice (`fit` and `encode`); 22 ms a photograph of 12 megapixels; one core.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from autodl_solver.data.examples import Rows
from autodl_solver.data.image_codecs import PILLOW_ERRORS
from autodl_solver.data.image_header import Codec, read_header
from autodl_solver.data.info import DatasetInfo, Format, MatrixSpec
from autodl_solver.errors import DataError, InputError
from autodl_solver.inputs.files import FileInput, packed_frames, read_whole

if TYPE_CHECKING:
    from PIL.Image import Image

LARGEST_PX = 512
"""Larger side of a picture that is encoded anew because it is large."""

TOO_LARGE_PX = 2 * LARGEST_PX
"""Larger side from which on it is."""

N_COLOURS_LOOKED_AT = 256
"""Training files that tell whether all are gray."""

GRAY_MODES = frozenset({"1", "L", "LA", "La", "F"})
"""Modes of Pillow without colour; those with 16 or 32 bits start with I."""

_ORIENTATION = 0x0112  # the EXIF tag
_TURNED = range(5, 9)  # its values that swap rows and columns
_HEAD_BYTES = 4096  # that may tell of EXIF
_TAIL_BYTES = 64  # that hold the end mark of a sound file
_JPEG_QUALITY = 92
_PNG_MODES = ("1", "L", "LA", "P", "RGB", "RGBA")  # that a PNG file can hold
_LOSSY = ("JPEG", "MPO", "WEBP", "AVIF", "JPEG2000")  # formats of Pillow
_ENDS = {Codec.JPEG: b"\xff\xd9", Codec.PNG: b"IEND\xaeB`\x82", Codec.GIF: b";"}


class ImageFiles(FileInput[tuple[int, int], bytes]):
    """Paths of images of any sizes and formats that Pillow reads.

    Attributes:
        n_rows, n_cols: of all training images; -1 if they differ.
        n_channels: 1 if all training images that were looked at are gray, else 3.
    """

    modality = "image"
    plural = "image files"

    def __init__(self) -> None:
        self.n_rows = self.n_cols = -1
        self.n_channels = 3

    def info(self, name: str, n_examples: int, class_names: tuple[str, ...]) -> DatasetInfo:
        spec = MatrixSpec(self.n_rows, self.n_cols, self.n_channels, Format.COMPRESSED)
        return DatasetInfo(name, None, n_examples, len(class_names), 1, (spec,), class_names)

    def _look(self, path: Path) -> tuple[int, int]:
        """Rows and columns, as they will be encoded."""
        content = read_whole(path)
        native = _native_size(content)
        if native is not None:
            return native
        with _opened(content) as image:
            n_cols, n_rows = image.size
            if _orientation(image) in _TURNED:
                n_rows, n_cols = n_cols, n_rows
            if max(n_rows, n_cols) > TOO_LARGE_PX:
                shrunk = LARGEST_PX / max(n_rows, n_cols)
                n_rows, n_cols = (max(1, round(side * shrunk)) for side in (n_rows, n_cols))
        return n_rows, n_cols

    def _learn(self, paths: list[Path], facts: list[tuple[int, int]]) -> None:
        self.n_rows, self.n_cols = facts[0] if len(set(facts)) == 1 else (-1, -1)
        places = np.unique(np.linspace(0, len(paths) - 1, N_COLOURS_LOOKED_AT).astype(int))
        self.n_channels = 1 if all(_is_gray(paths[place]) for place in places) else 3

    def _read(self, path: Path) -> bytes:
        content = read_whole(path)
        return content if _native_size(content) is not None else _encoded_anew(content)

    def _rows(self, contents: Iterator[bytes]) -> Rows:
        return packed_frames((content,) for content in contents)


def _native_size(content: bytes) -> tuple[int, int] | None:
    """Rows and columns of a file that can be taken as it is; None if it cannot, or needs a closer look."""
    try:
        header = read_header(memoryview(content))
    except DataError:
        return None
    has_exif = b"Exif\0\0" in content[:_HEAD_BYTES] or b"eXIf" in content[:_HEAD_BYTES]
    is_large = max(header.n_rows, header.n_cols) > TOO_LARGE_PX
    is_plain = not has_exif and not is_large and _ends_whole(content, header.codec)
    return (header.n_rows, header.n_cols) if is_plain else None


def _ends_whole(content: bytes, codec: Codec) -> bool:
    """Whether the end mark is there; if not, only decoding tells."""
    end = _ENDS.get(codec)
    return end is not None and content[-_TAIL_BYTES:].rstrip(b"\0\r\n ").endswith(end)


def _encoded_anew(content: bytes) -> bytes:
    """As JPEG where it was lossy, else as PNG; as it is, if only its headers are unusual.

    Raises:
        InputError: it cannot be decoded.
    """
    from PIL.ImageOps import exif_transpose

    with _opened(content) as image:
        is_lossy = image.format in _LOSSY
        is_large = max(image.size) > TOO_LARGE_PX
        is_turned = _orientation(image) != 1
        is_kept = image.format in Codec.__members__ and not is_large and not is_turned
        if is_kept and _ends_whole(content, Codec[image.format or ""]):
            return content
        try:
            if is_large:
                image.draft("L" if image.mode == "L" else "RGB", (LARGEST_PX, LARGEST_PX))
            image.load()
            if is_kept:
                return content
            upright = _in_bytes(exif_transpose(image) if is_turned else image)
            if is_large:
                upright = upright.convert("RGBA") if upright.mode in ("P", "PA") else upright
                upright.thumbnail((LARGEST_PX, LARGEST_PX))
            return _saved(upright, is_lossy or (is_large and upright.mode in ("L", "RGB")))
        except PILLOW_ERRORS as error:
            raise InputError(f"it cannot be decoded ({error})") from error


def _orientation(image: Image) -> int:
    """The value of the EXIF tag, 1 for upright; broken EXIF tells nothing."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except PILLOW_ERRORS:
        return 1


def _in_bytes(image: Image) -> Image:
    """With 8 bits a channel."""
    from PIL.Image import fromarray

    if not image.mode.startswith(("I", "F")):
        return image
    values = np.asarray(image, np.float64)
    low, high = np.nanmin(values), np.nanmax(values)
    if image.mode.startswith("I") and low >= 0 and high < 2**16:
        return fromarray((values.astype(np.uint16) >> 8).astype(np.uint8))  # as the decoder of PNG files does
    scaled = np.nan_to_num((values - low) * (255 / max(high - low, 1e-12)))
    return fromarray(scaled.astype(np.uint8))


def _saved(image: Image, is_lossy: bool) -> bytes:
    file = io.BytesIO()
    if is_lossy and image.mode not in ("L", "RGB"):
        image = image.convert("RGBA").convert("RGB")  # by way of RGBA, or Pillow warns of transparent palettes
    if is_lossy:
        image.save(file, "JPEG", quality=_JPEG_QUALITY)
    else:
        (image if image.mode in _PNG_MODES else image.convert("RGB")).save(file, "PNG", compress_level=1)
    return file.getvalue()


def _opened(content: bytes) -> Image:
    """Its header is read, its pixels are not.

    Raises:
        InputError: Pillow does not know it, or it has too many pixels.
    """
    import PIL.Image

    try:
        return PIL.Image.open(io.BytesIO(content))
    except PIL.UnidentifiedImageError:
        raise InputError(f"it is no image: it starts with {content[:8]!r}") from None
    except (PIL.Image.DecompressionBombError, *PILLOW_ERRORS) as error:
        raise InputError(f"it cannot be opened as an image ({error})") from error


def _is_gray(path: Path) -> bool:
    """Whether an image has no colour, by its header."""
    try:
        with _opened(read_whole(path)) as image:
            if image.mode in ("P", "PA"):
                palette = np.array(image.getpalette() or [0, 0, 0]).reshape(-1, 3)
                return bool((palette == palette[:, :1]).all())
            return image.mode in GRAY_MODES or image.mode.startswith("I")
    except (InputError, OSError):
        return True  # not seen: no vote
