"""Weights of terms, and documents learned from end to end."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from sklearn.feature_extraction.text import TfidfTransformer
from text_documents import CHINESE, ENGLISH, documents, info

from autodl_solver.budget import Budget
from autodl_solver.data.examples import Examples
from autodl_solver.metrics import nauc
from autodl_solver.modalities.text import SPEC
from autodl_solver.modalities.text import learners as text_learners
from autodl_solver.modalities.text.learners import TermLearner, TermWeights
from autodl_solver.modalities.text.pipeline import TextPipeline


def random_counts(n_rows: int = 40, n_columns: int = 30) -> sparse.csr_array:
    return sparse.csr_array(np.random.default_rng(0).poisson(0.3, (n_rows, n_columns)).astype(np.float32))


def test_weights_are_those_of_scikit_learn_where_classes_count_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_learners, "DIVERGENCE_POWER", 0.0)
    counts = random_counts()
    counts = counts[:, np.flatnonzero(np.asarray(counts.sum(axis=0)))]
    found = TermWeights().fit_transform(counts, np.zeros((40, 2), np.float32))
    expected = TfidfTransformer(sublinear_tf=True).fit_transform(counts)
    assert found.toarray() == pytest.approx(expected.toarray(), abs=1e-5)


def test_a_term_that_tells_the_class_weighs_more_than_one_as_common() -> None:
    y = np.eye(2, dtype=np.float32)[np.arange(40) % 2]
    counts = sparse.csr_array(np.stack([np.arange(40) % 2 == 0, np.arange(40) < 20], axis=1).astype(np.float32))
    both = TermWeights().fit_transform(counts, y)[:1].toarray()[0]
    assert both[0] > 1.5 * both[1]


def test_terms_of_new_documents_only_are_left_out() -> None:
    weights = TermWeights()
    counts = sparse.csr_array(np.array([[1, 0, 2], [0, 0, 1]], np.float32))
    assert weights.fit_transform(counts, np.eye(2, dtype=np.float32)).shape == (2, 2)
    new = weights.transform(sparse.csr_array(np.array([[0, 5, 0]], np.float32)))
    assert (new.shape, new.nnz) == ((1, 2), 0)


def test_the_rarest_terms_are_left_out_where_weights_would_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_learners, "MAX_WEIGHTS", 4)
    counts = sparse.csr_array(np.array([[1, 1, 0, 1], [0, 1, 1, 1]], np.float32))
    weighted = TermWeights().fit_transform(counts, np.eye(2, dtype=np.float32))
    assert weighted.toarray() == pytest.approx(np.full((2, 2), np.sqrt(0.5)))


@pytest.mark.parametrize("vocabulary", [ENGLISH, CHINESE, ()], ids=["English", "Chinese", "no vocabulary"])
def test_every_family_learns_which_word_decides(vocabulary: tuple[str, ...]) -> None:
    rng = np.random.default_rng(0)
    facts = info(vocabulary)
    rows = [list(rng.integers(0, 5, rng.integers(0, 12))) + [1] * (k % 2) for k in range(120)]
    y = np.eye(2, dtype=np.float32)[[int(1 in row) for row in rows]]
    pipeline = TextPipeline(facts)
    for family in SPEC.make_plan(facts):
        if family.goes_on:  # test_network_text.py
            continue
        x = pipeline.transform(documents(*rows), family.view, family.fidelities[0])
        train, test = Examples(x, y).take(np.arange(80)), Examples(x, y).take(np.arange(80, 120))
        learner = family.make_learner(2, 0)
        learner.fit(train, Budget())
        assert nauc(test.y, learner.predict_proba(test.x)) > 0.8, family.name


def test_a_class_seen_once_is_found_again() -> None:
    y = np.eye(3, dtype=np.float32)[np.arange(60) % 2]
    y[7] = [0, 0, 1]
    rows = [[int(k % 2)] * 3 for k in range(60)]
    rows[7] = [4, 4, 3]
    x = TextPipeline(info(ENGLISH, 3)).transform(documents(*rows), "", 10)
    learner = TermLearner(3)
    learner.fit(Examples(x, y), Budget())
    assert learner.predict_proba(x)[:, 2].argmax() == 7


@pytest.mark.parametrize(
    "vocabulary",
    [ENGLISH, CHINESE, (), tuple(f"word{k}" for k in range(10**6))],
    ids=["English", "Chinese", "no vocabulary", "a million words"],
)
def test_every_family_answers_for_odd_documents(vocabulary: tuple[str, ...]) -> None:
    """Empty ones, one token, ids outside the vocabulary, no ids, 100,000 tokens; one class occurs once, one never."""
    odd = [[], [3], [2_000_000, -5], [np.nan, np.inf], list(np.arange(100_000) % 6), [0, 1, 2, 2]]
    rows = documents(*odd * 4)
    y = np.eye(4, dtype=np.float32)[np.arange(24) % 2]
    y[5] = np.eye(4)[2]
    facts = info(vocabulary, 4)
    pipeline = TextPipeline(facts)
    pipeline.fit(Examples(rows))
    for family in SPEC.make_plan(facts):
        x = pipeline.transform(rows, family.view, family.fidelities[-1])
        learner = family.make_learner(4, 0)
        learner.fit(Examples(x, y), Budget(0.2))
        proba = learner.predict_proba(x)
        assert proba.shape == (24, 4), family.name
        assert np.isfinite(proba).all(), family.name
        assert proba.min() >= 0, family.name
        assert proba.max() <= 1, family.name


def test_terms_of_a_single_document_can_be_left_out() -> None:
    counts = sparse.csr_array(np.array([[1, 1, 0], [0, 1, 2]], np.float32))
    assert TermWeights(min_documents=2).fit_transform(counts, np.eye(2, dtype=np.float32)).shape == (2, 1)
    single = TermWeights(min_documents=2).fit_transform(counts[:1], np.ones((1, 2), np.float32))
    assert single.shape == (1, 2)  # of one document all terms are kept


def test_spelling_is_offered_where_words_have_letters() -> None:
    assert any(family.view == "spelling" for family in SPEC.make_plan(info(ENGLISH)))
    assert not any(family.view == "spelling" for family in SPEC.make_plan(info(CHINESE)))
