"""Plan: which ways of learning a modality offers, and which stages could come next.

A modality says what exists: its families. What runs when is decided by the schedule (schedule.py), for all modalities
alike. Growing subsets and doubling contracts are candidates here, with the leap to all rows or to all the time that is
left beside them, so that a schedule which knows enough can skip the steps between.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from autodl_solver.anytime.history import History, Record
from autodl_solver.anytime.stage import LearnerFactory, Stage, trained_s

GROWTH = 4
"""Rows grow so many times from stage to stage: all together cost a third more than the last alone."""

MIN_GROWTH = 1.5
"""The last step goes to all rows at once where less growth than that would be left."""

DOUBLING = 2.0
"""A contract is so many times as long as all earlier ones of its family together."""

MIN_ROWS = 8
"""With fewer rows than that nothing is tried."""

FIRST_SHARE = 0.5
"""A first contract lasts at least so much of the time until now: in log time a shorter one would hardly be seen."""

USED_SHARE = 0.5
"""A learner that gives back more than the rest of its contract has nothing more to learn."""

MAX_RESTARTS = 4
"""A blend of five networks is nearly as good as one of many."""

RESTART_SHARE = 0.5
"""A learner that begins anew gets no less than so much of the time that the member had."""

LOOKS_SHARE = 0.1
"""A pass over the test rows with more views may take so much of the contract before it."""

LEADING = 0.5
"""A learner with at least so much weight in the answer may end without a score: its weight cannot change any more."""

MAX_FAILURES = 2
"""A family that has failed so often, after something of it worked, is left alone."""


@dataclass(frozen=True)
class Family:
    """One way of learning: a kind of learner on a view of the examples.

    Attributes:
        name: unique within a plan.
        make_learner: (n_classes, seed) -> an unfitted learner.
        fidelities: of the view, in growing order.
        view: what the pipeline makes of the examples for it.
        first_n: rows of its first stage.
        max_n: rows that are never exceeded.
        first_s: seconds of the first contract of a learner that goes on for as long as it is given, more where it
            begins late; infinite for one that ends by itself.
        max_available: training rows beyond which the family is not offered (what does not scale).
        looks: factor on the views of each test row that its learner predicts from, after contracts of which such a pass
            takes a small share; 1 for learners that have no further views.
        max_cross_fitted: training rows up to which its members are repeated in parts; 0 for never. On more the hold-out
            tells enough, and a learner has enough to learn from.
        kind: shared by families that differ in settings only, so that one of them tells what to expect of the others;
            by default the family is of a kind of its own.
    """

    name: str
    make_learner: LearnerFactory
    fidelities: tuple[int, ...] = (1,)
    view: str = ""
    first_n: int = 1000
    max_n: int = 10**9
    first_s: float = math.inf
    max_available: int = 10**9
    looks: int = 1
    max_cross_fitted: int = 0
    kind: str = ""

    @property
    def goes_on(self) -> bool:
        """Whether more seconds make its learner better."""
        return math.isfinite(self.first_s)

    def fresh(self, fidelity: int, n_examples: int) -> Stage:
        """A stage with a new learner."""
        name = f"{self.name} {n_examples}@{fidelity}"
        if self.goes_on:
            name += ", contract 1"
        return Stage(
            name=name,
            make_learner=self.make_learner,
            fidelity=fidelity,
            n_examples=n_examples,
            seconds=self.first_s,
            family=self.name,
            kind=self.kind or self.name,
            view=self.view,
        )

    def contract(self, last: Record, rank: int, fidelity: int, n_examples: int, seconds: float) -> Stage:
        """A stage that goes on with the learner of `last`; the family's contract number `rank`."""
        name = f"{self.name} {n_examples}@{fidelity}, contract {rank}"
        stage = replace(self.fresh(fidelity, n_examples), name=name, seconds=seconds, continues=last.stage.name)
        return replace(stage, looks=self._looks(last, seconds))

    def _looks(self, last: Record, seconds: float) -> int:
        """As many as the family has, if a pass with them takes no more than a small share of the contract."""
        pass_s = self.looks * last.predict_s / last.stage.looks  # nan before the first pass
        return self.looks if pass_s <= LOOKS_SHARE * seconds else 1


Plan: TypeAlias = Sequence[Family]
"""The families of a modality, the one that answers first in front."""


