"""What a stage should cost and bring: forecasts from priors and from what has run.

Scores are forecast as the logarithm of the error, 1 - NAUC. What a family is worth, how its error falls with rows,
detail and seconds, comes from priors (priors.py); how this dataset differs comes from the hold-out scores seen so far,
by a small Gaussian process: an effect of the dataset shared by all stages, one of each kind of family and of each
family, one of each family's learning curve, and noise. A family that was never tried keeps its width, and width is
worth something: the expected gain over the present answer is that of an option on the error (Jones et al., Efficient
global optimization of expensive black-box functions, 1998).
Costs are scaled from the family's latest stage; for a family that was never tried, from the priors, times how much
slower or faster than them this machine and this dataset were so far.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autodl_solver.anytime.history import History, Record
from autodl_solver.anytime.priors import FamilyPrior, Priors
from autodl_solver.anytime.stage import Stage, trained_s
from autodl_solver.data.examples import Array
from autodl_solver.learners.cross_fitted import N_FOLDS

DATASET_SD = 1.5  # of the log error, between datasets
KIND_SD = 0.8  # of the log error, between kinds of families on one dataset
FAMILY_SD = 0.7  # between families of one kind
SLOPE_SD = 0.2  # of the log error per doubling of rows, between datasets
SECONDS_SD = 0.4  # of the log error per root of a doubling of the contract: what training on brings is a walk
FIRST_CONTRACT_S = 0.1  # where that walk begins
STAGE_SD = 0.05  # what nothing explains
HOPELESS = 1.5  # a log error so much above the best tells of its stage only: it has learned nothing yet
GENTLE_DOUBLINGS = 3.0  # of the rows; behind them costs are expected to grow in proportion to the rows at least
UNKNOWN_COST = 2.0  # a cost without any record of the family is multiplied by so much: to be safe

SMALLEST_ERROR = 1e-4
CROSS_FITTED = -0.03  # change of the log error of a member, if others that spare other rows answer with it
REFIT_ROWS = -0.5  # least change of the log error per doubling of rows that a refit is expected to bring
LEAST_BLEND = 0.7  # a blend is not expected to have less than so many times the error of its best member


@dataclass(frozen=True)
class Outlook:
    """Forecast of one stage.

    Attributes:
        fit_s: seconds of reading, fitting and scoring.
        predict_s: seconds of its pass over the test split.
        log_error: mean of log(1 - NAUC).
        sd: its standard deviation.
    """

    fit_s: float
    predict_s: float
    log_error: float
    sd: float

    @property
    def cost_s(self) -> float:
        """Seconds until its answer is there."""
        return self.fit_s + self.predict_s

    def gain(self, error: float, blend: float = 1.0) -> float:
        """Expected fall of the answer's error below `error` if the stage joins it.

        Args:
            error: of the present answer.
            blend: factor on the stage's own error, for what its blend with the others gains.
        """
        if error <= 0:
            return 0.0
        mean = self.log_error + math.log(blend)
        if self.sd < 1e-6:
            return max(0.0, error - math.exp(mean))
        d = (math.log(error) - mean) / self.sd
        return max(0.0, error * _phi(d) - math.exp(mean + self.sd**2 / 2) * _phi(d - self.sd))


class Forecast:
    """Forecasts for the stages that could come next.

    Args:
        priors: of the modality.
        history: what has run.
    """

    def __init__(self, priors: Priors, history: History) -> None:
        self._priors = priors
        self._history = history
        self._worked = [record for record in history.records if not record.failed]
        self._scored = [record for record in self._worked if math.isfinite(record.score)]
        self._pace = self._machine_pace()
        if self._scored:
            stages = [record.stage for record in self._scored]
            prior = np.array([self._prior_log_error(stage) for stage in stages])
            seen = np.log([error_of(record.score, record.n_held_out) for record in self._scored])
            hopeless = np.maximum(seen - seen.min() - HOPELESS, 0.0)
            noise = [STAGE_SD**2 + _score_variance(record) for record in self._scored] + (3 * hopeless) ** 2
            self._gram = self._covariance(stages, stages) + np.diag(noise)
            self._weights = np.linalg.solve(self._gram, seen - prior)

    def outlooks(self, stages: Sequence[Stage]) -> list[Outlook]:
        """One for each stage."""
        if not stages:
            return []
        mean = np.array([self._prior_log_error(stage) + self._refit_change(stage) for stage in stages])
        variance = np.diag(self._covariance(stages, stages)).copy()
        if self._scored:
            across = self._covariance(stages, [record.stage for record in self._scored])
            mean = mean + across @ self._weights
            variance -= np.einsum("ij,ji->i", across, np.linalg.solve(self._gram, across.T))
        sds = np.sqrt(np.maximum(variance, 0.0))
        return [
            Outlook(*self._cost(stage), float(m), float(sd)) for stage, m, sd in zip(stages, mean, sds, strict=True)
        ]

    def blend_now(self) -> float:
        """How much better the answer is than its best member, as a factor on the error."""
        best = self._best_member()
        if best is None or not math.isfinite(self._history.answer_score):
            return 1.0
        ratio = error_of(self._history.answer_score, best.n_held_out) / error_of(best.score, best.n_held_out)
        return min(1.0, max(LEAST_BLEND, ratio))

    def answer_error(self) -> float:
        """1 - NAUC of the answer, 1 while there is none; what few rows say is drawn towards what was expected."""
        best = self._best_member()
        if best is None:
            return 1.0
        return self.blend_now() * math.exp(self.outlooks([best.stage])[0].log_error)

    def _best_member(self) -> Record | None:
        members = [record for record in self._scored if record.weight > 0]
        return max(members, key=lambda record: record.score, default=None)

    def refit_share(self, stage: Stage) -> float:
        """Share of the answer's error that should go when a member is learned anew on the hold-out rows too.

        Slopes that are fitted to hold-out scores are too flat for that where those are all but faultless: what refits
        did on the test rows of 20 datasets was a change of -.8 per doubling in all, of -.35 in the middle one.
        Of learners that answer together, the k-th on all rows makes their share grow by 1 / (k + k^2).
        """
        member = self._repeated(stage)
        k = 1 + sum(record.stage.refit_of == stage.refit_of for record in self._worked)
        if stage.cross_fits:
            change = CROSS_FITTED + (self._row_change(member) if k == 1 else 0.0)
            return member.weight * (1 - math.exp(change))
        return member.weight * (1 - math.exp(self._row_change(member))) * 2 / (k + k**2)

    def _refit_change(self, stage: Stage) -> float:
        """Of the log error, by the hold-out rows that a last contract learns from; its weight stays what it was."""
        if not stage.refit or stage.begins_anew:
            return 0.0
        member = self._repeated(stage)
        return member.weight * self._row_change(member)

    def _repeated(self, stage: Stage) -> Record:
        return next(record for record in self._worked if record.stage.name == stage.refit_of)

    def _row_change(self, member: Record) -> float:
        """Of the log error of a member, if it learned from its hold-out rows too."""
        rows = math.log2(member.n_examples / max(member.n_fitted, 1))
        return min(self._prior(member.stage).error_rows, REFIT_ROWS) * rows

    def _covariance(self, first: Sequence[Stage], second: Sequence[Stage]) -> Array:
        same = np.equal.outer([a.family for a in first], [b.family for b in second])
        alike = np.equal.outer([a.kind for a in first], [b.kind for b in second])
        rows = np.multiply.outer([self._doublings(a) for a in first], [self._doublings(b) for b in second])
        trained = np.minimum.outer([self._trained(a) for a in first], [self._trained(b) for b in second])
        own = FAMILY_SD**2 + SLOPE_SD**2 * rows + SECONDS_SD**2 * trained
        return np.asarray(DATASET_SD**2 + alike * KIND_SD**2 + same * own)

    def _trained(self, stage: Stage) -> float:
        """Doublings of the first moment of training; 0 for what is not trained by contract."""
        return math.log2(max(self._contract_s(stage) / FIRST_CONTRACT_S, 1.0)) if math.isfinite(stage.seconds) else 0.0

    def _prior(self, stage: Stage) -> FamilyPrior:
        return self._priors.of(stage.family)

    def _prior_log_error(self, stage: Stage) -> float:
        prior = self._prior(stage)
        log_error = (
            prior.error + prior.error_rows * self._doublings(stage) + prior.error_fidelity * math.log2(stage.fidelity)
        )
        if math.isfinite(stage.seconds):
            log_error += prior.log_error_by_seconds(self._contract_s(stage))
        return log_error

    def _contract_s(self, stage: Stage) -> float:
        return trained_s(stage, {record.stage.name: record.stage for record in self._worked})

    def _cost(self, stage: Stage) -> tuple[float, float]:
        """(fit_s, predict_s) of a stage."""
        prior = self._prior(stage)
        own = [record for record in self._worked if record.stage.family == stage.family]
        contract_s = stage.seconds if math.isfinite(stage.seconds) else 0.0
        if not own:
            fit_s = prior.fit_seconds(self._rows(stage), stage.fidelity) * self._pace * UNKNOWN_COST
            passes = [record.predict_s for record in self._worked if math.isfinite(record.predict_s)]
            predict_s = prior.predict_seconds(self._history.n_test, stage.fidelity) * self._pace
            return fit_s + contract_s, max([predict_s * UNKNOWN_COST, *passes[-1:]])
        last = next((record for record in reversed(own) if not record.stage.cross_fits), own[-1])
        detail = math.log2(stage.fidelity / last.stage.fidelity)
        rows = math.log2(self._rows(stage) / max(last.n_examples, 1))
        beyond_s = last.fit_s - (last.stage.seconds if math.isfinite(last.stage.seconds) else 0.0)
        single = [record for record in own if math.isfinite(record.predict_s) and not record.stage.cross_fits]
        passes = [record.predict_s / record.stage.looks for record in single]
        if stage.continues is not None and rows <= 0 and detail == 0 and passes and self._history.n_test:
            held_out_s = stage.looks * passes[-1] * last.n_held_out / self._history.n_test
            beyond_s = 0.0 if stage.refit else min(beyond_s, held_out_s)  # its rows are there; a refit scores none
        fit_s = max(beyond_s, 0.0) * 2 ** (_cost_doublings(prior, rows) + prior.cost_fidelity * detail)
        predict_s = stage.looks * passes[-1] * 2 ** (prior.cost_fidelity * detail) if passes else 0.0
        if stage.cross_fits:  # the learner of the first part is there
            fit_s, predict_s = (N_FOLDS - 1) * fit_s, N_FOLDS * predict_s
        return fit_s + contract_s, predict_s

    def _rows(self, stage: Stage) -> float:
        n_available = self._history.n_available
        return max(min(stage.n_examples, n_available if n_available is not None else stage.n_examples), 1)

    def _doublings(self, stage: Stage) -> float:
        """Rows on the scale of the learning curve, 0 at a thousand."""
        return math.log2(self._rows(stage) / 1000)

    def _machine_pace(self) -> float:
        """How many times slower than the priors say this machine with this dataset was: the geometric mean."""
        ratios = [
            math.log(
                max(record.fit_s, 1e-4)
                / self._prior(record.stage).fit_seconds(record.n_examples, record.stage.fidelity)
            )
            for record in self._worked
            if not math.isfinite(record.stage.seconds)
        ]
        return math.exp(sum(ratios[-5:]) / max(len(ratios[-5:]), 1))


def error_of(score: float, n_held_out: int) -> float:
    """1 - NAUC, but no less than a hold-out of so many rows can tell."""
    return max(1.0 - score, 0.5 / max(n_held_out, 1), SMALLEST_ERROR)


def _score_variance(record: Record) -> float:
    """Of the log error, by the size of the hold-out: few wrong pairs are counted badly."""
    return min(1.0, 0.5 / (max(record.n_held_out, 1) * error_of(record.score, record.n_held_out)))


def _cost_doublings(prior: FamilyPrior, rows: float) -> float:
    """Of the seconds of a stage when the rows double so often.

    On few rows most of the time goes into what does not depend on them; on many that no longer counts. By the slope of
    the first doublings a leap from 1,000 to 500,000 rows was expected to take a twentieth of what it took.
    """
    gentle = min(rows, GENTLE_DOUBLINGS)
    return prior.cost_rows * gentle + max(prior.cost_rows, 1.0) * (rows - gentle)


def _phi(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2))
