"""Embeddings of tokens learned from documents alone, before any label is looked at: a network begins with them.

How much more often than by chance two tokens stand near each other, positive parts only, and the leading singular
vectors of that matrix. Source: Levy and Goldberg, Neural word embedding as implicit matrix factorization, NeurIPS 2014;
the weights 1/distance and the context distribution to the power .75: Levy, Goldberg and Dagan, TACL 2015.
Cost: .9 s for 700,000 tokens of 10,000 words, 1.3 s for 2,500,000 of 20,000, one core.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy import sparse

from autodl_solver.data.examples import Array

NEAR = 5
"""Tokens that far apart, at most, stand near each other; a pair counts 1/distance."""

MAX_WORDS = 20_000
"""The most frequent ones; the others occur too rarely to learn from."""

MIN_COUNT = 3
CONTEXT_POWER = 0.75
POWER_ITERATIONS = 2


def embeddings_of(ids: Array, width: int, *, n_special: int, scale: float, seed: int) -> tuple[Array, Array]:
    """Of the frequent tokens.

    Args:
        ids: [n_documents, n_tokens] int64.
        width: of an embedding.
        n_special: ids below that are no tokens.
        scale: root mean square of the values of each embedding.
        seed: of the random projection that finds the singular vectors.
    Returns:
        ids [n_words] and their embeddings [n_words, width] float32; none where documents say too little.
    """
    counts = np.bincount(ids.ravel())
    counts[:n_special] = 0
    words = np.argsort(-counts, kind="stable")[:MAX_WORDS]
    words = words[counts[words] >= MIN_COUNT]
    if len(words) <= width:
        return words[:0], np.zeros((0, width), np.float32)
    column = np.full(len(counts), -1, np.int32)
    column[words] = np.arange(len(words), dtype=np.int32)
    vectors = _singular_vectors(_association(column[ids], len(words)), width, seed)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    there = length[:, 0] > 0
    return words[there], (scale * np.sqrt(width) * vectors[there] / length[there]).astype(np.float32)


def _association(columns: Array, n_words: int) -> sparse.csr_array:
    """[n_words, n_words] positive pointwise mutual information; -1 stands for no word."""
    together = sparse.csr_array((n_words, n_words), dtype=np.float32)
    for distance in range(1, min(NEAR, columns.shape[1] - 1) + 1):
        first, second = columns[:, :-distance], columns[:, distance:]
        both = (first >= 0) & (second >= 0)
        pairs = (first[both], second[both])
        share = np.full(len(pairs[0]), 1 / distance, np.float32)
        together = together + sparse.coo_array((share, pairs), shape=(n_words, n_words)).tocsr()
    found = (together + together.T).tocoo()
    row, context = found.coords
    of_word = np.maximum(np.bincount(row, found.data, minlength=n_words), 1e-9)
    of_context = of_word**CONTEXT_POWER
    told = np.log(found.data * of_context.sum() / (of_word[row] * of_context[context]))
    positive = told > 0
    values = told[positive].astype(np.float32)
    return sparse.csr_array((values, (row[positive], context[positive])), shape=(n_words, n_words))


def _singular_vectors(matrix: sparse.csr_array, width: int, seed: int) -> Array:
    """[n, width]: left singular vectors times the roots of their values.

    Found by subspace iteration (Halko, Martinsson and Tropp, Finding structure with randomness, SIAM Review 2011).
    Torch's own function for sparse tensors takes two to four times as long.
    """
    random = np.random.default_rng(seed)
    basis = random.standard_normal((matrix.shape[0], width + 8)).astype(np.float32)
    transposed = matrix.T.tocsr()
    for _ in range(1 + POWER_ITERATIONS):
        basis = _orthogonal(matrix @ (transposed @ basis))
    rest = torch.from_numpy(np.ascontiguousarray(transposed @ basis))  # [n, width + 8]
    _, values, right = torch.linalg.svd(rest, full_matrices=False)
    vectors = torch.from_numpy(basis) @ right.T[:, :width] * values[:width].sqrt()
    return np.asarray(vectors.numpy())


def _orthogonal(columns: Array) -> Array:
    return np.asarray(torch.linalg.qr(torch.from_numpy(np.ascontiguousarray(columns)))[0].numpy())
