"""Whose predictions answer, and how much each counts: the blend of the stages that saw all hold-out rows so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autodl_solver.anytime.ensemble import Temperature, blend, greedy_selection
from autodl_solver.anytime.history import History, Record, noise_of_nauc
from autodl_solver.data.examples import Array
from autodl_solver.metrics import nauc

MIN_WEIGHT = 0.02
"""A member that counts for less is not worth its pass over the test split."""

FEWEST_ROWS = 10
"""Classes of fewer rows do not tell how much members count: what one row gets from a learner that saw none of its class
is chance, and yet the class counts as much as any other."""

UNCHANGED = Temperature(1.0)


@dataclass(frozen=True)
class Member:
    """One stage in the answer: its predictions, made comparable by `temperature`, count for `weight`."""

    record: Record
    weight: float = 1.0
    temperature: Temperature = UNCHANGED


def members(history: History) -> tuple[Member, ...]:
    """The answer after all that has run: empty before anything worked.

    Weights come from greedy selection on the hold-out rows that all members have predicted. A stage that knows fewer of
    them is left out, unless it is still the champion: then it answers alone. A refit stands for the stage that it
    repeats. Among members that were repeated in parts, all rows tell how much each counts.
    """
    champion = history.champion()
    if champion is None:
        return ()
    y = history.y_held_out
    worked = [record for record in history.records if not record.failed]
    repeated = {record.stage.refit_of: record for record in worked if record.stage.refit and not record.retired}
    can_predict = [record for record in worked if not record.retired or record.stage.name in repeated]
    seen = [(record, record.held_out) for record in _without_outgrown(can_predict) if record.held_out is not None]
    judged = [(record, held_out) for record, held_out in seen if y is not None and len(held_out) == len(y)]
    leader = champion.stage.refit_of or champion.stage.name
    if y is None or len(judged) < 2 or leader not in [record.stage.name for record, _ in judged]:
        return (Member(champion),)
    temperatures = [Temperature.fitted(held_out, y) for _, held_out in judged]
    logits = [temperature.apply(held_out) for temperature, (_, held_out) in zip(temperatures, judged, strict=True)]
    weights = greedy_selection(np.stack(logits), y)
    weights[weights < MIN_WEIGHT] = 0.0
    chosen = [
        Member(repeated.get(record.stage.name, record), float(weight), temperature)
        for (record, _), weight, temperature in zip(judged, weights / weights.sum(), temperatures, strict=True)
        if weight > 0
    ]
    return tuple(_weighed_by_all_rows(chosen, history.y))


def _weighed_by_all_rows(chosen: list[Member], y: Array | None) -> list[Member]:
    """What members that were repeated in parts count together is shared out anew, by their predictions of all rows.

    The hold-out of a small table tells members apart badly: on 700 rows the standard error of a NAUC is .004.
    """
    known = [(member, rows) for member in chosen if (rows := member.record.out_of_fold) is not None]
    if y is None or len(known) < 2:
        return chosen
    n_positive = (y > 0.5).sum(axis=0)
    told = np.minimum(n_positive, len(y) - n_positive) >= FEWEST_ROWS
    if not told.any():
        return chosen
    temperatures = [Temperature.fitted(rows[:, told], y[:, told]) for _, rows in known]
    logits = [temperature.apply(rows[:, told]) for temperature, (_, rows) in zip(temperatures, known, strict=True)]
    share = sum(member.weight for member, _ in known)
    weights = greedy_selection(np.stack(logits), y[:, told])
    weights[weights * share < MIN_WEIGHT] = 0.0
    if not weights.any():
        return chosen
    anew = [
        Member(member.record, float(weight), temperature)
        for (member, _), weight, temperature in zip(known, share * weights / weights.sum(), temperatures, strict=True)
        if weight > 0
    ]
    return [member for member in chosen if member.record.out_of_fold is None] + anew


def _without_outgrown(records: list[Record]) -> list[Record]:
    """Leaves out what a later stage of the same family and fidelity, on more rows or for longer, does as well."""
    kept: list[Record] = []
    for record in records:
        kin = [one for one in kept if _is_outgrown(one, record)]
        kept = [one for one in kept if one not in kin] + [record]
    return kept


def _is_outgrown(earlier: Record, later: Record) -> bool:
    if earlier.stage.refit or later.stage.refit or earlier.stage.family != later.stage.family:
        return False
    if later.stage.continues is not None:  # trained on: where that made it worse, both together are often the best
        return later.score >= earlier.score
    as_good = later.score >= earlier.score - noise_of_nauc(later.n_held_out, earlier.score)
    return as_good and earlier.stage.fidelity == later.stage.fidelity


def superseded(history: History, chosen: tuple[Member, ...]) -> list[Record]:
    """Records whose learner nobody will ask again: not a member, nor the latest of its family, nor the last refit."""
    latest = {record.stage.family: record.stage.name for record in history.records if not _without_learner(record)}
    kept = {member.record.stage.name for member in chosen} | set(latest.values())
    kept |= {member.record.stage.refit_of for member in chosen if member.record.stage.refit_of}
    repeated = {record.stage.refit_of: record for record in history.records if record.stage.refit and not record.failed}
    return [
        record
        for record in history.records
        if not record.failed
        and not record.retired
        and (kept.isdisjoint({record.stage.name, record.stage.refit_of}) or _is_repeated_again(record, repeated))
    ]


def _is_repeated_again(record: Record, repeated: Mapping[str | None, Record]) -> bool:
    return record.stage.refit and repeated[record.stage.refit_of] is not record


def weigh(history: History, chosen: tuple[Member, ...]) -> None:
    """Notes in the history how much each stage counts now, and what the answer scores on the hold-out."""
    weights = {member.record.stage.name: member.weight for member in chosen}
    weights |= {member.record.stage.refit_of: member.weight for member in chosen if member.record.stage.refit_of}
    for record in history.records:
        record.weight = weights.get(record.stage.name, 0.0)
    held_out = held_out_answer(chosen, history)
    if held_out is not None:
        history.records[-1].answer_score = nauc(*held_out)


def answer_of(chosen: tuple[Member, ...], scores: Mapping[str, Array]) -> Array:
    """[n_rows, n_classes] float32 in [0, 1].

    Args:
        chosen: at least one member; their weights count relative to each other.
        scores: by stage name, the [n_rows, n_classes] predictions of each member.
    """
    return blended([(one.weight, one.temperature, scores[one.record.stage.name]) for one in chosen])


def blended(scored: Sequence[tuple[float, Temperature, Array]]) -> Array:
    """[n_rows, n_classes] float32 in [0, 1]: one blend of (weight, temperature, scores), at least one of them."""
    if len(scored) == 1:
        return scored[0][2]
    logits = np.stack([temperature.apply(scores) for _, temperature, scores in scored])
    weights = np.array([weight for weight, _, _ in scored])
    return blend(logits, weights / weights.sum()).astype(np.float32)


def held_out_answer(chosen: tuple[Member, ...], history: History) -> tuple[Array, Array] | None:
    """Labels and scores of the hold-out rows that all members have seen; None if there are none.

    Returns:
        (y, scores), [n_rows >= 1, n_classes] each; a refit is represented by the stage that it repeats.
    """
    own = {record.stage.name: record.held_out for record in history.records}
    scores = {}
    for member in chosen:
        held_out = own.get(member.record.stage.refit_of or member.record.stage.name)
        if held_out is None:
            return None
        scores[member.record.stage.name] = held_out
    n_rows = min(map(len, scores.values()), default=0)
    if n_rows == 0 or history.y_held_out is None:
        return None
    return history.y_held_out[:n_rows], answer_of(chosen, {name: rows[:n_rows] for name, rows in scores.items()})


def _without_learner(record: Record) -> bool:
    """Whether the record is not one of a learner that was scored, and is still there."""
    return record.failed or record.retired or record.stage.refit
