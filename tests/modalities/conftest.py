"""Weights on the disk, and a GPU or none, for the plans of images and of videos."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def weights(weights_folder: Path) -> Path:
    """Random weights of a small network for images in torchvision's format, where there are no others."""
    import torch

    from autodl_solver.nn.pretrained_network import torchvision_network

    torch.manual_seed(0)
    path = weights_folder / "unnamed"
    torch.save(torchvision_network("squeezenet1_1", 224).state_dict(), path)
    return path.rename(weights_folder / f"squeezenet1_1-{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}.pth")


@pytest.fixture
def claimed_gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Torch says that there is a GPU, and computes where it did before."""
    yield from _claimed(True, monkeypatch)


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Torch says that there is none."""
    yield from _claimed(False, monkeypatch)


def _claimed(is_there: bool, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    import torch

    from autodl_solver.nn.device import best_compute
    from autodl_solver.nn.scratch_choice import is_affordable_from_scratch

    best_compute()  # what is really there, before anything is claimed
    is_affordable_from_scratch.cache_clear()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: is_there)
    yield
    is_affordable_from_scratch.cache_clear()
