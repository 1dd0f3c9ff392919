"""A user's own examples as datasets in AutoDL format: what is written reads back as the input encodes it."""

from __future__ import annotations

import errno
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
from scipy import sparse

from autodl_solver import convert as convert_module
from autodl_solver.convert import convert, split_rows
from autodl_solver.data.examples import Array, EncodedFrames, Examples, Rows
from autodl_solver.data.info import DatasetInfo
from autodl_solver.data.source import ExampleSource, RecordReader
from autodl_solver.errors import InputError
from autodl_solver.inputs.kinds import input_for
from autodl_solver.inputs.labels import Labels
from autodl_solver.inputs.sources import read_labelled
from autodl_solver.modalities import infer_modality
from tests.inputs.media_files import BLUE, RED, write_clip, write_picture, write_tone


def read_split(dataset: Path, split: str) -> tuple[DatasetInfo, Examples]:
    folder = dataset / f"{dataset.name}.data" / split
    info = DatasetInfo.from_folder(folder)
    source = ExampleSource(RecordReader(folder, info))
    return info, source.read(0, source.count())


def as_values(rows: Rows) -> list[Any]:
    """Something comparable for each row."""
    if isinstance(rows, sparse.csr_array):
        return [row.tolist() for row in rows.toarray()]
    if isinstance(rows, EncodedFrames):
        return [
            [rows.frame(k).tobytes() for k in range(rows.offsets[i], rows.offsets[i + 1])] for i in range(len(rows))
        ]
    return [np.nan_to_num(np.asarray(rows[i], np.float32), nan=-7e7).tolist() for i in range(len(rows))]


def check_round_trip(source: Path, dataset: Path, **options: Any) -> dict[str, DatasetInfo]:
    """Both splits hold what the input, fitted on the training rows, makes of the examples."""
    labelled = read_labelled(source, **options)
    labels = Labels.fitted(labelled.labels)
    y = labels.encode(labelled.labels)
    train, test = split_rows(y, 0.2, 0)
    examples = input_for(labelled.examples, labelled.kind)
    examples.fit(chosen(labelled.examples, train))
    infos = {}
    for split, places in (("train", train), ("test", test)):
        infos[split], read = read_split(dataset, split)
        assert as_values(read.x) == as_values(examples.encode(chosen(labelled.examples, places)).rows)
        assert read.y is not None
        assert np.array_equal(read.y, y[places] if split == "train" else 0 * y[places])
        assert infos[split].n_examples == len(places)
        assert infos[split].class_names == labels.class_names
    solution = np.loadtxt(dataset / f"{dataset.name}.solution", ndmin=2)
    assert np.array_equal(solution, y[test])
    return infos


def chosen(examples: Any, places: Array) -> Any:
    if hasattr(examples, "iloc"):
        return examples.iloc[places]
    return examples[places] if isinstance(examples, np.ndarray) else [examples[k] for k in places]


def modality_of(info: DatasetInfo) -> str | None:
    found = infer_modality(info, 5000)
    return None if found is None else found.value


def test_a_folder_of_images_becomes_a_dataset(tmp_path: Path) -> None:
    for k in range(12):
        suffix = ("jpg", "png", "webp", "gif")[k % 4]
        mode = "P" if suffix == "gif" else "RGB"
        write_picture(
            tmp_path / "My pictures" / f"klasse {k % 2}" / f"{k}.{suffix}", (RED, BLUE)[k % 2], (12 + k, 9), mode
        )
    dataset = convert(tmp_path / "My pictures", tmp_path / "out")
    assert dataset == tmp_path / "out" / "My_pictures"
    infos = check_round_trip(tmp_path / "My pictures", dataset)
    assert modality_of(infos["train"]) == "image"
    assert infos["train"].class_names == ("klasse 0", "klasse 1")


def test_a_folder_of_sounds_becomes_a_dataset(tmp_path: Path) -> None:
    for k in range(10):
        write_tone(
            tmp_path / "tones" / ["lo", "hi"][k % 2] / f"{k}.wav",
            300 + 99 * k,
            (8000, 16_000)[k % 3 == 0],
            0.3 + k / 50,
        )
    infos = check_round_trip(tmp_path / "tones", convert(tmp_path / "tones", tmp_path / "out"))
    assert modality_of(infos["test"]) == "speech"


def test_a_folder_of_videos_becomes_a_dataset(tmp_path: Path) -> None:
    for k in range(10):
        write_clip(tmp_path / "clips" / "ab"[k % 2] / f"{k}.mp4", [(RED, BLUE)[k % 2]] * (2 + k))
    infos = check_round_trip(tmp_path / "clips", convert(tmp_path / "clips", tmp_path / "out"))
    assert modality_of(infos["train"]) == "video"


def write_table(path: Path, n_rows: int = 40) -> Path:
    rng = np.random.default_rng(0)
    columns = {
        "Größe": np.where(rng.random(n_rows) < 0.2, np.nan, rng.normal(size=n_rows)),
        "colour": rng.choice(["red", "green", "blue"], n_rows),
        "count": rng.integers(0, 9, n_rows),
        "label": rng.choice(["yes", "no", "may be"], n_rows),
    }
    pandas.DataFrame(columns).to_csv(path, index=False)
    return path


def test_a_table_with_categories_becomes_a_dataset(tmp_path: Path) -> None:
    source = write_table(tmp_path / "some table.csv")
    infos = check_round_trip(source, convert(source, tmp_path / "new" / "folder"))
    assert modality_of(infos["train"]) == "tabular"
    assert any("Größe" in name for name in infos["train"].feature_names)


