"""Weights of members: by simulation with members of known quality, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from autodl_solver.anytime.ensemble import Temperature, blend, greedy_selection
from autodl_solver.data.examples import Array
from autodl_solver.errors import ShapeError
from autodl_solver.metrics import nauc

N_FRESH = 1_000  # rows on which a blend is judged, beyond the hold-out that chose it


def members(rng: np.random.Generator, qualities: Array, n_rows: int, n_classes: int) -> tuple[Array, Array]:
    """Probabilities [n_members, n_rows, n_classes] and labels; members share half of the variance of their errors."""
    labels = np.r_[0, 1, rng.integers(n_classes, size=n_rows - 2)]
    y = np.eye(n_classes)[labels]
    shared = rng.normal(size=y.shape)
    own = rng.normal(size=(len(qualities), *y.shape))
    logits = qualities[:, None, None] * y + np.sqrt(0.5) * (shared + own)
    return softmax(logits, axis=2).astype(np.float32), y


QUALITIES = {
    "equal": np.full(8, 1.5),
    "spread": np.linspace(0.3, 1.8, 8),
    "growing": 1.8 * (1 - 0.6 ** np.arange(1, 9)),
    "three duds": np.repeat([1.5, 0.0], [5, 3]),
    "one good": np.repeat([0.5, 1.8], [7, 1]),
}


def fresh_scores(qualities: Array, n_held_out: int, n_classes: int, n_seeds: int) -> dict[str, float]:
    """Mean NAUC on fresh rows of the selection, the best single member of the hold-out, and the uniform average."""
    found: dict[str, list[float]] = {"selected": [], "single": [], "uniform": []}
    for seed in range(n_seeds):
        proba, y = members(np.random.default_rng(seed), qualities, n_held_out + N_FRESH, n_classes)
        held_out, fresh, y_held_out, y_fresh = (
            proba[:, :n_held_out],
            proba[:, n_held_out:],
            y[:n_held_out],
            y[n_held_out:],
        )
        single = int(np.argmax([nauc(y_held_out, scores) for scores in held_out]))
        weights = greedy_selection(held_out, y_held_out, seed=seed)
        found["selected"].append(nauc(y_fresh, np.tensordot(weights, fresh, axes=1)))
        found["single"].append(nauc(y_fresh, fresh[single]))
        found["uniform"].append(nauc(y_fresh, fresh.mean(axis=0)))
    return {name: float(np.mean(values)) for name, values in found.items()}


@pytest.mark.parametrize(
    ("name", "n_held_out", "n_classes", "hair"),
    [
        ("equal", 20, 2, 0.01),  # the uniform average is the best there is: selection may lose a hair
        ("equal", 100, 5, 0.01),
        ("spread", 20, 2, 0.0),  # the best single member is known, or not, by the size of the hold-out
        ("spread", 100, 5, 0.0),
        ("growing", 20, 2, 0.01),  # as stages do that see more and more rows
        ("growing", 100, 5, 0.0),
        ("three duds", 20, 2, 0.0),
        ("three duds", 100, 5, 0.0),
        ("one good", 100, 5, 0.0),  # nothing to gain: the best member alone, or nearly
    ],
)
def test_selection_beats_the_best_single_member_and_all_but_the_uniform_average_of_equals(
    name: str, n_held_out: int, n_classes: int, hair: float
) -> None:
    found = fresh_scores(QUALITIES[name], n_held_out, n_classes, n_seeds=12)
    assert found["selected"] >= found["single"] - 0.002
    assert found["selected"] >= found["uniform"] - hair


def test_a_member_of_noise_gets_nearly_no_weight_when_the_hold_out_is_large() -> None:
    proba, y = members(np.random.default_rng(0), np.array([2.0, 2.0, 0.0]), 600, 4)
    weights = greedy_selection(proba, y)
    assert weights.dtype == np.float64
    assert weights.sum() == pytest.approx(1.0)
    assert weights[2] < 0.05
    assert weights[:2].min() > 0.25


def test_a_perfect_member_is_not_diluted_by_poor_ones() -> None:
    proba, y = members(np.random.default_rng(0), np.array([0.3, 0.3]), 300, 3)
    weights = greedy_selection(np.stack([*proba, y]), y)
    np.testing.assert_allclose(weights, [0, 0, 1])


def test_same_seed_gives_the_same_weights() -> None:
    proba, y = members(np.random.default_rng(1), np.linspace(0.5, 1.5, 6), 200, 40)  # more pairs than are drawn
    np.testing.assert_array_equal(greedy_selection(proba, y, seed=3), greedy_selection(proba, y, seed=3))


@pytest.mark.parametrize(
    ("y", "n_members"),
    [
        (np.eye(2)[[0, 1, 0]], 1),  # one member
        (np.zeros((4, 2)), 3),  # no positive anywhere
        (np.ones((4, 1)), 3),  # no negative anywhere
        (np.zeros((0, 2)), 3),  # no rows
    ],
)
def test_weights_are_uniform_where_nothing_tells_members_apart(y: Array, n_members: int) -> None:
    proba = np.random.default_rng(0).random((n_members, *y.shape))
    np.testing.assert_allclose(greedy_selection(proba, y), np.full(n_members, 1 / n_members))


def test_identical_members_share_the_weight() -> None:
    proba, y = members(np.random.default_rng(0), np.array([1.0]), 50, 3)
    assert greedy_selection(np.repeat(proba, 4, axis=0), y) == pytest.approx(np.full(4, 0.25), abs=0.15)


@pytest.mark.parametrize(
    ("proba_shape", "y_shape"),
    [
        ((0, 5, 2), (5, 2)),  # no members
        ((2, 5, 2), (4, 2)),  # other rows
        ((5, 2), (5, 2)),  # no axis of members
    ],
)
def test_shapes_that_disagree_are_refused(proba_shape: tuple[int, ...], y_shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match="however"):
        greedy_selection(np.zeros(proba_shape), np.zeros(y_shape))


def test_temperature_softens_an_over_confident_member_and_leaves_a_calibrated_one() -> None:
    rng = np.random.default_rng(0)
    chances = rng.random((2_000, 1))
    y = (rng.random(chances.shape) < chances).astype(float)
    logits = np.log(chances / (1 - chances))
    assert Temperature.fitted(chances, y).slope == pytest.approx(1.0, abs=0.15)
    assert Temperature.fitted(1 / (1 + np.exp(-4 * logits)), y).slope == pytest.approx(0.25, abs=0.08)


def test_temperature_does_not_trust_a_few_rows_without_an_error() -> None:
    assert Temperature.fitted(np.array([[0.8], [0.2]]), np.array([[1.0], [0.0]])).slope < 1.8


def test_temperature_keeps_every_order_also_at_the_ends() -> None:
    scores = np.array([[0.0, 1e-30, 1e-9, 0.5, 1 - 1e-7, 1.0]], np.float32)
    steps = np.diff(Temperature(0.3).apply(scores)[0])
    assert steps[0] >= 0  # 1e-30 against 0: below the digits of the text format
    assert (steps[1:] > 0).all()


def test_temperature_refuses_shapes_that_disagree_and_keeps_scores_without_rows() -> None:
    with pytest.raises(ShapeError, match="however"):
        Temperature.fitted(np.zeros((3, 2)), np.zeros((3, 1)))
    assert Temperature.fitted(np.zeros((0, 2)), np.zeros((0, 2))).slope == 1.0


def test_one_over_confident_member_does_not_drown_the_others() -> None:
    proba, y = members(np.random.default_rng(4), np.array([1.5, 1.5, 1.0]), 300 + N_FRESH, 5)
    logits = np.log(proba[2])
    proba[2] = softmax(12 * logits, axis=1)
    held_out, fresh, y_held_out, y_fresh = proba[:, :300], proba[:, 300:], y[:300], y[300:]
    tempered = [Temperature.fitted(scores, y_held_out) for scores in held_out]
    uniform = np.full(3, 1 / 3)
    blended = blend(np.stack([t.apply(scores) for t, scores in zip(tempered, fresh, strict=True)]), uniform)
    assert nauc(y_fresh, blended) > nauc(y_fresh, fresh.mean(axis=0)) + 0.02


def test_blend_of_one_member_is_that_member() -> None:
    proba, _ = members(np.random.default_rng(0), np.array([1.0]), 20, 3)
    np.testing.assert_allclose(blend(Temperature(1.0).apply(proba), np.ones(1)), proba[0], atol=2e-6)
