"""Learners that began differently answer together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from autodl_solver.budget import Budget
from autodl_solver.data.examples import Examples
from autodl_solver.learners.averaged import AveragedLearner
from autodl_solver.learners.network import NetworkLearner
from autodl_solver.nn.trainer import TrainingOptions
from autodl_solver.saving import read_model, write_model

Y = np.eye(2, dtype=np.float32)[np.arange(40) % 2]
X = (np.random.default_rng(0).random((40, 8, 8, 1)) * 100 + 100 * Y[:, :1, None, None]).astype(np.uint8)


def network(seed: int) -> NetworkLearner:
    return NetworkLearner(2, seed, widths=(8,), options=TrainingOptions(batch_size=16, max_epochs=2))


@pytest.fixture(scope="module")
def three() -> tuple[AveragedLearner, list[np.ndarray]]:
    """The mean of three networks, and what each of them predicts."""
    first = network(0)
    first.fit(Examples(X, Y), Budget())
    two = AveragedLearner(first, network(1))
    two.fit(Examples(X, Y), Budget())
    all_of_them = AveragedLearner(two, network(2))
    all_of_them.fit(Examples(X, Y), Budget())
    alone = [first.predict_proba(X)]
    for seed in (1, 2):
        one = network(seed)
        one.fit(Examples(X, Y), Budget())
        alone.append(one.predict_proba(X))
    return all_of_them, alone


def test_the_answer_is_the_mean_of_what_each_predicts(three: tuple[AveragedLearner, list[np.ndarray]]) -> None:
    learner, alone = three
    assert not np.allclose(alone[0], alone[1])
    assert learner.predict_proba(X) == pytest.approx(np.mean(alone, axis=0), abs=1e-6)


def test_it_is_saved_and_read(three: tuple[AveragedLearner, list[np.ndarray]], tmp_path: Path) -> None:
    learner, _ = three
    write_model(tmp_path / "model", {"learner": learner}, {})
    other = read_model(tmp_path / "model")[0]["learner"]
    assert other.predict_proba(X) == pytest.approx(learner.predict_proba(X), abs=1e-6)
