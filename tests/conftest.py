"""Fixtures that several test files share."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial

import pytest

from autodl_solver.anytime.plan import Plan
from autodl_solver.data.info import DatasetInfo
from autodl_solver.modalities import SPECS


@pytest.fixture
def quick_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each modality, the family that answers first: it ends by itself, before the budget does."""
    for modality, spec in list(SPECS.items()):
        monkeypatch.setitem(SPECS, modality, dataclasses.replace(spec, make_plan=partial(_first, spec.make_plan)))


def _first(make_plan: Callable[[DatasetInfo], Plan], info: DatasetInfo) -> Plan:
    return make_plan(info)[:1]
