"""The systems: ours, peers with their requirements, folders of others; and what the peers share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from benchmark_harness import write_submission
from sklearn.linear_model import LogisticRegression

from benchmarks.errors import BenchmarkError
from benchmarks.peers.one_shot import PerLabel, as_dense_table, is_single_label
from benchmarks.systems import MODALITIES, OURS, PEERS, SYSTEMS, System, find_system
from benchmarks.venvs import INSTALLED, _digest, python_of


@pytest.mark.parametrize("name", sorted(SYSTEMS.keys() - {OURS}))
def test_a_peer_is_a_submission_with_requirements_that_hold_the_reader(name: str) -> None:
    system = SYSTEMS[name]
    assert (system.code_dir / "model.py").read_text().count("class Model(") == 1
    assert system.requirements is not None
    lines = system.requirements.read_text().splitlines()
    assert lines[0] == "-r ../reader.txt"
    assert all(line.startswith("#") or "==" in line for line in lines[1:]), "what is compared is pinned"
    assert set(system.modalities) <= set(MODALITIES)


def test_every_folder_of_the_peers_is_a_system() -> None:
    assert {path.parent.name for path in PEERS.glob("*/model.py")} == SYSTEMS.keys() - {OURS}


def test_a_folder_with_a_model_is_a_system_too(tmp_path: Path) -> None:
    folder = write_submission(tmp_path, "mine", "")
    assert find_system(str(folder)) == System("mine", folder)
    (folder / "requirements.txt").touch()
    assert find_system(str(folder)).requirements == folder / "requirements.txt"
    with pytest.raises(BenchmarkError, match="must be one of autodl_solver, prior"):
        find_system(str(tmp_path))


def test_environments_are_shared_by_the_same_needs_only(tmp_path: Path) -> None:
    def digest(name: str, text: str) -> str:
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / "requirements.txt").write_text(text)
        return _digest(tmp_path / name / "requirements.txt")

    (tmp_path / "base.txt").write_text("numpy\n")
    first = digest("a", "-r ../base.txt\n# why\nx==1\n")
    assert digest("b", "-r ../base.txt\nx==1\n") == first
    assert digest("b", "-r ../base.txt\nx==2\n") != first
    (tmp_path / "base.txt").write_text("numpy>=2\n")
    assert digest("a", "-r ../base.txt\n# why\nx==1\n") != first


@pytest.mark.slow
def test_an_environment_that_cannot_be_made_is_an_error_and_no_result(tmp_path: Path) -> None:
    folder = write_submission(tmp_path, "mine", "")
    (folder / "requirements.txt").write_text("./no_such_package_here\n")
    with pytest.raises(BenchmarkError, match="installation failed"):
        python_of(find_system(str(folder)), tmp_path / "cache")
    assert list((tmp_path / "cache").rglob(INSTALLED)) == []


@pytest.mark.parametrize(
    "labels",
    [
        [[0, 1, 0], [0, 0, 1]],  # class 0 has no example
        [[1, 1, 0], [0, 0, 1]],  # several labels in a row
        [[1, 0, 0], [0, 0, 0]],  # a row without a label
        [[0, 1, 0], [0, 1, 0]],  # nothing to tell apart
    ],
)
def test_every_kind_of_label_is_learned_class_by_class(labels: list[list[int]]) -> None:
    y = np.array(labels * 10, np.float32)
    x = np.array([[0.0], [1.0]] * 10)
    model = PerLabel(LogisticRegression)
    model.fit(x, y)
    scores = model.predict_proba(x[:2])
    assert scores.shape == (2, 3)
    told_apart = y[0] != y[1]
    assert (((scores[0] - scores[1]) * (y[0] - y[1]))[told_apart] > 0).all()
    assert np.allclose(scores[0, ~told_apart], scores[1, ~told_apart])
    assert is_single_label(y) == all(sum(row) == 1 for row in labels)


def test_a_table_has_gaps_where_values_are_infinite() -> None:
    table = as_dense_table(np.array([1.0, np.inf, -np.inf]).reshape(1, 1, 3, 1, 1))
    assert np.array_equal(table, [[1, np.nan, np.nan]], equal_nan=True)
