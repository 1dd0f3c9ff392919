"""Documents -> counts of their terms, or their first tokens. Fidelity: tokens read of a document, at most.

    terms     tokens and pairs of neighbours, with marks at both ends of a document; straight from ids, without strings
    spelling  pieces of the words, for languages that build words of letters: each word of the vocabulary is cut once
    tokens    ids for networks; 0 stands for nothing
    sentence  vectors of a pretrained encoder, where one is on disk; the fidelity counts its word pieces

Cost: terms of 4,096 documents of 200 tokens .1 s, one core.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from autodl_solver.data.examples import Array, Examples, Ragged, Rows, typical_length
from autodl_solver.data.info import DatasetInfo
from autodl_solver.data.sequences import as_ragged
from autodl_solver.modalities.spec import Pipeline
from autodl_solver.modalities.text.sentences import SentenceTable
from autodl_solver.modalities.text.spelling import SpellingTable

MAX_UNIGRAMS = 2**20
"""Ids beyond are folded into as many columns."""

PAIR_BITS = 20
"""Pairs of neighbouring tokens are hashed into 2^20 columns: 2^18 made those of newsgroups20 collide."""

SHORTENED = 2.0
"""Documents are cut to fewer tokens than the last fidelity where that makes the typical one so many times shorter."""

BEGIN, END = -1, -2
"""Stand before the first and after the last token that is read, in pairs."""


class TextPipeline(Pipeline):
    """Views "" (terms), "spelling", "tokens" and "sentence"."""

    def __init__(self, info: DatasetInfo) -> None:
        super().__init__(info)
        self.n_unigrams = min(len(info.vocabulary), MAX_UNIGRAMS) or MAX_UNIGRAMS
        self._spelling: SpellingTable | None = None
        self._sentences: SentenceTable | None = None
        self._typical_tokens = 0.0

    def fit(self, sample: Examples) -> None:
        """Looks at how long documents are."""
        self._typical_tokens = typical_length(sample.x)

    def worthwhile(self, fidelities: tuple[int, ...]) -> tuple[int, ...]:
        """The last one, and those that cut the typical document short; others would repeat it."""
        *shorter, last = fidelities
        return (*(n_tokens for n_tokens in shorter if SHORTENED * n_tokens <= self._typical_tokens), last)

    def transform(self, x: Rows, view: str, fidelity: int) -> Rows:
        """Counts [n_rows, n_unigrams + 2^PAIR_BITS] or [n_rows, 2^PIECE_BITS], ids [n_rows, fidelity] int32, or vectors
        [n_rows, width] float32."""
        ids, document, lengths = _first_tokens(as_ragged(x), fidelity)
        if view == "tokens":
            return _padded(ids % self.n_unigrams, lengths, fidelity)
        if view == "spelling":
            if self._spelling is None:
                self._spelling = SpellingTable(self.info.vocabulary)
            return self._spelling.counts(ids, document, len(lengths))
        if view == "sentence":
            if self._sentences is None:
                self._sentences = SentenceTable(self.info.vocabulary)
            return self._sentences.vectors(ids, document, len(lengths), fidelity)
        pairs, of_pair = _marked_pairs(ids, document)
        columns = np.concatenate([ids % self.n_unigrams, pairs + self.n_unigrams])
        n_columns = self.n_unigrams + 2**PAIR_BITS
        return counted(np.concatenate([document, of_pair]), columns, (len(lengths), n_columns))


def counted(rows: Array, columns: Array, shape: tuple[int, int]) -> sparse.csr_array:
    """How often each (row, column) occurs: one sort of whole numbers, several times faster than a COO matrix."""
    keys = rows.astype(np.int64) * shape[1] + columns
    keys.sort()
    first = np.flatnonzero(np.diff(keys, prepend=-1))
    counts = np.diff(first, append=len(keys)).astype(np.float32)
    row, column = np.divmod(keys[first], shape[1])
    offsets = np.searchsorted(row, np.arange(shape[0] + 1))
    return sparse.csr_array((counts, column.astype(np.int32), offsets.astype(np.int32)), shape)


def _first_tokens(documents: Ragged, n_tokens: int) -> tuple[Array, Array, Array]:
    """Ids of the first tokens of each document, the document of each, and how many each document has."""
    lengths = np.minimum(documents.lengths, n_tokens)
    document = np.repeat(np.arange(len(lengths)), lengths)
    within = np.arange(len(document)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    values = documents.values.reshape(-1)[documents.offsets[:-1][document] + within]
    if not np.issubdtype(values.dtype, np.integer):
        values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    return values.astype(np.int64), document, lengths


def _marked_pairs(ids: Array, document: Array) -> tuple[Array, Array]:
    """Columns of the neighbouring pairs of each document, its marks included, and the document of each."""
    begins = np.flatnonzero(np.diff(document, prepend=-1))
    ends = np.flatnonzero(np.diff(document, append=-1))
    within = np.flatnonzero(document[1:] == document[:-1])
    first = np.concatenate([ids[within], np.full(len(begins), BEGIN), ids[ends]])
    second = np.concatenate([ids[within + 1], ids[begins], np.full(len(ends), END)])
    of_pair = np.concatenate([document[within], document[begins], document[ends]])
    return _hashed(first, second), of_pair


def _hashed(first: Array, second: Array) -> Array:
    """A column for each pair: multiplicative hashing (Knuth, The Art of Computer Programming 3, 6.4) of both ids."""
    mixed = (first * 2 + 1).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + second.astype(np.uint64)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return np.asarray(mixed >> np.uint64(64 - PAIR_BITS), dtype=np.int64)


def _padded(ids: Array, lengths: Array, width: int) -> Array:
    """[n_rows, width] int32: ids + 1, then zeros."""
    padded = np.zeros((len(lengths), width), np.int32)
    padded[np.arange(width) < lengths[:, None]] = ids + 1
    return padded


def made_up_documents(info: DatasetInfo) -> Rows:
    """Random tokens."""
    rng = np.random.default_rng(0)
    offsets = np.arange(0, 33) * 20
    ids = rng.integers(0, max(len(info.vocabulary), 1000), (offsets[-1], 1, 1, 1))
    return Ragged(ids.astype(np.float32), offsets)
