"""Pieces of words: what a learner can know of a word that it has never seen.

Each word of the vocabulary is cut once, when it is first met; a document's counts are those of its words, times their
pieces. Pieces are runs of three and four letters of the word between marks, and its first five letters, which are close
to a stem.
Source: Cavnar and Trenkle, N-gram-based text categorization, 1994; McNamee and Mayfield, Character n-gram tokenization
for European language text retrieval, 2004.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zlib import crc32

import numpy as np
from scipy import sparse

from autodl_solver.data.examples import Array

PIECE_BITS = 18
"""Pieces are hashed into 2^18 columns."""

RUNS = (3, 4)
STEM_LETTERS = 5
MAX_LETTERS = 24
"""Longer words are addresses or noise: their beginning counts."""

SAMPLE_WORDS = 2000
MIN_LETTERS = 3.0
"""Mean letters of a word from which words are worth cutting; Chinese tokens have one or two."""


def is_spelled(vocabulary: Sequence[str]) -> bool:
    """Whether the words are built of letters, so that pieces of them tell something."""
    step = max(len(vocabulary) // SAMPLE_WORDS, 1)
    words = [word for word in vocabulary[::step] if word.isalpha()]
    return len(words) > 0 and float(np.mean([len(word) for word in words])) >= MIN_LETTERS


class SpellingTable:
    """Words -> pieces, filled as words are met.

    Args:
        vocabulary: tokens in index order; an index outside it has no pieces.
    """

    n_columns = 2**PIECE_BITS

    def __init__(self, vocabulary: Sequence[str]) -> None:
        self._vocabulary = vocabulary
        self._place = np.full(len(vocabulary), -1, np.int64)  # row of the table for each id
        self._pieces: list[Array] = []

    def attributes_to_save(self) -> dict[str, Any]:
        """Without the pieces: words are cut again when they are met."""
        return {"_vocabulary": self._vocabulary, "_place": np.full_like(self._place, -1), "_pieces": []}

    def counts(self, ids: Array, document: Array, n_documents: int) -> sparse.csr_array:
        """[n_documents, n_columns] float32: how often each piece occurs.

        Args:
            ids: [n_tokens] of all documents, one after the other.
            document: [n_tokens], which of them each token is of.
        """
        known = (ids >= 0) & (ids < len(self._vocabulary))
        ids, document = ids[known], document[known]
        is_met = np.zeros(len(self._vocabulary), bool)
        is_met[ids] = True
        words = np.flatnonzero(is_met)
        word = (np.cumsum(is_met) - 1)[ids]  # np.unique would sort, and keep the interpreter from the deadline's thread
        new = words[self._place[words] < 0]
        self._place[new] = len(self._pieces) + np.arange(len(new))
        self._pieces.extend(_pieces(self._vocabulary[one]) for one in new)
        of_words = [self._pieces[place] for place in self._place[words]]
        offsets = np.concatenate([[0], np.cumsum([len(pieces) for pieces in of_words])]).astype(np.int32)
        columns = np.concatenate([*of_words, np.zeros(0, np.int32)])
        table = sparse.csr_array((np.ones(len(columns), np.float32), columns, offsets), (len(words), self.n_columns))
        shape = (n_documents, len(words))
        tokens = sparse.coo_array((np.ones(len(word), np.float32), (document, word)), shape).tocsr()
        counts = sparse.csr_array(tokens @ table)
        counts.indices, counts.indptr = counts.indices.astype(np.int32), counts.indptr.astype(np.int32)
        return counts


def _pieces(word: str) -> Array:
    """[n_pieces] int32 columns."""
    marked = f"<{word[:MAX_LETTERS]}>"
    runs = [marked[i : i + size] for size in RUNS for i in range(len(marked) - size + 1)]
    hashed = [crc32(piece.encode("utf-8", "surrogatepass")) for piece in [*runs, "^" + word[:STEM_LETTERS]]]
    columns: Array = np.array(hashed, np.int64) & (2**PIECE_BITS - 1)
    return columns.astype(np.int32)
