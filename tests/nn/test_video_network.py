"""The network for clips."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from autodl_solver.budget import Budget
from autodl_solver.nn.trainer import Trainer, TrainingOptions
from autodl_solver.nn.video_network import ClipNetwork


def clips(n: int, n_frames: int, n_channels: int, height: int = 12, width: int = 12) -> torch.Tensor:
    random = torch.Generator().manual_seed(0)
    return torch.randint(256, (n, n_frames * n_channels, height, width), generator=random, dtype=torch.uint8)


@pytest.mark.parametrize("n_channels", [1, 3])
def test_clips_of_any_length_and_size_go_through_one_network(n_channels: int) -> None:
    network = ClipNetwork(n_channels, 4, 12, (16, 32))
    network.prepare(clips(5, 3, n_channels))
    network.eval()
    for n_frames, height, width in [(1, 12, 12), (3, 12, 12), (20, 12, 12), (3, 16, 24), (2, 4, 5)]:
        logits = network(clips(2, n_frames, n_channels, height, width).float())
        assert logits.shape == (2, 4)
        assert torch.isfinite(logits).all()


def test_the_order_of_frames_matters() -> None:
    torch.manual_seed(0)
    network = ClipNetwork(1, 4, 12, (16, 32))
    x = clips(2, 4, 1)
    network.prepare(x)
    network.eval()
    assert not torch.allclose(network(x.float()), network(x.flip(1).float()), atol=1e-3)


def test_it_learns_which_way_things_move() -> None:
    random = np.random.default_rng(0)
    y = np.eye(2, dtype=np.float32)[np.arange(64) % 2]
    frames = random.integers(256, size=(64, 8, 8)).astype(np.uint8)
    moving = [
        np.stack([np.roll(f, (1 if k[0] else -1) * t, axis=1) for t in range(4)])
        for f, k in zip(frames, y, strict=True)
    ]
    torch.manual_seed(0)
    trainer = Trainer(ClipNetwork(1, 2, 8, (16, 16)), TrainingOptions(batch_size=16, max_epochs=15))
    x = torch.from_numpy(np.stack(moving))
    trainer.train(x[:48], torch.from_numpy(y[:48]), Budget(), exclusive=True)
    predicted = trainer.predict(x[48:]).argmax(dim=1).numpy()
    assert np.mean(predicted == y[48:].argmax(axis=1)) >= 0.75
