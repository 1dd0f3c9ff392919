"""What SciPy's docstrings say: docstring_topics (text) and docstring_sections (sparse table, multi-label).

Source: the docstrings of the installed SciPy, BSD-3-Clause. Another version of SciPy has other docstrings, so these two
datasets are not regenerated bit for bit; the committed ones come from the version that README.md names.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections import Counter
from collections.abc import Iterator

import numpy as np

from autodl_solver.data.examples import Array
from autodl_solver.data.info import DatasetInfo, Format, MatrixSpec
from sample_data.recipes.dataset import SampleDataset, fixed_stream

TOPICS = ("fft", "interpolate", "linalg", "ndimage", "optimize", "signal", "special", "stats")
SECTIONS = ("Returns", "See Also", "Notes", "References", "Examples")
N_TOPIC_DOCUMENTS = 70  # at most, per topic
N_TOPIC_WORDS = 60  # at most, per document
N_SECTION_DOCUMENTS = 420
FEWEST_WORDS = 8
FEWEST_DOCUMENTS_PER_COLUMN = 3


def make_docstring_topics() -> SampleDataset:
    """Prose of the docstrings as token indices; the label is the SciPy package that the docstring comes from."""
    documents: list[list[str]] = []
    labels: list[tuple[int, ...]] = []
    for label, topic in enumerate(TOPICS):
        prose = [words[:N_TOPIC_WORDS] for words in map(_words, map(_prose, _docstrings(topic)))]
        prose = [words for words in prose if len(words) >= FEWEST_WORDS]
        for i in fixed_stream(6).permutation(len(prose))[:N_TOPIC_DOCUMENTS]:
            documents.append(prose[i])
            labels.append((label,))
    vocabulary = sorted({word for words in documents for word in words})
    index = {word: i for i, word in enumerate(vocabulary)}
    info = DatasetInfo(
        name="docstring_topics",
        folder=None,
        n_examples=-1,
        n_classes=len(TOPICS),
        sequence_size=-1,
        specs=(MatrixSpec(1, 1, 1, Format.DENSE),),
        class_names=TOPICS,
        vocabulary=tuple(vocabulary),
    )
    examples = [{"dense": np.array([[index[word]] for word in words], np.float32)} for words in documents]
    return SampleDataset(info, examples, labels, n_test=150)


def make_docstring_sections() -> SampleDataset:
    """Word counts of a docstring's prose and parameters; the labels are the sections that follow (several, or none)."""
    docstrings = [text for topic in TOPICS for text in _docstrings(topic)]
    chosen = [docstrings[i] for i in fixed_stream(7).permutation(len(docstrings))[:N_SECTION_DOCUMENTS]]
    counts = [Counter(_words(_prose(text) + _section(text, "Parameters"))) for text in chosen]
    n_documents = Counter(word for count in counts for word in count)
    columns = sorted(word for word, n in n_documents.items() if n >= FEWEST_DOCUMENTS_PER_COLUMN)
    info = DatasetInfo(
        name="docstring_sections",
        folder=None,
        n_examples=-1,
        n_classes=len(SECTIONS),
        sequence_size=1,
        specs=(MatrixSpec(1, len(columns), 1, Format.SPARSE),),
        class_names=SECTIONS,
        feature_names=tuple(columns),
    )
    index = {word: i for i, word in enumerate(columns)}
    labels = [tuple(i for i, title in enumerate(SECTIONS) if _section(text, title)) for text in chosen]
    return SampleDataset(info, [{"sparse": _sparse_row(count, index)} for count in counts], labels, n_test=140)


def _docstrings(package: str) -> Iterator[str]:
    """The docstrings of the public names of scipy.PACKAGE, sorted by name, without modules and repetitions."""
    module = importlib.import_module(f"scipy.{package}")
    seen = set()
    for name in sorted(module.__all__):
        text = inspect.getdoc(getattr(module, name))
        if text and text not in seen and not inspect.ismodule(getattr(module, name)):
            seen.add(text)
            yield text


def _prose(docstring: str) -> str:
    """What stands before the first section (a title underlined with dashes)."""
    return re.split(r"\n\w[\w ]*\n---", docstring)[0]


def _section(docstring: str, title: str) -> str:
    """The text of the section, "" if there is none."""
    found = re.search(rf"\n{title}\n-+\n(.*?)(?=\n\w[\w ]*\n---|\Z)", docstring, re.DOTALL)
    return found.group(1) if found else ""


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z]+", text.lower())


def _sparse_row(count: Counter[str], index: dict[str, int]) -> tuple[Array, Array, Array, Array]:
    """(rows, columns, channels, values) of one table row, [n_entries] each, sorted by column."""
    cells = np.array(sorted((index[word], n) for word, n in count.items() if word in index))
    zeros = np.zeros(len(cells), np.int64)
    return zeros, cells[:, 0], zeros, cells[:, 1].astype(np.float32)
