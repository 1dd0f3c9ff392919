"""Weights on the disk, for the plans of images and of videos."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Random weights of a small network for images in torchvision's format, in a folder where there are no others."""
    import torch

    from autodl_solver.nn.pretrained_network import torchvision_network

    folder = tmp_path / "weights"
    folder.mkdir()
    torch.manual_seed(0)
    path = folder / "unnamed"
    torch.save(torchvision_network("squeezenet1_1", 224).state_dict(), path)
    monkeypatch.setenv("AUTODL_WEIGHTS", str(folder))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "cache"))
    return path.rename(folder / f"squeezenet1_1-{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}.pth")
