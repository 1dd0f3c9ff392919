"""The textbook loop for a network: SGD with momentum, a cosine schedule over the budget, an answer after each epoch.

Recipe: batches of 128, momentum .9, weight decay 5e-4, learning rate .1 after a linear warm-up of 5 %, cross-entropy
(binary where rows have several labels), crops of padded frames and horizontal flips. An answer comes after each
epoch, but not before 2 % and not later than 10 % of the budget have passed since the last, or after one step where
that takes longer. A pass over the test rows that does not end in time keeps the earlier scores of the rows that it
did not reach.
"""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from autodl_solver.data.examples import Array, Rows
from benchmarks.peers.one_shot import Peer, is_single_label

BATCH_SIZE = 128
LEARNING_RATE = 0.1
WARM_UP = 0.05
SHORTEST, LONGEST = 0.02, 0.1  # shares of the budget between two answers
MARGIN_S = 1.0
PADDING_PX = 4  # of images of 32 px and more; smaller ones are moved by an eighth of their side


class TrainedNetwork(Peer):
    """A submission that leaves the frames and the network open."""

    _network: nn.Module | None = None
    _scores: Array | None = None

    def frames(self, x: Rows) -> Array:
        """[n_rows, n_channels, ..., row, col] float32."""
        raise NotImplementedError

    def make_network(self, n_channels: int) -> nn.Module:
        raise NotImplementedError

    def train(self, dataset: Any, remaining_time_budget: float | None = None) -> None:
        now = time.monotonic()
        if self._network is None:
            self._began, self._total_s = now, remaining_time_budget or 1200.0
            self._predict_s = self._step_s = 0.0
            self._open(dataset)
        longest_s = LONGEST * self._total_s
        stop = min(now + longest_s, self._began + self._total_s - 1.5 * self._predict_s - MARGIN_S)
        while True:
            self._epoch(stop)
            if time.monotonic() >= min(stop - self._step_s, now + SHORTEST * self._total_s):
                break
        left = self._began + self._total_s - time.monotonic()
        reserve_s = 3 * self._predict_s + 2 * MARGIN_S + max(SHORTEST * self._total_s, self._step_s)
        self.done_training = left < reserve_s

    def test(self, dataset: Any, remaining_time_budget: float | None = None) -> Array:
        started = time.monotonic()
        assert self._network is not None, "train comes first"
        deadline, batch_s = self._began + self._total_s - MARGIN_S, 0.0
        if self._scores is not None and deadline - started < self._predict_s / 2:
            return self._scores  # decoding alone would take too long
        frames = torch.from_numpy(self.frames(self.read(dataset).x))
        self._network.eval()
        parts: list[Tensor] = []
        with torch.inference_mode():
            for part in torch.split(frames, BATCH_SIZE):
                begun = time.monotonic()
                if parts and begun + batch_s > deadline:
                    break
                parts.append(self._network(self._scaled(part)))
                batch_s = max(batch_s, time.monotonic() - begun)
        logits = torch.cat(parts)
        reached = (logits.softmax(dim=1) if self._is_single else logits.sigmoid()).double().numpy()
        if self._scores is None:
            self._scores = np.full((len(frames), reached.shape[1]), 1 / reached.shape[1])
        self._scores[: len(reached)] = reached
        self._predict_s = time.monotonic() - started
        scores: Array = self._scores.copy()
        return scores

    def _open(self, dataset: Any) -> None:
        torch.manual_seed(self.seed)
        train = self.read(dataset)
        assert train.y is not None, "training examples carry labels"
        self._is_single = is_single_label(train.y)
        self._x = torch.from_numpy(self.frames(train.x))
        self._y = torch.from_numpy(train.y.argmax(axis=1) if self._is_single else train.y)
        others = [axis for axis in range(self._x.ndim) if axis != 1]
        self._mean = self._x.mean(dim=others, keepdim=True)
        self._scale = self._x.std(dim=others, keepdim=True).clamp_min(1e-6)
        self._network = self.make_network(self._x.shape[1])
        self._optimizer = torch.optim.SGD(
            self._network.parameters(), lr=LEARNING_RATE, momentum=0.9, weight_decay=5e-4, nesterov=True
        )
        self._loss = nn.CrossEntropyLoss() if self._is_single else nn.BCEWithLogitsLoss()

    def _epoch(self, stop: float) -> None:
        """Goes through the rows once in random order; leaves early at `stop` (of the monotonic clock).

        The first step is made in any case: what it takes is measured anew, so one slow step, as the very first, does
        not end the training.
        """
        assert self._network is not None
        self._network.train()
        batches = torch.split(torch.randperm(len(self._x)), BATCH_SIZE)
        if len(batches) > 1 and len(batches[-1]) == 1:
            batches = batches[:-1]  # batch norm needs two
        for number, rows in enumerate(batches):
            started = time.monotonic()
            if number and started + self._step_s >= stop:
                return
            for group in self._optimizer.param_groups:
                group["lr"] = self._learning_rate()
            self._optimizer.zero_grad()
            loss = self._loss(self._network(augmented(self._scaled(self._x[rows]))), self._y[rows])
            loss.backward()
            self._optimizer.step()
            self._step_s = time.monotonic() - started

    def _learning_rate(self) -> float:
        progress = min((time.monotonic() - self._began) / self._total_s, 1.0)
        return LEARNING_RATE * min(progress / WARM_UP, 0.5 * (1 + math.cos(math.pi * progress)))

    def _scaled(self, x: Tensor) -> Tensor:
        return (x - self._mean) / self._scale


def augmented(x: Tensor) -> Tensor:
    """Each row of [B, C, ..., row, col] is moved by some pixels and mirrored with probability one half."""
    height, width = x.shape[-2:]
    most_px = max(1, min(PADDING_PX, round(min(height, width) / 8)))
    padded = nn.functional.pad(x, [most_px] * 4)
    tops, lefts = (torch.randint(0, 2 * most_px + 1, (len(x),)).tolist() for _ in range(2))
    crops = [
        row[..., top : top + height, left : left + width] for row, top, left in zip(padded, tops, lefts, strict=True)
    ]
    flips = (torch.rand(len(x)) < 0.5).tolist()
    return torch.stack([crop.flip(-1) if flip else crop for crop, flip in zip(crops, flips, strict=True)])


def as_channels_first(pixels: Array) -> Array:
    """[n_rows, n_frames, row, col, channel] -> [n_rows, channel, n_frames, row, col] float32."""
    return np.ascontiguousarray(np.moveaxis(pixels, -1, 1), np.float32)
