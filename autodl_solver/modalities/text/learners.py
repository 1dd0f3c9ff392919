"""TF-IDF weights that leave out what one document only has."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfTransformer

from autodl_solver.learners.scaled import ScaledLinearLearner

MIN_DOCUMENTS = 2
"""Columns of fewer training documents are left out; docs/experiments.md says what that saves and costs."""


class FrequentTfidf:
    """Sub-linear TF-IDF of the columns that at least MIN_DOCUMENTS training documents have; rows of unit length.

    Source: Salton and Buckley, Term-weighting approaches in automatic text retrieval, 1988; the weights are
    scikit-learn's.
    """

    def fit_transform(self, counts: sparse.csr_array) -> sparse.csr_array:
        """[n_documents, n_columns] counts -> [n_documents, n_kept] weights."""
        n_documents = np.bincount(counts.indices, minlength=counts.shape[1])
        kept = n_documents >= min(MIN_DOCUMENTS, counts.shape[0])
        self._n_kept = max(int(kept.sum()), 1)
        self._column = np.where(kept, np.cumsum(kept) - 1, -1)
        self._tfidf = TfidfTransformer(sublinear_tf=True).fit(self._kept_columns(counts))
        return self.transform(counts)

    def transform(self, counts: sparse.csr_array) -> sparse.csr_array:
        """Weights by the documents that were fitted."""
        return sparse.csr_array(self._tfidf.transform(self._kept_columns(counts)))

    def _kept_columns(self, counts: sparse.csr_array) -> sparse.csr_array:
        column = self._column[counts.indices]
        kept = column >= 0
        offsets = np.concatenate([[0], np.cumsum(kept)])[counts.indptr]
        return sparse.csr_array((counts.data[kept], column[kept], offsets), shape=(counts.shape[0], self._n_kept))


def make_learner(n_classes: int, seed: int) -> ScaledLinearLearner:
    """TF-IDF, linear."""
    return ScaledLinearLearner(n_classes, seed, FrequentTfidf)
