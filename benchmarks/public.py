"""The public datasets of the benchmark: where they come from, under which licence, and those that can be downloaded.

A download needs a sha256 that somebody else has published: a comment beside it says who, and where. Sets without one
have to be given with --local. How files become rows is told in `public_readers.py`; those of packed sets may be drawn,
ordered or encoded otherwise, and a result names the rows that it was made on (`data_sha256`).
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import public_readers
from benchmarks.errors import BenchmarkError
from benchmarks.packed import Contents, write_dataset

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


_UCI = "https://archive.ics.uci.edu/ml/machine-learning-databases"
_MNIST = "https://storage.googleapis.com/cvdf-datasets/mnist"
_EMOTIONS = "https://github.com/google-research/google-research/raw/master/goemotions/data"
_TREC = "https://cogcomp.seas.upenn.edu/Data/QA/QC"
_AEON = "https://raw.githubusercontent.com/aeon-toolkit/aeon/v1.6.0/aeon/datasets/data"
_UCR = "UCR archive 2018, timeseriesclassification.com"
_UEA = "UEA archive, timeseriesclassification.com"
# The whole archive. Published: github.com/ispamm/lstc, analysis/experiments/06-pilot-results.md
_UCR_FILE = File(
    "https://www.cs.ucr.edu/~eamonn/time_series_data_2018/UCRArchive_2018.zip",
    "a7163f6edd2b6876d195ab0ee5bcce5ec09873cba75512d35bc64a8a493d9d4a",
)

PUBLIC = {
    "adult": Source(
        "UCI Adult",
        "CC BY 4.0",
        (  # published: TensorFlow Datasets, url_checksums/adult.txt
            File(f"{_UCI}/adult/adult.data", "5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d"),
            File(f"{_UCI}/adult/adult.test", "a2a9044bc167a35b2361efbabec64e89d69ce82d9790d2980119aac5fd7e9c05"),
        ),
        public_readers.read_adult,
    ),
    "avletters": Source("AVLetters lips (Matthews et al.)", "research"),
    "basic_motions": Source(
        _UEA,
        "cite",
        (  # published: PyPI, RECORD of the wheel of aeon 1.6.0, which holds these files of its repository
            File(
                f"{_AEON}/BasicMotions/BasicMotions_TRAIN.ts",
                "8dc43cc6306cb679c888c01e26f91772ac4441a916da43bac8b79734a538b9d6",
            ),
            File(
                f"{_AEON}/BasicMotions/BasicMotions_TEST.ts",
                "79213102bc6fca1a398ad98ce1185dff0208fa3d1465e687f48288946b0ff8dc",
            ),
        ),
        public_readers.read_uea,
    ),
    "cifar10": Source(
        "CIFAR-10 (Krizhevsky 2009)",
        "cite",
        (  # published: TensorFlow Datasets, url_checksums/cifar10.txt
            File(
                "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
                "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            ),
        ),
        public_readers.read_cifar10,
    ),
    "covtype20k": Source(
        "UCI Covertype, 20,000 rows",
        "CC BY 4.0",
        (  # published: scikit-learn, sklearn/datasets/_covtype.py
            File(
                "https://ndownloader.figshare.com/files/5976039",
                "614360d0257557dd1792834a85a1cdebfadc3c4f30b011d56afee7ffb5b15771",
            ),
        ),
        public_readers.read_covtype20k,
    ),
    "cricket_x": Source(_UCR, "cite", (_UCR_FILE,), partial(public_readers.read_ucr, "CricketX")),
    "esc10": Source(
        "github.com/karoldvl/ESC-10",
        "CC BY 3.0",
        (  # 646 MB, ESC-50. Published: github.com/talkincode/scorekit, docs-site/src/sound-library.md, and
            # github.com/rudykon/VolleyMole, scripts/prepare_public_audio.py
            File(
                "https://github.com/karolpiczak/ESC-50/archive/33c8ce9eb2cf0b1c2f8bcf322eb349b6be34dbb6.zip",
                "661183a6f53ef04f12c9bd618fed0ddc1713280d6c94a5a5431e844ba6f6a21f",
            ),
        ),
        public_readers.read_esc10,
    ),
    "face_all": Source(_UCR, "cite", (_UCR_FILE,), partial(public_readers.read_ucr, "FaceAll")),
    "flowers5": Source("github.com/martinwestin/flower_classification", "CC BY, per photo"),
    "fsdd": Source(
        "github.com/Jakobovski/free-spoken-digit-dataset",
        "CC BY-SA 4.0",
        (  # published: TensorFlow Datasets, audio/spoken_digit/checksums.tsv
            File(
                "https://github.com/Jakobovski/free-spoken-digit-dataset/archive/v1.0.9.tar.gz",
                "8bc44cde129d505cbbb6b365c09f80c663f2aa77578afc634e6141a2f87100c0",
            ),
        ),
        public_readers.read_fsdd,
    ),
    "go_emotions": Source(
        "GoEmotions (Google)",
        "Apache-2.0",
        (  # published: TensorFlow Datasets, url_checksums/goemotions.txt
            File(f"{_EMOTIONS}/train.tsv", "1c254a142be5c00e80d819b9ae1bbd36d94b2eeb8f4b1271846508d57e57d9c5"),
            File(f"{_EMOTIONS}/test.tsv", "0587b2dd8b27b97352adbfc3fb083d46005c8946657fdc2b1ca8b1cc7f1f8be4"),
        ),
        public_readers.read_go_emotions,
    ),
    "gtsrb_tracks": Source("GTSRB tracks (INI), github.com/hergerr/traffic-sign-recognition", "research"),
    "har_wle": Source("PUC-Rio Weight Lifting Exercises", "CC BY-SA"),
    "hypothyroid": Source(
        "UCI Thyroid, github.com/renatopp/arff-datasets",
        "CC BY 4.0",
        (  # published: github.com/osman-eray/ann-thyroid-audit, code/rebuild_table1.py; the first one also
            # github.com/JackDunnNZ/UCIData.jl, src/data/classification/thyroid-disease-allhypo.jl
            File(
                f"{_UCI}/thyroid-disease/allhypo.data",
                "273bfa43c6ad226204cb42d17365143723786db447b074abb71a23a632c1ff53",
            ),
            File(
                f"{_UCI}/thyroid-disease/allhypo.test",
                "4dc8a3964d76944ad84e7c242c7155684a3d603576245f2ed64e2c6d072d9422",
            ),
        ),
        public_readers.read_hypothyroid,
    ),
    "japanese_vowels": Source(
        _UEA,
        "cite",
        (  # published: as basic_motions
            File(
                f"{_AEON}/JapaneseVowels/JapaneseVowels_TRAIN.ts",
                "68a430eabd919cc77f40b1f5f3bc0dcafacc1486bca9260785aeb7d262cc78cd",
            ),
            File(
                f"{_AEON}/JapaneseVowels/JapaneseVowels_TEST.ts",
                "b3d41d6a0ca3bcad3afb9ca7d4365382aa51341e2e58bae2a574babdda5b9462",
            ),
        ),
        public_readers.read_uea,
    ),
    "miml_scene": Source("MIML natural scenes (LAMDA)", "academic"),
    "mnist": Source(
        "MNIST (LeCun et al. 1998)",
        "CC BY-SA 3.0",
        (  # published: TensorFlow Datasets, url_checksums/mnist.txt
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
        public_readers.read_mnist,
    ),
    "mushroom": Source(
        "UCI Mushroom, github.com/renatopp/arff-datasets",
        "CC BY 4.0",
        (  # published: github.com/JackDunnNZ/UCIData.jl, src/data/classification/mushroom.jl
            File(
                f"{_UCI}/mushroom/agaricus-lepiota.data",
                "e65d082030501a3ebcbcd7c9f7c71aa9d28fdfff463bf4cf4716a3fe13ac360e",
            ),
        ),
        public_readers.read_mushroom,
    ),
    "newsgroups20": Source(
        "20 Newsgroups by date (Lang 1995)",
        "cite",
        (  # published: scikit-learn, sklearn/datasets/_twenty_newsgroups.py
            File(
                "https://ndownloader.figshare.com/files/5975967",
                "8f1b2514ca22a5ade8fbb9cfa5727df95fa587f4c87b786e15c759fa66d95610",
            ),
        ),
        public_readers.read_newsgroups20,
    ),
    "phoneme": Source("UCI / KEEL Phoneme", "CC BY 4.0"),
    "spambase": Source(
        "UCI Spambase, github.com/renatopp/arff-datasets",
        "CC BY 4.0",
        (  # published: github.com/JackDunnNZ/UCIData.jl, src/data/classification/spambase.jl
            File(
                f"{_UCI}/spambase/spambase.data",
                "b1ef93de71f97714d3d7d4f58fc9f718da7bbc8ac8a150eff2778616a8097b12",
            ),
        ),
        public_readers.read_spambase,
    ),
    "sst2": Source(
        "SST-2 (Socher et al. 2013)",
        "cite",
        (  # published: Hugging Face datasets, datasets/sst/dataset_infos.json
            File(
                "https://nlp.stanford.edu/sentiment/trainDevTestTrees_PTB.zip",
                "5c613a4f673fc74097d523a2c83f38e0cc462984d847b82c7aaf36b01cbbbfcc",
            ),
        ),
        public_readers.read_sst2,
    ),
    "swedish_leaf": Source(_UCR, "cite", (_UCR_FILE,), partial(public_readers.read_ucr, "SwedishLeaf")),
    "thucnews": Source("THUCNews headlines", "research"),
    "trec": Source(
        "TREC-6 (Li and Roth 2002)",
        "cite",
        (  # published: Hugging Face datasets, datasets/trec/dataset_infos.json
            File(f"{_TREC}/train_5500.label", "9e4c8bdcaffb96ed61041bd64b564183d52793a8e91d84fc3a8646885f466ec3"),
            File(f"{_TREC}/TREC_10.label", "033f22c028c2bbba9ca682f68ffe204dc1aa6e1cf35dd6207f2d4ca67f0d0e8e"),
        ),
        public_readers.read_trec,
    ),
    "yeast": Source("Mulan yeast", "see the source"),
}
