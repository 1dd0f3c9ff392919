"""Documents -> counts of their tokens and of neighbouring pairs. Fidelity: tokens read of a document, at most."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from autodl_solver.data.examples import Array, Ragged, Rows
from autodl_solver.data.info import DatasetInfo
from autodl_solver.data.sequences import as_ragged
from autodl_solver.modalities.spec import Pipeline

MAX_UNIGRAMS = 2**20
"""Ids beyond are folded into as many columns."""

PAIR_COLUMNS = 2**18
"""Pairs of neighbouring tokens are hashed into as many columns."""


class TextPipeline(Pipeline):
    """Straight from ids, without strings."""

    def __init__(self, info: DatasetInfo) -> None:
        super().__init__(info)
        self._n_unigrams = min(len(info.vocabulary), MAX_UNIGRAMS) or MAX_UNIGRAMS

    def transform(self, x: Rows, view: str, fidelity: int) -> sparse.csr_array:
        """[n_rows, n_unigrams + PAIR_COLUMNS] float32 counts."""
        documents = as_ragged(x)
        lengths = np.minimum(documents.lengths, fidelity)
        ids, document = _first_tokens(documents, lengths)
        unigrams = ids % self._n_unigrams
        neighbours = document[1:] == document[:-1]
        pairs = _hashed(ids[:-1][neighbours], ids[1:][neighbours]) + self._n_unigrams
        columns = np.concatenate([unigrams, pairs])
        rows = np.concatenate([document, document[1:][neighbours]])
        shape = (len(documents), self._n_unigrams + PAIR_COLUMNS)
        counts = sparse.coo_array((np.ones(len(columns), np.float32), (rows, columns)), shape).tocsr()
        return sparse.csr_array(counts)


def _first_tokens(documents: Ragged, lengths: Array) -> tuple[Array, Array]:
    """Ids of the first tokens of each document, and the document of each."""
    document = np.repeat(np.arange(len(lengths)), lengths)
    within = np.arange(len(document)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return documents.values.reshape(-1)[documents.offsets[:-1][document] + within].astype(np.int64), document


def _hashed(first: Array, second: Array) -> Array:
    """A column for each pair: multiplicative hashing (Knuth, The Art of Computer Programming 3, 6.4) of both ids."""
    with np.errstate(over="ignore"):
        mixed = (first * 2 + 1).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + second.astype(np.uint64)
        mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return np.asarray(mixed >> np.uint64(64 - 18), dtype=np.int64)


def made_up_documents(info: DatasetInfo) -> Rows:
    """Random tokens."""
    rng = np.random.default_rng(0)
    offsets = np.arange(0, 33) * 20
    ids = rng.integers(0, max(len(info.vocabulary), 1000), (offsets[-1], 1, 1, 1))
    return Ragged(ids.astype(np.float32), offsets)
