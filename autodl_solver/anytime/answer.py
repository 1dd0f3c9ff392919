"""Whose predictions answer, and how much each counts: the blend of the stages that saw all hold-out rows so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from autodl_solver.anytime.ensemble import Temperature, blend, greedy_selection
from autodl_solver.anytime.history import History, Record
from autodl_solver.data.examples import Array

MIN_WEIGHT = 0.02
"""A member that counts for less is not worth its pass over the test split."""


UNCHANGED = Temperature(1.0)


@dataclass(frozen=True)
class Member:
    """One stage in the answer: its predictions, made comparable by `temperature`, count for `weight`."""

    record: Record
    weight: float = 1.0
    temperature: Temperature = UNCHANGED


def members(history: History) -> tuple[Member, ...]:
    """The answer after all that has run: empty before anything worked.

    Weights come from greedy selection on the hold-out rows that all members have seen. A stage that saw fewer of them
    is left out, unless it is still the champion: then it answers alone. A refit stands for the stage that it repeats.
    """
    champion = history.champion()
    if champion is None:
        return ()
    y = history.y_held_out
    worked = [record for record in history.records if not record.failed]
    seen = [(record, record.held_out) for record in worked if record.held_out is not None]
    judged = [(record, held_out) for record, held_out in seen if y is not None and len(held_out) == len(y)]
    repeated = {record.stage.refit_of: record for record in worked if record.stage.refit}
    leader = champion.stage.refit_of or champion.stage.name
    if y is None or len(judged) < 2 or leader not in [record.stage.name for record, _ in judged]:
        return (Member(champion),)
    temperatures = [Temperature.fitted(held_out, y) for _, held_out in judged]
    logits = [temperature.apply(held_out) for temperature, (_, held_out) in zip(temperatures, judged, strict=True)]
    weights = greedy_selection(np.stack(logits), y)
    weights[weights < MIN_WEIGHT] = 0.0
    return tuple(
        Member(repeated.get(record.stage.name, record), float(weight), temperature)
        for (record, _), weight, temperature in zip(judged, weights / weights.sum(), temperatures, strict=True)
        if weight > 0
    )


def answer_of(chosen: tuple[Member, ...], scores: Mapping[str, Array]) -> Array:
    """[n_rows, n_classes] float32 in [0, 1].

    Args:
        chosen: at least one member.
        scores: by stage name, the [n_rows, n_classes] predictions of each member.
    """
    if len(chosen) == 1:
        return scores[chosen[0].record.stage.name]
    logits = np.stack([member.temperature.apply(scores[member.record.stage.name]) for member in chosen])
    return blend(logits, np.array([member.weight for member in chosen])).astype(np.float32)


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
