"""Texts of any language: does a docstring describe a class or a function? Usage: python examples/texts.py [BUDGET]."""

from __future__ import annotations

import importlib
import inspect
import sys

from autodl_solver import AutoDLClassifier

MODULES = ("numpy", "pandas", "scipy.stats", "scipy.signal", "sklearn.ensemble", "sklearn.metrics", "torch.nn")


def docstrings() -> dict[str, str]:
    """Text -> what it describes."""
    found: dict[str, str] = {}
    for name in MODULES:
        for _, thing in inspect.getmembers(importlib.import_module(name)):
            text = inspect.getdoc(thing) or ""
            if len(text) > 80 and (inspect.isclass(thing) or inspect.isroutine(thing)):
                found[text] = "class" if inspect.isclass(thing) else "function"
    return found


def main(budget: str) -> None:
    """Learns most of them, asks about some."""
    labelled = docstrings()
    texts, labels = list(labelled), list(labelled.values())
    is_new = [k % 5 == 0 for k in range(len(texts))]
    train = [k for k, new in enumerate(is_new) if not new]
    test = [k for k, new in enumerate(is_new) if new]
    model = AutoDLClassifier().fit([texts[k] for k in train], [labels[k] for k in train], time_budget=budget)
    for text, label in zip([texts[k] for k in test[:5]], model.predict([texts[k] for k in test[:5]]), strict=True):
        print(f"{label:9}", text.splitlines()[0][:80])
    print(f"accuracy {model.score([texts[k] for k in test], [labels[k] for k in test]):.3f}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "1m")
