"""The sample datasets: what is committed keeps its promises, and the script makes the same bytes again."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy
from scipy import sparse

from autodl_solver.data.examples import EncodedFrames, Examples, Ragged, concat_examples
from autodl_solver.data.info import DatasetInfo
from autodl_solver.data.sequence_example import decode_examples
from autodl_solver.data.tfrecord import RecordFile, interleave_order, record_files
from sample_data.make_sample_data import RECIPES, split_rows, write_dataset

SAMPLE_DATA = Path(__file__).resolve().parent.parent / "sample_data"
LARGEST_BYTES = 5_000_000


def read_split(name: str, split: str, root: Path = SAMPLE_DATA) -> tuple[DatasetInfo, Examples]:
    """All rows in the official order; checksums are verified."""
    folder = root / name / f"{name}.data" / split
    info = DatasetInfo.from_folder(folder)
    parts, counts = [], []
    for path in record_files(folder):
        records = RecordFile(path)
        records.verify()
        starts, sizes = records.locate(0, len(records))
        parts.append(decode_examples(records.buffer, starts, sizes, info.specs[0], info.n_classes, source=path.name))
        counts.append(len(records))
    file_index, record_index = interleave_order(counts)
    first_row = np.concatenate([[0], np.cumsum(counts)])
    return info, concat_examples(parts).take(first_row[file_index] + record_index)


def read_solution(name: str, root: Path = SAMPLE_DATA) -> np.ndarray:
    return np.loadtxt(root / name / f"{name}.solution", dtype=np.int64, ndmin=2)


def test_there_is_a_folder_for_each_recipe_and_no_other() -> None:
    assert {path.parent.name for path in SAMPLE_DATA.glob("*/*.data")} == set(RECIPES)


def test_all_of_them_fit_into_five_megabytes() -> None:
    files = [path for path in SAMPLE_DATA.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert sum(path.stat().st_size for path in files) < LARGEST_BYTES


@pytest.mark.parametrize(
    ("name", "kind", "shape", "n_train", "n_test", "n_classes"),
    [
        ("digits", np.ndarray, (1, 8, 8, 1), 700, 300, 10),  # dense images
        ("digit_pairs", EncodedFrames, None, 350, 150, 10),  # compressed images
        ("moving_digits", EncodedFrames, None, 100, 60, 4),  # compressed video
        ("spoken_commands", Ragged, (1, 1, 1), 55, 25, 5),  # speech
        ("cbf", np.ndarray, (128, 1, 1, 1), 90, 150, 3),  # series
        ("docstring_topics", Ragged, (1, 1, 1), 337, 150, 8),  # text
        ("docstring_sections", sparse.csr_array, (1352,), 280, 140, 5),  # sparse table
        ("breast_cancer", np.ndarray, (1, 1, 30, 1), 369, 200, 2),  # dense table
    ],
)
def test_a_dataset_reads_back_as_promised(
    name: str, kind: type, shape: tuple[int, ...] | None, n_train: int, n_test: int, n_classes: int
) -> None:
    for split, n_rows in (("train", n_train), ("test", n_test)):
        info, examples = read_split(name, split)
        assert (len(examples), info.n_examples, info.n_classes) == (n_rows, n_rows, n_classes)
        assert isinstance(examples.x, kind)
        if isinstance(examples.x, Ragged):
            assert examples.x.values.shape[1:] == shape
        elif shape is not None:
            assert examples.x.shape[1:] == shape  # type: ignore[union-attr]
        assert len(info.class_names) == n_classes
    assert read_solution(name).shape == (n_test, n_classes)


@pytest.mark.parametrize("name", RECIPES)
def test_every_class_has_both_outcomes_in_both_splits(name: str) -> None:
    for y in (read_split(name, "train")[1].y, read_solution(name)):
        assert y is not None
        assert y.any(axis=0).all()
        assert not y.all(axis=0).any()


@pytest.mark.parametrize("name", RECIPES)
def test_test_records_carry_no_labels(name: str) -> None:
    y = read_split(name, "test")[1].y
    assert y is None or not y.any()


@pytest.mark.parametrize(
    ("name", "fewest", "most"),
    [
        ("digits", 1, 1),  # one class per row
        ("digit_pairs", 2, 2),  # both digits
        ("docstring_sections", 0, 5),  # some docstrings have no section
    ],
)
def test_rows_have_as_many_labels_as_promised(name: str, fewest: int, most: int) -> None:
    y = read_split(name, "train")[1].y
    assert y is not None
    n_labels = np.concatenate([y, read_solution(name)]).sum(axis=1)
    assert (n_labels.min(), n_labels.max()) == (fewest, most)


def test_breast_cancer_lacks_five_percent_of_its_values() -> None:
    x = read_split("breast_cancer", "train")[1].x
    assert isinstance(x, np.ndarray)
    assert 0.04 < np.isnan(x).mean() < 0.06


def test_spoken_commands_look_like_speech() -> None:
    x = read_split("spoken_commands", "train")[1].x
    assert isinstance(x, Ragged)
    assert np.median(x.lengths) >= 2000  # the decision table takes shorter signals for series
    assert np.array_equal(x.values, x.values.round())
    assert 5000 < np.abs(x.values).max() <= 32768


def test_docstring_tokens_are_words_of_the_vocabulary() -> None:
    info, examples = read_split("docstring_topics", "train")
    assert isinstance(examples.x, Ragged)
    first = [info.vocabulary[int(token)] for token in examples.x[0].ravel()]
    assert len(first) >= 8
    assert all(word.isalpha() and word.islower() for word in first)
    assert examples.x.values.max() < len(info.vocabulary)


def test_rows_of_several_files_come_back_in_the_order_of_the_solution() -> None:
    assert len(record_files(SAMPLE_DATA / "digits" / "digits.data" / "test")) == 3
    dataset = RECIPES["digits"]()
    _, test = split_rows(dataset.labels, dataset.n_test)
    x = read_split("digits", "test")[1].x
    assert isinstance(x, np.ndarray)
    assert np.array_equal(x.reshape(300, 64), [dataset.examples[row]["dense"][0] for row in test])
    assert np.array_equal(read_solution("digits").argmax(axis=1), [dataset.labels[row][0] for row in test])


def files_below(folder: Path) -> dict[str, bytes]:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@pytest.mark.parametrize("name", ["digits", "digit_pairs", "moving_digits", "cbf", "breast_cancer"])
def test_the_script_makes_the_same_bytes_again(name: str, tmp_path: Path) -> None:
    write_dataset(RECIPES[name](), tmp_path)
    assert files_below(tmp_path / name) == files_below(SAMPLE_DATA / name)


@pytest.mark.parametrize("name", ["docstring_topics", "docstring_sections"])
def test_the_same_scipy_makes_the_same_bytes_again(name: str, tmp_path: Path) -> None:
    if f"SciPy {scipy.__version__}," not in (SAMPLE_DATA / "README.md").read_text(encoding="utf-8"):
        pytest.skip(f"the committed docstrings are not those of SciPy {scipy.__version__}")
    write_dataset(RECIPES[name](), tmp_path)
    assert files_below(tmp_path / name) == files_below(SAMPLE_DATA / name)


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs espeak-ng")
def test_speech_can_be_made_again(tmp_path: Path) -> None:
    write_dataset(RECIPES["spoken_commands"](), tmp_path)
    info, examples = read_split("spoken_commands", "train", tmp_path)
    assert (len(examples), info.class_names) == (55, ("go", "left", "right", "stop", "yes"))


def test_speech_says_what_to_install_where_espeak_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(FileNotFoundError, match="apt-get install espeak-ng"):
        RECIPES["spoken_commands"]()


def test_the_script_refuses_an_unknown_name() -> None:
    command = [sys.executable, "-m", "sample_data.make_sample_data", "digits", "nothing"]
    done = subprocess.run(command, cwd=SAMPLE_DATA.parent, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "however nothing is not" in done.stderr


def test_a_split_keeps_the_share_of_every_set_of_labels() -> None:
    labels = [(0,)] * 90 + [(0, 1)] * 10
    train, test = split_rows(labels, 30)
    assert sorted([*train, *test]) == list(range(100))
    assert [sum(labels[row] == kind for row in test) for kind in ((0,), (0, 1))] == [27, 3]


def test_making_a_dataset_twice_leaves_no_earlier_file(tmp_path: Path) -> None:
    stale = tmp_path / "cbf" / "cbf.data" / "train" / "sample-cbf-train-00000-of-00009.tfrecord"
    stale.parent.mkdir(parents=True)
    stale.touch()
    write_dataset(RECIPES["cbf"](), tmp_path)
    assert not stale.exists()
