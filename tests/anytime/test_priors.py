"""Priors: what is written comes back, and damage is told."""

from __future__ import annotations

import json

import pytest

from autodl_solver.anytime.priors import (
    GENERAL,
    NO_PRIORS,
    FamilyPrior,
    Priors,
    format_priors,
    parse_priors,
    shipped_priors,
)
from autodl_solver.errors import DataError
from autodl_solver.modalities import Modality

PRIORS = {
    "image": Priors({"ridge": FamilyPrior(error=-1.25), "network": FamilyPrior(error_seconds=-0.5)}, 0.9),
    "text": Priors({'odd "name"': FamilyPrior(cost=2.5)}),
    "video": Priors(),
}
TEXT = format_priors(PRIORS)


def changed(**fields: object) -> str:
    return json.dumps({**json.loads(TEXT), **fields})


def test_what_is_written_comes_back() -> None:
    assert parse_priors(TEXT) == PRIORS
    assert parse_priors(format_priors({})) == {}


def test_one_family_is_one_line() -> None:
    assert sum("error_rows" in line for line in TEXT.splitlines()) == 3
    assert TEXT.endswith("}\n")


@pytest.mark.parametrize(
    "text",
    [
        "",
        TEXT[:-20],  # cut short
        "[]",
        "null",
        "{}",
        changed(version=2),
        changed(modalities=[]),
        changed(modalities={"image": {"families": {}}}),  # no blend
        changed(modalities={"image": {"families": {"ridge": {"error": "low"}}, "blend": 0.9}}),
        changed(modalities={"image": {"families": {"ridge": {"colour": 1.0}}, "blend": 0.9}}),
        changed(modalities={"image": {"families": {"ridge": 1.0}, "blend": 0.9}}),
        changed(modalities={"image": {"families": {}, "blend": None}}),
    ],
)
def test_a_damaged_file_is_told(text: str) -> None:
    with pytest.raises(DataError, match="fit them again"):
        parse_priors(text)


@pytest.mark.parametrize("modality", [one.value for one in Modality])
def test_the_shipped_priors_can_be_read(modality: str) -> None:
    priors = shipped_priors(modality)
    assert 0.5 < priors.blend <= 1.0
    for family in priors.families.values():
        assert family.fit_seconds(1000, 1) > 0


def test_a_modality_without_priors_gets_none() -> None:
    assert shipped_priors("smell") == NO_PRIORS


def test_a_family_without_a_prior_gets_the_general_one() -> None:
    assert PRIORS["image"].of("ridge").error == -1.25
    assert PRIORS["image"].of("unheard of") == GENERAL


@pytest.mark.parametrize(
    ("n_rows", "fidelity", "seconds"),
    [
        (1000, 1, 4.0),
        (4000, 1, 16.0),  # proportional to the rows
        (1000, 4, 8.0),  # to the square root of the fidelity
    ],
)
def test_costs_are_powers_of_rows_and_fidelity(n_rows: int, fidelity: int, seconds: float) -> None:
    prior = FamilyPrior(cost=2.0, cost_rows=1.0, cost_fidelity=0.5, predict=2.0)
    assert prior.fit_seconds(n_rows, fidelity) == pytest.approx(seconds)
    assert prior.predict_seconds(n_rows, fidelity) == pytest.approx(seconds)


def test_a_bent_slope_ends_where_it_is_level() -> None:
    straight, bent = FamilyPrior(error_seconds=-0.4), FamilyPrior(error_seconds=-0.4, error_seconds_bend=0.1)
    assert straight.log_error_by_seconds(8.0) == pytest.approx(-1.2)
    assert bent.log_error_by_seconds(8.0) == pytest.approx(-1.2 + 0.45)
    assert bent.log_error_by_seconds(16.0) == pytest.approx(-0.8)
    assert bent.log_error_by_seconds(1e4) == pytest.approx(-0.8)
    assert bent.log_error_by_seconds(1.0) == 0
    assert bent.log_error_by_seconds(0.0) > 0


def test_a_slope_that_steepens_is_no_prior() -> None:
    text = changed(modalities={"image": {"families": {"network": {"error_seconds_bend": -0.1}}, "blend": 0.9}})
    with pytest.raises(DataError, match="error_seconds_bend"):
        parse_priors(text)
