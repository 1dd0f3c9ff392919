"""Damage of any kind, anywhere: one clear error that names the file."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from saved_families import change_document, family_of, labels_of, rows_of

from autodl_solver.budget import Budget
from autodl_solver.data.examples import Examples
from autodl_solver.errors import ModelFileError
from autodl_solver.saving import read_model, write_model
from autodl_solver.saving.versions import FORMAT, current_versions

FILES = ("model.json", "tensors.safetensors", "booster-0.txt")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model of all three files."""
    folder = tmp_path_factory.mktemp("saved") / "model"
    rows, pipeline = rows_of("table of two classes")
    y = labels_of("table of two classes", rows)
    x = pipeline.transform(rows, "", 1)
    learners = {name: family_of("table of two classes", name).make_learner(2, 0) for name in ("boosting", "ridge")}
    for learner in learners.values():
        learner.fit(Examples(x[:12], y[:12]), Budget(0.01))  # type: ignore[index]
    write_model(folder, {"pipeline": pipeline, **learners}, {})
    return folder


@pytest.fixture
def model(saved: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copytree(saved, tmp_path / "model"))


def refused(folder: Path, file: str = "") -> str:
    with pytest.raises(ModelFileError) as caught:
        read_model(folder)
    assert file in str(caught.value)
    assert "however" in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("file", FILES)
def test_a_flipped_bit_is_found_wherever_it_is(file: str, model: Path) -> None:
    path = model / file
    data = path.read_bytes()
    for place in np.linspace(0, len(data) - 1, min(len(data), 150)).astype(int):
        spoilt = bytearray(data)
        spoilt[place] ^= 1 << int(place) % 8
        path.write_bytes(spoilt)
        refused(model, file)


@pytest.mark.parametrize("file", FILES)
def test_a_file_of_another_length_is_found(file: str, model: Path) -> None:
    path = model / file
    data = path.read_bytes()
    for length in np.linspace(0, len(data) - 1, 40).astype(int):
        path.write_bytes(data[:length])
        refused(model, file)
    path.write_bytes(data + b"\n")
    refused(model, file)


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.unlink(),
        lambda path: (path.unlink(), path.mkdir()),
        lambda path: (path.rename(path.parent.parent / "other"), path.symlink_to("../other")),  # the right bytes
        lambda path: (path.unlink(), path.symlink_to("/dev/zero")),  # endless
        lambda path: (path.unlink(), os.mkfifo(path)),  # a reader would wait for ever
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(os.urandom(1000)),
    ],
    ids=["missing", "a folder", "a link", "a link to a device", "a pipe", "empty", "noise"],
)
def test_something_else_in_the_place_of_a_file_is_refused(file: str, spoil: Callable[[Path], Any], model: Path) -> None:
    spoil(model / file)
    refused(model, file)


class Bomb:
    """Leaves a mark where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self._mark,)


@pytest.mark.parametrize("file", FILES)
def test_a_pickle_in_the_place_of_a_file_is_never_run(file: str, model: Path, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    (model / file).write_bytes(pickle.dumps(Bomb(mark)))
    if file != "model.json":
        change_document(model, lambda document: None)  # lengths and checksums are right
    refused(model, "model.json" if file != "model.json" else file)
    assert not mark.exists()
    pickle.loads((model / file).read_bytes())
    assert mark.exists()  # it would have


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "null",
        "{}",
        json.dumps({"format": FORMAT}),
        '{"format": NaN}',
        "[" * 100_000,
        '{"format": ' + "1" * 10_000 + "}",
        "\ufeff{}",
        json.dumps({"format": FORMAT, "versions": {}, "depends_on": 3}),
    ],
    ids=lambda text: text[:20],
)
def test_json_of_another_shape_is_refused(text: str, model: Path) -> None:
    (model / "model.json").write_text(text, encoding="utf-8")
    refused(model, "model.json")


def without(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda document: document.pop(name)


@pytest.mark.parametrize("part", ["format", "versions", "depends_on", "files", "facts", "objects"])
def test_no_part_may_be_missing(part: str, model: Path) -> None:
    change_document(model, without(part))
    refused(model, "model.json")
    change_document(model, lambda document: document.update({part: None}))
    refused(model, "model.json")


@pytest.mark.parametrize(
    ("change", "facts"),
    [
        (lambda d: d.update(format=1), [f"format {FORMAT}", "format 1", "install"]),
        (lambda d: d["versions"].update({"scikit-learn": "0.24.2"}), ["0.24.2", "install scikit-learn 0.24.*"]),
        (lambda d: d["versions"].update({"lightgbm": "3.3.5"}), ["3.3.5", "install lightgbm 3.*"]),
        (lambda d: d["versions"].update({"autodl_solver": "0.9.0"}), ["0.9.0", "install autodl_solver 0.9.*"]),
        (lambda d: d["versions"].pop("scikit-learn"), ["saved with None"]),
    ],
)
def test_another_version_is_told_with_both_versions_and_the_remedy(
    change: Callable[[dict[str, Any]], Any], facts: list[str], model: Path
) -> None:
    change_document(model, change)
    (model / "tensors.safetensors").unlink()  # versions come first
    text = refused(model, "model.json")
    assert all(fact in text for fact in [*facts, "however"])


@pytest.mark.parametrize(
    "versions",
    [
        {"torch": "1.0"},  # no tensor of torch is in the model
        {"scikit-learn": current_versions()["scikit-learn"].rsplit(".", 1)[0] + ".99"},  # another patch
        {"numpy": "1.20", "python": "3.8.0"},  # what objects are made of does not depend on them
    ],
)
def test_a_version_that_does_not_matter_is_no_obstacle(versions: dict[str, str], model: Path) -> None:
    change_document(model, lambda document: document["versions"].update(versions))
    read_model(model)


def test_all_versions_are_said(model: Path) -> None:
    document = json.loads((model / "model.json").read_text())
    assert document["versions"].keys() == {"python", "autodl_solver", "numpy", "scikit-learn", "lightgbm", "torch"}
    assert document["depends_on"] == ["lightgbm", "scikit-learn"]
