"""Fixtures that several test files share."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from autodl_solver.anytime.plan import Plan
from autodl_solver.data.info import DatasetInfo
from autodl_solver.modalities import SPECS


@pytest.fixture
def quick_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each modality, the family that answers first: it ends by itself, before the budget does."""
    for modality, spec in list(SPECS.items()):
        monkeypatch.setitem(SPECS, modality, dataclasses.replace(spec, make_plan=partial(_first, spec.make_plan)))


@pytest.fixture
def weights_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder in which pretrained weights are looked for; still empty."""
    import torch  # takes seconds to import

    folder, cache = tmp_path / "weights", tmp_path / "cache"
    folder.mkdir()
    cache.mkdir()
    monkeypatch.setenv("AUTODL_WEIGHTS", str(folder))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(cache))
    return folder


def _first(make_plan: Callable[[DatasetInfo], Plan], info: DatasetInfo) -> Plan:
    return make_plan(info)[:1]
