"""Use each better model while the next one is being learned. Usage: python examples/improvements.py [BUDGET]."""

from __future__ import annotations

import sys

from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split

from autodl_solver import AutoDLClassifier


def main(budget: str) -> None:
    """Stops as soon as a model is good enough."""
    pixels, digit = load_digits(return_X_y=True)
    train, test, y_train, y_test = train_test_split(pixels.reshape(-1, 8, 8, 1), digit, random_state=0)
    for model in AutoDLClassifier().improvements(train, y_train, budget):
        accuracy = accuracy_score(y_test, model.predict(test))
        print(f"{model.facts['elapsed_s']:6.2f} s  accuracy {accuracy:.3f}")
        if accuracy > 0.99:
            break


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "1m")
