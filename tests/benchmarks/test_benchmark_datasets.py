"""Datasets by name: samples, folders, packed zips, downloads."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import wave
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmark_harness import write_toy
from PIL import Image

from autodl_solver.data.examples import EncodedFrames, Ragged
from autodl_solver.data.info import DatasetInfo
from autodl_solver.data.source import RecordReader
from benchmarks import public
from benchmarks.datasets import Places
from benchmarks.errors import BenchmarkError
from benchmarks.public import PUBLIC, File, Source
from benchmarks.public_readers import EMOTIONS

ROOT = Path(__file__).resolve().parents[2]


def image_file(form: str, value: int, size: tuple[int, int] = (6, 4)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, (value, 0, 0)).save(file, form)
    return file.getvalue()


def sound_file(samples: list[int]) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(np.array(samples, "<i2").tobytes())
    return file.getvalue()


def pack(folder: Path, name: str, modality: str, classes: list[str], files: dict[str, Any]) -> None:
    """Write NAME.zip; a list of rows becomes a CSV, arrays an NPZ."""
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / f"{name}.zip", "w") as packed:
        packed.writestr("info.json", json.dumps({"name": name, "modality": modality, "classes": classes}))
        for file, content in files.items():
            packed.writestr(file, content if isinstance(content, (str, bytes)) else arrays(content))


def arrays(content: dict[str, Any]) -> bytes:
    file = io.BytesIO()
    np.savez(file, **content)
    return file.getvalue()


def read(folder: Path, name: str, split: str) -> Any:
    info = DatasetInfo.from_folder(folder / f"{name}.data" / split)
    reader = RecordReader(folder / f"{name}.data" / split, info)
    return info, reader.read(0, reader.n_rows)


def solution(folder: Path, name: str) -> list[list[int]]:
    return np.loadtxt(folder / f"{name}.solution", ndmin=2, dtype=int).tolist()


def test_samples_are_there_and_their_modality_is_known(tmp_path: Path) -> None:
    places = Places(tmp_path)
    found = {name: places.find(name).modality for name in places.names()}
    assert found["digits"] == "image"
    assert found["spoken_commands"] == "speech"
    assert found["cbf"] == "series"
    assert set(found.values()) == {"image", "video", "speech", "series", "text", "tabular"}


def test_a_folder_of_datasets_is_searched_before_the_samples(tmp_path: Path) -> None:
    write_toy(tmp_path / "local", "digits")
    places = Places(tmp_path / "cache", tmp_path / "local")
    assert places.names() == ["digits"]
    assert places.find("digits").modality == "tabular"
    assert places.find("cbf").modality == "series"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("nothing", "name its folder with --local DIR"),
        ("adult", "download it with --download"),  # public, with a published sha256
        ("yeast", r"name its folder with --local DIR \(source: Mulan"),  # public, without one
    ],
)
def test_a_dataset_that_is_not_there_says_where_to_get_it(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(BenchmarkError, match=text):
        Places(tmp_path).find(name)


def test_packed_tables_become_rows_with_codes_and_gaps(tmp_path: Path) -> None:
    train = "age,city,labels\n1.5,Rome,no\n,Oslo,yes|no\n"
    pack(
        tmp_path / "local", "t", "tabular", ["no", "yes"], {"train.csv": train, "test.csv": "age,city,labels\n2,,yes\n"}
    )
    dataset = Places(tmp_path / "cache", tmp_path / "local").find("t")
    info, rows = read(dataset.folder, "t", "train")
    assert (dataset.modality, info.feature_names, info.class_names) == ("tabular", ("age", "city"), ("no", "yes"))
    assert np.array_equal(rows.x.reshape(2, 2), [[1.5, 1], [np.nan, 0]], equal_nan=True)
    assert rows.y.tolist() == [[1, 0], [1, 1]]
    info, rows = read(dataset.folder, "t", "test")
    assert np.array_equal(rows.x.reshape(1, 2), [[2, np.nan]], equal_nan=True)
    assert not rows.y.any(), "the labels of the test rows are in the solution only"
    assert solution(dataset.folder, "t") == [[0, 1]]


def test_packed_texts_become_indices_into_the_words_or_characters(tmp_path: Path) -> None:
    english = {"train.csv": 'text,labels\n"It\'s here, here.",a\n!,b\n', "test.csv": "text,labels\nHERE!,b\n"}
    chinese = {"train.csv": "text,labels\n你好 吗,a\n你,b\n", "test.csv": "text,labels\n好,b\n"}
    pack(tmp_path / "local", "en", "text", ["a", "b"], english)
    pack(tmp_path / "local", "zh", "text", ["a", "b"], chinese)
    places = Places(tmp_path / "cache", tmp_path / "local")
    for name, expected in [("en", ["it's", "here", ",", "here", "."]), ("zh", ["你", "好", "吗"])]:
        dataset = places.find(name)
        info, rows = read(dataset.folder, name, "train")
        assert isinstance(rows.x, Ragged)
        assert [info.vocabulary[int(i)] for i in rows.x[0].ravel()] == expected
        assert dataset.modality == "text"


def test_packed_images_and_videos_keep_their_files(tmp_path: Path) -> None:
    files = [image_file("PNG", value) for value in (10, 20, 30)]
    sizes = [len(file) for file in files]
    images = {
        "train.csv": "file,bytes,labels\n" + "".join(f"f,{size},a\n" for size in sizes),
        "train.png.bin": b"".join(files),
        "test.csv": f"file,bytes,labels\nf,{sizes[0]},b\n",
        "test.png.bin": files[0],
    }
    videos = images | {
        "train.csv": f"file,bytes,labels\nf,{sizes[0]} {sizes[1]},a\nf,{sizes[2]},b\n",
    }
    pack(tmp_path / "local", "i", "image", ["a", "b"], images)
    pack(tmp_path / "local", "v", "video", ["a", "b"], videos)
    places = Places(tmp_path / "cache", tmp_path / "local")
    assert (places.find("i").modality, places.find("v").modality) == ("image", "video")
    info, rows = read(places.find("v").folder, "v", "train")
    assert isinstance(rows.x, EncodedFrames)
    assert rows.x.lengths.tolist() == [2, 1]
    assert bytes(rows.x.frame(2)) == files[2]
    assert (info.specs[0].n_rows, info.specs[0].n_cols, info.specs[0].n_channels, info.sequence_size) == (4, 6, 3, -1)


def test_packed_sounds_and_series_keep_their_values(tmp_path: Path) -> None:
    sounds = [sound_file([1, -2] * 1500), sound_file([5] * 2500)]
    table = "file,bytes,labels\n" + "".join(f"f,{len(sound)},a\n" for sound in sounds)
    speech = {
        "train.csv": table,
        "train.wav.bin": b"".join(sounds),
        "test.csv": table,
        "test.wav.bin": b"".join(sounds),
    }
    series = {"values": np.arange(10.0).reshape(5, 2), "lengths": np.array([2, 3]), "y": np.array(["a", "b"])}
    pack(tmp_path / "local", "s", "speech", ["a"], speech)
    pack(tmp_path / "local", "w", "series", ["a", "b"], {"train.npz": series, "test.npz": series})
    places = Places(tmp_path / "cache", tmp_path / "local")
    _, rows = read(places.find("s").folder, "s", "train")
    assert rows.x.lengths.tolist() == [3000, 2500]
    assert rows.x.values.ravel()[:2].tolist() == [1, -2]
    _, rows = read(places.find("w").folder, "w", "train")
    assert rows.x[1].reshape(3, 2).tolist() == [[4, 5], [6, 7], [8, 9]]
    assert (places.find("s").modality, places.find("w").modality) == ("speech", "series")


def test_a_zip_is_converted_once_and_again_when_it_changes(tmp_path: Path) -> None:
    table = "a,labels\n1,x\n2,y\n"
    places = Places(tmp_path / "cache", tmp_path / "local")
    pack(tmp_path / "local", "t", "tabular", ["x", "y"], {"train.csv": table, "test.csv": table})
    first = places.find("t").folder
    assert places.find("t").folder == first
    pack(tmp_path / "local", "t", "tabular", ["x", "y"], {"train.csv": table + "3,x\n", "test.csv": table})
    assert len(read(places.find("t").folder, "t", "train")[1]) == 3


def test_a_zip_that_is_not_packed_so_leaves_nothing_behind(tmp_path: Path) -> None:
    pack(tmp_path / "local", "t", "tabular", ["x"], {"train.csv": "a,labels\n1,x\n"})
    with pytest.raises(BenchmarkError, match="must hold what"):
        Places(tmp_path / "cache", tmp_path / "local").find("t")
    assert list((tmp_path / "cache").rglob("*.data")) == []


# ------------------------------------------------------------------------------------------------ downloads


def published(path: Path, content: bytes) -> File:
    """A file with its sha256, at an address that needs no network."""
    path.write_bytes(content)
    return File(path.as_uri(), hashlib.sha256(content).hexdigest())


def idx(array: np.ndarray) -> bytes:
    head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
    return gzip.compress(head + array.astype(np.uint8).tobytes())


def tar(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


ADULT = "39, State-gov, 77516, Bachelors, 13, Never-married, ?, Own, White, Male, 2174, 0, 40, Cuba, {label}\n"
CIFAR = bytes([3]) + bytes(range(256)) * 12
COVTYPE = ",".join(map(str, [*range(54), 3])) + "\n"
HYPOTHYROID = "41,F," + "f," * 14 + "t,1.3,t,2.5,f,?,t,1.14,t,109,f,?,SVHC,{label}.|3733\n"
MUSHROOM = "p,x,s,n,t,p,f,c,n,k,e,?,s,s,w,w,p,w,o,p,k,s,u\n"
SPAM = "0.64," * 54 + "3.756,61,278,1\n"
TREES = b"(3 (2 The) (4 (2 -LRB-) (2 fine\\/good)))\n(2 (2 so) (2 so))\n(0 (2 Awful) (2 .))\n"
FSDD = {f"fsdd-1.0.9/recordings/{name}.wav": sound_file([1, -2] * 1500) for name in ("7_a_5", "3_b_4", "7_a_49")}
ESC = {
    "ESC-50-1/meta/esc50.csv": b"filename,fold,target,category,esc10,src_file,take\n"
    b"1.wav,1,0,dog,True,1,A\n2.wav,4,1,cat,False,2,A\n3.wav,5,10,rain,True,3,A\n4.wav,2,0,dog,True,4,A\n",
    **{f"ESC-50-1/audio/{i}.wav": sound_file([100] * 13230) for i in range(1, 5)},  # 0.3 s at 44.1 kHz
}
TS = b"#about\n@problemName x\n@classLabel true b a\n@data\n"
NEWS = {f"20news-bydate-{split}/{name}/1": b"Hello \xe9" for split in ("train", "test") for name in ("b.c", "a.b")}
CASES = {
    "adult": (
        [ADULT.format(label="<=50K").encode(), ("|1x3 Cross validator\n" + ADULT.format(label=">50K.")).encode()],
        "tabular",
        [[0, 1]],
    ),
    "mnist": (
        [idx(np.zeros((2, 28, 28))), idx(np.array([5, 0])), idx(np.ones((1, 28, 28))), idx(np.array([1]))],
        "image",
        [[0, 1, 0, 0, 0, 0, 0, 0, 0, 0]],
    ),
    "cifar10": (
        [tar({**{f"c/data_batch_{i}.bin": CIFAR for i in (1, 2)}, "c/test_batch.bin": CIFAR, "c/readme.html": b"x"})],
        "image",
        [[0, 0, 0, 1, 0, 0, 0, 0, 0, 0]],
    ),
    "go_emotions": (
        [b"so \xe2\x80\xa8 glad\t17,0\tid1\nwell\t27\tid2\n", b"thanks!\t15\tid3\n"],
        "text",
        [[int(name == "gratitude") for name in sorted(EMOTIONS)]],
    ),
    "newsgroups20": ([tar(NEWS)], "text", None),
    "covtype20k": ([gzip.compress(COVTYPE.encode() * 5)], "tabular", [[0, 0, 1, 0, 0, 0, 0]]),
    "mushroom": ([MUSHROOM.encode() * 5], "tabular", [[0, 1]]),
    "spambase": ([SPAM.encode() * 5], "tabular", [[0, 1]]),
    "hypothyroid": (
        [
            (HYPOTHYROID.format(label="negative") + HYPOTHYROID.format(label="compensated hypothyroid")).encode(),
            HYPOTHYROID.format(label="primary hypothyroid").encode(),
        ],
        "tabular",
        [[0, 0, 1, 0]],
    ),
    "sst2": ([zipped({"trees/train.txt": TREES, "trees/test.txt": b"(1 (2 Bad) (2 .))\n"})], "text", [[1, 0]]),
    "trec": (
        [b"DESC:manner How ?\nLOC:city Which sister\xf0city ?\n", b"LOC:other Where is it ?\n"],
        "text",
        [[0, 1]],
    ),
    "fsdd": ([tar({**FSDD, "fsdd-1.0.9/README.md": b"x"})], "speech", [[0, 0, 0, 1, 0, 0, 0, 0, 0, 0]]),
    "esc10": ([zipped(ESC)], "speech", [[0, 0, 0, 0, 0, 0, 0, 1, 0, 0]]),
    **{
        name: (
            [
                zipped(
                    {
                        f"UCRArchive_2018/{folder}/{folder}_TRAIN.tsv": b"2\t0.5\t-0.5\t1\n10\t0.25\t0\t1e-1\n",
                        f"UCRArchive_2018/{folder}/{folder}_TEST.tsv": b"10\t1\t2\t3\n",
                    }
                )
            ],
            "series",
            [[1, 0]],
        )
        for name, folder in (("cricket_x", "CricketX"), ("face_all", "FaceAll"), ("swedish_leaf", "SwedishLeaf"))
    },
    **{
        name: ([TS + b"1,2,3:4,5,6:b\n1,2:4,5:a\n", TS + b"7,8:-8.3E-4,0:a\n"], "series", [[1, 0]])
        for name in ("basic_motions", "japanese_vowels")
    },
}
TRAIN_ROWS = {"adult": 1, "covtype20k": 4, "mushroom": 4, "spambase": 4}


@pytest.mark.parametrize("name", CASES)
def test_a_public_dataset_is_downloaded_checked_and_converted(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents, modality, expected = CASES[name]
    files = tuple(published(tmp_path / f"file{i}", content) for i, content in enumerate(contents))
    monkeypatch.setitem(PUBLIC, name, Source("made up", "none", files, PUBLIC[name].read))
    dataset = Places(tmp_path / "cache", download=True).find(name)
    _, rows = read(dataset.folder, name, "train")
    assert dataset.modality == modality
    assert len(rows) == TRAIN_ROWS.get(name, 2)
    assert rows.y.sum(axis=1).min() >= 1
    if expected:
        assert solution(dataset.folder, name) == expected
    assert list(dataset.folder.parent.iterdir()) == [dataset.folder]


def made(name: str, folder: Path) -> Any:
    """What a reader makes of the tiny files of its case."""
    paths = []
    for i, content in enumerate(CASES[name][0]):
        paths.append(folder / f"file{i}")
        paths[-1].write_bytes(content)
    reader = PUBLIC[name].read
    assert reader is not None
    return reader(paths)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("covtype20k", [*range(54)]),
        ("mushroom", [0] * 10 + [np.nan] + [0] * 11),  # codes of letters; "?" is missing
        ("spambase", [0.64] * 54 + [3.756, 61, 278]),
        ("hypothyroid", [41, *[0] * 15, 0, 1.3, 0, 2.5, 0, np.nan, 0, 1.14, 0, 109, 0, np.nan, 0]),
        ("fsdd", [1, -2] * 1500),
    ],
)
def test_a_row_of_the_original_keeps_its_values(name: str, expected: list[float], tmp_path: Path) -> None:
    row = made(name, tmp_path).splits["train"].bundles[0]["dense"]
    assert np.array_equal(row.ravel(), np.array(expected, np.float32), equal_nan=True)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sst2", {"0": "awful .", "1": "the - lrb - fine \\ / good"}),  # "so so" is neutral, so left out
        ("trec", {"DESC": "how ?", "LOC": "which sister\xf0city ?"}),
    ],
)
def test_a_text_of_the_original_keeps_its_words_and_its_class(
    name: str, expected: dict[str, str], tmp_path: Path
) -> None:
    contents = made(name, tmp_path)
    rows = contents.splits["train"]
    texts = [" ".join(contents.vocabulary[int(i)] for i in bundle["dense"].ravel()) for bundle in rows.bundles]
    assert {label: text for (label,), text in zip(rows.labels, texts, strict=True)} == expected


def test_sounds_of_esc_are_resampled_to_8_khz(tmp_path: Path) -> None:
    rows = made("esc10", tmp_path).splits["train"]
    assert rows.labels == [["Dog_bark"], ["Dog_bark"]]
    assert [bundle["dense"].shape for bundle in rows.bundles] == [(2400, 1)] * 2
    assert np.allclose(rows.bundles[0]["dense"][100:-100], 100, atol=1)


def test_series_of_the_archives_keep_their_shape_and_class(tmp_path: Path) -> None:
    ucr, uea = made("cricket_x", tmp_path), made("basic_motions", tmp_path)
    shapes = {
        label: bundle["dense"].tolist()
        for (label,), bundle in zip(uea.splits["train"].labels, uea.splits["train"].bundles, strict=True)
    }
    assert shapes == {"a": [[1, 4], [2, 5]], "b": [[1, 4], [2, 5], [3, 6]]}
    assert (uea.sequence_size, uea.classes, ucr.sequence_size, ucr.classes) == (-1, ["a", "b"], 3, ["10", "2"])
    assert ucr.splits["test"].bundles[0]["dense"].tolist() == [[1], [2], [3]]


def test_another_content_than_the_published_one_is_refused(tmp_path: Path) -> None:
    file = published(tmp_path / "file", b"right")
    (tmp_path / "file").write_bytes(b"wrong")
    with pytest.raises(BenchmarkError, match="must have the sha256"):
        public.download(file, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_an_address_that_does_not_answer_is_named(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="must be reachable"):
        public.download(File((tmp_path / "nowhere").as_uri(), "0" * 64), tmp_path)


def test_every_public_dataset_states_origin_and_licence() -> None:
    assert len(PUBLIC) == 26
    for source in PUBLIC.values():
        assert source.origin
        assert source.licence
        assert bool(source.files) == (source.read is not None)
        assert all(file.url.startswith("https://") and len(file.sha256) == 64 for file in source.files)
