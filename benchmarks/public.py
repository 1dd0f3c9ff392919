"""The public datasets of the benchmark: where they come from, under which licence, and those that can be downloaded.

A download needs a sha256 that somebody else has published (TensorFlow Datasets' url_checksums, scikit-learn), so the
sets without one have to be given with --local. The rows are those of the original, in its order and with its split;
packed sets may be ordered or encoded otherwise, and a result names the rows that it was made on (`data_sha256`).
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import shutil
import tarfile
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from autodl_solver.data.examples import Array
from benchmarks.errors import BenchmarkError
from benchmarks.packed import Contents, Labels, Rows, image_contents, table_contents, text_contents, write_dataset

TIMEOUT_S = 60.0


@dataclass(frozen=True)
class File:
    """One file to download."""

    url: str
    sha256: str


@dataclass(frozen=True)
class Source:
    """Where a dataset comes from.

    Attributes:
        origin: for people.
        licence: as its makers state it; "research" and "cite" where they state no more.
        files: to download; none: it has to be given.
        read: from the downloaded files, in that order, to the dataset.
    """

    origin: str
    licence: str
    files: tuple[File, ...] = ()
    read: Callable[[list[Path]], Contents] | None = None


def convert_public(name: str, out: Path, cache: Path) -> None:
    """Download what is missing of a dataset and write it as `out`/NAME.data and `out`/NAME.solution.

    Raises:
        BenchmarkError: a download fails, or its content is another than the published one.
    """
    source = PUBLIC[name]
    assert source.read is not None, "what can be downloaded can be read"
    paths = [download(file, cache / "downloads") for file in source.files]
    write_dataset(name, source.read(paths), out)


def download(file: File, folder: Path) -> Path:
    """The file, from the folder or from the network; checked each time.

    Raises:
        BenchmarkError: it cannot be had, or its sha256 is another.
    """
    path = folder / f"{file.sha256[:12]}-{Path(file.url).name}"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            with urllib.request.urlopen(file.url, timeout=TIMEOUT_S) as answer, temporary.open("wb") as target:
                shutil.copyfileobj(answer, target)
        except (OSError, ValueError) as error:
            temporary.unlink(missing_ok=True)
            raise BenchmarkError(f"{file.url} must be reachable, however it is not: {error}; use --local.") from error
        os.replace(temporary, path)
    with path.open("rb") as content:
        found = _sha256(content)
    if found != file.sha256:
        path.unlink()
        raise BenchmarkError(f"{file.url} must have the sha256 {file.sha256}, however it has {found}; use --local.")
    return path


def _sha256(content: io.BufferedReader) -> str:
    digest = hashlib.sha256()
    while chunk := content.read(1 << 20):
        digest.update(chunk)
    return digest.hexdigest()


# ------------------------------------------------------------------------------------------------ one reader each

# fmt: off
ADULT_COLUMNS = [
    "age", "workclass", "fnlwgt", "education", "education_num", "marital", "occupation", "relationship", "race", "sex",
    "gain", "loss", "hours", "country", "labels",
]
CIFAR10_CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
EMOTIONS = [  # in the order of the numbers in the files
    "admiration", "amusement", "anger", "annoyance", "approval", "caring", "confusion", "curiosity", "desire",
    "disappointment", "disapproval", "disgust", "embarrassment", "excitement", "fear", "gratitude", "grief", "joy",
    "love", "nervousness", "optimism", "pride", "realization", "relief", "remorse", "sadness", "surprise", "neutral",
]
# fmt: on


def read_adult(paths: list[Path]) -> Contents:
    """adult.data, adult.test: comma and space; "?" is missing; the test file has one line more, and full stops."""
    tables, labels = {}, {}
    for split, path in zip(("train", "test"), paths, strict=True):
        table = pd.read_csv(path, names=ADULT_COLUMNS, skipinitialspace=True, na_values="?", comment="|")
        labels[split] = [[str(label).rstrip(".")] for label in table.pop("labels")]
        tables[split] = table
    return table_contents(tables, labels, ["<=50K", ">50K"])


def read_mnist(paths: list[Path]) -> Contents:
    """Train images and labels, test images and labels: gzipped IDX."""
    arrays = [_idx(path) for path in paths]
    splits = {
        "train": Rows([_png(image) for image in arrays[0]], [[str(label)] for label in arrays[1]]),
        "test": Rows([_png(image) for image in arrays[2]], [[str(label)] for label in arrays[3]]),
    }
    return image_contents(splits, [str(digit) for digit in range(10)])


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


def read_go_emotions(paths: list[Path]) -> Contents:
    """train.tsv, test.tsv: text, numbers of emotions, id of the comment."""
    texts, labels = {}, {}
    for split, path in zip(("train", "test"), paths, strict=True):
        lines = path.read_text(encoding="utf-8").split("\n")  # texts may hold other ends of lines
        rows = [line.split("\t") for line in lines if line.strip()]
        texts[split] = [row[0] for row in rows]
        labels[split] = [[EMOTIONS[int(number)] for number in row[1].split(",")] for row in rows]
    return text_contents(texts, labels, sorted(EMOTIONS))


def read_newsgroups20(paths: list[Path]) -> Contents:
    """A tar of 20news-bydate-SPLIT/CLASS/NUMBER, in Latin-1; rows are mixed, since files come class by class."""
    rows: dict[str, list[tuple[str, str]]] = {"train": [], "test": []}
    with tarfile.open(paths[0]) as archive:
        for member in sorted((one for one in archive.getmembers() if one.isfile()), key=lambda one: one.name):
            folder, label = Path(member.name).parts[-3:-1]
            file = archive.extractfile(member)
            assert file is not None, "a file has content"
            rows[folder.rpartition("-")[2]].append((file.read().decode("latin-1"), label))
    mixed = {split: [some[i] for i in np.random.default_rng(0).permutation(len(some))] for split, some in rows.items()}
    texts = {split: [text for text, _ in some] for split, some in mixed.items()}
    labels: dict[str, Labels] = {split: [[label] for _, label in some] for split, some in mixed.items()}
    return text_contents(texts, labels, sorted({label for _, label in rows["train"]}))


_UCI = "https://archive.ics.uci.edu/ml/machine-learning-databases"
_MNIST = "https://storage.googleapis.com/cvdf-datasets/mnist"
_EMOTIONS = "https://github.com/google-research/google-research/raw/master/goemotions/data"
_UCR = "UCR archive 2018, timeseriesclassification.com"
_UEA = "UEA archive, timeseriesclassification.com"

PUBLIC = {
    "adult": Source(
        "UCI Adult",
        "CC BY 4.0",
        (
            File(f"{_UCI}/adult/adult.data", "5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d"),
            File(f"{_UCI}/adult/adult.test", "a2a9044bc167a35b2361efbabec64e89d69ce82d9790d2980119aac5fd7e9c05"),
        ),
        read_adult,
    ),
    "avletters": Source("AVLetters lips (Matthews et al.)", "research"),
    "basic_motions": Source(_UEA, "cite"),
    "cifar10": Source(
        "CIFAR-10 (Krizhevsky 2009)",
        "cite",
        (
            File(
                "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
                "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            ),
        ),
        read_cifar10,
    ),
    "covtype20k": Source("UCI Covertype, 20,000 rows", "CC BY 4.0"),
    "cricket_x": Source(_UCR, "cite"),
    "esc10": Source("github.com/karoldvl/ESC-10", "CC BY 3.0"),
    "face_all": Source(_UCR, "cite"),
    "flowers5": Source("github.com/martinwestin/flower_classification", "CC BY, per photo"),
    "fsdd": Source("github.com/Jakobovski/free-spoken-digit-dataset", "CC BY-SA 4.0"),
    "go_emotions": Source(
        "GoEmotions (Google)",
        "Apache-2.0",
        (
            File(f"{_EMOTIONS}/train.tsv", "1c254a142be5c00e80d819b9ae1bbd36d94b2eeb8f4b1271846508d57e57d9c5"),
            File(f"{_EMOTIONS}/test.tsv", "0587b2dd8b27b97352adbfc3fb083d46005c8946657fdc2b1ca8b1cc7f1f8be4"),
        ),
        read_go_emotions,
    ),
    "gtsrb_tracks": Source("GTSRB tracks (INI), github.com/hergerr/traffic-sign-recognition", "research"),
    "har_wle": Source("PUC-Rio Weight Lifting Exercises", "CC BY-SA"),
    "hypothyroid": Source("UCI Thyroid, github.com/renatopp/arff-datasets", "CC BY 4.0"),
    "japanese_vowels": Source(_UEA, "cite"),
    "miml_scene": Source("MIML natural scenes (LAMDA)", "academic"),
    "mnist": Source(
        "MNIST (LeCun et al. 1998)",
        "CC BY-SA 3.0",
        (
            File(
                f"{_MNIST}/train-images-idx3-ubyte.gz",
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            ),
            File(
                f"{_MNIST}/train-labels-idx1-ubyte.gz",
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            ),
            File(
                f"{_MNIST}/t10k-images-idx3-ubyte.gz",
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            ),
            File(
                f"{_MNIST}/t10k-labels-idx1-ubyte.gz",
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            ),
        ),
        read_mnist,
    ),
    "mushroom": Source("UCI Mushroom, github.com/renatopp/arff-datasets", "CC BY 4.0"),
    "newsgroups20": Source(
        "20 Newsgroups by date (Lang 1995)",
        "cite",
        (
            File(
                "https://ndownloader.figshare.com/files/5975967",
                "8f1b2514ca22a5ade8fbb9cfa5727df95fa587f4c87b786e15c759fa66d95610",
            ),
        ),
        read_newsgroups20,
    ),
    "phoneme": Source("UCI / KEEL Phoneme", "CC BY 4.0"),
    "spambase": Source("UCI Spambase, github.com/renatopp/arff-datasets", "CC BY 4.0"),
    "sst2": Source("SST-2 (Socher et al. 2013)", "cite"),
    "swedish_leaf": Source(_UCR, "cite"),
    "thucnews": Source("THUCNews headlines", "research"),
    "trec": Source("TREC-6 (Li and Roth 2002)", "cite"),
    "yeast": Source("Mulan yeast", "see the source"),
}
