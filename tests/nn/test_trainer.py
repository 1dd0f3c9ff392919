"""The trainer: contracts that end in time, go on, and recover."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from autodl_solver.budget import Budget, WorkClock
from autodl_solver.nn.augment import ShiftAndFlip
from autodl_solver.nn.device import Compute
from autodl_solver.nn.pace import PACE_STEPS
from autodl_solver.nn.residual import ResidualNetwork
from autodl_solver.nn.trainer import ENOUGH_STEPS, MANY_EPOCH_STEPS, MICRO_BATCH, Trainer, TrainingOptions

CPU = Compute(torch.device("cpu"), half=False)
OPTIONS = TrainingOptions(batch_size=32, max_epochs=12)
FILTERS = "stages.0.refine.weight"


def bright_sides(n: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Noise, brighter at the top (class 0) or at the bottom (class 1)."""
    generator = torch.Generator().manual_seed(seed)
    label = torch.arange(n) % 2
    x = torch.randint(0, 160, (n, 1, 8, 8), generator=generator)
    x[label == 0, :, :4] += 60
    x[label == 1, :, 4:] += 60
    return x.to(torch.uint8), nn.functional.one_hot(label, 2).float()


def trainer(options: TrainingOptions = OPTIONS, network: nn.Module | None = None) -> Trainer:
    if network is None:
        torch.manual_seed(0)
        network = ResidualNetwork(1, 2, 8, widths=(16,))
    return Trainer(network, options, augment=ShiftAndFlip(1, True), seed=1, compute=CPU)


def error(made: Trainer, x: Tensor, y: Tensor) -> float:
    return float((made.predict(x).argmax(1) != y.argmax(1)).float().mean())


@pytest.mark.parametrize("exclusive", [True, False])
def test_it_learns(exclusive: bool) -> None:
    made = trainer()
    made.train(*bright_sides(200), Budget(60), exclusive=exclusive)
    assert error(made, *bright_sides(100, seed=1)) < 0.1


def test_the_next_contract_goes_on() -> None:
    x, y = bright_sides(200)
    made = trainer(TrainingOptions(batch_size=32, max_epochs=2))
    made.train(x, y, Budget(60), exclusive=True)
    first = error(made, x, y)
    for _ in range(4):
        made.train(x, y, Budget(60), exclusive=True)
    assert error(made, x, y) <= first
    assert error(made, x, y) < 0.1


@pytest.mark.parametrize(
    ("n_rows", "least", "most"), [(8 * MANY_EPOCH_STEPS, 0.01, 0.75), (8 * MANY_EPOCH_STEPS - 1, 1.0, 1.0)]
)
def test_a_later_contract_may_resume_shorter_steps_where_rows_are_many(n_rows: int, least: float, most: float) -> None:
    x, y = bright_sides(n_rows)
    moved = {}
    for resumes in (False, True):
        made = trainer(TrainingOptions(batch_size=8, max_epochs=1, resumes_steps=resumes))
        made.train(x, y, Budget(60), exclusive=True)
        n_seen, before = made.n_rows_seen, copy.deepcopy(made.network.state_dict())
        made.train(x, y, Budget(60), exclusive=True)
        assert made.n_rows_seen == 2 * n_seen
        moved[resumes] = float((made.network.state_dict()[FILTERS] - before[FILTERS]).norm())
    assert least <= moved[True] / moved[False] <= most


def test_the_same_seed_gives_the_same_weights() -> None:
    both = []
    for _ in range(2):
        made = trainer()
        made.train(*bright_sides(100), Budget(60), exclusive=True)
        both.append(made.predict(bright_sides(10)[0]))
    assert torch.equal(*both)


@pytest.mark.parametrize("seconds", [0.0, 0.1, 1.0, 3.0])
def test_a_contract_ends_in_time(seconds: float) -> None:
    clock = WorkClock()
    made = trainer(TrainingOptions(batch_size=32, max_epochs=1e6))

    def slowly(x: Tensor, generator: torch.Generator) -> Tensor:
        clock.advance(0.1)
        return x

    made.augment = slowly
    n_steps = made.train(*bright_sides(64), Budget(seconds, clock), exclusive=True)
    assert clock() <= seconds + 0.1  # the first step of all cannot be foreseen
    assert n_steps >= (seconds - 0.25) / 0.11  # the time is used


@pytest.mark.parametrize("n_rows", [1, 2, 9])
def test_a_few_rows_are_enough(n_rows: int) -> None:
    x, y = bright_sides(n_rows)
    made = trainer()
    assert made.train(x, y, Budget(60), exclusive=True) > 0
    assert torch.isfinite(made.predict(x)).all()


def test_a_copy_learns_on_its_own() -> None:
    x, y = bright_sides(64)
    made = trainer()
    made.train(x, y, Budget(60), exclusive=True)
    before = made.predict(x)
    copy.deepcopy(made).train(x, 1 - y, Budget(60), exclusive=True)
    assert torch.equal(made.predict(x), before)


