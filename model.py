"""The entry point of the AutoDL challenge: drop this file and the folder autodl_solver/ into a kit's code directory.

The ingestion program builds `Model(metadata)` and then calls `train` and `test` in turn until `done_training` is set or
the time budget ends. Everything else is in autodl_solver/solver.py.
"""

from __future__ import annotations

import gc
import logging
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autodl_solver.data.info import DatasetInfo
from autodl_solver.solver import Solver


class Model:
    """Adapts the challenge API to Solver.

    Args:
        metadata: an AutoDLMetadata; no example is read before `train` is called.

    Attributes:
        done_training: whether further calls would bring nothing.
    """

    def __init__(self, metadata: Any) -> None:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        self.done_training = False
        # The challenge has loaded TensorFlow (2.20 and later), beside which loading triton kills the process
        # (github.com/tensorflow/tensorflow/issues/124205); torch loads it with the first optimizer, and can do without.
        sys.modules.setdefault("triton", None)  # type: ignore[arg-type]  # as the import system documents it
        run_dir = os.environ.get("AUTODL_RUN_DIR")  # run_local_test.py names it, for the log of stages
        self._solver = Solver(
            DatasetInfo.from_metadata(metadata),
            seed=int(os.environ.get("AUTODL_SEED", "0")),  # benchmarks repeat runs with others
            run_dir=Path(run_dir) if run_dir else None,
        )
        self._solver.warm_up()
        gc.collect()
        gc.freeze()  # else the collector goes through all that was imported, 70 ms each time, while the budget runs

    def train(self, dataset: Any, remaining_time_budget: float | None = None) -> None:
        """Learns until there is a better answer.

        Args:
            dataset: tf.data.Dataset of (example [time, row, col, channel], labels [n_classes]).
            remaining_time_budget: seconds; None means without end.
        """
        self._solver.train(dataset, remaining_time_budget)
        self.done_training = self._solver.done

    def test(self, dataset: Any, remaining_time_budget: float | None = None) -> NDArray[Any]:
        """Scores of the test split, [n_test, n_classes] float32 in [0, 1]; .5 is the best threshold of each class.

        Args:
            dataset: tf.data.Dataset of the test examples, in the order of the rows to predict.
            remaining_time_budget: seconds; None means without end.
        """
        scores = self._solver.test(dataset, remaining_time_budget)
        thresholds = self._solver.thresholds()
        return scores if thresholds is None else thresholds.apply(scores).astype(np.float32)
