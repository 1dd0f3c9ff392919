"""Where rows come from: the folder, or whatever was handed over; and what is kept of them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autodl_solver.data.examples import Examples, Rows
from autodl_solver.data.info import DatasetInfo
from autodl_solver.data.source import (
    ExampleSource,
    IteratedReader,
    RecordReader,
    is_tf_dataset,
    open_reader,
)
from autodl_solver.errors import DataError

ROOT = Path(__file__).parents[2]
DIGITS = ROOT / "sample_data" / "digits" / "digits.data"  # three record files a split


class Folder:
    """What our own ingestion hands over, as far as the source looks at it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder


def pairs(n_rows: int, n_classes: int = 3) -> list[tuple[np.ndarray, np.ndarray]]:
    return [
        (np.full((1, 1, 4, 1), i, np.float32), np.eye(n_classes, dtype=np.float32)[i % n_classes])
        for i in range(n_rows)
    ]


def test_ranges_of_several_files_agree_with_the_whole() -> None:
    reader = RecordReader(DIGITS / "train", DatasetInfo.from_folder(DIGITS / "train"))
    whole = reader.read(0, 10**9)
    assert len(whole) == reader.n_rows
    for start, stop in [(0, 1), (5, 70), (reader.n_rows - 3, reader.n_rows + 10), (7, 7)]:
        part = reader.read(start, stop)
        assert np.array_equal(part.x, whole.x[start:stop])
        assert np.array_equal(part.y, whole.y[start:stop])  # type: ignore[index]


def test_a_folder_without_record_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds none"):
        RecordReader(tmp_path, DatasetInfo.from_folder(DIGITS / "train"))


def test_plain_pairs_are_iterated_and_the_place_remembered() -> None:
    opened = []

    class Counted:
        def __iter__(self) -> Iterator[Any]:
            opened.append(1)
            return iter(pairs(10))

    reader = IteratedReader(Counted(), 3)
    assert reader.n_rows is None
    assert reader.read(0, 4).x[:, 0, 0, 0, 0].tolist() == [0, 1, 2, 3]  # type: ignore[index,union-attr]
    assert reader.read(4, 20).x[:, 0, 0, 0, 0].tolist() == [4, 5, 6, 7, 8, 9]  # type: ignore[index,union-attr]
    assert reader.n_rows == 10
    assert len(opened) == 1
    assert len(reader.read(2, 5)) == 3  # earlier rows: once more from the start
    assert len(opened) == 2


def test_rows_of_a_generator_can_be_read_again() -> None:
    reader = IteratedReader((pair for pair in pairs(6)), 3)
    first = reader.read(0, 6)
    assert np.array_equal(reader.read(0, 6).x, first.x)


def test_rows_of_many_shapes_become_a_list() -> None:
    rows = [(np.zeros((t, 1, 1, 1)), np.eye(3)[0]) for t in (3, 5)]
    assert isinstance(IteratedReader(rows, 3).read(0, 2).x, list)


def test_test_rows_with_empty_labels_are_accepted() -> None:
    rows = [(x, np.zeros(0)) for x, _ in pairs(4)]
    y = IteratedReader(rows, 3).read(0, 4).y
    assert y is not None
    assert y.shape == (4, 3)


@pytest.mark.parametrize(
    ("dataset", "kind"),
    [
        (Folder(DIGITS / "train"), RecordReader),  # names its folder
        (Folder(DIGITS / "nowhere"), IteratedReader),  # names a folder that is not there
        (pairs(3), IteratedReader),  # data of its own, whatever the metadata names
    ],
)
def test_the_folder_is_read_only_where_the_dataset_stands_for_it(dataset: Any, kind: type) -> None:
    assert isinstance(open_reader(dataset, DatasetInfo.from_folder(DIGITS / "train"), "train"), kind)


def test_an_official_dataset_is_read_from_its_folder_and_its_sibling() -> None:
    tf = pytest.importorskip("tensorflow")
    dataset = tf.data.Dataset.from_tensors((0.0, 0.0))
    assert is_tf_dataset(dataset)
    info = DatasetInfo.from_folder(DIGITS / "train")
    for split in ("train", "test"):
        reader = open_reader(dataset, info, split)
        expected = RecordReader(DIGITS / split, info)
        assert reader.n_rows == expected.n_rows


ITERATE = """
import numpy as np
import tensorflow as tf
from autodl_solver.data.source import IteratedReader
x = np.arange(12, dtype=np.float32).reshape(6, 1, 1, 2, 1)
dataset = tf.data.Dataset.from_tensor_slices((x, np.eye(6, dtype=np.float32)))
reader = IteratedReader(dataset, 6)
assert np.array_equal(reader.read(0, 2).x, x[:2])
assert np.array_equal(reader.read(2, 9).x, x[2:])
assert np.array_equal(reader.read(1, 3).y, np.eye(6)[1:3])
assert reader.n_rows == 6
"""


def test_tf_datasets_without_a_folder_are_iterated_eagerly_and_in_a_graph() -> None:
    tf = pytest.importorskip("tensorflow")
    exec(ITERATE, {})
    with tf.Graph().as_default():
        assert not tf.executing_eagerly()
        exec(ITERATE, {})


@pytest.mark.slow
def test_tf_datasets_are_iterated_where_all_of_tensorflow_is_in_graph_mode() -> None:
    pytest.importorskip("tensorflow")
    script = f"import tensorflow\ntensorflow.compat.v1.disable_eager_execution()\n{ITERATE}"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr


def doubled(counter: list[int]) -> Any:
    def transform(x: Rows) -> Rows:
        counter.append(len(x))  # type: ignore[arg-type]
        return np.asarray(x).reshape(len(x), -1) * 2  # type: ignore[arg-type]

    return transform


def test_transformed_rows_are_kept_while_they_fit() -> None:
    counter: list[int] = []
    source = ExampleSource(IteratedReader(pairs(9000), 3), memory_bytes=5000 * 16)
    for _ in range(2):
        rows = np.concatenate([np.asarray(part.x) for part in source.transformed("a", doubled(counter))])
        assert rows[:, 0].tolist() == [2.0 * i for i in range(9000)]
    assert 9000 < sum(counter) < 18_000


def test_a_new_transform_takes_the_room_of_older_ones() -> None:
    counter: list[int] = []
    source = ExampleSource(IteratedReader(pairs(100), 3), memory_bytes=120 * 16)
    for key, n_made in [("a", 100), ("a", 100), ("b", 200), ("b", 200), ("a", 300)]:
        assert sum(map(len, source.transformed(key, doubled(counter)))) == 100
        assert sum(counter) == n_made


def test_a_limited_process_keeps_less() -> None:
    script = """
import resource
from autodl_solver.data.source import memory_share
free = memory_share(1.0)
resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))
limited = memory_share(1.0)
assert 0 <= limited <= min(free, 2**31), (free, limited)
assert memory_share(0.1) <= 0.1 * 2**31
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_large_rows_are_read_few_at_a_time() -> None:
    asked = []

    class Reader:
        n_rows = 1000

        def read(self, start: int, stop: int) -> Examples:
            asked.append(stop - start)
            n_rows = len(range(start, min(stop, self.n_rows)))
            row = np.zeros((1, 2**12, 2**12, 1), np.uint8)  # 16 MB
            return Examples(np.broadcast_to(row, (n_rows, *row.shape)), np.zeros((n_rows, 2), np.float32))

    source = ExampleSource(Reader())
    total = sum(len(part) for part in source.transformed("mean", lambda x: np.asarray(x)[:, 0, 0, 0]))
    assert total == 1000
    assert max(asked[1:]) == 16
