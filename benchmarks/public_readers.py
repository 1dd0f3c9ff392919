"""Readers of the public datasets that can be downloaded: from the files of their makers to `Contents`.

A reader takes files in the order in which `public.py` names them, and keeps the split of their makers. Where they state
none, the last fifth of the mixed rows is for testing. Where files come class by class, rows are mixed: always in the
same order, by a fixed seed. How packed sets were drawn, split and mixed is not known, so their rows come in another
order, and are other rows where a docstring says so.
"""

from __future__ import annotations

import gzip
import io
import re
import tarfile
import zipfile
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
from PIL import Image
from scipy.signal import resample_poly

from autodl_solver.data.examples import Array
from benchmarks.packed import (
    SPLITS,
    Contents,
    Labels,
    Rows,
    dense_rows,
    image_contents,
    series_contents,
    speech_contents,
    table_contents,
    text_contents,
    wave_samples,
)

T = TypeVar("T")
SEED = 0
TEST_PARTS = 5  # one of so many is for testing, where the makers state no split
COVTYPE_ROWS = 20_000
SST_LEAF = re.compile(r"\(\d ([^()]+)\)")
FSDD_TEST_NUMBERS = 5
ESC_TEST_FOLD = 5
ESC_UP, ESC_DOWN = 80, 441  # from 44.1 to 8 kHz, the rate of the packed set
UCR_PASSWORD = b"someone"  # as the page of the archive tells everybody who has read it

# fmt: off
ADULT_COLUMNS = [
    "age", "workclass", "fnlwgt", "education", "education_num", "marital", "occupation", "relationship", "race", "sex",
    "gain", "loss", "hours", "country", "labels",
]
MUSHROOM_COLUMNS = [
    "labels", "cap-shape", "cap-surface", "cap-color", "bruises?", "odor", "gill-attachment", "gill-spacing",
    "gill-size", "gill-color", "stalk-shape", "stalk-root", "stalk-surface-above-ring", "stalk-surface-below-ring",
    "stalk-color-above-ring", "stalk-color-below-ring", "veil-type", "veil-color", "ring-number", "ring-type",
    "spore-print-color", "population", "habitat",
]
HYPOTHYROID_COLUMNS = [
    "age", "sex", "on thyroxine", "query on thyroxine", "on antithyroid medication", "sick", "pregnant",
    "thyroid surgery", "I131 treatment", "query hypothyroid", "query hyperthyroid", "lithium", "goitre", "tumor",
    "hypopituitary", "psych", "TSH measured", "TSH", "T3 measured", "T3", "TT4 measured", "TT4", "T4U measured", "T4U",
    "FTI measured", "FTI", "TBG measured", "TBG", "referral source", "labels",
]
HYPOTHYROID_CLASSES = [
    "compensated_hypothyroid", "negative", "primary_hypothyroid", "secondary_hypothyroid",
]
SPAMBASE_WORDS = [
    "make", "address", "all", "3d", "our", "over", "remove", "internet", "order", "mail", "receive", "will", "people",
    "report", "addresses", "free", "business", "email", "you", "credit", "your", "font", "000", "money", "hp", "hpl",
    "george", "650", "lab", "labs", "telnet", "857", "data", "415", "85", "technology", "1999", "parts", "pm",
    "direct", "cs", "meeting", "original", "project", "re", "edu", "table", "conference",
]
CIFAR10_CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
EMOTIONS = [  # in the order of the numbers in the files
    "admiration", "amusement", "anger", "annoyance", "approval", "caring", "confusion", "curiosity", "desire",
    "disappointment", "disapproval", "disgust", "embarrassment", "excitement", "fear", "gratitude", "grief", "joy",
    "love", "nervousness", "optimism", "pride", "realization", "relief", "remorse", "sadness", "surprise", "neutral",
]
ESC10_CLASSES = {  # names in ESC-50: names in ESC-10
    "crying_baby": "Baby_cry", "chainsaw": "Chainsaw", "clock_tick": "Clock_tick", "dog": "Dog_bark",
    "crackling_fire": "Fire_crackling", "helicopter": "Helicopter", "sneezing": "Person_sneeze", "rain": "Rain",
    "rooster": "Rooster", "sea_waves": "Sea_waves",
}
# fmt: on
SPAMBASE_COLUMNS = [
    *(f"word_freq_{word}" for word in SPAMBASE_WORDS),
    *(f"char_freq_{mark}" for mark in ";([!$#"),
    *(f"capital_run_length_{what}" for what in ("average", "longest", "total")),
    "labels",
]
DIGITS = [str(digit) for digit in range(10)]


