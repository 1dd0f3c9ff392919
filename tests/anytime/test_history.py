"""Which record's predictions are trusted."""

import math

import numpy as np
import pytest

from autodl_solver.anytime.history import History, Record, noise_of_nauc
from autodl_solver.anytime.stage import Stage
from autodl_solver.learners.prior import PriorLearner
from autodl_solver.metrics import nauc


def record(name: str, held_out: np.ndarray | None, *, failed: bool = False, refit: bool = False) -> Record:
    return Record(
        Stage(name, PriorLearner, 1, 10, refit_of="repeated" if refit else None),
        10,
        1.0,
        held_out=held_out,
        error=ValueError() if failed else None,
    )


def history_of(*records: Record, n_held_out: int = 400) -> History:
    history = History(records=list(records))
    history.y_held_out = np.eye(2)[np.arange(n_held_out) % 2]
    return history


def scores(n_rows: int, auc_like: float, seed: int = 0) -> np.ndarray:
    """Predictions whose quality grows with auc_like."""
    rng = np.random.default_rng(seed)
    y = np.eye(2)[np.arange(n_rows) % 2]
    return y * auc_like + rng.random((n_rows, 2))


def test_nothing_that_ran_has_no_champion() -> None:
    assert History().champion() is None


def test_a_clearly_worse_later_stage_does_not_replace() -> None:
    good, bad = record("good", scores(200, 1.0)), record("bad", scores(400, 0.1))
    assert history_of(good, bad).champion() is good


def test_a_later_stage_replaces_within_the_noise() -> None:
    first, later = record("first", scores(20, 0.50)), record("later", scores(400, 0.48, seed=1))
    assert history_of(first, later).champion() is later


def test_failed_stages_never_lead() -> None:
    good, failed = record("good", scores(200, 0.1)), record("failed", None, failed=True)
    assert history_of(good, failed).champion() is good


def test_a_refit_follows_the_champion_it_repeats() -> None:
    good, refit = record("good", scores(200, 1.0)), record("good refit", None, refit=True)
    assert history_of(good, refit).champion() is refit


def test_a_hold_out_of_one_class_decides_nothing() -> None:
    history = history_of(record("a", np.ones((3, 2))), record("b", np.zeros((3, 2))))
    history.y_held_out = np.tile([1.0, 0.0], (3, 1))
    champion = history.champion()
    assert champion is not None
    assert champion.stage.name == "b"


@pytest.mark.parametrize(
    ("n_rows", "score", "noise"),
    [
        (20, 0.75, 0.7 * math.sqrt(0.5 / 20)),
        (10_000, 0.7505, 0.0035),
        (10_000, 0.9980, 0.00035),
        (0, 0.0, 0.7 * math.sqrt(6)),
    ],
)
def test_noise_shrinks_with_the_root_of_the_rows_and_of_the_error(n_rows: int, score: float, noise: float) -> None:
    assert math.isclose(noise_of_nauc(n_rows, score), noise)


def test_noise_is_about_the_standard_error_of_the_difference_of_related_predictions() -> None:
    rng, n_rows = np.random.default_rng(0), 400
    for distance, largest in [(1.5, 2.5), (3.0, 2.5)]:
        differences = []
        for _ in range(200):
            y = np.eye(2)[rng.integers(0, 2, n_rows)]
            known = distance * y[:, 1] + 0.9 * rng.normal(size=n_rows)
            first, second = (known + 0.44 * rng.normal(size=n_rows) for _ in range(2))
            scored = [nauc(y, np.stack([-one, one], axis=1)) for one in (first, second)]
            differences.append(scored[0] - scored[1])
        assert 1 / largest < np.std(differences) / noise_of_nauc(n_rows, scored[0]) < largest
