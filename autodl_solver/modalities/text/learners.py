"""Weights for terms, learned linearly.

Beside the usual TF-IDF, terms are weighted by how much they tell of the classes, which plays the part of the naive
Bayes ratios of NB-SVM with one weight for all classes. Whether terms of a single document help or harm depends on the
dataset (docs/experiments.md), so learners with and without them are offered.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from autodl_solver.budget import Budget
from autodl_solver.data.examples import Array
from autodl_solver.learners.base import Features, Learner
from autodl_solver.learners.label_kind import is_exclusive, probabilities
from autodl_solver.learners.sparse_linear import as_sparse, fit_logistic

MAX_WEIGHTS = 2**28
"""Terms x classes (a gigabyte): beyond, the terms of fewest documents are left out."""

MAX_ENTRIES = 2**24
"""Counts that are learned from, of the first rows where there are more: terms of 50,000 documents of 200 tokens. A fit
takes some 50 bytes for each."""

BLOCK_ROWS = 4096
"""Documents that are weighted at a time."""

BLOCK_VALUES = 2**25
"""Terms x classes that are compared with the base rates at a time."""

PRIOR_DOCUMENTS = 2.0
"""The rate of a class among the documents of a term is mixed with so many documents of the base rate."""

LEAST_DIVERGENCE = 0.05
"""Added to what a term tells: a term that tells nothing so far keeps some weight."""

DIVERGENCE_POWER = 0.25


class TermWeights:
    """Sub-linear TF-IDF, times what the term tells of the classes; rows of unit length.

    Sources: Salton and Buckley, Term-weighting approaches in automatic text retrieval, 1988; for weights by class
    Debole and Sebastiani, Supervised term weighting for automated text categorization, 2003, and Wang and Manning,
    Baselines and bigrams, ACL 2012.

    Args:
        min_documents: terms of fewer training documents are left out.
    """

    def __init__(self, min_documents: int = 1) -> None:
        self._min_documents = min_documents

    def fit_transform(self, counts: sparse.csr_array, y: Array) -> sparse.csr_array:
        """[n_documents, n_columns] counts, [n_documents, n_classes] labels -> [n_documents, n_kept] weights."""
        n_documents = np.bincount(counts.indices, minlength=counts.shape[1])
        n_kept = max(MAX_WEIGHTS // y.shape[1], 1)
        kept = np.flatnonzero(n_documents >= min(self._min_documents, len(y)))
        if len(kept) > n_kept:
            kept = np.sort(kept[np.argsort(-n_documents[kept], kind="stable")[:n_kept]])
        self._n_kept = max(len(kept), 1)
        self._column = np.full(counts.shape[1], -1, np.int32)
        self._column[kept] = np.arange(len(kept))
        self._weight = np.ones(self._n_kept, np.float32)
        self._weight[: len(kept)] += np.log((1 + len(y)) / (1 + n_documents[kept]))
        self._weight *= (_divergences(self._of_kept(counts), y) + LEAST_DIVERGENCE) ** DIVERGENCE_POWER
        return self.transform(counts)

    def transform(self, counts: sparse.csr_array) -> sparse.csr_array:
        """Weights by the documents that were fitted."""
        weighted = self._of_kept(counts)
        for start in range(0, weighted.shape[0], BLOCK_ROWS):
            offsets = weighted.indptr[start : start + BLOCK_ROWS + 1]
            entries = slice(offsets[0], offsets[-1])
            data = (1 + np.log(np.maximum(weighted.data[entries], 1))) * self._weight[weighted.indices[entries]]
            row = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
            length = np.sqrt(np.bincount(row, data**2, minlength=len(offsets) - 1)).astype(np.float32)
            weighted.data[entries] = data / np.maximum(length, 1e-12)[row]
        return weighted

    def _of_kept(self, counts: sparse.csr_array) -> sparse.csr_array:
        column = self._column[counts.indices]
        kept = column >= 0
        offsets = np.concatenate([[0], np.cumsum(kept, dtype=counts.indptr.dtype)])[counts.indptr]
        return sparse.csr_array((counts.data[kept], column[kept], offsets), shape=(counts.shape[0], self._n_kept))


def _divergences(counts: sparse.csr_array, y: Array) -> Array:
    """[n_columns] float32: Kullback-Leibler divergences of the class rates among a column's documents from the base
    rates, summed over the classes."""
    present = sparse.csr_array((np.ones_like(counts.data), counts.indices, counts.indptr), counts.shape).T
    n_documents = np.asarray(present.sum(axis=1)).reshape(-1, 1)
    width = max(BLOCK_VALUES // counts.shape[1], 1)
    divergence = np.zeros(counts.shape[1], np.float32)
    for start in range(0, y.shape[1], width):
        labels = y[:, start : start + width].astype(np.float32)
        base = np.clip(labels.mean(axis=0), 1e-6, 1 - 1e-6)
        rate = (np.asarray(present @ labels) + PRIOR_DOCUMENTS * base) / (n_documents + PRIOR_DOCUMENTS)
        rate = np.clip(rate, 1e-6, 1 - 1e-6)
        divergence += (rate * np.log(rate / base) + (1 - rate) * np.log((1 - rate) / (1 - base))).sum(axis=1)
    return np.maximum(divergence, 0)


def _bounded(counts: sparse.csr_array) -> sparse.csr_array:
    """The first rows, with MAX_ENTRIES at most, and one at least."""
    if counts.nnz <= MAX_ENTRIES:
        return counts
    n_rows = int(np.searchsorted(counts.indptr, MAX_ENTRIES, side="right")) - 1
    return counts[: max(n_rows, 1)]


class TermLearner(Learner):
    """Weighted terms, logistic regression. A second fit begins anew, since other rows have other terms.

    Args:
        n_classes: columns of the labels.
        seed: see Learner.
        min_documents: see TermWeights.
    """

    def __init__(self, n_classes: int, seed: int = 0, min_documents: int = 1) -> None:
        super().__init__(n_classes, seed)
        self._min_documents = min_documents

    def _fit(self, x: Features, y: Array, budget: Budget) -> None:
        self._weights = TermWeights(self._min_documents)
        self._exclusive = is_exclusive(y)
        weighted = self._weighted(_bounded(as_sparse(x)), y)
        self._model = fit_logistic(weighted, y[: weighted.shape[0]], budget)

    def _weighted(self, counts: sparse.csr_array, y: Array) -> sparse.csr_array:
        """A call of its own: where counts are a copy, it is gone before the fit makes others."""
        return self._weights.fit_transform(counts, y[: counts.shape[0]])

    def _predict_proba(self, x: Features) -> Any:
        return probabilities(self._model.logits(self._weights.transform(as_sparse(x))), self._exclusive)


def make_common_term_learner(n_classes: int, seed: int) -> TermLearner:
    """Without the terms of a single document."""
    return TermLearner(n_classes, seed, min_documents=2)