def _order(n_rows: int) -> list[int]:
    order: list[int] = np.random.default_rng(SEED).permutation(n_rows).tolist()
    return order


def _mixed(rows: list[T]) -> list[T]:
    return [rows[i] for i in _order(len(rows))]


# ------------------------------------------------------------------------------------------------ tables


def _table_in_two(table: pd.DataFrame, classes: list[str], n_rows: int | None = None) -> Contents:
    """A table that its makers did not split: its rows mixed, at most `n_rows` of them, the last fifth for testing."""
    order = _order(len(table))[:n_rows]
    n_train = len(order) - len(order) // TEST_PARTS
    tables: dict[str, pd.DataFrame] = {}
    labels: dict[str, Labels] = {}
    for split, chosen in (("train", order[:n_train]), ("test", order[n_train:])):
        part = table.iloc[chosen]
        labels[split] = [[str(label)] for label in part["labels"]]
        tables[split] = part.drop(columns="labels")
    return table_contents(tables, labels, classes)


def read_adult(paths: list[Path]) -> Contents:
    """adult.data, adult.test: comma and space; "?" is missing; the test file has one line more, and full stops."""
    tables, labels = {}, {}
    for split, path in zip(SPLITS, paths, strict=True):
        table = pd.read_csv(path, names=ADULT_COLUMNS, skipinitialspace=True, na_values="?", comment="|")
        labels[split] = [[str(label).rstrip(".")] for label in table.pop("labels")]
        tables[split] = table
    return table_contents(tables, labels, ["<=50K", ">50K"])


def read_covtype20k(paths: list[Path]) -> Contents:
    """covtype.data.gz: 54 integers and a class, no header; 20,000 rows by our seed, so not those of the packed set."""
    names = [*(str(column) for column in range(54)), "labels"]
    table = pd.read_csv(paths[0], names=names, compression="gzip", dtype=np.int16)
    return _table_in_two(table, [str(kind) for kind in range(1, 8)], COVTYPE_ROWS)


def read_hypothyroid(paths: list[Path]) -> Contents:
    """allhypo.data, allhypo.test: "?" is missing; the class ends with a full stop, "|" and the number of the patient.

    The split of the makers, 2,800 and 972 rows; the packed set has another.
    """
    tables, labels = {}, {}
    for split, path in zip(SPLITS, paths, strict=True):
        table = pd.read_csv(path, names=HYPOTHYROID_COLUMNS, na_values="?")
        labels[split] = [[label.partition(".")[0].replace(" ", "_")] for label in table.pop("labels")]
        tables[split] = table
    return table_contents(tables, labels, HYPOTHYROID_CLASSES)


def read_mushroom(paths: list[Path]) -> Contents:
    """agaricus-lepiota.data: letters, the class first; "?" is missing. Our split, not that of the packed set."""
    return _table_in_two(pd.read_csv(paths[0], names=MUSHROOM_COLUMNS, na_values="?"), ["e", "p"])


def read_spambase(paths: list[Path]) -> Contents:
    """spambase.data: numbers, the class last. Our split, not that of the packed set."""
    return _table_in_two(pd.read_csv(paths[0], names=SPAMBASE_COLUMNS), ["0", "1"])


# ------------------------------------------------------------------------------------------------ images


def read_mnist(paths: list[Path]) -> Contents:
    """Train images and labels, test images and labels: gzipped IDX."""
    arrays = [_idx(path) for path in paths]
    splits = {
        "train": Rows([_png(image) for image in arrays[0]], [[str(label)] for label in arrays[1]]),
        "test": Rows([_png(image) for image in arrays[2]], [[str(label)] for label in arrays[3]]),
    }
    return image_contents(splits, DIGITS)


