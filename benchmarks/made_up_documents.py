"""A text dataset of any size, made of a real vocabulary by a topic model: is the solver still quick, does it still fit?

    python benchmarks/made_up_documents.py OUT [--documents 500000] [--tokens 200] [--test 5000] [--seed 0]
    python run_local_test.py -dataset_dir=OUT -code_dir=. -time_budget=60

Writes OUT/NAME.data and OUT/NAME.solution with our own writer. Words are those of sample_data/docstring_topics. A
document has one topic; of its tokens a share of its own is drawn from the topic's words, all others from those of the
language: both follow Zipf's law, in other orders. Cost: 25 s and 1 GB for 500,000 documents of 200 tokens, one core.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # run as a file: `benchmarks` is no installed package

import numpy as np

from autodl_solver.data.examples import Array
from autodl_solver.data.info import METADATA_FILE, DatasetInfo, Format, MatrixSpec, write_metadata
from autodl_solver.data.sequence_example import encode_example
from autodl_solver.data.tfrecord import write_records

NAME = "made_up_documents"
VOCABULARY = Path(__file__).resolve().parents[1] / "sample_data/docstring_topics/docstring_topics.data/train"
N_TOPICS = 20
TOPIC_SHARE = 0.08  # of a document's tokens, on average
BLOCK = 2000  # documents that are drawn at a time
ZIPF_OFFSET = 2.7


@dataclass(frozen=True)
class TopicModel:
    """Where words come from.

    Attributes:
        background: [n_words] cumulative probabilities of the language.
        topics: [n_topics, n_words] those of the topics.
    """

    background: Array
    topics: Array

    @classmethod
    def drawn(cls, n_words: int, n_topics: int, seed: int) -> TopicModel:
        """Zipf's law for all, each with an order of its own."""
        rng = np.random.default_rng(seed)
        law = 1 / (np.arange(n_words) + ZIPF_OFFSET)
        orders = [rng.permutation(n_words) for _ in range(n_topics + 1)]
        cumulative = np.cumsum([law[np.argsort(order)] / law.sum() for order in orders], axis=1)
        return cls(cumulative[0], cumulative[1:])

    def documents(self, topic: Array, n_tokens: int, rng: np.random.Generator) -> Array:
        """[n_documents, n_tokens] int64, for the topic of each document."""
        drawn = rng.random((len(topic), n_tokens))
        ids = np.searchsorted(self.background, drawn)
        of_topic = rng.random(drawn.shape) < rng.uniform(0, 2 * TOPIC_SHARE, (len(topic), 1))
        for one in np.unique(topic):
            place = of_topic & (topic == one)[:, None]
            ids[place] = np.searchsorted(self.topics[one], drawn[place])
        return np.minimum(ids, len(self.background) - 1)


def write_documents(folder: Path, n_documents: int, n_tokens: int, *, n_test: int = 5000, seed: int = 0) -> Path:
    """Writes NAME.data/train, NAME.data/test and NAME.solution, whatever the size, a block at a time.

    Args:
        folder: is made where it does not exist.
        n_documents: for training.
        n_tokens: of each document.
        n_test: documents for the test.
        seed: same seed, same files.
    Returns:
        NAME.data
    """
    words = DatasetInfo.from_folder(VOCABULARY).vocabulary
    model = TopicModel.drawn(len(words), N_TOPICS, seed)
    classes = tuple(f"topic {k}" for k in range(N_TOPICS))
    spec = MatrixSpec(1, 1, 1, Format.DENSE)
    info = DatasetInfo(NAME, None, n_documents, N_TOPICS, -1, (spec,), classes, words)
    data = folder / f"{NAME}.data"
    for name, n_rows in {"train": n_documents, "test": n_test}.items():
        rng = np.random.default_rng([seed, n_rows, name == "test"])
        topics = rng.integers(0, N_TOPICS, n_rows)
        (data / name).mkdir(parents=True, exist_ok=True)
        write_records(data / name / f"sample-{NAME}-{name}.tfrecord", _records(model, topics, n_tokens, rng, name))
        write_metadata(replace(info, n_examples=n_rows), data / name / METADATA_FILE)
    np.savetxt(
        folder / f"{NAME}.solution", np.eye(N_TOPICS, dtype=int)[topics], fmt="%d"
    )  # of the last split, the test
    return data


def _records(model: TopicModel, topics: Array, n_tokens: int, rng: np.random.Generator, split: str) -> Iterator[bytes]:
    for start in range(0, len(topics), BLOCK):
        block = topics[start : start + BLOCK]
        for k, ids in enumerate(model.documents(block, n_tokens, rng).astype(np.float32)):
            labels = [(int(block[k]), 1.0)] if split == "train" else []
            yield encode_example(start + k, labels, dense=ids[:, None])


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Write a text dataset of any size, made by a topic model.")
    parser.add_argument("out", type=Path, metavar="OUT", help="folder that is made")
    parser.add_argument("--documents", type=int, default=500_000, help="for training (500000)")
    parser.add_argument("--tokens", type=int, default=200, help="of each document (200)")
    parser.add_argument("--test", type=int, default=5000, help="documents for the test (5000)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    data = write_documents(options.out, options.documents, options.tokens, n_test=options.test, seed=options.seed)
    print(f"Wrote {data}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
