"""Networks on token ids: what they know, what they go on with."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from learner_checks import one_hot, token_features

from autodl_solver.budget import Budget
from autodl_solver.data.examples import Examples
from autodl_solver.learners.network_text import TextNetworkLearner, TextTraining, TextTransformerLearner
from autodl_solver.metrics import nauc

QUICK = TextTraining(max_epochs=6, patience=6, max_members=2)


class CountedClock:
    """A second passes each time it is read."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        self.seconds += 1.0
        return self.seconds


def rows(n: int = 400, n_classes: int = 3, seed: int = 0) -> Examples:
    y = one_hot(n, n_classes)
    return Examples(token_features(y, np.random.default_rng(seed)), y)


def score(learner: TextNetworkLearner) -> float:
    test = rows(seed=1)
    assert test.y is not None
    return nauc(test.y, learner.predict_proba(test.x))


@pytest.fixture(scope="module")
def learned() -> TextNetworkLearner:
    """Has learned all that QUICK lets it; to be copied before it learns more."""
    learner = TextNetworkLearner(3, training=QUICK)
    learner.fit(rows(), Budget())
    return learner


def test_it_learns_which_words_decide(learned: TextNetworkLearner) -> None:
    assert score(learned) > 0.8


def test_a_short_contract_ends_and_the_next_goes_on() -> None:
    learner = TextNetworkLearner(3, training=QUICK)
    learner.fit(rows(), Budget(30, clock=CountedClock()))
    before = score(learner)
    continued = copy.deepcopy(learner)
    continued.fit(rows(), Budget())
    assert score(continued) > before
    assert score(learner) == before  # the copy went on, not this


def test_transformers_learn_which_words_decide() -> None:
    learner = TextTransformerLearner(3, training=TextTraining(max_epochs=4, patience=6, max_members=1))
    learner.fit(rows(), Budget())
    assert score(learner) > 0.8


def test_members_begin_with_what_the_documents_told() -> None:
    ids = np.random.default_rng(0).integers(1, 200, (300, 12))
    many, y = Examples(ids, one_hot(300, 3)), one_hot(300, 3)
    begun = TextNetworkLearner(3, training=TextTraining(max_epochs=1e-6, max_members=1))
    begun.fit(many, Budget())
    assert begun._start is not None
    words, vectors = begun._start
    assert len(words) == 199
    member = begun._new_member(0, begun._known(ids), y, Budget())
    assert np.array_equal(member._network.embedding.weight.detach().numpy()[words], vectors)
    hurried = TextNetworkLearner(3, training=TextTraining(max_epochs=1e-6, max_members=1))
    hurried.fit(many, Budget(0.0))
    assert hurried._start is not None
    assert len(hurried._start[0]) == 0  # there was no time to read documents
    assert np.isfinite(hurried.predict_proba(ids)).all()


def test_more_time_brings_more_members(learned: TextNetworkLearner) -> None:
    assert len(learned._members) == QUICK.max_members
    again = copy.deepcopy(learned)
    again.fit(rows(), Budget())
    assert score(again) == score(learned)


@pytest.mark.parametrize(
    "ids",
    [
        np.zeros((2, 12), np.int32),  # empty documents
        np.full((2, 12), 10**6, np.int32),  # tokens never seen
        np.full((2, 12), -7, np.int32),  # no ids
        np.eye(2, 12, dtype=np.int32),  # one token
        np.full((2, 12), np.nan, np.float32),
    ],
)
def test_any_ids_get_a_finite_answer(learned: TextNetworkLearner, ids: np.ndarray) -> None:
    assert np.isfinite(learned.predict_proba(ids)).all()


def test_documents_of_nothing_can_be_learned_from() -> None:
    learner = TextNetworkLearner(2, training=QUICK)
    learner.fit(Examples(np.zeros((20, 5), np.int32), one_hot(20, 2)), Budget())
    assert learner.predict_proba(np.zeros((1, 5), np.int32)) == pytest.approx(0.5, abs=0.1)


def test_the_most_frequent_tokens_are_told_apart() -> None:
    few = TextTraining(max_epochs=6, patience=6, max_members=1, max_tokens=1)
    learner = TextNetworkLearner(3, training=few)
    learner.fit(rows(), Budget())
    assert learner._members[0]._network.embedding.num_embeddings == 3