def _idx(path: Path) -> Array:
    """An array of bytes: two zeros, the type, the number of axes; big-endian sizes; the values."""
    content = gzip.decompress(path.read_bytes())
    n_axes = content[3]
    shape = np.frombuffer(content, ">i4", n_axes, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * n_axes).reshape(shape)


def _png(pixels: Array) -> dict[str, list[bytes]]:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return {"compressed": [file.getvalue()]}


def read_cifar10(paths: list[Path]) -> Contents:
    """The binary version: a label and 3 x 32 x 32 bytes for each image; five batches for training."""
    splits = {}
    with tarfile.open(paths[0]) as archive:
        files = {Path(member.name).name: member for member in archive.getmembers() if member.isfile()}
        for split, pattern in (("train", "data_batch_"), ("test", "test_batch")):
            batches = [archive.extractfile(files[name]) for name in sorted(files) if name.startswith(pattern)]
            records = np.frombuffer(b"".join(batch.read() for batch in batches if batch), np.uint8).reshape(-1, 3073)
            images = records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
            labels = [[CIFAR10_CLASSES[label]] for label in records[:, 0]]
            splits[split] = Rows([_png(np.ascontiguousarray(image)) for image in images], labels)
    return image_contents(splits, CIFAR10_CLASSES)


# ------------------------------------------------------------------------------------------------ texts


def _mixed_texts(rows: dict[str, list[tuple[str, str]]]) -> Contents:
    """Texts and their classes, files of which came class by class."""
    mixed = {split: _mixed(some) for split, some in rows.items()}
    texts = {split: [text for text, _ in some] for split, some in mixed.items()}
    labels: dict[str, Labels] = {split: [[label] for _, label in some] for split, some in mixed.items()}
    return text_contents(texts, labels, sorted({label for _, label in rows["train"]}))


def read_go_emotions(paths: list[Path]) -> Contents:
    """train.tsv, test.tsv: text, numbers of emotions, id of the comment."""
    texts, labels = {}, {}
    for split, path in zip(SPLITS, paths, strict=True):
        lines = path.read_text(encoding="utf-8").split("\n")  # texts may hold other ends of lines
        rows = [line.split("\t") for line in lines if line.strip()]
        texts[split] = [row[0] for row in rows]
        labels[split] = [[EMOTIONS[int(number)] for number in row[1].split(",")] for row in rows]
    return text_contents(texts, labels, sorted(EMOTIONS))


def read_newsgroups20(paths: list[Path]) -> Contents:
    """A tar of 20news-bydate-SPLIT/CLASS/NUMBER, in Latin-1."""
    rows: dict[str, list[tuple[str, str]]] = {split: [] for split in SPLITS}
    with tarfile.open(paths[0]) as archive:
        for member in sorted((one for one in archive.getmembers() if one.isfile()), key=lambda one: one.name):
            folder, label = Path(member.name).parts[-3:-1]
            rows[folder.rpartition("-")[2]].append((_content(archive, member).decode("latin-1"), label))
    return _mixed_texts(rows)


def read_sst2(paths: list[Path]) -> Contents:
    """A zip of trees/SPLIT.txt: a tree a line, its leaves words, each node with 0 to 4; the root's counts.

    0 and 1 are negative, 3 and 4 positive, 2 is left out: 6,920 and 1,821 sentences, as many as in the packed set.
    """
    rows = {}
    with zipfile.ZipFile(paths[0]) as archive:
        for split in SPLITS:
            trees = archive.read(f"trees/{split}.txt").decode("utf-8").split("\n")
            kept = [tree for tree in trees if tree.strip() and tree[1] != "2"]
            rows[split] = [(" ".join(SST_LEAF.findall(tree)), "0" if tree[1] < "2" else "1") for tree in kept]
    return _mixed_texts(rows)


def read_trec(paths: list[Path]) -> Contents:
    """train_5500.label, TREC_10.label: a line is CLASS:KIND and the question, in Latin-1."""
    rows: dict[str, list[tuple[str, str]]] = {}
    for split, path in zip(SPLITS, paths, strict=True):
        lines = [line.partition(" ") for line in path.read_text(encoding="latin-1").split("\n") if line.strip()]
        rows[split] = [(text.strip(), label.partition(":")[0]) for label, _, text in lines]
    return _mixed_texts(rows)


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member)
    assert file is not None, "a file has content"
    return file.read()


