"""A small dataset of each kind, every family of its plan, and models that are changed on purpose."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from autodl_solver.anytime.plan import Family
from autodl_solver.data.examples import Examples, Rows, n_rows
from autodl_solver.data.info import DatasetInfo, Format, MatrixSpec
from autodl_solver.modalities import SPECS, Modality, Pipeline
from autodl_solver.saving.folder import BLANK

WORDS = tuple(f"word{chr(97 + i % 26)}{chr(97 + i // 26)}" for i in range(600))


def facts(
    shape: tuple[int, int, int, int], form: Format, n_classes: int = 3, vocabulary: tuple[str, ...] = ()
) -> DatasetInfo:
    time, n_rows, n_cols, n_channels = shape
    spec = MatrixSpec(n_rows, n_cols, n_channels, form)
    return DatasetInfo("made", None, -1, n_classes, time, (spec,), vocabulary=vocabulary)


DATASETS: dict[str, tuple[Modality, DatasetInfo]] = {
    "image": (Modality.IMAGE, facts((1, 12, 12, 3), Format.COMPRESSED)),
    "video": (Modality.VIDEO, facts((6, 20, 20, 3), Format.DENSE)),
    "speech": (Modality.SPEECH, facts((-1, 1, 1, 1), Format.DENSE)),
    "series": (Modality.SERIES, facts((40, 1, 3, 1), Format.DENSE)),
    "text": (Modality.TEXT, facts((-1, 1, 1, 1), Format.DENSE, vocabulary=WORDS)),
    "table": (Modality.TABULAR, facts((1, 1, 8, 1), Format.DENSE)),
    "table of two classes": (Modality.TABULAR, facts((1, 1, 5, 1), Format.DENSE, n_classes=2)),
    "table of many classes": (Modality.TABULAR, facts((1, 1, 8, 1), Format.DENSE, n_classes=25)),
    "sparse table": (Modality.TABULAR, facts((1, 1, 300, 1), Format.SPARSE)),
}


def families() -> list[tuple[str, str]]:
    """(dataset, family) of all plans."""
    return [
        (name, family.name) for name, (modality, info) in DATASETS.items() for family in SPECS[modality].make_plan(info)
    ]


def family_of(dataset: str, name: str) -> Family:
    modality, info = DATASETS[dataset]
    (family,) = [family for family in SPECS[modality].make_plan(info) if family.name == name]
    return family


def rows_of(dataset: str) -> tuple[Rows, Pipeline]:
    """Made-up raw rows, and a pipeline that was fitted on them."""
    modality, info = DATASETS[dataset]
    rows = SPECS[modality].example(info)
    pipeline = SPECS[modality].make_pipeline(info)
    pipeline.fit(Examples(rows))
    return rows, pipeline


def labels_of(dataset: str, rows: Rows) -> np.ndarray:
    n_classes = DATASETS[dataset][1].n_classes
    return np.eye(n_classes, dtype=np.float32)[np.arange(n_rows(rows)) % n_classes]


def change_document(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Changes model.json and makes all lengths and checksums right again, as somebody malicious would."""
    path = folder / "model.json"
    document = json.loads(path.read_text())
    change(document)
    for name in document.get("files") or {}:
        if (folder / name).is_file():
            data = (folder / name).read_bytes()
            document["files"][name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    document["sha256"] = BLANK
    text = json.dumps(document)
    path.write_text(text.replace(BLANK, hashlib.sha256(text.encode()).hexdigest(), 1))


def nodes_of(tree: Any, kind: str) -> list[dict[str, Any]]:
    """All nodes of a kind, anywhere in a tree."""
    found = [tree] if isinstance(tree, dict) and tree.get("is") == kind else []
    children = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else []
    return found + [node for child in children for node in nodes_of(child, kind)]