def test_views_are_averaged() -> None:
    x, y = bright_sides(32)
    made = trainer()
    made.train(x, y, Budget(60), exclusive=True)
    mean = (made.predict(x) + made.predict(x.flip(3))) / 2
    assert torch.allclose(made.predict(x, [lambda rows: rows.flip(3)]), mean, atol=1e-5)


class Spoilt(nn.Module):
    """Linear; its output is not a number from the step `first` to `last` on."""

    def __init__(self, first: int, last: int) -> None:
        super().__init__()
        self.hidden, self.head = nn.Linear(64, 16), nn.Linear(16, 2)
        self.norm = nn.BatchNorm1d(16)
        self.first, self.last, self.n_calls = first, last, 0

    def forward(self, x: Tensor) -> Tensor:
        self.n_calls += self.training
        spoilt = self.training and self.first <= self.n_calls <= self.last
        logits: Tensor = self.head(self.norm(self.hidden(x.flatten(1) / 255)).relu())
        return logits * float("nan") if spoilt else logits


@pytest.mark.parametrize(("first", "last"), [(3, 3), (20, 25), (60, 10_000)])
def test_a_loss_that_is_not_a_number_is_survived(first: int, last: int) -> None:
    made = trainer(network=Spoilt(first, last))
    x, y = bright_sides(200)
    made.train(x, y, Budget(60), exclusive=True)
    assert torch.isfinite(made.predict(x)).all()


class Greedy(nn.Module):
    """Linear; has no memory for more than `most` rows."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.head, self.most = nn.Linear(64, 2), most

    def forward(self, x: Tensor) -> Tensor:
        if self.training and len(x) > self.most:
            raise torch.OutOfMemoryError("too many rows")
        logits: Tensor = self.head(x.flatten(1) / 255)
        return logits


def test_a_batch_that_does_not_fit_is_halved() -> None:
    made = trainer(network=Greedy(10))
    assert made.train(*bright_sides(64), Budget(60), exclusive=True) > 0


@pytest.mark.parametrize(
    ("enough", "largest", "n_epoch_steps", "expected"),
    [(5, 32, 4, 32), (3, 32, 4, 16), (1, 32, 4, 8), (5, 0, 4, 8), (5, 4, 4, 8), (5, 32, 1, 8)],
)
def test_batches_grow_where_rows_are_many_and_there_is_time_for_many_steps(
    enough: int, largest: int, n_epoch_steps: int, expected: int
) -> None:
    row_s = 0.001
    seconds = enough * ENOUGH_STEPS * 8 * row_s
    clock, sizes = WorkClock(), []
    made = trainer(TrainingOptions(batch_size=8, largest_batch_size=largest, max_epochs=1e6), Greedy(10**6))

    def record(x: Tensor, generator: torch.Generator) -> Tensor:
        sizes.append(len(x))
        clock.advance(row_s * len(x))
        return x

    made.augment = record
    made.train(*bright_sides(8 * n_epoch_steps * MANY_EPOCH_STEPS), Budget(seconds, clock), exclusive=True)
    assert set(sizes[:PACE_STEPS]) == {8}
    assert set(sizes[PACE_STEPS:]) == {expected}
    assert seconds - 2 * row_s * expected <= clock() <= seconds


class Linear(nn.Module):
    """Remembers how many rows it was shown at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(64, 2)
        self.sizes: list[int] = []

    def forward(self, x: Tensor) -> Tensor:
        self.sizes.append(len(x))
        logits: Tensor = self.head(x.flatten(1) / 255)
        return logits


def test_large_batches_go_through_the_network_in_parts_and_count_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    learned = []
    for micro_batch in (10**6, 128):
        monkeypatch.setitem(MICRO_BATCH, "cpu", micro_batch)
        torch.manual_seed(0)
        network = Linear()
        made = Trainer(network, TrainingOptions(batch_size=300, max_epochs=5), seed=1, compute=CPU)
        assert made.train(*bright_sides(1800), Budget(60), exclusive=True) == 30
        assert set(network.sizes) == ({300} if micro_batch > 300 else {100})
        learned.append(network.head.weight.detach())
    assert float((learned[0] - learned[1]).abs().max()) < 1e-4


def test_a_network_that_never_fits_says_so() -> None:
    with pytest.raises(torch.OutOfMemoryError, match="does not fit"):
        trainer(network=Greedy(0)).train(*bright_sides(64), Budget(60), exclusive=True)


@pytest.mark.parametrize(("exclusive", "expected"), [(True, [0.9, 0.1]), (False, [0.9, 0.1])])
def test_before_the_first_step_classes_are_as_likely_as_they_are_frequent(
    exclusive: bool, expected: list[float]
) -> None:
    x, _ = bright_sides(200)
    y = nn.functional.one_hot((torch.arange(200) % 10 == 0).long(), 2).float()
    made = trainer()
    with torch.no_grad():
        made.network.head.weight.zero_()
    made.train(x, y, Budget(0), exclusive=exclusive)
    logits = made.predict(x[:1])
    proba = logits.softmax(1) if exclusive else logits.sigmoid()
    assert proba[0].tolist() == pytest.approx(expected, abs=0.01)
