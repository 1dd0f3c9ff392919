"""Odd images in a dataset on disk, through the whole solver: they are answered, and told apart where they can be."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from autodl_solver.budget import WorkClock
from autodl_solver.data.example_encoding import encode_example
from autodl_solver.data.info import METADATA_FILE, DatasetInfo, Format, MatrixSpec, write_metadata
from autodl_solver.data.tfrecord import write_records
from autodl_solver.metrics import nauc
from autodl_solver.nn import trainer
from autodl_solver.solver import Solver

WIDE_PX = 12_000


@dataclass(frozen=True)
class Split:
    """What ingestion hands over, as far as the solver looks at it."""

    folder: Path


@dataclass(frozen=True)
class Odd:
    """A dataset whose rows are of some kinds in turn.

    Attributes:
        image: (kind, generator) -> the row, as `encode_example` takes it.
        labels: [n_kinds, n_classes] of each kind.
        work_s: budget.
        least: NAUC that is expected.
    """

    spec: MatrixSpec
    n_train: int
    image: Callable[[int, np.random.Generator], dict[str, Any]]
    labels: np.ndarray
    work_s: float = 4.0
    least: float = 0.8


def pixels(label: int, random: np.random.Generator, shape: tuple[int, ...], n_classes: int = 2) -> np.ndarray:
    """Noise around a brightness that tells the class."""
    return np.clip(random.normal(40 + 170 * label / max(n_classes - 1, 1), 12, shape), 0, 255).astype(np.uint8)


def dense(shape: tuple[int, int, int], n_classes: int = 2) -> Callable[[int, np.random.Generator], dict[str, Any]]:
    return lambda label, random: {"dense": pixels(label, random, shape, n_classes).reshape(1, -1).astype(np.float32)}


def file_of(image: Image.Image, form: str) -> dict[str, Any]:
    file = io.BytesIO()
    image.save(file, form)
    return {"compressed": [file.getvalue()]}


def wide(label: int, random: np.random.Generator) -> dict[str, Any]:
    """Every fourth image is 12,000 pixels wide."""
    width = WIDE_PX if random.random() < 0.25 else 20
    return file_of(Image.fromarray(pixels(label, random, (16, width, 3))), "JPEG")


def of_any_kind(label: int, random: np.random.Generator) -> dict[str, Any]:
    """Palettes, 16 bits, CMYK, gray, transparent."""
    image = Image.fromarray(pixels(label, random, (11, 14, 3)))
    kind = random.integers(5)
    if kind == 0:
        return file_of(image.convert("P"), "PNG")
    if kind == 1:
        return file_of(Image.fromarray(pixels(label, random, (11, 14)).astype(np.uint16) * 257), "PNG")
    if kind == 2:
        return file_of(image.convert("CMYK"), "JPEG")
    return file_of(image.convert("L" if kind == 3 else "RGBA"), "PNG")


def halves(kind: int, random: np.random.Generator) -> dict[str, Any]:
    """Each half is bright or dark: two labels, which any row has or has not."""
    both = [pixels(bit, random, (8, 5, 1)) for bit in (kind % 2, kind // 2)]
    return {"dense": np.concatenate(both, axis=1).reshape(1, -1).astype(np.float32)}


TWO, FOUR = np.eye(2), np.eye(4)
FILES = MatrixSpec(-1, -1, 3, Format.COMPRESSED)

ODD = {
    "12,000 pixels wide": Odd(FILES, 60, wide, TWO),
    "palettes, 16 bits, CMYK, gray, transparent": Odd(FILES, 100, of_any_kind, TWO),
    "a single pixel": Odd(MatrixSpec(1, 1, 3, Format.DENSE), 60, dense((1, 1, 3)), TWO, work_s=0.3),
    "one example of each class": Odd(MatrixSpec(8, 8, 1, Format.DENSE), 4, dense((8, 8, 1), 4), FOUR),
    "seven channels": Odd(MatrixSpec(9, 12, 7, Format.DENSE), 60, dense((9, 12, 7)), TWO),
    "300 classes": Odd(MatrixSpec(8, 8, 1, Format.DENSE), 600, dense((8, 8, 1), 300), np.eye(300), least=0.5),
    "several labels": Odd(MatrixSpec(8, 10, 1, Format.DENSE), 80, halves, np.array([[0, 0], [1, 0], [0, 1], [1, 1]])),
}


def write(folder: Path, odd: Odd) -> tuple[DatasetInfo, np.ndarray]:
    """folder/train and folder/test; the labels of the test rows."""
    random = np.random.default_rng(0)
    n_kinds, n_classes = odd.labels.shape
    info = DatasetInfo("made", None, odd.n_train, n_classes, 1, (odd.spec,))
    n_test = max(40, n_kinds)
    for split, n_rows in (("train", odd.n_train), ("test", n_test)):
        (folder / split).mkdir()
        write_metadata(info, folder / split / METADATA_FILE)
        records = []
        for row in range(n_rows):
            labels = [(int(k), 1.0) for k in np.flatnonzero(odd.labels[row % n_kinds])] if split == "train" else []
            records.append(encode_example(row, labels, **odd.image(row % n_kinds, random)))
        write_records(folder / split / f"sample-made-{split}.tfrecord", records)
    return DatasetInfo.from_folder(folder / "train"), odd.labels[np.arange(n_test) % n_kinds]


@pytest.mark.parametrize("name", list(ODD))
def test_odd_images_are_told_apart(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer, "NOMINAL_VALUES_PER_S", 1e6)  # a tenth of the steps for the same work
    odd = ODD[name]
    info, y = write(tmp_path, odd)
    solver = Solver(info, on_error="raise", clock=WorkClock())
    while not solver.done:
        solver.train(Split(tmp_path / "train"), odd.work_s)
        answer = solver.test(Split(tmp_path / "test"), odd.work_s)
    assert np.isfinite(answer).all()
    assert nauc(y, answer) > odd.least
    assert len({record.stage.family for record in solver.history.records}) > 1