def test_a_table_of_texts_becomes_a_dataset(tmp_path: Path) -> None:
    texts = [f"the {'cat' if k % 2 else 'dog'} number {k} sat on “the mat” и 中文" for k in range(20)] + [""] * 5
    pandas.DataFrame({"text": texts, "y": [k % 2 for k in range(25)]}).to_csv(tmp_path / "texts.csv", index=False)
    dataset = convert(tmp_path / "texts.csv", tmp_path / "out", kind="text")
    infos = check_round_trip(tmp_path / "texts.csv", dataset, kind="text")
    assert modality_of(infos["train"]) == "text"
    assert {"cat", "dog"} < set(infos["train"].vocabulary)


@pytest.mark.parametrize("shape", [(20, 15, 3), (20, 15, 1), (20, 6), (20, 5, 4, 3), (20, 2, 5, 4, 1)])
def test_arrays_become_a_dataset(shape: tuple[int, ...], tmp_path: Path) -> None:
    X = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    X.flat[3] = np.nan
    np.savez(tmp_path / "arrays.npz", X=X, y=np.arange(20) % 3)
    infos = check_round_trip(tmp_path / "arrays.npz", convert(tmp_path / "arrays.npz", tmp_path))
    assert modality_of(infos["train"]) == {2: "tabular", 3: "series", 4: "image", 5: "video"}[len(shape)]


def test_several_labels_a_row_are_kept(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    columns = {"a": rng.normal(size=40), **{name: rng.integers(0, 2, 40) for name in ("red", "round")}}
    pandas.DataFrame(columns).to_csv(tmp_path / "t.csv", index=False)
    infos = check_round_trip(
        tmp_path / "t.csv", convert(tmp_path / "t.csv", tmp_path, label="red,round"), label="red,round"
    )
    assert infos["train"].class_names == ("red", "round")


def test_unreadable_files_are_in_neither_split(tmp_path: Path) -> None:
    for k in range(20):
        write_picture(tmp_path / "p" / "ab"[k % 2] / f"{k:02}.png")
    for k in (3, 8):
        (tmp_path / "p" / "ab"[k % 2] / f"{k:02}.png").write_bytes(b"")
    dataset = convert(tmp_path / "p", tmp_path / "out")
    (train, train_rows), (test, test_rows) = (read_split(dataset, split) for split in ("train", "test"))
    assert (len(train_rows), len(test_rows)) == (train.n_examples, test.n_examples)
    assert len(train_rows) + len(test_rows) == 18
    assert len(np.loadtxt(dataset / f"{dataset.name}.solution")) == len(test_rows)


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    source = write_table(tmp_path / "t.csv")
    folders = [convert(source, tmp_path / name, seed=seed, name="t") for name, seed in (("a", 0), ("b", 0), ("c", 1))]
    contents = [[path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()] for folder in folders]
    assert contents[0] == contents[1]
    assert contents[0] != contents[2]


@pytest.mark.parametrize(
    ("counts", "share", "expected"),
    [
        ([50, 50], 0.2, [10, 10]),
        ([97, 3], 0.2, [19, 1]),  # a rare class keeps its share
        ([99, 1], 0.2, [19, 0]),  # one row is left to training
        ([10, 10], 0.9, [9, 9]),
    ],
)
def test_each_class_keeps_its_share(counts: list[int], share: float, expected: list[int]) -> None:
    y = np.repeat(np.eye(2, dtype=np.float32), counts, axis=0)
    train, test = split_rows(y, share, 3)
    assert sorted([*train, *test]) == list(range(len(y)))
    assert np.abs(y[test].sum(axis=0) - expected).max() <= 1
    assert (y[train].sum(axis=0) >= 1).all()
    assert np.any(np.diff(train) < 0)  # the classes are mixed


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"test_share": 0.0}, "must lie between 0 and 1"),
        ({"test_share": 1.0}, "must lie between 0 and 1"),
        ({"name": "../up"}, "must be the name of a folder"),
        ({"name": ""}, "must be the name of a folder"),
        ({"name": ".."}, "must be the name of a folder"),
        ({"label": "nothing"}, "no column nothing"),
    ],
)
def test_what_makes_no_dataset_is_refused(options: dict[str, Any], expected: str, tmp_path: Path) -> None:
    source = write_table(tmp_path / "t.csv")
    with pytest.raises(InputError, match=expected):
        convert(source, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_too_few_rows_to_spare_any_are_refused(tmp_path: Path) -> None:
    pandas.DataFrame({"a": [1, 2], "label": ["u", "v"]}).to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(InputError, match="needs more than one row"):
        convert(tmp_path / "t.csv", tmp_path / "out")


def test_a_dataset_that_exists_is_left_alone(tmp_path: Path) -> None:
    source = write_table(tmp_path / "t.csv")
    dataset = convert(source, tmp_path / "out")
    before = sorted(dataset.rglob("*"))
    with pytest.raises(InputError, match="exists; give another name"):
        convert(source, tmp_path / "out")
    assert sorted(dataset.rglob("*")) == before


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write_table(tmp_path / "t.csv")

    def no_space(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(convert_module, "write_metadata", no_space)
    with pytest.raises(OSError, match="No space left"):
        convert(source, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_what_the_format_cannot_tell_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for k in range(10):
        write_tone(tmp_path / "clicks" / "ab"[k % 2] / f"{k}.wav", rate=8000, seconds=0.1)
    with caplog.at_level(logging.WARNING):
        convert(tmp_path / "clicks", tmp_path / "out")
    assert "taken for series, not speech" in caplog.text
