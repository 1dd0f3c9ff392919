"""A network for tables that goes on for as long as it is given (nn/tabular_network.py).

Predictions are those of an average of the weights over the last part of training, which is what lowering the learning
rate would give, at any time. A share of the rows is kept aside: the average that does best on them is what answers, and
training ends when nothing better has come for long.
Source of the averaging: Shamir and Zhang, Stochastic Gradient Descent for Non-smooth Optimization, ICML 2013
(polynomial-decay averaging).
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from autodl_solver.budget import Budget
from autodl_solver.data.examples import Array
from autodl_solver.learners.base import Features, Learner
from autodl_solver.learners.label_kind import is_exclusive
from autodl_solver.nn.device import avoid_triton_beside_tensorflow, best_compute
from autodl_solver.nn.tabular_encoding import Thermometer
from autodl_solver.nn.tabular_network import TabularNetwork

CHECK_PERIOD = 10
"""Every so many-th row is kept aside."""

MAX_CHECK_ROWS = 2000
MIN_CHECK_ROWS = 50
"""With fewer rows aside than that, they say too little: the last average answers."""

MIN_CHECK_STEPS = 20
"""Training steps between two looks at the rows aside, at least; an epoch if that is longer."""

EMBEDDED_VALUES = 512
"""Columns times the width of their embedding, where columns are few."""

PREDICTED_ROWS = 1024
"""Rows of one pass: their hidden values stay in the cache."""

FORGETTING = 8.0
"""The average reaches back over about one part in so many of the steps so far."""

SAFETY = 2.0
"""A step is begun when the slowest of late would fit this many times into what is left."""

FADING = 0.9
"""What a slow step still counts for after each later one."""


@dataclass(frozen=True)
class TableTraining:
    """How a network for tables is built and trained; sizes that two cores can train in a minute."""

    n_members: int = 8
    hidden: tuple[int, ...] = (128, 128)
    n_bins: int = 16
    dropout: float = 0.1
    learning_rate: float = 2e-3
    weight_decay: float = 1e-3
    batch_rows: int = 256
    patience: int = 16
    max_epochs: int = 400


class TableNetworkLearner(Learner):
    """A second fit goes on: with the same weights, on whatever rows it is given.

    Args:
        n_classes: columns of the labels.
        seed: see Learner.
        training: sizes and rates.
    """

    def __init__(self, n_classes: int, seed: int = 0, training: TableTraining | None = None) -> None:
        super().__init__(n_classes, seed)
        self._training = training or TableTraining()
        self._network: TabularNetwork | None = None
        self._optimizer: torch.optim.Optimizer | None = None
        self._moments: dict[str, Any] | None = None  # of the optimizer before this learner was saved

    def attributes_to_save(self) -> dict[str, Any]:
        """Of the optimizer its state only: the next fit makes one again."""
        moments = self._moments if self._optimizer is None else self._optimizer.state_dict()
        return {**vars(self), "_optimizer": None, "_moments": moments}

    def _fit(self, x: Features, y: Array, budget: Budget) -> None:
        table = _table(x)
        with torch.random.fork_rng(devices=[]):
            if self._network is None:
                torch.manual_seed(self.seed)
                self._begin(table, y)
            self._prepare_optimizer()
            torch.manual_seed(self.seed + self._n_steps)
            self._train(table, y, budget)

    def _begin(self, table: Array, y: Array) -> None:
        """The network, its average, and how labels are read: one a row, or several."""
        n_columns, plan = table.shape[1], self._training
        self._exclusive = is_exclusive(y)
        self._encoder = Thermometer.fitted(table, plan.n_bins)
        self._network = TabularNetwork(
            n_columns,
            self._encoder.n_values,
            self.n_classes,
            n_members=plan.n_members,
            embedding_width=int(np.clip(EMBEDDED_VALUES // n_columns, 1, 16)),
            hidden=plan.hidden,
            dropout=plan.dropout,
        )
        frequencies = (y.sum(axis=0) + 0.5) / (len(y) + 1)
        logits = np.log(frequencies) if self._exclusive else np.log(frequencies / (1 - frequencies))
        with torch.no_grad():
            self._network.head_bias.add_(torch.as_tensor(logits, dtype=torch.float32))
        self._average = copy.deepcopy(self._network)
        self._answering = copy.deepcopy(self._network)
        self._n_steps, self._n_rows = 0, 0
        self._random = np.random.default_rng(self.seed)

    def _prepare_optimizer(self) -> None:
        """Where there is none: after a beginning, or after the learner was loaded."""
        if self._optimizer is None:
            assert self._network is not None, "a learner begins before it trains"
            avoid_triton_beside_tensorflow()
            plan = self._training
            self._optimizer = torch.optim.AdamW(
                self._network.parameters(), lr=plan.learning_rate, weight_decay=plan.weight_decay
            )
            if self._moments is not None:
                self._optimizer.load_state_dict(self._moments)
                self._moments = None

    def _train(self, table: Array, y: Array, budget: Budget) -> None:
        """Steps until the budget ends, or nothing better comes."""
        plan = self._training
        if len(y) != self._n_rows:  # other rows are aside, on which losses compare with no earlier ones
            self._n_rows, self._epochs, self._n_idle, self._least_loss = len(y), 0.0, 0, np.inf
        aside = np.arange(len(y)) % CHECK_PERIOD == CHECK_PERIOD // 2
        if aside.sum() < MIN_CHECK_ROWS:
            aside[:] = False
        kept, rows = np.flatnonzero(aside)[:MAX_CHECK_ROWS], np.flatnonzero(~aside)
        n_batch = min(plan.batch_rows, max(len(rows) // 8, 16))
        n_between = max(MIN_CHECK_STEPS, len(rows) // n_batch)
        order, position, slowest_s, since_check = self._random.permutation(rows), 0, 0.0, 0
        while self._n_idle < plan.patience and self._epochs < plan.max_epochs and budget.left > SAFETY * slowest_s:
            started_s = budget.elapsed
            if position >= len(order):
                order, position = self._random.permutation(rows), 0
            batch = order[position : position + n_batch]
            position += n_batch
            self._step(table[batch], torch.as_tensor(y[batch]))
            self._epochs += len(batch) / len(rows)
            since_check += 1
            if since_check == n_between:
                self._check(table[kept], y[kept])
                since_check = 0
            slowest_s = max(FADING * slowest_s, budget.elapsed - started_s)  # the very first ones are no measure
        if since_check and self._n_idle < plan.patience:
            self._check(table[kept], y[kept])

    def _step(self, x: Array, y: Tensor) -> None:
        assert self._network is not None
        assert self._optimizer is not None
        self._network.train()
        with best_compute().autocast():
            logits = self._network(torch.as_tensor(self._encoder.encode(x))).float()
        loss = self._loss(logits.flatten(0, 1), y.repeat_interleave(logits.shape[1], dim=0))
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._network.parameters(), 1.0)
        self._optimizer.step()
        self._n_steps += 1
        share = min(1.0, (FORGETTING + 1) / (self._n_steps + FORGETTING))
        averages: list[Tensor] = list(self._average.parameters())
        weights: list[Tensor] = list(self._network.parameters())
        with torch.no_grad():
            torch._foreach_lerp_(averages, weights, share)

    def _loss(self, logits: Tensor, y: Tensor) -> Tensor:
        if self._exclusive:
            return functional.cross_entropy(logits, y)
        return functional.binary_cross_entropy_with_logits(logits, y)

    def _check(self, x: Array, y: Array) -> None:
        """Takes over the average if it does better on the rows aside, or if there are none."""
        loss = -np.inf
        if len(x):
            proba = np.clip(_proba(self._average, self._encoder, x, self._exclusive), 1e-7, 1 - 1e-7)
            other = 0.0 if self._exclusive else (1 - y) * np.log(1 - proba)
            loss = float(-np.mean(y * np.log(proba) + other))
            self._n_idle += 1
        if loss < self._least_loss or not len(x):
            self._least_loss, self._n_idle = loss, 0
            self._answering.load_state_dict(self._average.state_dict())

    def _predict_proba(self, x: Features) -> Array:
        return _proba(self._answering, self._encoder, _table(x), self._exclusive)


def _proba(network: TabularNetwork, encoder: Thermometer, x: Array, exclusive: bool) -> Array:
    """[n_rows, n_classes]: the mean over members."""
    network.eval()
    parts = []
    with torch.inference_mode():
        for start in range(0, len(x), PREDICTED_ROWS):
            logits = network(torch.as_tensor(encoder.encode(x[start : start + PREDICTED_ROWS])))  # in full precision
            proba = torch.softmax(logits, dim=2) if exclusive else torch.sigmoid(logits)
            parts.append(proba.mean(dim=1).numpy())
    return np.concatenate(parts)


def _table(x: Features) -> Array:
    return np.asarray(x.todense() if not isinstance(x, np.ndarray) else x.reshape(len(x), -1), np.float32)
