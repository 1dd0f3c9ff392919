"""Weights on the disk, for the plans of images and of videos."""

from __future__ import annotations

import hashlib
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
