"""Whose predictions answer: members, weights, refits and failures."""

from dataclasses import replace

import numpy as np
import pytest

from autodl_solver.anytime.answer import (
    FEWEST_ROWS,
    Member,
    _weighed_by_all_rows,
    answer_of,
    held_out_answer,
    members,
    superseded,
)
from autodl_solver.anytime.history import History, Record
from autodl_solver.anytime.stage import Stage
from autodl_solver.learners.prior import PriorLearner
from autodl_solver.metrics import nauc

Y = np.eye(3, dtype=np.float32)[np.arange(300) % 3]


def scores(skill: float, seed: int, n_rows: int = 300) -> np.ndarray:
    """Probabilities that are right more often with more skill; errors of different seeds are independent."""
    logits = skill * Y[:n_rows] + np.random.default_rng(seed).normal(size=(n_rows, 3))
    return (np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)).astype(np.float32)


def record(name: str, held_out: np.ndarray | None, *, failed: bool = False, refit_of: str | None = None) -> Record:
    error = ValueError() if failed else None
    return Record(Stage(name, PriorLearner, 8, 10, refit_of=refit_of), 10, 1.0, held_out, error=error)


def names(chosen: tuple[Member, ...]) -> list[str]:
    return [member.record.stage.name for member in chosen]


def test_nothing_that_worked_has_no_members() -> None:
    assert members(History()) == ()
    assert members(History(records=[record("failed", None, failed=True)], y_held_out=Y)) == ()


def test_two_good_stages_answer_better_together() -> None:
    history = History(records=[record("a", scores(1.5, 0)), record("b", scores(1.5, 1))], y_held_out=Y)
    chosen = members(history)
    assert names(chosen) == ["a", "b"]
    assert sum(member.weight for member in chosen) == pytest.approx(1)
    test = {"a": scores(1.5, 2), "b": scores(1.5, 3)}
    blended = answer_of(chosen, test)
    assert blended.dtype == np.float32
    assert blended.shape == (300, 3)
    assert nauc(Y, blended) > max(nauc(Y, own) for own in test.values())


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([record("few", scores(1, 0, 60)), record("all", scores(2, 1))], ["all"]),  # seen fewer hold-out rows: left out
        ([record("few", scores(9, 0, 60)), record("all", scores(0, 1))], ["few"]),  # ... unless it still leads
        ([record("good", scores(4, 0)), record("useless", scores(0, 1))], ["good"]),  # nothing to add
        ([record("good", scores(2, 0)), record("broken", None, failed=True)], ["good"]),  # a failure
        ([record("a", scores(2, 0)), record("a refit", None, refit_of="a")], ["a refit"]),  # stands for what it repeats
    ],
)
def test_members(records: list[Record], expected: list[str]) -> None:
    assert names(members(History(records=records, y_held_out=Y))) == expected


def test_a_refit_takes_the_weight_of_the_stage_that_it_repeats() -> None:
    both = [record("a", scores(1.5, 0)), record("b", scores(1.5, 1))]
    before = members(History(records=both, y_held_out=Y))
    after = members(History(records=[*both, record("b refit", None, refit_of="b")], y_held_out=Y))
    assert names(after) == ["a", "b refit"]
    assert [member.weight for member in after] == [member.weight for member in before]


def in_parts(member: str, skill: float, seed: int) -> Record:
    """A repetition in parts, with predictions for all of ten times as many rows as are held out."""
    stage = Stage(f"{member} in parts", PriorLearner, 8, 3000, refit_of=member, cross_fits=True)
    logits = skill * ALL_Y + np.random.default_rng(seed).normal(size=ALL_Y.shape)
    return Record(stage, 3000, 1.0, out_of_fold=1 / (1 + np.exp(-logits)))


ALL_Y = np.tile(Y, (10, 1))


def weights_of(*records: Record) -> dict[str, float]:
    chosen = members(History(records=list(records), y_held_out=Y, y=ALL_Y))
    return {one.record.stage.refit_of or one.record.stage.name: one.weight for one in chosen}


