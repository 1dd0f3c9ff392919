"""A table of mixed columns: numbers, categories, dates and gaps. Usage: python examples/dataframe.py [BUDGET]."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

from autodl_solver import AutoDLClassifier


def main(budget: str) -> None:
    """Fits, predicts, and looks at what the time went into."""
    table, diagnosis = load_breast_cancer(return_X_y=True, as_frame=True)
    diagnosis = diagnosis.map({0: "malignant", 1: "benign"})
    rng = np.random.default_rng(0)
    table["size"] = pd.cut(table["mean area"], 3, labels=["small", "medium", "large"])
    table["seen"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 700, len(table)), unit="D")
    table.loc[rng.random(len(table)) < 0.2, "mean radius"] = np.nan

    train, test, y_train, y_test = train_test_split(table, diagnosis, random_state=0)
    model = AutoDLClassifier().fit(train, y_train, time_budget=budget)
    print(model.predict(test)[:5], model.predict_proba(test)[:2].round(3), sep="\n")
    print(f"accuracy {model.score(test, y_test):.3f}, hold-out NAUC {model.score_:.3f}")
    print(model.leaderboard().head())


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "1m")
