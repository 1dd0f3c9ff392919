"""TF-IDF of one and two tokens, sub-linear, and logistic regression with C = 10: the textbook answer to short texts.

Documents are put together again from the vocabulary. Chinese tokens are characters, so its pairs are pairs of
characters.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from autodl_solver.data.examples import Array, Rows
from autodl_solver.data.sequences import as_ragged
from benchmarks.peers.one_shot import OneShot, PerLabel


class Model(OneShot):
    def fit(self, x: Rows, y: Array, seconds: float) -> None:
        self._vectorizer = TfidfVectorizer(
            analyzer="word",
            tokenizer=str.split,
            token_pattern=None,
            lowercase=False,
            ngram_range=(1, 2),
            sublinear_tf=True,
        )
        self._model = PerLabel(lambda: LogisticRegression(C=10, max_iter=300, random_state=self.seed))
        self._model.fit(self._vectorizer.fit_transform(self._documents(x)), y)

    def predict_proba(self, x: Rows) -> Array:
        return self._model.predict_proba(self._vectorizer.transform(self._documents(x)))

    def _documents(self, x: Rows) -> list[str]:
        words: Any = np.array(self.info.vocabulary, dtype=object)
        documents = as_ragged(x)
        ids = documents.values.reshape(-1).astype(np.int64)
        tokens = words[ids] if len(words) else ids.astype(str)
        return [" ".join(tokens[start:stop]) for start, stop in pairwise(documents.offsets)]