# ------------------------------------------------------------------------------------------------ speech and series


def _mixed_rows(rows: dict[str, list[tuple[Array, str]]]) -> dict[str, Rows]:
    """Arrays [n_steps, n_values] and their classes, files of which came class by class."""
    mixed = {split: _mixed(some) for split, some in rows.items()}
    return {split: dense_rows([x for x, _ in some], [[label] for _, label in some]) for split, some in mixed.items()}


def read_fsdd(paths: list[Path]) -> Contents:
    """A tar of recordings/DIGIT_SPEAKER_NUMBER.wav at 8 kHz; numbers below 5 are for testing, as its README says.

    Release 1.0.9, five speakers, 2,500 recordings; the packed set has a sixth speaker and 3,000.
    """
    rows: dict[str, list[tuple[Array, str]]] = {split: [] for split in SPLITS}
    with tarfile.open(paths[0]) as archive:
        for member in sorted(archive.getmembers(), key=lambda one: one.name):
            path = Path(member.name)
            if path.parent.name == "recordings" and path.suffix == ".wav":
                digit, _, number = path.stem.split("_")
                split = "test" if int(number) < FSDD_TEST_NUMBERS else "train"
                rows[split].append((wave_samples(_content(archive, member)), digit))
    return speech_contents(_mixed_rows(rows), DIGITS)


def read_esc10(paths: list[Path]) -> Contents:
    """The zip of ESC-50, whose meta/esc50.csv marks ESC-10; its last fold is for testing; resampled to 8 kHz.

    The packed set comes from the Ogg files of ESC-10 and has another split of the same 400 recordings.
    """
    rows: dict[str, list[tuple[Array, str]]] = {split: [] for split in SPLITS}
    with zipfile.ZipFile(paths[0]) as archive:
        root = archive.namelist()[0].partition("/")[0]
        with archive.open(f"{root}/meta/esc50.csv") as file:
            table = pd.read_csv(file)
        chosen = table.loc[table["esc10"], ["filename", "fold", "category"]]
        for name, fold, category in chosen.itertuples(index=False):
            samples = wave_samples(archive.read(f"{root}/audio/{name}"))
            sound = np.rint(resample_poly(samples, ESC_UP, ESC_DOWN)).astype(np.float32)
            rows["test" if fold == ESC_TEST_FOLD else "train"].append((sound, ESC10_CLASSES[category]))
    return speech_contents(_mixed_rows(rows), sorted(ESC10_CLASSES.values()))


def read_ucr(name: str, paths: list[Path]) -> Contents:
    """The zip of the UCR archive, of which NAME/NAME_SPLIT.tsv is read: the class and the values, no header."""
    rows = {}
    with zipfile.ZipFile(paths[0]) as archive:
        for split in SPLITS:
            with archive.open(f"UCRArchive_2018/{name}/{name}_{split.upper()}.tsv", pwd=UCR_PASSWORD) as file:
                values = pd.read_csv(file, sep="\t", header=None).to_numpy(np.float32)
            rows[split] = [(row[1:, None], str(int(row[0]))) for row in values]
    return series_contents(_mixed_rows(rows), sorted({label for _, label in rows["train"]}))


def read_uea(paths: list[Path]) -> Contents:
    """NAME_TRAIN.ts, NAME_TEST.ts: after @data a series a line, dimension:...:class, commas between steps."""
    rows = {}
    for split, path in zip(SPLITS, paths, strict=True):
        lines = path.read_text(encoding="utf-8").partition("@data\n")[2].splitlines()
        rows[split] = [_series(line) for line in lines if line.strip()]
    return series_contents(_mixed_rows(rows), sorted({label for _, label in rows["train"]}))


def _series(line: str) -> tuple[Array, str]:
    *dimensions, label = line.split(":")
    return np.array([dimension.split(",") for dimension in dimensions]).astype(np.float32).T, label.strip()
