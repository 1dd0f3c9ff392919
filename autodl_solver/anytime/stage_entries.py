"""The entries of a stage log, and how a line of the file becomes one.

Every field is checked on reading: logs come from other machines and other days.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias, TypeVar

from autodl_solver import __version__

if TYPE_CHECKING:  # reading a log needs no numpy
    from autodl_solver.data.info import DatasetInfo

VERSION = 1
LONGEST_S = 1e9  # no run takes thirty years; what claims to is damaged

Expectation: TypeAlias = Mapping[str, float | str | None]
"""What the schedule expected of a stage, by name: a score, seconds, or a reason in words."""

T = TypeVar("T", bool, int, float, str)


@dataclass(frozen=True)
class RunFacts:
    """What a schedule may know of a dataset and a machine before the first stage.

    Attributes:
        dataset: its name, for people.
        modality: value of a Modality.
        n_train: training rows; None if unknown.
        n_classes: output_dim.
        shape: time, row, col, channel; -1 where it varies.
        format: dense, sparse or compressed.
        multi_label: whether rows carry several labels; None if unknown.
        n_vocabulary: tokens of the vocabulary, 0 without one.
        n_cores: that this process may use.
        package_version: of autodl_solver.
    """

    dataset: str
    modality: str
    n_train: int | None
    n_classes: int
    shape: tuple[int, ...]
    format: str
    multi_label: bool | None
    n_vocabulary: int
    n_cores: int
    package_version: str

    @classmethod
    def gather(cls, info: DatasetInfo, modality: str, n_train: int | None, multi_label: bool | None) -> RunFacts:
        """The facts of a dataset, by its first bundle, on this machine."""
        spec = info.specs[0]
        return cls(
            dataset=info.name,
            modality=modality,
            n_train=n_train,
            n_classes=info.n_classes,
            shape=(info.sequence_size, spec.n_rows, spec.n_cols, spec.n_channels),
            format=spec.format.name.lower(),
            multi_label=multi_label,
            n_vocabulary=len(info.vocabulary),
            n_cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
            package_version=__version__,
        )


@dataclass(frozen=True)
class StageEntry:
    """One stage that ran: the fields of a Record that are no arrays, and when it began.

    Attributes:
        family: of the plan.
        contract_s: seconds that the learner was given; None for one that ends by itself.
        score: hold-out NAUC; None where there is none.
        answer_score: hold-out NAUC of the answer once the stage had run; None where there is none.
        error: type and first line of what it raised; None if it did not.
        expected: what the schedule expected of it; None if it did not say.
        weight: of the stage in the last answer of the run. Null in the file, where that is not known yet.
        family_kind: kind of its family; empty if the log does not say.
    """

    name: str
    family: str
    fidelity: int
    n_examples: int
    n_held_out: int
    refit: bool
    started_s: float
    fit_s: float
    score: float | None
    failed: bool
    contract_s: float | None = None
    answer_score: float | None = None
    error: str | None = None
    expected: Expectation | None = None
    weight: float | None = None
    family_kind: str = ""


@dataclass(frozen=True)
class PredictionEntry:
    """One pass over the test split.

    Attributes:
        weights: share of each stage in the answer; empty or "prior" where class frequencies answer.
        passes: seconds of each stage that predicted now; others had predicted before.
        n_test: rows of the test split; None if the log does not say.
    """

    weights: Mapping[str, float]
    started_s: float
    predict_s: float
    passes: Mapping[str, float] = field(default_factory=dict)
    n_test: int | None = None


Entry: TypeAlias = RunFacts | StageEntry | PredictionEntry


def parse_entry(line: bytes) -> Entry:
    """The entry of one line.

    Raises:
        ValueError, OverflowError, RecursionError: it is none.
    """
    fields = json.loads(line.decode("utf-8"), parse_constant=_refuse_constant)
    if not isinstance(fields, dict):
        raise ValueError("it is no object")
    kind = fields.get("kind")
    if kind == "run":
        return _run_facts(fields)
    if kind == "stage":
        return _stage_entry(fields)
    if kind == "prediction":
        weights = {name: _required({name: value}, name, float) for name, value in _object(fields, "weights").items()}
        passes = {} if fields.get("passes") is None else _object(fields, "passes")
        return PredictionEntry(
            weights,
            _seconds(fields, "started_s"),
            _seconds(fields, "predict_s"),
            {name: _seconds(passes, name) for name in passes},
            _optional(fields, "n_test", int),
        )
    raise ValueError(f"kind is {kind!r}")


def _run_facts(fields: dict[str, Any]) -> RunFacts:
    if _required(fields, "version", int) != VERSION:
        raise ValueError(f"this package reads version {VERSION}, it is of version {fields['version']}")
    shape = fields.get("shape")
    if not isinstance(shape, list) or any(type(size) is not int for size in shape):
        raise ValueError(f"shape is {shape!r}")
    return RunFacts(
        dataset=_required(fields, "dataset", str),
        modality=_required(fields, "modality", str),
        n_train=_optional(fields, "n_train", int),
        n_classes=_required(fields, "n_classes", int),
        shape=tuple(shape),
        format=_required(fields, "format", str),
        multi_label=_optional(fields, "multi_label", bool),
        n_vocabulary=_required(fields, "n_vocabulary", int),
        n_cores=_required(fields, "n_cores", int),
        package_version=_required(fields, "package_version", str),
    )


def _stage_entry(fields: dict[str, Any]) -> StageEntry:
    expected = None if fields.get("expected") is None else _object(fields, "expected")
    if expected is not None and any(type(value) not in (int, float, str, type(None)) for value in expected.values()):
        raise ValueError(f"expected is {expected!r}")
    return StageEntry(
        name=_required(fields, "name", str),
        family=_required(fields, "family", str),
        fidelity=_required(fields, "fidelity", int),
        n_examples=_required(fields, "n_examples", int),
        n_held_out=_required(fields, "n_held_out", int),
        refit=_required(fields, "refit", bool),
        started_s=_seconds(fields, "started_s"),
        fit_s=_seconds(fields, "fit_s"),
        score=_optional(fields, "score", float),
        failed=_required(fields, "failed", bool),
        contract_s=_optional(fields, "contract_s", float),
        answer_score=_optional(fields, "answer_score", float),
        error=_optional(fields, "error", str),
        expected=expected,
        weight=_optional(fields, "weight", float),
        family_kind=_optional(fields, "family_kind", str) or "",
    )


def _required(fields: Mapping[str, Any], name: str, kind: type[T]) -> T:
    value = fields.get(name)
    if kind is float and type(value) is int:
        value = float(value)
    if (
        not isinstance(value, kind)
        or type(value) is not kind
        or (isinstance(value, float) and not math.isfinite(value))
    ):
        raise ValueError(f"{name} must be a finite {kind.__name__}, it is {value!r:.80}")
    return value


def _optional(fields: Mapping[str, Any], name: str, kind: type[T]) -> T | None:
    return None if fields.get(name) is None else _required(fields, name, kind)


def _seconds(fields: Mapping[str, Any], name: str) -> float:
    value = _required(fields, name, float)
    if not 0 <= value < LONGEST_S:
        raise ValueError(f"{name} must be seconds within a run, it is {value}")
    return value


def _object(fields: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = fields.get(name)
    if not isinstance(value, dict):
        raise ValueError(f"{name} must be an object, it is {value!r:.80}")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
