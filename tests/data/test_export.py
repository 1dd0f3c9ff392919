"""Splits as plain arrays and as datasets of PyTorch, on the sample datasets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import sparse
from torch.utils.data import DataLoader

from autodl_solver.data.export import open_split, to_arrays
from autodl_solver.data.info import DatasetInfo
from autodl_solver.data.source import ExampleSource
from autodl_solver.errors import DataError
from autodl_solver.nn.torch_dataset import TorchDataset, padded_batch

SAMPLE_DATA = Path(__file__).resolve().parents[2] / "sample_data"


def split_of(name: str, split: str = "train") -> tuple[ExampleSource, DatasetInfo]:
    return open_split(SAMPLE_DATA / name / f"{name}.data" / split)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("digits", (700, 1, 8, 8, 1)),
        ("cbf", (90, 128, 1, 1, 1)),
        ("breast_cancer", (369, 1, 1, 30, 1)),
    ],
)
def test_rows_of_one_shape_become_an_array(name: str, expected: tuple[int, ...]) -> None:
    source, info = split_of(name)
    x, y = to_arrays(source)
    assert isinstance(x, np.ndarray)
    assert (x.shape, x.dtype) == (expected, np.float32)
    assert y.shape == (expected[0], info.n_classes)
    assert x.flags.writeable


@pytest.mark.parametrize(
    ("name", "shape"), [("spoken_commands", (1, 1, 1)), ("docstring_topics", (1, 1, 1)), ("moving_digits", (20, 20, 1))]
)
def test_rows_of_several_lengths_become_a_list(name: str, shape: tuple[int, ...]) -> None:
    source, info = split_of(name)
    x, y = to_arrays(source, info.specs[0].n_channels)
    assert isinstance(x, list)
    assert len(x) == len(y) == info.n_examples
    assert {row.shape[1:] for row in x} == {shape}
    assert len({len(row) for row in x}) > 1


def test_encoded_images_are_decoded_at_their_size_or_a_common_one() -> None:
    source, _ = split_of("digit_pairs")
    x, _ = to_arrays(source, 1)
    assert {row.shape for row in x} == {(1, 8, 16, 1), (1, 16, 32, 1), (1, 24, 48, 1)}
    assert 0.5 < max(row.max() for row in x) <= 1
    small, _ = to_arrays(source, 3, size_px=12)
    assert isinstance(small, np.ndarray)
    assert small.shape == (350, 1, 12, 12, 3)


def test_sparse_rows_stay_sparse() -> None:
    x, y = to_arrays(split_of("docstring_sections")[0])
    assert isinstance(x, sparse.csr_array)
    assert (x.shape, len(y)) == ((280, 1352), 280)


def test_a_test_split_has_no_labels() -> None:
    x, y = to_arrays(split_of("digits", "test")[0])
    assert len(x) == len(y) == 300
    assert not y.any()


def test_what_is_no_split_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="metadata"):
        open_split(tmp_path)


@pytest.mark.parametrize("name", ["digits", "cbf", "docstring_sections", "spoken_commands", "digit_pairs"])
def test_a_dataset_of_pytorch_has_the_same_rows(name: str) -> None:
    source, info = split_of(name)
    n_channels = info.specs[0].n_channels
    x, y = to_arrays(source, n_channels)
    dataset = TorchDataset(source, n_channels)
    assert len(dataset) == len(y)
    for row in (0, 1, len(dataset) - 1, -1):
        values, labels = dataset[row]
        assert values.dtype == labels.dtype == torch.float32
        place = row % len(y)
        expected = x[[place]].toarray().reshape(1, 1, -1, 1) if isinstance(x, sparse.csr_array) else x[place]
        assert np.array_equal(values.numpy(), expected)
        assert np.array_equal(labels.numpy(), y[place])
    with pytest.raises(IndexError):
        dataset[len(dataset)]


def test_a_loader_makes_batches() -> None:
    loader = DataLoader(TorchDataset(split_of("digits")[0]), batch_size=128, num_workers=0, shuffle=True)
    batches = list(loader)
    assert [len(x) for x, _ in batches] == [128] * 5 + [60]
    assert batches[0][0].shape == (128, 1, 8, 8, 1)
    assert batches[0][1].sum(dim=1).tolist() == [1.0] * 128


def test_rows_of_several_lengths_are_padded() -> None:
    source, info = split_of("moving_digits")
    dataset = TorchDataset(source, info.specs[0].n_channels)
    x, y, lengths = next(iter(DataLoader(dataset, batch_size=16, collate_fn=padded_batch)))
    assert x.shape == (16, int(lengths.max()), 20, 20, 1)
    assert y.shape == (16, 4)
    shortest = int(lengths.argmin())
    assert not x[shortest, int(lengths[shortest]) :].any()
    assert torch.equal(x[shortest, : int(lengths[shortest])], dataset[shortest][0])
