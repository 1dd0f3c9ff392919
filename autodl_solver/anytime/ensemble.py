"""Greedy ensemble selection: how much each stage's prediction counts in the blend.

Adds, with replacement, the prediction that most improves the hold-out NAUC, in several bags of random members.
NAUC is counted on pairs: a row of a class, and a row outside it. A blend wins the pair when it scores the first above
the second; since the margins of a blend are the blend of the margins, one addition and one comparison a pair judge a
candidate, without sorting. Pairs that all members order alike are left out: no blend changes them.
Source: Caruana et al., Ensemble Selection from Libraries of Models, ICML 2004.

A small hold-out cannot tell good members apart, and the luckiest single one is a poor choice. So a bag begins with the
average of all members within the noise of its best (their sorted initialisation): near the uniform average when the
hold-out is tiny, few members or one when it is large. Members are blended as tempered logits (`Temperature`).
Cost: 20 ms for 20 members of 1,000 rows and 10 classes, 40 ms for 2,000 rows and 100 classes, and 2 to 3 ms a member
for its temperature, 1 core.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from autodl_solver.anytime.history import noise_of_nauc
from autodl_solver.data.examples import Array
from autodl_solver.errors import ShapeError

MAX_PAIRS = 50_000  # of all classes together; beyond that they are drawn at random, equally many per class
PLAUSIBLE = 2.0  # members this many standard errors below the best may still be as good
MIN_GAIN = 0.05  # standard errors that an addition must gain: below that it only follows the noise
MEMBERS_PER_BAG = 0.8  # share of the members that a bag may use

MAX_VALUES = 20_000  # scores, of evenly spread rows, that fit the one number of a temperature
SLOPE_PRIOR = 0.5  # nats that a slope of e or 1/e costs: few rows pull it towards 1
LOG_SLOPES = (-5.0, 0.0)  # an over-confident member is softened 150 times at most; none is sharpened into ties
FLOOR = 1e-6


@dataclass(frozen=True)
class Temperature:
    """Makes a member comparable with others: its logits times the slope of least log loss on the hold-out.

    Order within a class and between the classes of a row is kept, so its own NAUC and accuracy are too.
    Source: Guo et al., On Calibration of Modern Neural Networks, ICML 2017.
    """

    slope: float

    @classmethod
    def fitted(cls, scores: Array, y: Array) -> Temperature:
        """The slope for one member; few rows pull it towards 1.

        Args:
            scores: [n_rows, n_classes] hold-out scores in [0, 1].
            y: [n_rows, n_classes], a value above .5 is a positive.
        Raises:
            ShapeError: scores and y disagree.
        """
        if scores.shape != y.shape or y.ndim != 2:
            raise ShapeError(f"scores and y must be [n_rows, n_classes]; however {scores.shape=} and {y.shape=}.")
        if len(y) == 0:
            return cls(1.0)
        step = -(-y.size // MAX_VALUES)
        signed = np.where(y[::step] > 0.5, 1.0, -1.0) * _floored_logits(scores[::step])
        n_rows = len(signed)

        def loss(log_slope: float) -> float:
            return float(-special.log_expit(np.exp(log_slope) * signed).sum() + SLOPE_PRIOR * log_slope**2) / n_rows

        return cls(float(np.exp(optimize.minimize_scalar(loss, bounds=LOG_SLOPES, method="bounded").x)))

    def apply(self, scores: Array) -> Array:
        """[n_rows, n_classes] float64 logits of hold-out or test scores; strictly increasing, so no ties are made."""
        return self.slope * _floored_logits(scores)


def blend(logits: Array, weights: Array) -> Array:
    """Scores of the blend.

    Args:
        logits: [n_members, n_rows, n_classes], from `Temperature.apply`.
        weights: [n_members], sum 1.
    Returns:
        [n_rows, n_classes] float64 in (0, 1).
    """
    return np.asarray(special.expit(np.tensordot(weights, logits, axes=1)))


def greedy_selection(proba: Array, y: Array, *, max_size: int = 20, n_bags: int = 8, seed: int = 0) -> Array:
    """Weight each member; weights sum to 1.

    Args:
        proba: [n_members, n_rows, n_classes] hold-out scores, finite and comparable: the logits of `Temperature.apply`,
            or probabilities.
        y: [n_rows, n_classes], a value above .5 is a positive; several per row are allowed.
        max_size: selections of a bag, with replacement, those it begins with included.
        n_bags: random subsets of members, each with the best single one among them.
        seed: same seed, same weights.
    Returns:
        [n_members] float64. Uniform when no class has both outcomes, since then nothing tells the members apart.
    Raises:
        ShapeError: no members, or proba and y disagree on rows or classes.
    """
    if proba.ndim != 3 or len(proba) == 0 or proba.shape[1:] != y.shape:
        raise ShapeError(
            f"greedy_selection needs proba of [n_members >= 1, n_rows, n_classes] and y of [n_rows, n_classes]; "
            f"however {proba.shape=} and {y.shape=}."
        )
    n_members, n_rows, _ = proba.shape
    rng = np.random.default_rng(seed)
    pairs = _Pairs.drawn(y, rng)
    if n_members == 1 or len(pairs.weights) == 0:
        return np.full(n_members, 1 / n_members)
    margins, pair_weights = pairs.disputed(proba)
    best = int((np.sign(margins) @ pair_weights).argmax())
    noise = noise_of_nauc(n_rows, pairs.nauc(proba[best]))
    weights: Array = np.zeros(n_members)
    for _ in range(n_bags):
        chosen: Array = rng.random((n_members,)) < MEMBERS_PER_BAG
        chosen[best] = True
        weights[chosen] += _select(margins[chosen], pair_weights, max_size, noise)
    return np.asarray(weights / weights.sum())


def _select(margins: Array, pair_weights: Array, max_size: int, noise: float) -> Array:
    """One bag.

    Args:
        margins: [n_members, n_pairs] float32.
        pair_weights: [n_pairs] float32; a constant plus the weighted sum of the signs of a blend's margins is its NAUC.
        max_size: selections.
        noise: standard error of a NAUC difference.
    Returns:
        [n_members] weights, sum 1.
    """
    scores = np.sign(margins) @ pair_weights
    counts: Array = (scores >= scores.max() - PLAUSIBLE * noise).astype(np.float64)
    total = margins[counts > 0].sum(axis=0)
    score = np.sign(total) @ pair_weights
    candidates = np.empty_like(margins)
    while counts.sum() < max_size:
        np.add(margins, total, out=candidates)
        scores = np.sign(candidates, out=candidates) @ pair_weights
        added = int(scores.argmax())
        if scores[added] - score < MIN_GAIN * noise:
            break
        counts[added] += 1
        total += margins[added]
        score = scores[added]
    return np.asarray(counts / counts.sum())


@dataclass(frozen=True)
class _Pairs:
    """Pairs of rows that a blend should order, over the classes with both outcomes.

    Shape:
        inside, outside: [n_pairs] rows with and without the class; classes: [n_pairs]; weights: [n_pairs] float32,
        sum 1, equal for each class.
    """

    inside: Array
    outside: Array
    classes: Array
    weights: Array

    @classmethod
    def drawn(cls, y: Array, rng: np.random.Generator) -> _Pairs:
        """All pairs of a class where they are few, else a sample in which its positives take turns."""
        positive = y > 0.5
        n_positive = positive.sum(axis=0)
        valid = np.flatnonzero((n_positive > 0) & (n_positive < len(y)))
        n_most = max(MAX_PAIRS // max(len(valid), 1), 1)
        parts = [(np.zeros(0, np.int64),) * 3 + (np.zeros(0, np.float32),)]
        for k in valid:
            with_class, without = np.flatnonzero(positive[:, k]), np.flatnonzero(~positive[:, k])
            if len(with_class) * len(without) <= n_most:
                inside, outside = np.repeat(with_class, len(without)), np.tile(without, len(with_class))
            else:
                inside = np.resize(rng.permutation(with_class), n_most)
                outside = rng.choice(without, n_most)
            n_pairs = len(inside)
            weights = np.full(n_pairs, 1 / (n_pairs * len(valid)), np.float32)
            parts.append((inside, outside, np.full(n_pairs, k), weights))
        inside, outside, classes, weights = (np.concatenate(column) for column in zip(*parts, strict=True))
        return cls(inside, outside, classes, weights)

    def disputed(self, proba: Array) -> tuple[Array, Array]:
        """Margins [n_members, n_disputed] float32 of the pairs that members order differently, and their weights."""
        margins = np.stack([self._margins(scores) for scores in proba])
        alike = (margins > 0).all(axis=0) | (margins < 0).all(axis=0)
        return np.ascontiguousarray(margins[:, ~alike]), self.weights[~alike]

    def nauc(self, scores: Array) -> float:
        """Of one member, [n_rows, n_classes], on these pairs."""
        return float(np.sign(self._margins(scores)) @ self.weights)

    def _margins(self, scores: Array) -> Array:
        """[n_pairs] float32: how far the scores of each pair are apart."""
        n_classes, flat = scores.shape[1], scores.ravel()
        inside, outside = self.inside * n_classes + self.classes, self.outside * n_classes + self.classes
        return np.asarray(flat[inside] - flat[outside], np.float32)


def _floored_logits(scores: Array) -> Array:
    """Logits of scores in [0, 1], moved off 0 and 1 without making ties."""
    return np.asarray(special.logit(FLOOR + (1 - 2 * FLOOR) * scores.astype(np.float64)))
