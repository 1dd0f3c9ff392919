"""Many long documents: made of a real vocabulary, learned within bounds of memory and of time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from autodl_solver.budget import Budget
from autodl_solver.data.examples import Examples
from autodl_solver.data.export import open_split
from autodl_solver.data.sequences import as_ragged
from autodl_solver.metrics import nauc
from autodl_solver.modalities.text import learners
from autodl_solver.modalities.text.learners import TermLearner
from autodl_solver.modalities.text.pipeline import TextPipeline
from benchmarks.made_up_documents import N_TOPICS, write_documents

ROOT = Path(__file__).resolve().parents[2]
PEAK = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True); \
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
"""Prints the KiB that the largest process below a command held at its peak, pages of mapped files included."""


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_seed_makes_the_same_documents(tmp_path: Path) -> None:
    for name, seed in {"a": 0, "b": 0, "c": 1}.items():
        write_documents(tmp_path / name, 30, 20, n_test=10, seed=seed)
    first, again, other = (files_of(tmp_path / name) for name in "abc")
    assert first == again
    assert first.keys() == other.keys()
    assert first != other


def test_made_up_documents_are_as_long_as_asked_for_and_tell_their_topics(tmp_path: Path) -> None:
    data = write_documents(tmp_path, 3000, 100, n_test=200)
    (train, info), (test, _) = open_split(data / "train"), open_split(data / "test")
    rows, new = train.read(0, 3000), test.read(0, 200)
    assert set(as_ragged(rows.x).lengths) == {100}
    assert info.vocabulary[:2] == ("a", "aa")
    assert new.y is not None
    assert not new.y.any()
    pipeline, learner = TextPipeline(info), TermLearner(N_TOPICS)
    learner.fit(Examples(pipeline.transform(rows.x, "", 100), rows.y), Budget())
    solution = np.loadtxt(tmp_path / "made_up_documents.solution")
    assert 0.5 < nauc(solution, learner.predict_proba(pipeline.transform(new.x, "", 100))) < 0.99


def test_terms_are_learned_from_as_many_rows_as_memory_admits(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = sparse.csr_array(np.eye(20, dtype=np.float32) + np.eye(20, k=1, dtype=np.float32))
    y = np.eye(2, dtype=np.float32)[np.arange(20) % 2]
    bounded, few = TermLearner(2), TermLearner(2)
    few.fit(Examples(counts[:5], y[:5]), Budget())
    monkeypatch.setattr(learners, "MAX_ENTRIES", 11)  # rows have two entries each
    bounded.fit(Examples(counts, y), Budget())
    assert np.array_equal(bounded.predict_proba(counts), few.predict_proba(counts))
    monkeypatch.setattr(learners, "MAX_ENTRIES", 1)
    bounded.fit(Examples(counts, y), Budget())  # one row at least
    assert np.isfinite(bounded.predict_proba(counts)).all()


def test_weights_do_not_depend_on_the_block_that_a_document_is_in(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = sparse.csr_array(np.random.default_rng(0).poisson(0.5, (50, 30)).astype(np.float32))
    y = np.eye(2, dtype=np.float32)[np.arange(50) % 2]
    whole = learners.TermWeights().fit_transform(counts, y)
    monkeypatch.setattr(learners, "BLOCK_ROWS", 7)
    assert (learners.TermWeights().fit_transform(counts, y) != whole).nnz == 0


@pytest.mark.slow
def test_half_a_million_documents_are_answered_within_4_gb(tmp_path: Path) -> None:
    write_documents(tmp_path / "data", 500_000, 200)
    flags = [f"-dataset_dir={tmp_path / 'data'}", f"-output_dir={tmp_path / 'out'}", "-time_budget=30"]
    command = [sys.executable, "-c", PEAK, sys.executable, str(ROOT / "run_local_test.py"), *flags]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=400)
    peak_kib = int(done.stdout.split()[-1])
    lines = (tmp_path / "out" / "scores" / "scores.txt").read_text().splitlines()
    (timestamps,) = [json.loads(line.partition(":")[2]) for line in lines if line.startswith("timestamps:")]
    assert timestamps
    assert peak_kib * 1024 < 4e9