def next_stages(plan: Plan, history: History, left_s: float) -> list[Stage]:
    """Every stage that could come next, whatever it costs.

    Args:
        plan: families in the order in which they are tried when nothing tells them apart.
        history: what has run.
        left_s: seconds left, for the contract that takes all of them.
    """
    tried = {record.stage.name for record in history.records}
    stages = [stage for family in plan for stage in _of_family(family, history, left_s)]
    return [stage for stage in [*stages, *_refits(plan, history, left_s)] if stage.name not in tried]


def following(family: Family, stage: Stage, n_available: int | None) -> list[Stage]:
    """What could come after a stage of a family if it works: for looking ahead."""
    fit_s = stage.seconds if family.goes_on else 0.0
    record = Record(stage, min(stage.n_examples, _everything(family, n_available)), fit_s)
    if family.goes_on:
        return _contracts(family, [record], n_available, math.inf)
    return _grown(family, record, n_available)


def is_complete(family: Family, stage: Stage, n_available: int | None) -> bool:
    """Whether its family has no stage with more rows or in more detail."""
    return stage.n_examples >= _everything(family, n_available) and _next_fidelity(family, stage.fidelity) is None


def _of_family(family: Family, history: History, left_s: float) -> list[Stage]:
    n_available = history.n_available
    if n_available is not None and n_available > family.max_available:
        return []
    own = [record for record in history.records if record.stage.family == family.name]
    runs = [record for record in own if not record.stage.refit]
    worked = _scored(family, history)
    is_repeated = any(record.stage.refit and not record.failed for record in own)
    n_failed = len(runs) - len(worked)
    everything = _everything(family, n_available)
    if not runs:
        sizes, first_s = {min(family.first_n, everything)}, family.first_s  # what all rows would cost is not known yet
        if family.goes_on:  # its contract is the same whatever there is to read
            n_read = max([record.n_examples for record in history.records if not record.failed], default=everything)
            sizes = {n_read if n_read * MIN_GROWTH <= everything else everything, everything}
            first_s = max(first_s, FIRST_SHARE * min(history.elapsed_s, left_s))
        return [replace(family.fresh(family.fidelities[0], n), seconds=first_s) for n in sorted(sizes)]
    if not worked:
        n_fewer = runs[-1].stage.n_examples // GROWTH
        return [family.fresh(family.fidelities[0], n_fewer)] if n_fewer >= MIN_ROWS else []
    if n_failed >= MAX_FAILURES:
        return []
    stages = (
        _contracts(family, worked, n_available, left_s) if family.goes_on else _grown(family, worked[-1], n_available)
    )
    if family.goes_on and is_repeated and _is_over(stages, left_s):
        return []  # what else it learned would stand against members that know all rows
    failed = [record.stage for record in runs if record.failed]
    return [stage for stage in stages if not any(_asks_as_much(stage, other) for other in failed)]


def _grown(family: Family, last: Record, n_available: int | None) -> list[Stage]:
    """More rows, or more detail of as many."""
    everything = _everything(family, n_available)
    fidelity, n = last.stage.fidelity, last.n_examples
    is_all = n >= everything or n < last.stage.n_examples  # fewer than asked for: the split ended, or memory did
    sizes = [] if is_all else sorted({_more(n, everything), everything} if n_available is not None else {n * GROWTH})
    stages = [family.fresh(fidelity, size) for size in sizes]
    finer = _next_fidelity(family, fidelity)
    if finer is not None:
        stages.extend(family.fresh(finer, size) for size in sorted({last.stage.n_examples, *sizes[-1:]}))
    return stages


def _contracts(family: Family, worked: Sequence[Record], n_available: int | None, left_s: float) -> list[Stage]:
    """The next contract, perhaps on all rows or in more detail: twice as long as all before, or all that is left.

    None where training on has stopped to help, and there is neither more to see nor in more detail.
    """
    last = worked[-1]
    if last.fit_s < USED_SHARE * last.stage.seconds:
        return []
    spent_s = sum(record.stage.seconds for record in worked)
    everything = _everything(family, n_available)
    is_all = n_available is None or last.stage.n_examples >= everything
    finer = _next_fidelity(family, last.stage.fidelity)
    if is_all and finer is None and _is_past_its_best(worked):
        return []
    sizes = [last.stage.n_examples] if is_all else [last.stage.n_examples, everything]
    lengths = {DOUBLING * spent_s}
    if math.isfinite(left_s):
        lengths = {min(DOUBLING * spent_s, left_s), left_s}
    fidelities = [last.stage.fidelity] if finer is None else [last.stage.fidelity, finer]
    rank = len(worked) + 1
    lengths = {seconds for seconds in lengths if seconds > 0}
    return [family.contract(last, rank, f, n, s) for f in fidelities for n in sizes for s in sorted(lengths)]


