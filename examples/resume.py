"""A run kept on disk: stop it, go on with it, add time, save it. Usage: python examples/resume.py [BUDGET]."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split

from autodl_solver import AutoDLClassifier


def main(budget: str) -> None:
    """The second classifier could as well be another process, after a crash."""
    table, y = load_wine(return_X_y=True, as_frame=True)
    train, test, y_train, y_test = train_test_split(table, y, random_state=0)
    with tempfile.TemporaryDirectory() as name:
        run = Path(name) / "run"
        model = AutoDLClassifier(run_dir=run)
        for better in model.improvements(train, y_train, budget):
            print(f"stopped at {better.facts['elapsed_s']:.1f} s")
            break
        again = AutoDLClassifier(run_dir=run).fit(train, y_train, budget, resume=True)
        print(f"after more time: {len(again.leaderboard())} stages, accuracy {again.score(test, y_test):.3f}")
        again.save(Path(name) / "model")
        loaded = AutoDLClassifier.load(Path(name) / "model")
        assert (loaded.predict(test) == again.predict(test)).all()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "30s")
