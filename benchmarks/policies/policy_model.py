"""A submission of the challenge that runs the solver under a policy (schedules.py); as model.py, but for that.

`Model.train` returns before `test`, so a rule about answers is kept by training on until the rule allows one.
"""

from __future__ import annotations

import gc
import logging
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autodl_solver.anytime.schedule import HORIZON_S
from autodl_solver.anytime.simulate import AnswerRule
from autodl_solver.budget import Budget
from autodl_solver.data.info import DatasetInfo
from autodl_solver.solver import Solver
from benchmarks.policies.schedules import Policy, find_policy


class PolicyModel:
    """Adapts the challenge API to Solver; each submission names its policy.

    Args:
        metadata: an AutoDLMetadata.

    Attributes:
        policy: its name, see `find_policy`.
        done_training: whether further calls would bring nothing.
    """

    policy = "gain"

    def __init__(self, metadata: Any) -> None:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        self.done_training = False
        self._policy: Policy = find_policy(self.policy)
        self._rule: AnswerRule | None = None  # made when the budget is known
        self._answered = Budget()  # since the latest answer
        run_dir = os.environ.get("AUTODL_RUN_DIR")
        self._solver = Solver(
            DatasetInfo.from_metadata(metadata),
            seed=int(os.environ.get("AUTODL_SEED", "0")),
            make_schedule=self._policy.make_schedule,
            run_dir=Path(run_dir) if run_dir else None,
        )
        self._solver.warm_up()
        gc.collect()
        gc.freeze()

    def train(self, dataset: Any, remaining_time_budget: float | None = None) -> None:
        """Learns until there is a better answer that the rule allows, or nothing is left to do."""
        if self._rule is None:
            make_rule = self._policy.make_rule or _always
            self._rule = make_rule(HORIZON_S if remaining_time_budget is None else remaining_time_budget)
        budget = Budget(remaining_time_budget)
        is_due = False
        while not is_due:
            self._solver.train(dataset, budget.left)
            is_due = self._solver.done or budget.expired or self._rule(self._solver.history, self._answered.elapsed)
        self.done_training = self._solver.done

    def test(self, dataset: Any, remaining_time_budget: float | None = None) -> NDArray[Any]:
        """Scores of the test split, [n_test, n_classes] float32 in [0, 1]."""
        scores = self._solver.test(dataset, remaining_time_budget)
        thresholds = self._solver.thresholds()
        self._answered = Budget()
        return scores if thresholds is None else thresholds.apply(scores).astype(np.float32)


def _always(budget_s: float) -> AnswerRule:
    return lambda history, since_s: True
