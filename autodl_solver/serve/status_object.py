"""A Status as JSON knows it: what is not defined becomes null, as JSON has no NaN."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # this package draws what it is handed; it needs no numpy
    from autodl_solver.session import Status


def status_object(status: Status) -> dict[str, Any]:
    """The fields of a Status by name; tuples as lists, NaN and infinity as None."""
    return {name: _plain(value) for name, value in dataclasses.asdict(status).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
