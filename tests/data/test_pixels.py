"""Small pixels from every kind of rows."""

import io

import numpy as np
import pytest
from PIL import Image
from scipy import sparse

from autodl_solver.data.examples import EncodedFrames, Ragged, Rows
from autodl_solver.data.info import Format, MatrixSpec
from autodl_solver.data.pixels import sizes_up_to_native, small_pixels
from autodl_solver.errors import ShapeError

LENGTHS = [3, 1, 0, 2]  # frames per row
GRAY = np.array([10, 20, 30, 40, 50, 60], np.uint8)  # of each frame


def encoded() -> EncodedFrames:
    files = []
    for level in GRAY:
        file = io.BytesIO()
        Image.fromarray(np.full((6, 8, 3), level, np.uint8)).save(file, "PNG")
        files.append(np.frombuffer(file.getvalue(), np.uint8))
    sizes = np.array([len(file) for file in files])
    offsets = np.concatenate([[0], np.cumsum(LENGTHS)])
    return EncodedFrames((np.concatenate(files),), np.zeros(6, int), np.cumsum(sizes) - sizes, sizes, offsets)


def frames() -> np.ndarray:
    return np.tile(GRAY[:, None, None, None], (1, 6, 8, 3)).astype(np.float32)


def ragged() -> Ragged:
    return Ragged(frames(), np.concatenate([[0], np.cumsum(LENGTHS)]))


def test_frames_of_bytes_come_out_as_numbers_that_can_be_subtracted() -> None:
    x = Ragged(np.full((3, 4, 4, 1), 200, np.uint8), np.array([0, 1, 3]))
    for rows in (x, x.values[:, None], [x.values]):
        assert small_pixels(rows, 1, 2).dtype == np.float32


@pytest.mark.parametrize(
    ("x", "scale"),
    [
        (encoded(), 255),  # decoded to [0, 1]
        (ragged(), 1),  # raw range
    ],
)
def test_frames_are_evenly_spaced_and_a_row_without_frames_is_black(x: Rows, scale: float) -> None:
    pixels = small_pixels(x, 3, 4, n_frames=2) * scale
    assert pixels.shape == (4, 2, 4, 4, 3)
    assert pixels[:, :, 0, 0, 0] == pytest.approx(np.array([[10, 30], [40, 40], [0, 0], [50, 60]]), abs=0.01)


def test_arrays_and_lists_agree() -> None:
    clips = np.random.default_rng(0).random((3, 4, 6, 8, 2)).astype(np.float32)
    whole = small_pixels(clips, 2, 3, n_frames=2)
    assert whole.shape == (3, 2, 3, 3, 2)
    assert small_pixels(list(clips), 2, 3, n_frames=2) == pytest.approx(whole, abs=1e-6)
    assert small_pixels([], 2, 3).shape == (0, 1, 3, 3, 2)


def test_sparse_rows_have_no_pixels() -> None:
    with pytest.raises(ShapeError, match="csr_array"):
        small_pixels(sparse.csr_array((2, 2)), 1, 8)


@pytest.mark.parametrize(
    ("shape", "sizes"),
    [
        ((32, 32), [8, 16]),  # large enough for both
        ((12, 9), [8]),  # 16 would enlarge
        ((3, 5), [5]),  # smaller than all: as they are
        ((-1, -1), [8, 16]),  # of many sizes
    ],
)
def test_frames_are_never_enlarged(shape: tuple[int, int], sizes: list[int]) -> None:
    assert sizes_up_to_native(MatrixSpec(*shape, 3, Format.COMPRESSED), (8, 16)) == sizes
