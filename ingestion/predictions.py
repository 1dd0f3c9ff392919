"""What a model may return from `test`: finite numbers, [n_test, n_classes]."""

from typing import Any

import numpy as np
import numpy.typing as npt

from ingestion.errors import PredictionError


def as_scores(prediction: object, shape: tuple[int, int]) -> npt.NDArray[Any]:
    """Check a prediction.

    Args:
        prediction: anything that numpy takes for an array, such as a nested list or a tensor in main memory.
        shape: (test examples, classes).
    Returns:
        The prediction as a real array of this shape.
    Raises:
        PredictionError: it is no array of numbers, has another shape, or holds NaN or infinity (which nobody can rank).
    """
    try:
        scores = np.asarray(prediction)
        if scores.shape == shape and scores.dtype.kind not in "biufc":  # objects, bfloat16 ...
            scores = scores.astype(np.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        raise PredictionError(
            f"test must return an array of numbers, however numpy cannot read a {type(prediction).__name__} ({error})"
        ) from error
    if scores.shape != shape:
        raise PredictionError(
            f"test must return scores of shape (test examples, classes) = {shape}, however it returned {scores.shape}"
        )
    if scores.dtype.kind == "c":
        raise PredictionError(f"test must return real numbers, however it returned {scores.dtype}")
    finite = np.isfinite(scores)
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        raise PredictionError(
            f"test must return finite numbers, however {scores.size - int(finite.sum())} of {scores.size} are not, "
            f"the first in row {row}, column {column}: {scores[row, column]}"
        )
    return scores
