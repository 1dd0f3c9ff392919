"""The packed form of a dataset, a zip of NAME, and its way into the format of the challenge.

    info.json                      name, modality, source, licence, classes (list of names), multi_label
    train.csv, test.csv            tables and texts: their columns, and `labels`
                                   images, video, speech: `file`, `bytes` (one size for each frame), `labels`
    train.jpg.bin, train.wav.bin   the files of train.csv, one after the other; likewise test
    train.npz, test.npz            series: values [n_steps, n_values], lengths [n_rows], y (names of classes)

Labels are names of classes, several joined by "|". Tables: a column that is not numeric becomes codes in the order of
its sorted values. Texts: lower-case words and marks, or the characters if Chinese; the vocabulary is that of both
splits. Speech: 16-bit WAV.
"""

from __future__ import annotations

import io
import json
import re
import wave
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from PIL import Image

from autodl_solver.data.example_encoding import encode_example
from autodl_solver.data.examples import Array
from autodl_solver.data.info import METADATA_FILE, DatasetInfo, Format, MatrixSpec, write_metadata
from autodl_solver.data.tfrecord import write_records
from benchmarks.errors import BenchmarkError

SPLITS = ("train", "test")
CHINESE_SHARE = 0.2  # of the characters of the first texts
N_LOOKED_AT = 200
TOKEN = re.compile(r"\w+(?:'\w+)?|[^\w\s]")
Labels: TypeAlias = "list[list[str]]"


@dataclass(frozen=True)
class Rows:
    """One split: the bundles of its rows, as `encode_example` takes them (dense=..., ...), and their labels."""

    bundles: list[dict[str, Any]]
    labels: Labels


@dataclass(frozen=True)
class Contents:
    """A dataset, ready to be written.

    Attributes:
        splits: train and test.
        spec: of the matrices.
        sequence_size: time steps; -1 where they differ.
        classes: names, in the order of their indices.
        vocabulary: tokens, in the order of their indices.
        features: names of columns.
    """

    splits: dict[str, Rows]
    spec: MatrixSpec
    sequence_size: int
    classes: list[str]
    vocabulary: list[str] = field(default_factory=list)
    features: list[str] = field(default_factory=list)


def convert_packed(path: Path, out: Path) -> None:
    """Write the packed dataset NAME.zip as `out`/NAME.data and `out`/NAME.solution.

    Raises:
        BenchmarkError: the zip is not in the packed form.
    """
    try:
        with zipfile.ZipFile(path) as packed:
            info = json.loads(packed.read("info.json"))
            contents = READERS[info["modality"]](packed, info["classes"])
    except (KeyError, ValueError, zipfile.BadZipFile) as error:
        raise BenchmarkError(
            f"A packed dataset must hold what benchmarks/packed.py says, however {path} fails: {error!r}."
        ) from error
    write_dataset(path.stem, contents, out)


def write_dataset(name: str, contents: Contents, out: Path) -> None:
    """Write a dataset in the format of the challenge; the labels of the test rows go into the solution only."""
    index = {label: i for i, label in enumerate(contents.classes)}
    for split, rows in contents.splits.items():
        folder = out / f"{name}.data" / split
        folder.mkdir(parents=True)
        info = DatasetInfo(
            name,
            None,
            len(rows.bundles),
            len(index),
            contents.sequence_size,
            (contents.spec,),
            tuple(contents.classes),
            tuple(contents.vocabulary),
            tuple(contents.features),
        )
        write_metadata(info, folder / METADATA_FILE)
        shown = [[(index[label], 1.0) for label in row] if split == "train" else [] for row in rows.labels]
        records = (encode_example(i, shown[i], **bundle) for i, bundle in enumerate(rows.bundles))
        write_records(folder / f"sample-{name}-{split}.tfrecord", records)
    solution = np.zeros((len(contents.splits["test"].labels), len(index)), np.int8)
    for i, row in enumerate(contents.splits["test"].labels):
        solution[i, [index[label] for label in row]] = 1
    np.savetxt(out / f"{name}.solution", solution, fmt="%d")


def dense_rows(arrays: list[Array], labels: Labels) -> Rows:
    """Rows [n_steps, n_values]."""
    return Rows([{"dense": array} for array in arrays], labels)


def text_contents(texts: dict[str, list[str]], labels: dict[str, Labels], classes: list[str]) -> Contents:
    """Texts of both splits as indices into their vocabulary."""
    first = "".join(texts["train"][:N_LOOKED_AT])
    n_chinese = sum("\u4e00" <= character <= "\u9fff" for character in first)
    is_chinese = n_chinese > CHINESE_SHARE * len(first)
    tokens = {
        split: [
            ([c for c in text if not c.isspace()] if is_chinese else TOKEN.findall(text.lower())) or [" "]
            for text in some
        ]
        for split, some in texts.items()
    }
    vocabulary = sorted({token for some in tokens.values() for one in some for token in one})
    index = {token: i for i, token in enumerate(vocabulary)}
    ids = {
        split: [np.array([index[token] for token in one], np.float32)[:, None] for one in some]
        for split, some in tokens.items()
    }
    splits = {split: dense_rows(ids[split], labels[split]) for split in ids}
    return Contents(splits, MatrixSpec(1, 1, 1, Format.DENSE), -1, classes, vocabulary)


