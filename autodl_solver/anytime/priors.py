"""Priors: what each family of a modality costs and brings, learned from the logs of many runs.

`priors.json` is written by `benchmarks/fit_priors.py` from stage logs and shipped with the package. They only have to
rank: a run corrects them by what it sees (forecast.py). A family without a prior gets the general one, so the engine
works without any.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from autodl_solver.errors import DataError

PRIORS_FILE = "priors.json"
VERSION = 1


@dataclass(frozen=True)
class FamilyPrior:
    """The expected course of one family. All slopes are per doubling.

    Networks learn fast at first and slower later, also on a logarithmic scale of time, so their slope bends.

    Attributes:
        error: log(1 - NAUC) at 1,000 rows, fidelity 1, and 1 s where contracts are given.
        error_rows: its change when the rows double.
        error_fidelity: when the fidelity doubles.
        error_seconds: when the contract doubles, at 1 s.
        error_seconds_bend: change of error_seconds when the contract doubles, 0 or more; the slope ends at 0.
        cost: log2 of the seconds of a stage with 1,000 rows at fidelity 1, without its contract.
        cost_rows: its change when the rows double.
        cost_fidelity: when the fidelity doubles; of the test pass too.
        predict: log2 of the seconds of a test pass over 1,000 rows at fidelity 1; it is proportional to the rows.
    """

    error: float = -1.2
    error_rows: float = -0.12
    error_fidelity: float = -0.05
    error_seconds: float = -0.12
    error_seconds_bend: float = 0.0
    cost: float = -3.0
    cost_rows: float = 0.9
    cost_fidelity: float = 0.8
    predict: float = -6.0

    def log_error_by_seconds(self, seconds: float) -> float:
        """Change of log(1 - NAUC) from a contract of 1 s to one of so many seconds."""
        doublings = math.log2(max(seconds, 1e-3))
        if self.error_seconds_bend > 0:
            doublings = min(doublings, -self.error_seconds / self.error_seconds_bend)
        return self.error_seconds * doublings + self.error_seconds_bend * doublings**2 / 2

    def fit_seconds(self, n_rows: float, fidelity: float) -> float:
        """Seconds of a stage, without its contract."""
        return float(2 ** (self.cost + self.cost_rows * _log2(n_rows / 1000) + self.cost_fidelity * _log2(fidelity)))

    def predict_seconds(self, n_rows: float, fidelity: float) -> float:
        """Seconds of a pass over so many test rows."""
        return float(2 ** (self.predict + self.cost_fidelity * _log2(fidelity)) * n_rows / 1000)


GENERAL = FamilyPrior()


@dataclass(frozen=True)
class Priors:
    """Those of one modality.

    Attributes:
        families: by name.
        blend: factor on the error of a new family's stage when it is blended with the others.
    """

    families: Mapping[str, FamilyPrior] = field(default_factory=dict)
    blend: float = 0.97

    def of(self, family: str) -> FamilyPrior:
        """The prior of a family, or the general one."""
        return self.families.get(family, GENERAL)


NO_PRIORS = Priors()


def shipped_priors(modality: str) -> Priors:
    """The priors of a modality that are part of the package; none if it has none.

    Raises:
        DataError: the file of the package is damaged.
    """
    text = resources.files(__package__).joinpath(PRIORS_FILE).read_text(encoding="utf-8")
    return parse_priors(text).get(modality, NO_PRIORS)


def parse_priors(text: str) -> dict[str, Priors]:
    """Priors by modality.

    Raises:
        DataError: the text is not what `format_priors` makes, or of another version.
    """
    try:
        fields = json.loads(text)
        if fields["version"] != VERSION:
            raise ValueError(f"this package reads version {VERSION}, it is of version {fields['version']}")
        return {name: _parsed(one) for name, one in fields["modalities"].items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DataError(
            f"Priors must be the JSON of format_priors; however they are not: {error}; fit them again with "
            "benchmarks/fit_priors.py."
        ) from error


def format_priors(priors: Mapping[str, Priors]) -> str:
    """JSON, one family a line, to four digits."""
    lines = []
    for modality, one in sorted(priors.items()):
        families = ",\n".join(
            f"      {json.dumps(name)}: {json.dumps({key: round(value, 4) for key, value in vars(prior).items()})}"
            for name, prior in sorted(one.families.items())
        )
        lines.append(
            f'    {json.dumps(modality)}: {{\n      "blend": {round(one.blend, 4)},\n      "families": {{\n'
            + families.replace("      ", "        ")
            + "\n      }\n    }"
        )
    return f'{{\n  "version": {VERSION},\n  "modalities": {{\n' + ",\n".join(lines) + "\n  }\n}\n"


def _parsed(fields: Mapping[str, Any]) -> Priors:
    families = {
        name: FamilyPrior(**{key: float(value) for key, value in one.items()})
        for name, one in fields["families"].items()
    }
    for name, prior in families.items():
        if prior.error_seconds_bend < 0:
            raise ValueError(f"error_seconds_bend of {name!r:.50} is {prior.error_seconds_bend}, below 0")
    return Priors(families, float(fields["blend"]))


def _log2(x: float) -> float:
    return math.log2(max(x, 1e-6))
