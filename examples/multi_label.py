"""Several labels a row, as sets of names. Usage: python examples/multi_label.py [BUDGET]."""

from __future__ import annotations

import sys

import numpy as np

from autodl_solver import AutoDLClassifier

NAMES = ("warm", "windy", "wet")


def main(budget: str) -> None:
    """Learns which of three words each row deserves."""
    rng = np.random.default_rng(0)
    weather = rng.normal(size=(800, 4))
    labels = [{name for name, value in zip(NAMES, row, strict=False) if value > 0.3} for row in weather]
    model = AutoDLClassifier().fit(weather[:600], labels[:600], time_budget=budget)
    for row, given, found in list(zip(weather[600:], labels[600:], model.predict(weather[600:]), strict=True))[:4]:
        print(row.round(1), "is", sorted(given), "found", sorted(found))
    print("probabilities of", model.classes_, model.predict_proba(weather[600:602]).round(2).tolist())


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "30s")
