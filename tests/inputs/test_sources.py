"""Sources of examples: folders, tables, arrays."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest

from autodl_solver.errors import InputError
from autodl_solver.inputs import table_files
from autodl_solver.inputs.sources import autodl_folder, is_autodl_dataset, read_labelled, read_unlabelled
from autodl_solver.inputs.table_files import read_table
from tests.inputs.media_files import write_picture, write_tone

SAMPLE_DATA = Path(__file__).resolve().parents[2] / "sample_data"
SENTENCE = "a sentence that is long enough to be a text, "


def write(path: Path, content: str | bytes = b"") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


# ---------------------------------------------------------------- folders


def test_folders_are_classes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    root = tmp_path / "Meine Bilder 中文"
    for name in ("cat/b.png", "cat/a.png", "cat/more/deep/c.PNG", "großer Hund/1.png"):
        write_picture(root / name)
    for name in ("cat/.hidden.png", ".git/x.png", "cat/Thumbs.db", "cat/notes.csv", "loose.png"):
        write(root / name, "x")
    with caplog.at_level(logging.WARNING):
        read = read_labelled(root)
    assert read.kind == "image"
    assert read.names == ["cat/a.png", "cat/b.png", "cat/more/deep/c.PNG", "großer Hund/1.png"]
    assert read.labels == ["cat", "cat", "cat", "großer Hund"]
    assert read.examples == [root / name for name in read.names]
    assert "3 files" in caplog.text


def test_folders_of_texts_are_read(tmp_path: Path) -> None:
    write(tmp_path / "a" / "1.txt", "\ufeffGrüße")
    write(tmp_path / "b" / "2.txt", b"caf\xe9")
    read = read_labelled(tmp_path)
    assert (read.kind, read.labels, read.examples) == ("text", ["a", "b"], ["Grüße", "caf\ufffd"])


def test_a_kind_chooses_among_files(tmp_path: Path) -> None:
    for folder in "ab":
        write_picture(tmp_path / folder / "a.png")
        write_tone(tmp_path / folder / "a.wav")
    assert read_labelled(tmp_path, kind="audio").names == ["a/a.wav", "b/a.wav"]
    with pytest.raises(InputError, match="2 of the kind image, 2 of the kind audio; give the kind"):
        read_labelled(tmp_path)


def test_an_empty_class_folder_is_no_class(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path / "a" / "1.wav")
    (tmp_path / "b").mkdir()
    with caplog.at_level(logging.WARNING):
        assert read_labelled(tmp_path).labels == ["a"]
    assert "no such class" in caplog.text


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ([], "folder for each class; however .* has none"),
        (["a.png", "b.png"], "has none; sort the files"),
        (["a.png", "labels.csv"], "give the table .*labels.csv"),
        (["train/cat/a.png", "test/cat/b.png"], "look like parts of a dataset; give one of them, .*test"),
        (["cat/a.xyz", "dog/b"], r"images, sounds, videos or \.txt files"),
    ],
)
def test_a_folder_without_classes_is_refused(files: list[str], expected: str, tmp_path: Path) -> None:
    for name in files:
        write(tmp_path / name)
    with pytest.raises(InputError, match=expected):
        read_labelled(tmp_path)


def test_a_folder_of_files_is_unlabelled(tmp_path: Path) -> None:
    for name in ("b.wav", "a.wav", "c/d.wav", "cover.jpg"):
        write(tmp_path / name)
    read = read_unlabelled(tmp_path, "audio")
    assert read.names == ["a.wav", "b.wav", "c/d.wav"]
    assert read.examples == [tmp_path / name for name in read.names]
    assert read_unlabelled(tmp_path / "b.wav", "audio").names == ["b.wav"]
    for source in (tmp_path, tmp_path / "b.wav"):
        with pytest.raises(InputError, match="must hold examples of the kind video"):
            read_unlabelled(source, "video")


# ---------------------------------------------------------------- tables


@pytest.mark.parametrize(
    ("content", "label", "expected"),
    [
        ("a,b,label\n1,x,yes\n2,y,no\n", None, "label"),
        ("Class;a\nyes;1\nno;2\n", None, "Class"),  # semicolons
        ("a,outcome\n1,yes\n2,no\n", "outcome", "outcome"),
        ("label,y\n1,yes\n2,no\n", "y", "y"),
        ('"a, b",c\nyes,1\nno,2\n', "a, b", "a, b"),  # a name with a comma
        ("\ufefflabel,a\nyes,1\nno,2\n", None, "label"),  # as Excel writes UTF-8
    ],
)
def test_the_label_column_is_found_or_named(content: str, label: str | None, expected: str, tmp_path: Path) -> None:
    read = read_labelled(write(tmp_path / "my table.csv", content), label)
    assert (read.kind, read.labels.name, read.labels.tolist()) == ("table", expected, ["yes", "no"])
    assert expected not in read.examples.columns
    assert read.columns == tuple(read.examples.columns)
    assert read.names == ["0", "1"]


@pytest.mark.parametrize(
    ("content", "label", "expected"),
    [
        ("a,b\n1,2\n", None, "no such column among a, b"),
        ("a,y,label\n1,2,3\n", None, "several such columns among a, y, label"),
        ("a,b\n1,2\n", "c", "no column c but a, b"),
        ("a,b\n1,2\n", "a,c", "no column c but a, b"),
        ("label\n1\n", None, "columns beside those of the labels"),
        ("a,label\n", None, "at least one row"),
        ("", None, "No columns to parse"),
        ("a,label\n1,2\n1,2,3,4\n", None, "Expected 2 fields"),
        (b"a,label\n\xff\xfe,1\n", None, "UTF-8"),
    ],
)
def test_a_table_without_clear_labels_is_refused(
    content: str | bytes, label: str | None, expected: str, tmp_path: Path
) -> None:
    path = write(tmp_path / "table.csv", content)
    with pytest.raises(InputError, match=expected) as raised:
        read_labelled(path, label)
    assert str(path) in str(raised.value)


def test_several_label_columns_are_several_labels(tmp_path: Path) -> None:
    read = read_labelled(write(tmp_path / "t.csv", "a,red,round,b\n1,0,1,2\n3,1,1,4\n"), "red, round")
    assert list(read.labels.columns) == ["red", "round"]
    assert list(read.examples.columns) == ["a", "b"]


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.parquet", "t.jsonl", "t.json"])
def test_every_format_holds_the_same_table(name: str, tmp_path: Path) -> None:
    frame = pandas.DataFrame({"n": [1.5, None, 3], "c": ["x", "é, y", "01"], "label": ["a", "b", "a"]})
    path = tmp_path / name
    if name.endswith("parquet"):
        frame.to_parquet(path)
    elif name == "t.json":
        frame.to_json(path, orient="records")
    elif name == "t.jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_csv(path, sep="\t" if name == "t.tsv" else ",", index=False)
    read = read_labelled(path)
    assert read.labels.tolist() == ["a", "b", "a"]
    assert read.examples["c"].tolist() == ["x", "é, y", "01"]
    assert np.array_equal(read.examples["n"].to_numpy(float), [1.5, np.nan, 3], equal_nan=True)


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl", ".json"])
def test_a_damaged_table_is_refused(suffix: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="whole and of one format"):
        read_table(write(tmp_path / f"t{suffix}", "[[{no table"))


def test_a_table_in_chunks_is_the_same_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [f"{i},{'x' if i == 9 else i},{i / 2},{'' if i < 5 else 'late'},{i % 2 == 0},{i % 3}" for i in range(10)]
    path = write(tmp_path / "t.csv", "\n".join(["whole,mixed,part,late,truth,label", *rows]))
    monkeypatch.setattr(table_files, "CHUNK_ROWS", 3)
    frame = read_table(path)
    assert frame["whole"].tolist() == list(range(10))
    assert frame["mixed"].tolist() == [*map(str, range(9)), "x"]
    assert frame["part"].tolist() == [i / 2 for i in range(10)]
    assert frame["late"].isna().tolist() == [True] * 5 + [False] * 5
    assert frame["truth"].dtype == bool
    assert frame.index.tolist() == list(range(10))


def test_a_column_of_files_holds_the_examples(tmp_path: Path) -> None:
    write_picture(tmp_path / "pictures" / "a 1.png")
    elsewhere = write_picture(tmp_path / "elsewhere.png")
    table = write(
        tmp_path / "labels.csv",
        f"id,file,light,label\n1,pictures/a 1.png,.5,cat\n2,{elsewhere},.2,dog\n3,pictures/gone.png,.1,cat\n",
    )
    read = read_labelled(table)
    assert (read.kind, read.columns) == ("image", ("file",))
    assert read.examples == [tmp_path / "pictures" / "a 1.png", elsewhere, tmp_path / "pictures" / "gone.png"]
    assert read.names == ["pictures/a 1.png", str(elsewhere), "pictures/gone.png"]
    assert read.labels.tolist() == ["cat", "dog", "cat"]
    again = read_unlabelled(write(tmp_path / "new.csv", "file,other\npictures/a 1.png,x.png\n"), "image", read.columns)
    assert again.examples == [tmp_path / "pictures" / "a 1.png"]


@pytest.mark.parametrize(
    ("content", "kind", "expected"),
    [
        ("file,label\na.png,x\nb.png,y\n", None, "column file of .* names files that do not exist, a.png for one"),
        ("file,label\nhere.png,x\nb.wav,y\n", None, "1 of the kind image, 1 of the kind audio; give the kind"),
        ("a,label\n1,x\n2,y\n", "image", "must have a column of files; however .* has only a"),
        ("a,label\n1,x\n2,y\n", "text", "must have a column of texts; however .* has only a"),
        ("a,b,label\n1,u,x\n2,v,y\n", "series", "must hold numbers; however b"),
    ],
)
def test_a_table_without_such_a_column_is_refused(
    content: str, kind: str | None, expected: str, tmp_path: Path
) -> None:
    write_picture(tmp_path / "here.png")
    with pytest.raises(InputError, match=expected):
        read_labelled(write(tmp_path / "t.csv", content), kind=kind)


@pytest.mark.parametrize(
    ("columns", "kind", "expected"),
    [
        ({"text": [SENTENCE * 2, SENTENCE]}, None, "text"),
        ({"id": [7, 8], "text": [SENTENCE, None]}, None, "text"),
        ({"Unnamed: 0": [0, 1], "text": ["很长的一段中文文本用来测试是否能够识别", SENTENCE]}, None, "text"),
        ({"city": ["Rome", "New York"]}, None, "table"),  # one short string is a category
        ({"text": [SENTENCE, SENTENCE], "price": [1, 2]}, None, "table"),
        ({"city": ["Rome", "Oslo"], "text": [SENTENCE, SENTENCE], "price": [1, 2]}, "text", "text"),
    ],
)
def test_a_column_of_long_strings_holds_texts(
    columns: dict[str, list[Any]], kind: str | None, expected: str, tmp_path: Path
) -> None:
    pandas.DataFrame(columns | {"label": ["a", "b"]}).to_csv(tmp_path / "t.csv", index=False)
    read = read_labelled(tmp_path / "t.csv", kind=kind)
    assert read.kind == expected
    if expected == "text":
        assert read.columns == ("text",)
        assert read.examples == [text or "" for text in columns["text"]]


def test_new_texts_come_from_the_column_of_the_old_ones(tmp_path: Path) -> None:
    table = write(tmp_path / "t.csv", f"longer,text\n{SENTENCE.replace(',', '')},hi\n")
    assert read_unlabelled(table, "text", ("text",)).examples == ["hi"]
    with pytest.raises(InputError, match="no column words but longer, text"):
        read_unlabelled(table, "text", ("words",))


def test_columns_of_numbers_can_be_steps_of_a_series(tmp_path: Path) -> None:
    read = read_labelled(write(tmp_path / "t.csv", "t0,t1,t2,label\n1,2,3,a\n4,5,,b\n"), kind="series")
    assert read.examples.shape == (2, 3, 1)
    assert np.array_equal(read.examples[1, :, 0], [4, 5, np.nan], equal_nan=True)
    new = write(tmp_path / "new.csv", "label,t2,t1,t0\na,3,2,1\n")
    assert read_unlabelled(new, "series", read.columns).examples.tolist() == [[[1], [2], [3]]]


# ---------------------------------------------------------------- arrays, and what is no source


@pytest.mark.parametrize(
    ("shape", "kind"), [((4, 3), "table"), ((4, 3, 2), "series"), ((4, 3, 2, 1), "image"), ((4, 2, 3, 2, 1), "video")]
)
def test_arrays_are_read_by_their_dimensions(shape: tuple[int, ...], kind: str, tmp_path: Path) -> None:
    X = np.random.default_rng(0).random(shape)
    np.savez(tmp_path / "a.npz", X=X, y=np.array(["u", "v", "u", "v"]))
    read = read_labelled(tmp_path / "a.npz")
    assert (read.kind, read.labels.tolist(), read.names) == (kind, ["u", "v", "u", "v"], ["0", "1", "2", "3"])
    assert np.array_equal(read.examples, X)
    np.save(tmp_path / "new.npy", X)
    assert np.array_equal(read_unlabelled(tmp_path / "new.npy", kind).examples, X)
    assert np.array_equal(read_unlabelled(tmp_path / "a.npz", kind).examples, X)


def test_arrays_of_objects_are_not_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", X=np.array([{}, {}], dtype=object), y=np.arange(2))
    with pytest.raises(InputError, match="must hold numbers or texts"):
        read_labelled(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("arrays", "expected"), [({"X": np.zeros((2, 2))}, "an array y"), ({"y": np.zeros(2)}, "an array X")]
)
def test_an_array_that_is_missing_is_named(arrays: dict[str, Any], expected: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(InputError, match=expected):
        read_labelled(tmp_path / "a.npz")


@pytest.mark.parametrize(("name", "expected"), [("gone.csv", "nothing at"), ("a.docx", "none of them")])
def test_what_is_no_source_is_refused(name: str, expected: str, tmp_path: Path) -> None:
    write(tmp_path / "a.docx")
    with pytest.raises(InputError, match=expected):
        read_labelled(tmp_path / name)


def test_an_autodl_dataset_is_recognised(tmp_path: Path) -> None:
    data = SAMPLE_DATA / "cbf" / "cbf.data"
    assert autodl_folder(data.parent) == data
    assert autodl_folder(data) == data
    assert not is_autodl_dataset(SAMPLE_DATA)
    assert not is_autodl_dataset(tmp_path / "nothing")
    with pytest.raises(InputError, match="is an AutoDL dataset"):
        read_labelled(data)
