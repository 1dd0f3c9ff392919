"""Embeddings of tokens learned from documents alone."""

from __future__ import annotations

import numpy as np
import pytest

from autodl_solver.nn.token_embeddings import embeddings_of

SPECIAL = 2


def two_topics(n: int = 300) -> np.ndarray:
    """Documents of 8 tokens: those of topic 0 of ids 2 to 21, those of topic 1 of 22 to 41."""
    rng = np.random.default_rng(0)
    return rng.integers(0, 20, (n, 8)) + SPECIAL + 20 * (np.arange(n) % 2)[:, None]


def learned(ids: np.ndarray, width: int = 4) -> tuple[np.ndarray, np.ndarray]:
    return embeddings_of(ids, width, n_special=SPECIAL, scale=0.3, seed=0)


def test_tokens_that_stand_together_are_alike() -> None:
    words, vectors = learned(two_topics())
    assert sorted(words) == list(range(SPECIAL, SPECIAL + 40))
    assert np.sqrt((vectors**2).mean(axis=1)) == pytest.approx(0.3, abs=1e-5)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    alike, topic = unit @ unit.T, words // 22
    same = topic[:, None] == topic
    assert alike[same].mean() > alike[~same].mean() + 0.5


def test_padding_and_unknown_tokens_are_no_words() -> None:
    ids = two_topics()
    ids[:, 5:], ids[:, 0] = 0, 1
    words, _ = learned(ids)
    assert words.min() >= SPECIAL


@pytest.mark.parametrize(
    "ids",
    [
        np.zeros((0, 8), np.int64),  # no documents
        np.zeros((9, 8), np.int64),  # empty ones
        np.arange(800).reshape(100, 8),  # nothing occurs twice
        np.full((9, 8), 5),  # fewer words than an embedding has values
        two_topics()[:, :1],  # one token each: nothing stands near it
    ],
)
def test_documents_that_say_too_little_give_no_embeddings(ids: np.ndarray) -> None:
    words, vectors = learned(ids)
    assert len(words) == 0
    assert vectors.shape == (0, 4)


def test_the_same_documents_give_the_same_embeddings() -> None:
    assert np.array_equal(learned(two_topics())[1], learned(two_topics())[1])
