"""A saved model in a process that has never seen it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from saved_families import family_of, labels_of, rows_of

from autodl_solver.budget import Budget
from autodl_solver.data.examples import Examples
from autodl_solver.saving import write_model

PROGRAM = """
import sys
import numpy as np
from pathlib import Path
from autodl_solver.saving import read_model
objects, _ = read_model(Path(sys.argv[1]))
x = np.load(sys.argv[2])
for name, learner in objects.items():
    np.save(f"{sys.argv[3]}/{name}.npy", learner.predict_proba(x))
assert "torch._dynamo" not in sys.modules, "to import it takes seconds"
"""


@pytest.mark.slow
def test_another_process_predicts_the_same_and_needs_no_compiler(tmp_path: Path) -> None:
    rows, pipeline = rows_of("table")
    x, y = pipeline.transform(rows, "", 1), labels_of("table", rows)
    learners = {name: family_of("table", name).make_learner(3, 0) for name in ("network", "extra trees", "boosting")}
    for learner in learners.values():
        learner.fit(Examples(x, y), Budget(0.05))
    write_model(tmp_path / "model", learners, {})
    np.save(tmp_path / "x.npy", np.asarray(x))
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "model"), str(tmp_path / "x.npy"), str(tmp_path)]
    subprocess.run(command, check=True, timeout=100)
    for name, learner in learners.items():
        assert np.abs(np.load(tmp_path / f"{name}.npy") - learner.predict_proba(x)).max() <= 1e-6, name