def table_contents(tables: dict[str, pd.DataFrame], labels: dict[str, Labels], classes: list[str]) -> Contents:
    """Tables without their labels, NaN where a value is missing."""
    both = pd.concat(tables.values())
    for column in both.columns:
        if not pd.api.types.is_numeric_dtype(both[column]):
            codes = {value: i for i, value in enumerate(sorted(both[column].dropna().unique(), key=str))}
            tables = {split: table.assign(**{column: table[column].map(codes)}) for split, table in tables.items()}
    splits = {
        split: dense_rows(list(table.to_numpy(np.float32)[:, None]), labels[split]) for split, table in tables.items()
    }
    spec = MatrixSpec(1, both.shape[1], 1, Format.DENSE)
    return Contents(splits, spec, 1, classes, features=[str(column) for column in both.columns])


def image_contents(splits: dict[str, Rows], classes: list[str]) -> Contents:
    """Images and videos, as files; their sizes come from their headers."""
    frames = [bundle["compressed"] for rows in splits.values() for bundle in rows.bundles]
    headers = []
    for files in frames:
        with Image.open(io.BytesIO(files[0])) as image:
            headers.append((image.size, image.mode))
    sizes, n_frames = {size for size, _ in headers}, {len(files) for files in frames}
    n_cols, n_rows = sizes.pop() if len(sizes) == 1 else (-1, -1)
    n_channels = 1 if all(mode in ("L", "1") for _, mode in headers) else 3
    spec = MatrixSpec(n_rows, n_cols, n_channels, Format.COMPRESSED)
    return Contents(splits, spec, n_frames.pop() if len(n_frames) == 1 else -1, classes)


def speech_contents(splits: dict[str, Rows], classes: list[str]) -> Contents:
    """Sounds, one sample a step."""
    return Contents(splits, MatrixSpec(1, 1, 1, Format.DENSE), -1, classes)


def series_contents(splits: dict[str, Rows], classes: list[str]) -> Contents:
    """Series [n_steps, n_values], of one length or of several."""
    arrays = [bundle["dense"] for rows in splits.values() for bundle in rows.bundles]
    lengths = {len(array) for array in arrays}
    spec = MatrixSpec(1, arrays[0].shape[1], 1, Format.DENSE)
    return Contents(splits, spec, lengths.pop() if len(lengths) == 1 else -1, classes)


def wave_samples(file: bytes) -> Array:
    """[n_steps, 1] of a 16-bit WAV file."""
    with wave.open(io.BytesIO(file)) as sound:
        return np.frombuffer(sound.readframes(sound.getnframes()), "<i2").astype(np.float32)[:, None]


def _names(column: Any) -> Labels:
    return [[name for name in str(text).split("|") if name] for text in column]


def _csv(packed: zipfile.ZipFile, split: str, **how: Any) -> pd.DataFrame:
    with packed.open(f"{split}.csv") as file:
        return pd.read_csv(file, **how)


def _files(packed: zipfile.ZipFile, split: str) -> Iterator[tuple[list[bytes], list[str]]]:
    """Files of a row (one, or a frame each), and its labels."""
    table = _csv(packed, split, keep_default_na=False, dtype=str)
    blob = packed.read(next(name for name in packed.namelist() if re.fullmatch(rf"{split}\..*bin", name)))
    at = 0
    for sizes, labels in zip(table["bytes"], _names(table["labels"]), strict=True):
        files = []
        for size in map(int, sizes.split()):
            files.append(blob[at : at + size])
            at += size
        yield files, labels


def _read_images(packed: zipfile.ZipFile, classes: list[str]) -> Contents:
    splits = {}
    for split in SPLITS:
        rows = list(_files(packed, split))
        splits[split] = Rows([{"compressed": files} for files, _ in rows], [labels for _, labels in rows])
    return image_contents(splits, classes)


def _read_speech(packed: zipfile.ZipFile, classes: list[str]) -> Contents:
    splits = {}
    for split in SPLITS:
        rows = list(_files(packed, split))
        splits[split] = dense_rows([wave_samples(files[0]) for files, _ in rows], [labels for _, labels in rows])
    return speech_contents(splits, classes)


def _read_series(packed: zipfile.ZipFile, classes: list[str]) -> Contents:
    splits = {}
    for split in SPLITS:
        arrays = np.load(io.BytesIO(packed.read(f"{split}.npz")))
        rows = np.split(arrays["values"].astype(np.float32), np.cumsum(arrays["lengths"])[:-1])
        splits[split] = dense_rows(rows, _names(arrays["y"]))
    return series_contents(splits, classes)


def _read_text(packed: zipfile.ZipFile, classes: list[str]) -> Contents:
    tables = {split: _csv(packed, split, keep_default_na=False, dtype=str) for split in SPLITS}
    texts = {split: list(table["text"]) for split, table in tables.items()}
    return text_contents(texts, {split: _names(table["labels"]) for split, table in tables.items()}, classes)


def _read_tables(packed: zipfile.ZipFile, classes: list[str]) -> Contents:
    tables = {split: _csv(packed, split, dtype={"labels": str}) for split in SPLITS}
    labels = {split: _names(table["labels"].fillna("")) for split, table in tables.items()}
    return table_contents({split: table.drop(columns="labels") for split, table in tables.items()}, labels, classes)


READERS: dict[str, Callable[[zipfile.ZipFile, list[str]], Contents]] = {
    "image": _read_images,
    "video": _read_images,
    "speech": _read_speech,
    "series": _read_series,
    "text": _read_text,
    "tabular": _read_tables,
}