def test_all_rows_tell_what_members_repeated_in_parts_count() -> None:
    three = [record("a", scores(1.6, 0)), record("b", scores(1.5, 1)), record("c", scores(1.5, 2))]
    before = weights_of(*three)
    assert weights_of(*three, in_parts("a", 0.5, 5)) == before
    after = weights_of(*three, in_parts("a", 0.5, 5), in_parts("b", 2, 6))
    assert after["c"] == before["c"]
    assert before["b"] < before["a"]
    assert after["b"] > 2 * after["a"]
    assert sum(after.values()) == pytest.approx(1)


def test_a_class_of_few_rows_does_not_tell_what_repeated_members_count() -> None:
    rare = np.zeros((len(ALL_Y), 1), np.float32)
    rare[: FEWEST_ROWS - 1] = 1
    y = np.hstack([ALL_Y, rare])
    repeated = [in_parts("a", 1, 5), in_parts("b", 1, 6)]
    judged = [np.hstack([one.out_of_fold, right]) for one, right in zip(repeated, (rare, 1 - rare), strict=True)]
    weights = []
    for rows, labels in ((judged, y), ([one[:, :-1] for one in judged], ALL_Y)):
        members_of = [Member(replace(one, out_of_fold=of), 0.5) for one, of in zip(repeated, rows, strict=True)]
        weights.append([member.weight for member in _weighed_by_all_rows(members_of, labels)])
    assert weights[0] == weights[1]


def test_only_the_last_refit_of_a_stage_is_kept() -> None:
    refits = [record(name, None, refit_of="a") for name in ("refit 1", "refit 2")]
    history = History(records=[record("a", scores(2, 0)), *refits], y_held_out=Y)
    chosen = members(history)
    assert names(chosen) == ["refit 2"]
    assert superseded(history, chosen) == refits[:1]
    refits[0].retired, refits[1].error = True, MemoryError()  # after all it cannot predict the test rows
    assert names(members(history)) == ["a"]


def test_a_single_member_answers_unchanged() -> None:
    own = scores(1, 0)
    assert answer_of((Member(record("a", own)),), {"a": own}) is own


def test_the_hold_out_is_answered_as_the_test_rows_are() -> None:
    both = [record("a", scores(1.5, 0)), record("b", scores(1.5, 1)), record("b refit", None, refit_of="b")]
    history = History(records=both, y_held_out=Y)
    held_out = held_out_answer(members(history), history)
    assert held_out is not None
    y, blended = held_out
    assert np.array_equal(y, Y)
    assert nauc(Y, blended) > max(nauc(Y, scores(1.5, seed)) for seed in (0, 1))


def test_without_a_hold_out_there_is_nothing_to_answer() -> None:
    assert held_out_answer((), History()) is None
    alone = record("a", None)
    assert held_out_answer((Member(alone),), History(records=[alone])) is None


@pytest.mark.parametrize(
    ("skill_later", "continues", "expected"),
    [
        (3.0, "a", ["b"]),  # trained on and better: the earlier weights are out
        (1.9, "a", ["a", "b"]),  # trained on and a little worse: both together
        (2.2, None, ["b"]),  # more rows, and worse by less than the noise: the later one alone
        (0.3, None, ["a"]),  # worse by far
    ],
)
def test_a_later_stage_of_a_family_takes_the_place_of_the_earlier(
    skill_later: float, continues: str | None, expected: list[str]
) -> None:
    history = History(y_held_out=Y)
    for name, skill, seed in (("a", 2.0, 0), ("b", skill_later, 1)):
        stage = Stage(name, PriorLearner, 8, 10, family="one", continues=continues if name == "b" else None)
        one = Record(stage, 10, 1.0)
        one.scored(Y, scores(skill, seed))
        history.records.append(one)
    assert names(members(history)) == expected


def test_what_no_member_needs_is_superseded_but_the_latest_of_a_family() -> None:
    history = History(y_held_out=Y)
    for name, family, skill in (("a", "one", 1.0), ("b", "one", 3.0), ("c", "other", 0.0)):
        one = Record(Stage(name, PriorLearner, 8, 10, family=family), 10, 1.0)
        one.scored(Y, scores(skill, len(name)))
        history.records.append(one)
    chosen = members(history)
    assert names(chosen) == ["b"]
    assert [one.stage.name for one in superseded(history, chosen)] == ["a"]