def _is_past_its_best(worked: Sequence[Record]) -> bool:
    """Whether the latest contract of a learner has not made it better on rows that were held out from it."""
    spares_rows = worked[-1].n_fitted < worked[-1].n_examples
    return spares_rows and len(worked) > 1 and worked[-1].score <= max(record.score for record in worked[:-1])


def _refits(plan: Plan, history: History, left_s: float) -> list[Stage]:
    """Members of the answer, repeated on the hold-out rows too. Nothing can score that: they keep their weight."""
    families = {family.name: family for family in plan}
    repeated = {record.stage.refit_of for record in history.records}
    cross_fitted = {record.stage.refit_of for record in history.records if record.stage.cross_fits}
    stages = []
    for record in history.records:
        stage, family = record.stage, families.get(record.stage.family)
        unseen = record.n_fitted < record.n_examples
        if family is None or record.weight == 0 or stage.refit or not unseen:
            continue
        if family.goes_on:
            stages.extend(_last_contracts(family, record, history, left_s))
            continue
        if stage.name not in repeated:
            stages.append(replace(stage, name=f"{stage.name} refit", refit_of=stage.name))
        n_available = history.n_available or math.inf
        if stage.name not in cross_fitted and record.n_examples == n_available <= family.max_cross_fitted:
            name = f"{stage.name} cross-fitted"
            stages.append(replace(stage, name=name, refit_of=stage.name, cross_fits=True))
    return stages


def _last_contracts(family: Family, member: Record, history: History, left_s: float) -> list[Stage]:
    """What ends the training of a member, on all rows, once no whole contract that can be scored fits in any more.

    One like it begins anew with another seed, and they answer together; or it goes on for as long as is left, if it is
    the latest of its family and leads the answer.
    """
    worked = _scored(family, history)
    contracts = _contracts(family, worked, history.n_available, left_s)
    if not _is_over(contracts, left_s):
        return []
    stage, stages = member.stage, list[Stage]()
    again = [one.stage for one in history.records if one.stage.refit_of == stage.name and not one.failed]
    if any(not one.begins_anew for one in again):
        return []
    rank, seconds = len(again) + 1, trained_s(stage, {one.stage.name: one.stage for one in history.records})
    refit = replace(stage, name=f"{stage.name} refit", continues=stage.name, refit_of=stage.name)
    if rank <= MAX_RESTARTS and left_s >= RESTART_SHARE * seconds:
        before = again[-1] if again else stage
        one = replace(refit, name=f"{refit.name} {rank}", seconds=seconds, continues=before.name)
        stages.append(replace(one, restart=rank))
    if contracts and not again and member.weight >= LEADING and member is worked[-1]:
        stages.append(replace(refit, seconds=left_s))
    return stages


def _is_over(contracts: Sequence[Stage], left_s: float) -> bool:
    """Whether there is time for no whole contract, or training on has stopped to help and there is none."""
    return all(stage.seconds >= left_s for stage in contracts)


def _scored(family: Family, history: History) -> list[Record]:
    """What worked of a family, without refits."""
    records = [record for record in history.records if record.stage.family == family.name]
    return [record for record in records if not record.failed and not record.stage.refit]


def _everything(family: Family, n_available: int | None) -> int:
    return family.max_n if n_available is None else min(family.max_n, n_available)


def _more(n: int, everything: int) -> int:
    return n * GROWTH if n * GROWTH * MIN_GROWTH <= everything else everything


def _next_fidelity(family: Family, fidelity: int) -> int | None:
    rank = family.fidelities.index(fidelity) + 1
    return family.fidelities[rank] if rank < len(family.fidelities) else None


def _asks_as_much(stage: Stage, other: Stage) -> bool:
    """Whether a stage would fail as the other did: it asks for no fewer rows and no less detail."""
    return stage.n_examples >= other.n_examples and stage.fidelity >= other.fidelity
