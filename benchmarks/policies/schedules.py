"""Policies: which stage comes next, and when an answer is given. What `by_gain` is compared with.

gain         the schedule of the package: by the area that a stage should add
doubling     fixed: one family after the other, rows times four up to all, then more detail; contracts of networks
             take turns and double; refits at the end. Looks at costs, so that the budget is kept, never at gains
winners      the stages of `doubling`; an answer is given only when a growing gap has passed and the hold-out score
             has improved by a factor 1.001. Written from what the winners of 2019 tell of their rule, not from code
everything   for recording worlds (anytime/world.py): all sizes of all fidelities of all families
without KIND `gain` on a plan that lacks a kind of learner: what that adds (ablation.py)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from autodl_solver.anytime.history import History, Record
from autodl_solver.anytime.look_ahead import RESERVE
from autodl_solver.anytime.plan import GROWTH, MIN_GROWTH, Family, Plan, next_stages
from autodl_solver.anytime.priors import NO_PRIORS, Priors
from autodl_solver.anytime.schedule import LAST_MARGIN, Choice, Schedule, by_gain
from autodl_solver.anytime.simulate import AnswerRule
from autodl_solver.anytime.stage import Stage

IMPROVEMENT = 1.001
FIRST_GAP = 1 / 600  # of the budget: 2 s of 1,200
LONGEST_GAP = 90 / 1200
GAP_GROWTH = 1.5


@dataclass(frozen=True)
class Policy:
    """What decides in a run.

    Attributes:
        name: of the policy.
        make_schedule: (plan, priors) -> schedule.
        make_rule: (seconds of the run) -> when an answer is given; None: whenever there is a better one.
    """

    name: str
    make_schedule: Callable[[Plan, Priors], Schedule]
    make_rule: Callable[[float], AnswerRule] | None = None


class PatientAnswers:
    """The winners' rule: an answer needs a gap, which grows from answer to answer, and an improvement by a factor.

    Args:
        budget_s: of the run.
    """

    def __init__(self, budget_s: float) -> None:
        self._gap_s = FIRST_GAP * budget_s
        self._longest_s = LONGEST_GAP * budget_s
        self._score: float | None = None  # of the latest answer; None before the first

    def __call__(self, history: History, since_s: float) -> bool:
        """Whether the present answer is given, so many seconds after the latest."""
        score = history.answer_score
        if self._score is not None:
            if since_s < self._gap_s or score <= IMPROVEMENT * self._score:
                return False
            self._gap_s = min(GAP_GROWTH * self._gap_s, self._longest_s)
        self._score = score
        return True


def doubling(plan: Plan, priors: Priors = NO_PRIORS) -> Schedule:
    """Fixed doubling.

    Args:
        plan: families of the modality, in the order in which they run.
        priors: not looked at.
    """
    families = {family.name: family for family in plan}

    def schedule(history: History, left_s: float) -> Choice | None:
        stages = next_stages(plan, history, left_s)
        if not history.records:
            return Choice(stages[0])
        steps = (_next_step(family, stages, history) for family in plan if not family.goes_on)
        step = next((one for one in steps if one is not None and _fits(one, history, left_s)), None)
        return Choice(step) if step is not None else _ending(families, stages, history, left_s)

    return schedule


def everything(plan: Plan, priors: Priors = NO_PRIORS) -> Schedule:
    """All sizes at all fidelities of what ends by itself, then doubling contracts.

    Args:
        plan: families of the modality.
        priors: not looked at.
    """
    families = {family.name: family for family in plan}

    def schedule(history: History, left_s: float) -> Choice | None:
        stages = next_stages(plan, history, left_s)
        if not history.records:
            return Choice(stages[0])
        tried = {record.stage.name for record in history.records}
        grid = (stage for family in plan if not family.goes_on for stage in _grid(family, history))
        steps = (stage for stage in grid if stage.name not in tried and _fits(stage, history, left_s))
        step = next(steps, None)
        return Choice(step) if step is not None else _ending(families, stages, history, left_s)

    return schedule


POLICIES = {
    policy.name: policy
    for policy in (
        Policy("gain", by_gain),
        Policy("doubling", doubling),
        Policy("winners", doubling, PatientAnswers),
        Policy("everything", everything),
    )
}
COMPARED = ("gain", "doubling", "winners")
WITHOUT = "without "


def find_policy(name: str) -> Policy:
    """The policy of that name, or `without KIND`."""
    if name.startswith(WITHOUT):
        return Policy(name, partial(_by_gain_without, name.removeprefix(WITHOUT)))
    return POLICIES[name]


def _by_gain_without(kind: str, plan: Plan, priors: Priors) -> Schedule:
    return by_gain([family for family in plan if (family.kind or family.name) != kind], priors)


def _next_step(family: Family, stages: Sequence[Stage], history: History) -> Stage | None:
    """Four times the rows; when all were seen, all of them in more detail."""
    own = [stage for stage in stages if stage.family == family.name and not stage.refit]
    last = _latest(family.name, history)
    if last is None:
        return min(own, key=lambda stage: stage.n_examples, default=None)
    more = [stage for stage in own if stage.fidelity == last.stage.fidelity]
    if more:
        return min(more, key=lambda stage: stage.n_examples)
    return max(own, key=lambda stage: stage.n_examples, default=None)


def _grid(family: Family, history: History) -> Iterator[Stage]:
    n_available = history.n_available if history.n_available is not None else family.first_n
    if n_available > family.max_available:
        return
    everything = min(family.max_n, n_available)
    for fidelity in family.fidelities:
        n = min(family.first_n, everything)
        while n * GROWTH * MIN_GROWTH <= everything:
            yield family.fresh(fidelity, n)
            n *= GROWTH
        if n < everything:
            yield family.fresh(fidelity, n)
        yield family.fresh(fidelity, everything)


def _ending(families: dict[str, Family], stages: Sequence[Stage], history: History, left_s: float) -> Choice | None:
    """What follows when the families that end by themselves are through: contracts, and refits before the last one."""
    again = [stage for stage in stages if stage.refit]
    refits = [stage for stage in again if stage.begins_anew and _fits(stage, history, left_s)]
    refits_s = sum(_cost_s(stage, history) + _contract_s(stage) for stage in refits)
    going = [family for family in families.values() if family.goes_on]
    n_runs = {family.name: _n_runs(family.name, history) for family in going}
    for family in sorted(going, key=lambda family: n_runs[family.name]):
        own = [stage for stage in stages if stage.family == family.name and not stage.refit]
        if not own:
            continue
        contract = min(own, key=lambda stage: (-stage.n_examples, -stage.fidelity, stage.seconds))
        longest_s = (1 - LAST_MARGIN) * left_s - RESERVE * _cost_s(contract, history)
        if longest_s < family.first_s:
            continue
        if refits and contract.seconds + RESERVE * refits_s > longest_s:
            break  # no time for both a full contract and the refits: they come first, the rest is for the last contract
        if contract.seconds > longest_s:  # the last one: on the hold-out rows too, where that is offered
            trained_on = [stage for stage in again if not stage.begins_anew and stage.continues == contract.continues]
            contract = (trained_on or [contract])[0]
        return Choice(replace(contract, seconds=min(contract.seconds, longest_s)))
    return Choice(refits[0]) if refits else None


def _fits(stage: Stage, history: History, left_s: float) -> bool:
    return _contract_s(stage) + RESERVE * _cost_s(stage, history) < left_s


def _contract_s(stage: Stage) -> float:
    return stage.seconds if math.isfinite(stage.seconds) else 0.0


def _cost_s(stage: Stage, history: History) -> float:
    """Seconds without a contract, with the test pass: those of the family's latest stage, by rows and detail."""
    last = _latest(stage.family, history)
    if last is None:
        return 0.0  # nobody knows
    contract_s = _contract_s(last.stage)
    detail = stage.fidelity / last.stage.fidelity
    n = min(stage.n_examples, history.n_available or stage.n_examples)
    fit_s = max(last.fit_s - contract_s, 0.0) * n / max(last.n_examples, 1)
    return (fit_s + history.last_predict_s) * detail


def _latest(family: str, history: History) -> Record | None:
    worked = [record for record in history.records if record.stage.family == family and not record.failed]
    return worked[-1] if worked else None


def _n_runs(family: str, history: History) -> int:
    return sum(record.stage.family == family for record in history.records)
