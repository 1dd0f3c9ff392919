"""Images and videos made of scikit-learn's handwritten digits: digits, digit_pairs, moving_digits.

Source: the test half of Optical Recognition of Handwritten Digits (Alpaydin and Kaynak, UCI, 1998), CC BY 4.0, as
scikit-learn ships it: 1,797 images of 8 x 8 pixels, gray levels 0 to 16.
"""

from __future__ import annotations

import io

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from autodl_solver.data.examples import Array
from autodl_solver.data.info import DatasetInfo, Format, MatrixSpec
from sample_data.recipes.dataset import SampleDataset, fixed_stream

DIGIT_NAMES = tuple(str(d) for d in range(10))
DIRECTIONS = {"left": (0, -1), "right": (0, 1), "up": (-1, 0), "down": (1, 0)}  # pixels per frame: (row, col)
DIGIT_PX = 8
CANVAS_PX = 20
WANDER_PX = 3
GRAY_STEP = 15  # 16 levels of the source -> 0 to 240


def make_digits() -> SampleDataset:
    """Single digits as dense matrices in their raw range 0 to 16, in three files per split."""
    pixels, digits = _load(1000)
    info = DatasetInfo(
        name="digits",
        folder=None,
        n_examples=-1,
        n_classes=10,
        sequence_size=1,
        specs=(MatrixSpec(DIGIT_PX, DIGIT_PX, 1, Format.DENSE),),
        class_names=DIGIT_NAMES,
    )
    examples = [{"dense": image.reshape(1, -1)} for image in pixels.astype(np.float32)]
    return SampleDataset(info, examples, [(int(d),) for d in digits], n_test=300, n_files=3)


def make_digit_pairs() -> SampleDataset:
    """Two different digits side by side, PNG files of three sizes; the labels are both digits."""
    random = fixed_stream(1)
    pixels, digits = _load(1797)
    examples: list[dict[str, list[bytes]]] = []
    labels: list[tuple[int, ...]] = []
    while len(examples) < 500:
        left, right = random.randint(len(pixels), size=2)
        if digits[left] == digits[right]:
            continue
        scene = np.hstack([pixels[left], pixels[right]]) * GRAY_STEP
        zoom = random.randint(1, 4)
        examples.append({"compressed": [encode_png(np.kron(scene, np.ones((zoom, zoom), np.uint8)))]})
        labels.append((int(digits[left]), int(digits[right])))
    info = DatasetInfo(
        name="digit_pairs",
        folder=None,
        n_examples=-1,
        n_classes=10,
        sequence_size=1,
        specs=(MatrixSpec(-1, -1, 1, Format.COMPRESSED),),
        class_names=DIGIT_NAMES,
    )
    return SampleDataset(info, examples, labels, n_test=150)


def make_moving_digits() -> SampleDataset:
    """A digit that moves one pixel per frame over 4 to 7 PNG frames; the label is the direction."""
    random = fixed_stream(2)
    pixels, _ = _load(1797)
    names = tuple(DIRECTIONS)
    examples, labels = [], []
    for i in range(160):
        direction = i % len(names)
        digit = pixels[random.randint(len(pixels))] * GRAY_STEP
        frames = _moving_frames(digit, DIRECTIONS[names[direction]], random.randint(4, 8), random)
        examples.append({"compressed": [encode_png(frame) for frame in frames]})
        labels.append((direction,))
    info = DatasetInfo(
        name="moving_digits",
        folder=None,
        n_examples=-1,
        n_classes=len(names),
        sequence_size=-1,
        specs=(MatrixSpec(CANVAS_PX, CANVAS_PX, 1, Format.COMPRESSED),),
        class_names=names,
    )
    return SampleDataset(info, examples, labels, n_test=60)


def encode_png(gray: Array) -> bytes:
    """A PNG file of [row, col] uint8; stored without compression, so that every zlib writes the same bytes."""
    file = io.BytesIO()
    Image.fromarray(gray).save(file, format="PNG", compress_level=0)
    return file.getvalue()


def _load(n: int) -> tuple[Array, Array]:
    """The first n digits: [n, 8, 8] uint8 in 0 to 16, and [n] class indices."""
    bunch = load_digits()
    return bunch.images[:n].astype(np.uint8), bunch.target[:n]


def _moving_frames(digit: Array, step: tuple[int, int], n_frames: int, random: np.random.RandomState) -> Array:
    """[n_frames, 20, 20] uint8. The middle of the path lies at random around the middle of the canvas, so that no
    single frame tells where the digit goes."""
    frames = np.zeros((n_frames, CANVAS_PX, CANVAS_PX), np.uint8)
    middle = (CANVAS_PX - DIGIT_PX) // 2 + random.randint(-WANDER_PX, WANDER_PX + 1, size=2)
    for t, frame in enumerate(frames):
        row, col = middle + np.multiply(step, t - n_frames // 2)
        frame[row : row + DIGIT_PX, col : col + DIGIT_PX] = digit
    return frames
