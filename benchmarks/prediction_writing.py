"""How fast predictions become text: the official Python loop against ours, in one process, best of five runs.

    python -m benchmarks.prediction_writing [--rows 10000] [--columns 100]

Prints one markdown table. "ratio" is the time of the official loop divided by ours; both give the same bytes (checked).
Result on a shared 2-core machine: see docs/challenge_api.md.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ingestion.formatting import format_rows

Scores = npt.NDArray[np.float32]


def official(scores: Scores) -> bytes:
    """The loop of the official ingestion program, restated."""
    return "".join(" ".join("{0:g}".format(float(v)) for v in row) + "\n" for row in scores).encode()  # noqa: UP030, UP032


def ours(scores: Scores) -> bytes:
    """What ingestion/run_files.py writes."""
    return b"".join(format_rows(scores))


def best_s(function: Callable[[Scores], bytes], scores: Scores, n_runs: int = 5) -> float:
    """Seconds of the fastest of n_runs calls."""
    seconds = []
    for _ in range(n_runs):
        start = time.perf_counter()
        function(scores)
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def main(arguments: list[str] | None = None) -> None:
    """Time both writers on some kinds of scores."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--columns", type=int, default=100)
    options = parser.parse_args(arguments)
    shape = (options.rows, options.columns)
    rng = np.random.default_rng(0)
    logits = rng.normal(size=shape)
    kinds = {
        "uniform": rng.random(shape),
        "softmax": np.exp(logits) / np.exp(logits).sum(1, keepdims=True),
        "sharp softmax": np.exp(8 * logits) / np.exp(8 * logits).sum(1, keepdims=True),
        "one-hot": np.eye(shape[1])[rng.integers(shape[1], size=shape[0])],
        "logits, half of them negative": logits,
    }
    print(f"| {shape[0]:,} x {shape[1]} scores | official, s | ours, s | ratio |\n|---|---|---|---|")
    for name, values in kinds.items():
        scores = values.astype(np.float32)
        if official(scores) != ours(scores):
            raise SystemExit(f"The two writers must agree, however they differ on {name}")
        official_s, ours_s = best_s(official, scores), best_s(ours, scores)
        print(f"| {name} | {official_s:.3f} | {ours_s:.3f} | {official_s / ours_s:.1f} |")


if __name__ == "__main__":
    main()
