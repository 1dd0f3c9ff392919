"""Trainer: trains a network until its contract ends, and goes on from there with the next one.

Each contract warms up, then anneals to nothing exactly when its time is over, by the clock; the next starts again from
the weights reached. On four datasets that is better, after 1 and 3 s, than averaged or schedule-free weights with a
constant step, by up to .08 NAUC, and never worse by .001 (docs/experiments.md). Where steps are resumed and rows are
many, the next warms up to no longer steps than a single contract in place of all so far would take from there on. Few
rows end their contract early, after `max_epochs`, and then by steps alone, so that the same seed gives the same
weights.
"""

from __future__ import annotations

import copy
import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from autodl_solver.budget import Budget
from autodl_solver.nn.augment import Augment
from autodl_solver.nn.device import Compute, avoid_triton_beside_tensorflow, best_compute
from autodl_solver.nn.losses import balanced, classification_loss
from autodl_solver.nn.muon import Muon
from autodl_solver.nn.pace import PACE_STEPS, Pace

logger = logging.getLogger(__name__)

MIN_BATCH = 8
"""Rows of a batch, repeated where there are fewer: a normalisation over the batch needs some."""

PREDICT_BATCH = {"cpu": 128, "cuda": 2048}
"""Rows predicted at a time. On a CPU the maps of few rows stay in the cache: 9,500 images/s a core, 7,500 with 512."""

MICRO_BATCH = {"cpu": 128}
"""Rows whose maps are held at a time. A larger batch goes through the network in parts, whose gradients add up, and a
normalisation sees a part at a time (Hoffer et al., Train longer, generalize better, NeurIPS 2017): a quarter of the
memory, 9 % more images a second than in batches of 512, and no worse on cifar10 (docs/experiments.md)."""

CHECK_STEPS = 16
"""Steps between looks at the loss: each look waits for the device."""


MIN_EPOCH_STEPS = 6
SMALL_BATCH = 32
"""Few rows are cut into so many batches, but not into smaller ones: short contracts need steps more than rows."""

ENOUGH_STEPS = 220
"""A contract with time for twice as many takes batches of twice as many rows instead. On cifar10 batches of 256 are
behind 128 with 210 steps and level with 247; 512 are ahead of both with 233 steps of a finer network, and with 874."""

MANY_EPOCH_STEPS = 64
"""A pass over many rows takes so many steps. Grown batches still do; whether fewer rows gain from larger ones was not
measured. Steps are resumed with as many: the last contracts on cifar10 gain .007 to .009 by it, few rows may lose."""

NOMINAL_VALUES_PER_S = 1e7
"""Input values trained on in a second, where a run counts work instead of time."""

WARM_UP = 0.1
"""Share of a contract during which steps grow to their full size."""

MAX_GRADIENT = 10.0
"""Norm at which the gradients of vectors are clipped; matrices take steps of a given length anyway."""


@dataclass(frozen=True)
class TrainingOptions:
    """How to train.

    Attributes:
        batch_size: rows of a step, fewer where there are few in all.
        largest_batch_size: to which batches grow where rows are many and a contract has time for many steps; batches
            keep their size where this is not larger than it.
        matrix_step: length of a step of a hidden matrix or filter bank, relative to its own (Muon).
        vector_step: step of everything else, of the first and the last layer too (AdamW).
        smoothing: of the labels.
        balances: rows of rare classes count for more, where each row has one label.
        max_epochs: of one contract.
        resumes_steps: a later contract on many rows begins with shorter steps, by the share that it has of all rows
            seen so far and in it; otherwise each begins with full ones.
    """

    batch_size: int = 128
    largest_batch_size: int = 0
    matrix_step: float = 0.12
    vector_step: float = 0.01
    smoothing: float = 0.1
    balances: bool = False
    max_epochs: float = 100.0
    resumes_steps: bool = False


