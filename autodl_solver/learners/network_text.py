"""Networks on token ids that go on for as long as they are given: one member after the other.

A small network has learned what it can from thousands of documents within seconds, and then learns them by heart; what
more time buys is another member. Each keeps other rows aside, answers with the average of its last weights that did
best on them, and ends when nothing better has come for a while. Predictions are the mean over the members. All begin
with embeddings that are learned from the documents alone (nn/token_embeddings.py).
Source: Breiman, Bagging predictors, 1996; the average of the weights: Polyak and Juditsky, 1992.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from autodl_solver.budget import Budget
from autodl_solver.data.examples import Array
from autodl_solver.learners.base import Features, Learner
from autodl_solver.learners.label_kind import is_exclusive
from autodl_solver.nn.device import avoid_triton_beside_tensorflow, best_compute
from autodl_solver.nn.losses import classification_loss
from autodl_solver.nn.text_network import PADDING, UNKNOWN, TextNetwork, TokenNetwork
from autodl_solver.nn.text_transformer import TextTransformer
from autodl_solver.nn.token_embeddings import embeddings_of

ASIDE_PERIOD = 10
"""Every so many-th row is kept aside, other ones for each member."""

MAX_ASIDE = 2000
MIN_ASIDE = 30
"""With fewer rows aside than that, they say too little: the last average answers."""

AVERAGE_STEPS = 4
AVERAGE_SHARE = 0.1
"""Every AVERAGE_STEPS steps, the average moves by that share towards the weights."""

SORTED_BATCHES = 32
"""So many batches of rows are sorted by length together: a batch is as long as its longest row."""

EPOCH_STEPS = 32
MIN_BATCH = 8
"""Few rows are cut into smaller batches, so that an epoch has enough steps."""

START_TOKENS = 3_000_000
START_TOKENS_PER_S = 500_000
"""Embeddings are learned from so many tokens, of the first documents, and so many for each second of the contract, of
which they take a quarter."""

START_SCALE = 0.3

PREDICTED_ROWS = 256
SAFETY = 2.0
"""A step is begun when the slowest so far would fit this many times into what is left."""


@dataclass(frozen=True)
class TextTraining:
    """How a member is trained.

    Attributes:
        patience: looks at the rows aside without anything better, after which a member is done.
        looks_per_epoch: how often they are looked at.
        max_tokens: rows of the embedding table, at most: the tokens of most rows, all others are UNKNOWN.
        max_members: then training is over.
    """

    batch_rows: int = 64
    step: float = 1.5e-3
    embedding_step: float = 3e-3
    smoothing: float = 0.05
    patience: int = 3
    looks_per_epoch: float = 1.0
    max_epochs: float = 20.0
    max_tokens: int = 2**16
    max_members: int = 16


class TextNetworkLearner(Learner):
    """Rows are ids [n, n_tokens], 0 behind the last token. A second fit goes on, on whatever rows it is given.

    Args:
        n_classes: columns of the labels.
        seed: see Learner.
        training: sizes and rates; None for the usual.
    Attributes:
        make_network: of a member.
    """

    make_network: ClassVar[type[TextNetwork] | type[TextTransformer]] = TextNetwork

    def __init__(self, n_classes: int, seed: int = 0, training: TextTraining | None = None) -> None:
        super().__init__(n_classes, seed)
        self._training = training or TextTraining()
        self._table: Array | None = None
        self._members: list[_Member] = []
        self._n_rows = 0
        self._start: tuple[Array, Array] | None = None  # rows of the embedding table, and what they begin with

    def attributes_to_save(self) -> dict[str, Any]:
        """Without what new members begin with: it is learned again where it is needed."""
        return {**vars(self), "_start": None}

    def _fit(self, x: Features, y: Array, budget: Budget) -> None:
        ids = _ids(x)
        if self._table is None:
            self._table = _table_of(ids, self._training.max_tokens)
            self._exclusive = is_exclusive(y)
        rows, labels = self._known(ids), np.asarray(y, np.float32)
        if len(rows) != self._n_rows:  # there is more to learn, for those members too that had learned all
            self._n_rows, self._start = len(rows), None
            for member in self._members:
                member.begin_again()
        for k in range(self._training.max_members):
            if k == len(self._members):
                if k and budget.expired:
                    return
                self._members.append(self._new_member(k, rows, labels, budget))
            self._members[k].train(rows, labels, budget)
            if not self._members[k].is_done:
                return

    def _new_member(self, k: int, rows: Array, y: Array, budget: Budget) -> _Member:
        assert self._table is not None, "fit made it"
        n_tokens, seed = int(self._table.max(initial=UNKNOWN)) + 1, self.seed * 1000 + k
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = type(self).make_network(n_tokens, self.n_classes)
        if self._start is None:
            self._start = self._learned_start(rows, int(network.embedding.embedding_dim), budget)
        words, vectors = self._start
        with torch.no_grad():
            network.embedding.weight[words] = torch.from_numpy(vectors)
        return _Member(network, y, seed, self._exclusive, self._training)

    def _learned_start(self, rows: Array, width: int, budget: Budget) -> tuple[Array, Array]:
        n_most, lengths = min(START_TOKENS, START_TOKENS_PER_S * budget.left), _lengths(rows)
        n_documents = int(np.searchsorted(np.cumsum(lengths), n_most, side="right"))
        first = rows[:n_documents, : lengths[:n_documents].max(initial=0)]
        return embeddings_of(first, width, n_special=UNKNOWN + 1, scale=START_SCALE, seed=self.seed)

    def _predict_proba(self, x: Features) -> Array:
        rows = self._known(_ids(x))
        return np.asarray(np.mean([member.predict(rows) for member in self._members], axis=0))

    def _known(self, ids: Array) -> Array:
        """The same rows with the ids of the embedding table."""
        assert self._table is not None, "the base class refuses an unfitted learner"
        known: Array = self._table[np.minimum(ids, len(self._table) - 1)]
        return np.where(ids == 0, PADDING, np.where(ids < len(self._table), known, UNKNOWN))


class TextTransformerLearner(TextNetworkLearner):
    """The same with small transformer encoders."""

    make_network = TextTransformer


class _Member:
    """One network and the average that answers for it."""

    def __init__(self, network: TokenNetwork, y: Array, seed: int, exclusive: bool, training: TextTraining) -> None:
        self._exclusive, self._training, self._seed = exclusive, training, seed
        self._n_fits = 0
        self._optimizers: list[torch.optim.Optimizer] = []
        self._moments: list[dict[str, Any]] = []  # of the optimizers before this member was saved
        self.begin_again()
        self._network = network
        rate = (y.sum(axis=0) + 0.5) / (len(y) + 1)
        with torch.no_grad():
            self._network.head.bias.copy_(torch.as_tensor(np.log(rate) if exclusive else np.log(rate / (1 - rate))))
        self._average = copy.deepcopy(self._network)
        self._answering = copy.deepcopy(self._network)

    def attributes_to_save(self) -> dict[str, Any]:
        """Of the optimizers their state only: training makes them again."""
        moments = [optimizer.state_dict() for optimizer in self._optimizers] or self._moments
        return {**vars(self), "_optimizers": [], "_moments": moments}

    def begin_again(self) -> None:
        """With the same weights, on other rows."""
        self.is_done, self._epochs, self._n_idle, self._least_loss = False, 0.0, 0, np.inf

    def train(self, rows: Array, y: Array, budget: Budget) -> None:
        """Until it is done or the budget ends."""
        if self.is_done:
            return
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self._seed + 7919 * self._n_fits)
            self._n_fits += 1
            self._prepare_optimizers()
            self._steps(rows, y, budget)

    def _prepare_optimizers(self) -> None:
        """Where there are none: before the first step, or after the member was loaded."""
        if self._optimizers:
            return
        dense = [weight for name, weight in self._network.named_parameters() if not name.startswith("embedding")]
        avoid_triton_beside_tensorflow()
        self._optimizers = [
            torch.optim.AdamW(dense, self._training.step, weight_decay=0.01),
            torch.optim.SparseAdam(list(self._network.embedding.parameters()), self._training.embedding_step),
        ]
        for optimizer, moments in zip(self._optimizers, self._moments, strict=False):
            optimizer.load_state_dict(moments)
        self._moments = []

    def _steps(self, rows: Array, y: Array, budget: Budget) -> None:
        plan = self._training
        aside = np.arange(len(rows)) % ASIDE_PERIOD == self._seed % ASIDE_PERIOD
        if aside.sum() < MIN_ASIDE:
            aside[:] = False
        kept, fitted = np.flatnonzero(aside)[:MAX_ASIDE], np.flatnonzero(~aside)
        lengths = _lengths(rows)
        size = int(np.clip(len(fitted) // EPOCH_STEPS, MIN_BATCH, plan.batch_rows))
        n_between = max(8, int(len(fitted) / size / plan.looks_per_epoch))
        slowest_s = 0.0
        batches = _batches(fitted, lengths, size, self._seed + self._n_fits)
        for n_steps, batch in enumerate(batches, start=1):
            if budget.left <= SAFETY * slowest_s:
                break
            started_s = budget.elapsed
            self._step(rows[batch, : _width(lengths[batch])], y[batch], n_steps)
            self._epochs += len(batch) / len(fitted)
            slowest_s = max(slowest_s, budget.elapsed - started_s)
            if n_steps % n_between == 0:
                self._look(rows[kept], y[kept])
                if self._n_idle >= plan.patience or self._epochs >= plan.max_epochs:
                    self.is_done = True
                    return
        self._look(rows[kept], y[kept])

    def _step(self, ids: Array, y: Array, n_steps: int) -> None:
        self._network.train()
        with best_compute().autocast():
            logits = self._network(torch.as_tensor(ids)).float()
        loss = classification_loss(
            logits, torch.as_tensor(y), exclusive=self._exclusive, smoothing=self._training.smoothing
        )
        for optimizer in self._optimizers:
            optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        for optimizer in self._optimizers:
            optimizer.step()
        if n_steps % AVERAGE_STEPS == 0:
            share = max(AVERAGE_SHARE, 1 / n_steps) if self._n_fits == 1 else AVERAGE_SHARE
            averages: list[Tensor] = list(self._average.parameters())
            weights: list[Tensor] = list(self._network.parameters())
            with torch.no_grad():
                torch._foreach_lerp_(averages, weights, share)

    def _look(self, rows: Array, y: Array) -> None:
        """Takes over the average if it does better on the rows aside, or if there are none."""
        loss = -np.inf
        if len(rows):
            logits = torch.as_tensor(_logits(self._average, rows))
            loss = float(classification_loss(logits, torch.as_tensor(y), exclusive=self._exclusive, smoothing=0.0))
            self._n_idle += 1
        if loss < self._least_loss or not len(rows):
            self._least_loss, self._n_idle = loss, 0
            self._answering.load_state_dict(self._average.state_dict())

    def predict(self, rows: Array) -> Array:
        """[n_rows, n_classes] probabilities."""
        logits = torch.as_tensor(_logits(self._answering, rows))
        proba = functional.softmax(logits, dim=1) if self._exclusive else torch.sigmoid(logits)
        return np.asarray(proba.numpy())


def _ids(x: Features) -> Array:
    """[n_rows, n_tokens] int64; what is no id is padding."""
    if not isinstance(x, np.ndarray):
        x = x.toarray()
    ids = x.reshape(len(x), -1)
    if not np.issubdtype(ids.dtype, np.integer):
        ids = np.nan_to_num(ids, nan=0.0, posinf=0.0, neginf=0.0)
    return np.maximum(ids.astype(np.int64), 0)


def _table_of(ids: Array, max_tokens: int) -> Array:
    """[n_ids] int64, from ids to rows of the embedding table; tokens that occur once, or are too rare, are UNKNOWN."""
    counts = np.bincount(ids.ravel())
    counts[0] = 0
    common = np.flatnonzero(counts >= 2)
    if len(common) > max_tokens:
        common = common[np.argsort(-counts[common], kind="stable")[:max_tokens]]
    table = np.full(len(counts) + 1, UNKNOWN, np.int64)  # the last stands for ids that were never seen
    table[common] = UNKNOWN + 1 + np.arange(len(common))
    return table


def _lengths(rows: Array) -> Array:
    """[n_rows]: tokens up to the last that is not padding."""
    there = rows != PADDING
    return np.asarray(np.where(there.any(axis=1), rows.shape[1] - there[:, ::-1].argmax(axis=1), 0))


def _width(lengths: Array) -> int:
    """Of the longest row, rounded up: new shapes cost time."""
    return 8 * (int(lengths.max()) // 8 + 1)


def _batches(rows: Array, lengths: Array, size: int, seed: int) -> Iterator[Array]:
    """Batches of rows of similar lengths, without end: each epoch in another order."""
    random = np.random.default_rng(seed)
    while True:
        order = random.permutation(rows)
        batches: list[Array] = []
        for start in range(0, len(order), size * SORTED_BATCHES):
            part = order[start : start + size * SORTED_BATCHES]
            part = part[np.argsort(lengths[part], kind="stable")]
            batches.extend(part[i : i + size] for i in range(0, len(part), size))
        for k in random.permutation(len(batches)):
            yield batches[k]


def _logits(network: nn.Module, rows: Array) -> Array:
    """[n_rows, n_classes] float32, in full precision."""
    network.eval()
    lengths = _lengths(rows)
    order = np.argsort(lengths, kind="stable")
    parts = []
    with torch.inference_mode():
        for start in range(0, len(order), PREDICTED_ROWS):
            batch = order[start : start + PREDICTED_ROWS]
            parts.append(network(torch.as_tensor(rows[batch, : _width(lengths[batch])])).numpy())
    logits = np.empty((len(rows), parts[0].shape[1]), np.float32)
    logits[order] = np.concatenate(parts)
    return logits