class Trainer:
    """A network and what it has learned. Deep copies go on independently of each other.

    Hidden weights of two dimensions or more are trained by Muon; it wants a normalisation after (or before) each of
    them. The network's attribute `head` (an nn.Module), its weights of less than two dimensions, and those of a module
    named `stem` are trained by AdamW. A network with a method `prepare(x)` is shown some rows before its first step.

    Args:
        network: [n, ...] float32 -> logits [n, n_classes].
        options: how to train.
        augment: changes a batch of rows at random, in their own dtype; None: rows as they are.
        seed: of order and augmentation.
        compute: device and precision; None: the fastest.
    """

    def __init__(
        self,
        network: nn.Module,
        options: TrainingOptions | None = None,
        *,
        augment: Augment | None = None,
        seed: int = 0,
        compute: Compute | None = None,
    ) -> None:
        avoid_triton_beside_tensorflow()
        self.compute = best_compute() if compute is None else compute
        self.network = network.to(self.compute.device)
        self.options = TrainingOptions() if options is None else options
        self.augment = augment
        self.n_contracts = 0
        self.n_rows_seen = 0  # in all contracts, each row as often as it was seen
        self._seed = seed
        self._most_rows = math.inf  # of a batch: what memory holds
        self._calm = 1.0  # steps become smaller after a divergence

    def train(self, x: Tensor, y: Tensor, budget: Budget, *, exclusive: bool) -> int:
        """One contract.

        Args:
            x: [n_rows >= 1, ...], any dtype; converted to float32 a batch at a time.
            y: [n_rows, n_classes] float32 in [0, 1].
            budget: seconds; the contract ends within them.
            exclusive: each row has exactly one label.
        Returns:
            Steps taken.
        """
        prepare = getattr(self.network, "prepare", None)
        if self.n_contracts == 0:
            _start_from_frequencies(self.network, y, exclusive)
            if prepare is not None:
                prepare(x)
        self.n_contracts += 1
        x = self.compute.holding(x)
        y = (balanced(y) if exclusive and self.options.balances else y).to(x.device)
        generator = torch.Generator(x.device).manual_seed(self._seed * 1_000_003 + self.n_contracts)
        options = self.options
        batch_size = max(MIN_BATCH, min(options.batch_size, max(SMALL_BATCH, len(x) // MIN_EPOCH_STEPS), len(x)))
        max_steps = max(1, math.ceil(options.max_epochs * len(x) / batch_size))
        order = _ShuffledRows(len(x), generator)
        optimizers = self._optimizers()
        pace = Pace(budget, max_steps)
        kept = self._copy_of_state()
        self.network.train()
        loss, n_steps = torch.zeros(()), 0
        resumes = options.resumes_steps and len(x) >= MANY_EPOCH_STEPS * batch_size
        n_seen_before = self.n_rows_seen if resumes else 0
        longest = _longest_step(n_seen_before, max_steps * batch_size)
        while not pace.is_over(n_steps):
            _set_steps(optimizers, self._calm * longest * _share_of_step(pace.progress(n_steps)))
            rows = order.take(int(min(batch_size, self._most_rows)))
            try:
                loss = self._step(x[rows], y[rows], optimizers, generator, exclusive)
            except torch.OutOfMemoryError:
                self._halve_batch(len(rows))
                continue
            n_steps += 1
            self.n_rows_seen += len(rows)
            budget.spend(len(rows) * x[0].numel() / NOMINAL_VALUES_PER_S)
            if n_steps % CHECK_STEPS == 0 or n_steps <= PACE_STEPS:
                if math.isfinite(loss.item()):
                    kept = kept if n_steps % (4 * CHECK_STEPS) else self._copy_of_state()
                else:
                    optimizers = self._go_back(kept)
                pace.look(n_steps)
            if n_steps == PACE_STEPS:
                growth = self._growth(batch_size, len(x), pace.steps_left())
                pace.steps_grow(growth, n_steps)
                batch_size *= growth
                if math.isfinite(steps_left := pace.steps_left()):
                    longest = _longest_step(n_seen_before, steps_left * batch_size)
        if not math.isfinite(loss.item()):
            optimizers = self._go_back(kept)
        optimizers[0].zero_grad(set_to_none=True)  # copies of this trainer need no gradients
        optimizers[-1].zero_grad(set_to_none=True)
        return n_steps

    @torch.inference_mode()
    def predict(self, x: Tensor, views: Sequence[Callable[[Tensor], Tensor]] = ()) -> Tensor:
        """Logits, the mean over the rows as they are and as each view shows them.

        Args:
            x: [n_rows, ...], any dtype.
            views: each maps a float batch to one of the same shape (a mirror image, say).
        Returns:
            [n_rows, n_classes] float32 on the CPU.
        """
        self.network.eval()
        parts = []
        n_rows = PREDICT_BATCH[self.compute.device.type]
        for start in range(0, len(x), n_rows):
            rows = self._batch(x[start : start + n_rows])
            with self.compute.autocast():
                logits = [self.network(shown).float() for shown in (rows, *(view(rows) for view in views))]
            parts.append(torch.stack(logits).mean(dim=0))
        return torch.cat(parts).cpu()

    def _step(
        self, x: Tensor, y: Tensor, optimizers: list[torch.optim.Optimizer], generator: torch.Generator, exclusive: bool
    ) -> Tensor:
        """One step; the loss."""
        for optimizer in optimizers:
            optimizer.zero_grad(set_to_none=True)
        n_parts = math.ceil(len(x) / MICRO_BATCH.get(self.compute.device.type, len(x)))
        losses = []
        for shown, labels in zip(x.chunk(n_parts), y.chunk(n_parts), strict=True):
            loss = self._loss(shown, labels, generator, exclusive) * (len(shown) / len(x))
            loss.backward()  # type: ignore[no-untyped-call]
            losses.append(loss.detach())
        nn.utils.clip_grad_norm_(_weights_of(optimizers[-1]), MAX_GRADIENT)
        for optimizer in optimizers:
            optimizer.step()
        return torch.stack(losses).sum()

    def _loss(self, x: Tensor, y: Tensor, generator: torch.Generator, exclusive: bool) -> Tensor:
        """Mean over rows that are shown as the augmentation changes them."""
        batch = self._batch(x if self.augment is None else self.augment(x, generator))
        with self.compute.autocast():
            logits = self.network(batch)
        target = y.to(self.compute.device, non_blocking=True)
        return classification_loss(logits.float(), target, exclusive=exclusive, smoothing=self.options.smoothing)

    def _growth(self, batch_size: int, n_rows: int, steps_left: float) -> int:
        """How many times as many rows the batches of this contract should have, a power of two."""
        largest, growth = min(self.options.largest_batch_size, n_rows // MANY_EPOCH_STEPS), 1
        if math.isfinite(steps_left):  # else max_epochs ends it, and the same seed gives the same weights
            while 2 * growth * batch_size <= largest and steps_left >= 2 * growth * ENOUGH_STEPS:
                growth *= 2
        return growth

    def _halve_batch(self, n_rows: int) -> None:
        if n_rows <= MIN_BATCH:
            raise torch.OutOfMemoryError(f"A batch of {n_rows} rows does not fit into memory.")
        self._most_rows = max(MIN_BATCH, n_rows // 2)
        logger.warning("Out of memory; going on with batches of %d rows.", self._most_rows)

    def _batch(self, x: Tensor) -> Tensor:
        batch = x.to(self.compute.device, non_blocking=True).float()
        return batch.contiguous(memory_format=torch.channels_last) if batch.ndim == 4 else batch

    def _optimizers(self) -> list[torch.optim.Optimizer]:
        """Muon for hidden matrices, if there are any; AdamW for the rest, last."""
        matrices: list[Tensor] = []
        vectors: list[Tensor] = []
        for name, weight in self.network.named_parameters():
            if weight.requires_grad:
                outer = weight.ndim < 2 or name.split(".")[0] in ("head", "stem")
                (vectors if outer else matrices).append(weight)
        options = self.options
        muon = [Muon(matrices, options.matrix_step)] if matrices else []
        return [*muon, torch.optim.AdamW(vectors, options.vector_step, betas=(0.9, 0.99), weight_decay=0.0)]

    def _copy_of_state(self) -> dict[str, Any]:
        """Cloned: a state_dict aliases the live weights."""
        return copy.deepcopy(self.network.state_dict())

    def _go_back(self, kept: dict[str, Any]) -> list[torch.optim.Optimizer]:
        """Restores the weights kept, and from now on takes steps half as long; new optimizers, without momentum."""
        logger.warning("The loss is no longer finite; going on from earlier weights, with steps half as long.")
        self._calm /= 2
        self.network.load_state_dict(kept)
        return self._optimizers()


@torch.no_grad()
def _start_from_frequencies(network: nn.Module, y: Tensor, exclusive: bool) -> None:
    """A linear head begins with the class frequencies, so that no step is spent on learning them."""
    head = getattr(network, "head", None)
    if isinstance(head, nn.Linear) and head.bias is not None and len(head.bias) == y.shape[1]:
        share = (y.mean(dim=0) * len(y) + 0.5) / (len(y) + 1)
        head.bias.copy_(share.log() if exclusive else share.logit())


def _share_of_step(progress: float) -> float:
    """Grows to 1 during the warm-up, then falls to 0; never quite 0."""
    return max(0.01, min((progress + 0.01) / WARM_UP, (1 - progress) / (1 - WARM_UP)))


def _longest_step(n_seen_before: int, n_rows: float) -> float:
    """Of a contract that sees n_rows, each as often as it is seen, as a share of the full step."""
    return n_rows / (n_rows + n_seen_before) if n_seen_before else 1.0


def _set_steps(optimizers: list[torch.optim.Optimizer], share: float) -> None:
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = optimizer.defaults["lr"] * share


def _weights_of(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    return [weight for group in optimizer.param_groups for weight in group["params"]]


class _ShuffledRows:
    """Row indices without end: one shuffled order after the other."""

    def __init__(self, n_rows: int, generator: torch.Generator) -> None:
        self._n_rows = n_rows
        self._generator = generator
        self._waiting = torch.zeros(0, dtype=torch.int64, device=generator.device)

    def take(self, n: int) -> Tensor:
        """The next n of them."""
        while len(self._waiting) < n:
            order = torch.randperm(self._n_rows, generator=self._generator, device=self._generator.device)
            self._waiting = torch.cat([self._waiting, order])
        taken, self._waiting = self._waiting[:n], self._waiting[n:]
        return taken
